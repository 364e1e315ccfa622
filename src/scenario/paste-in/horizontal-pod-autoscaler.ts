/** The autoscaler of a HorizontalPodAutoscaler of Kubernetes, autoscaling/v2 or v1.
 *
 *  What is left out in the file has Kubernetes' defaults, which are those of our policy. Flags of the controller manager do not stand in it
 *  and have their defaults. Metrics are those of the simulation: others are left out, with a warning, unless their name says what they are.
 *
 *  After kubernetes/api: autoscaling/v2/types.go and autoscaling/v1/types.go. */
import { show } from '../../core/quantity.ts';
import type { MapNode } from '../node.ts';
import { metricNamed } from './autoscaler-metrics.ts';
import { Draft } from './draft.ts';
import { quantity, seconds } from './kubernetes-quantity.ts';
import type { PastedFile } from './pasted-file.ts';
import { type Found, Section } from './section.ts';

/** Undefined after complaints. */
export function hpaAutoscaler(node: MapNode, file: PastedFile): Draft | undefined {
  const object = new Section(node, file, node.span);
  const version = object.scalar('apiVersion');
  if (version !== undefined && !versions.includes(String(version.value))) {
    file.error('unknown-version', version.span, `${show(version.value)} is not read here`, `write ${versions[0]}`);
    return undefined;
  }
  const spec = object.section('spec');
  const max = spec?.scalar('maxReplicas');
  if (spec === undefined || max === undefined || max.value === null) {
    file.error('missing-key', spec?.span ?? object.span, 'missing key "maxReplicas"', 'an autoscaler needs an upper limit');
    return undefined;
  }
  const draft = new Draft('hpa', file).set('min', spec.scalar('minReplicas')).set('max', max);
  const isRead = String(version?.value).endsWith('/v1') ? readV1(spec, draft) : readMetrics(spec, draft);
  const behavior = spec.section('behavior');
  if (behavior !== undefined) readBehavior(behavior, draft);
  spec.reportRest({}, ['scale_target_ref']);
  object.reportRest({}, ['kind', 'metadata', 'status']);
  return isRead ? draft : undefined;
}

const versions = ['autoscaling/v2', 'autoscaling/v1', 'autoscaling/v2beta2'];

function readV1(spec: Section, draft: Draft): boolean {
  const target = percent(spec.scalar('targetCPUUtilizationPercentage'));
  if (target !== undefined) draft.add('metrics', { name: { ...target, value: 'cpu' }, averageUtilization: target });
  return true;
}

/** Whole percents, as a share of ours. */
const percent = (found: Found | undefined): Found | undefined =>
  found === undefined || found.value === null ? undefined : { ...found, value: `${String(found.value)}%` };

/** By type, the key that holds the metric, as there. */
const sources: Readonly<Record<string, string>> = {
  Resource: 'resource',
  ContainerResource: 'containerResource',
  Pods: 'pods',
  Object: 'object',
  External: 'external',
};

/** Whether anything is left to go by. */
function readMetrics(spec: Section, draft: Draft): boolean {
  const metrics = spec.sections('metrics');
  let added = 0;
  for (const metric of metrics) {
    const type = metric.scalar('type');
    const key = type === undefined || !Object.hasOwn(sources, String(type.value)) ? undefined : sources[String(type.value)];
    if (type === undefined || key === undefined) {
      metric.file.error(
        'unknown-choice',
        type?.span ?? metric.span,
        type === undefined ? 'missing key "type"' : `${show(type.value)} is not a type of metric`,
        `known: ${Object.keys(sources).join(', ')}`,
      );
      return false;
    }
    const source = metric.section(key);
    if (source === undefined) {
      metric.file.error('missing-key', metric.span, `missing key "${key}"`);
      return false;
    }
    const record = readSource(type, source);
    if (record !== undefined) {
      draft.add('metrics', record);
      added++;
    }
    metric.reportRest();
  }
  if (metrics.length === 0 || added > 0) return true;
  spec.file.error('no-metric', spec.keySpan('metrics'), 'none of its metrics is known here');
  return false;
}

/** As a record of ours; undefined after complaints. */
function readSource(type: Found, source: Section): Readonly<Record<string, Found | undefined>> | undefined {
  const isResource = type.value === 'Resource' || type.value === 'ContainerResource';
  const identifier = isResource ? source : source.section('metric');
  const written = identifier?.scalar('name');
  const target = source.section('target');
  if (written === undefined || target === undefined) {
    source.file.error('missing-key', source.span, `missing key "${written === undefined ? 'name' : 'target'}"`);
    return undefined;
  }
  if (type.value === 'ContainerResource' && source.has('container'))
    source.reportUnused('container', 'replicas are not divided into containers');
  const name = isResource ? written : metricNamed(written, type.value === 'Pods', source.file);
  // Says what each number is, and Kubernetes goes by the numbers.
  target.node('type');
  const record = {
    type: { ...type, value: isResource ? 'Resource' : type.value },
    name,
    averageUtilization: percent(target.scalar('averageUtilization')),
    averageValue: quantity(target.scalar('averageValue'), source.file),
    value: quantity(target.scalar('value'), source.file),
  };
  target.reportRest();
  if (identifier !== source) identifier!.reportRest({ selector: 'a metric has one series here' });
  source.reportRest({}, ['described_object']);
  return name === undefined ? undefined : record;
}

export function readBehavior(behavior: Section, draft: Draft): void {
  draft.set('behavior', { key: 'behavior', value: true, span: behavior.span });
  for (const direction of ['scaleUp', 'scaleDown']) {
    const rules = behavior.section(direction);
    if (rules === undefined) continue;
    const tolerance = quantity(rules.scalar('tolerance'), rules.file);
    draft
      .set(`${direction}StabilizationWindow`, seconds(rules.scalar('stabilizationWindowSeconds')))
      .set(`${direction}SelectPolicy`, rules.scalar('selectPolicy'))
      .set(`${direction}Tolerance`, tolerance);
    for (const policy of rules.sections('policies')) {
      const [type, value, period] = [policy.scalar('type'), policy.scalar('value'), seconds(policy.scalar('periodSeconds'))];
      draft.add(`${direction}Policies`, { type, value, period });
      policy.reportRest();
    }
    rules.reportRest();
  }
  behavior.reportRest();
}
