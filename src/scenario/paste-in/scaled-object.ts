/** The autoscaler of a ScaledObject of KEDA. Triggers of type cron are what they are; of any other type they need a metric of the
 *  simulation, which `metadata.metricName` names, or for those that watch a queue its name: `queue/NAME`.
 *
 *  After kedacore/keda: apis/keda/v1alpha1/scaledobject_types.go. */
import type { MapNode } from '../node.ts';
import { metricNamed } from './autoscaler-metrics.ts';
import { Draft } from './draft.ts';
import { readBehavior } from './horizontal-pod-autoscaler.ts';
import { quantity, seconds } from './kubernetes-quantity.ts';
import type { PastedFile } from './pasted-file.ts';
import { type Found, Section } from './section.ts';

/** Undefined after complaints. */
export function kedaAutoscaler(node: MapNode, file: PastedFile): Draft | undefined {
  const object = new Section(node, file, node.span);
  const spec = object.section('spec') ?? new Section(undefined, file, object.span);
  const draft = new Draft('keda', file)
    .set('min', spec.scalar('minReplicaCount'))
    .set('max', spec.scalar('maxReplicaCount'))
    .set('idle', spec.scalar('idleReplicaCount'))
    .set('pollingInterval', seconds(spec.scalar('pollingInterval')))
    .set('cooldownPeriod', seconds(spec.scalar('cooldownPeriod')))
    .set('initialCooldownPeriod', seconds(spec.scalar('initialCooldownPeriod')));
  const fallback = spec.section('fallback');
  draft
    .set('fallbackReplicas', fallback?.scalar('replicas'))
    .set('fallbackFailureThreshold', fallback?.scalar('failureThreshold'))
    .set('fallbackBehavior', fallback?.scalar('behavior'));
  fallback?.reportRest();
  const triggers = spec
    .sections('triggers')
    .map(readTrigger)
    .filter((trigger) => trigger !== undefined);
  for (const trigger of triggers) draft.add('triggers', trigger);
  const advanced = spec.section('advanced');
  const config = advanced?.section('horizontalPodAutoscalerConfig');
  const behavior = config?.section('behavior');
  if (behavior !== undefined) readBehavior(behavior, draft);
  config?.reportRest({}, ['name']);
  advanced?.reportRest({ scaling_modifiers: 'formulas over triggers are not known' });
  spec.reportRest({}, ['scale_target_ref']);
  object.reportRest({}, ['api_version', 'kind', 'metadata', 'status']);
  if (triggers.length > 0) return draft;
  file.error('no-metric', spec.keySpan('triggers'), 'none of its triggers is known here');
  return undefined;
}

function readTrigger(trigger: Section): Readonly<Record<string, Found | undefined>> | undefined {
  const type = trigger.scalar('type');
  const metricType = trigger.scalar('metricType');
  const metadata = trigger.section('metadata');
  const { file } = trigger;
  if (type === undefined || metadata === undefined) {
    file.error('missing-key', trigger.span, `missing key "${type === undefined ? 'type' : 'metadata'}"`);
    return undefined;
  }
  const record = type.value === 'cron' ? readCron(type, metadata) : readMetric(type, metricType, metadata);
  trigger.reportRest({}, ['name']);
  return record;
}

function readCron(type: Found, metadata: Section): Readonly<Record<string, Found | undefined>> {
  const record = {
    type,
    timezone: metadata.scalar('timezone'),
    start: metadata.scalar('start'),
    end: metadata.scalar('end'),
    desiredReplicas: quantity(metadata.scalar('desiredReplicas'), metadata.file),
  };
  metadata.reportRest();
  return record;
}

/** Keys under which scalers have the name of a queue, and their target per replica. */
const queueKeys = ['queueName', 'queue', 'topic', 'listName'];
const targetKeys = ['threshold', 'queueLength', 'lagThreshold', 'listLength', 'value', 'targetValue'];

function readMetric(
  type: Found,
  metricType: Found | undefined,
  metadata: Section,
): Readonly<Record<string, Found | undefined>> | undefined {
  const { file } = metadata;
  const queueKey = queueKeys.find((key) => metadata.has(key));
  const written = metadata.scalar('metricName');
  const queue = queueKey === undefined ? undefined : metadata.scalar(queueKey);
  const targetKey = targetKeys.find((key) => metadata.has(key));
  const target = targetKey === undefined ? undefined : quantity(metadata.scalar(targetKey), file);
  const activationKey = targetKey === undefined ? '' : `activation${targetKey[0].toUpperCase()}${targetKey.slice(1)}`;
  const activation = quantity(metadata.scalar(activationKey), file);
  if (target === undefined) {
    file.warn(
      'not-read',
      metadata.span,
      `the trigger ${String(type.value)} has no target: it is left out`,
      `one of ${targetKeys.join(', ')}`,
    );
    return undefined;
  }
  const source = written ?? (queue === undefined ? undefined : { ...queue, value: `queue/${String(queue.value)}` });
  if (source === undefined) {
    const hint = 'metricName may name a metric of the simulation, as requests-per-second or queue/NAME';
    file.warn('not-read', type.span, `what the trigger ${String(type.value)} measures is not known here: it is left out`, hint);
    return undefined;
  }
  const name = metricNamed(source, false, file);
  metadata.reportRest();
  if (name === undefined) return undefined;
  return {
    type: { ...type, value: 'metric' },
    name,
    metricType,
    threshold: target,
    activationThreshold: activation,
  };
}
