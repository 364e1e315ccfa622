/** The autoscaler of a Service of Knative, or of its Configuration or Revision: annotations of the revision, and its container concurrency.
 *  What the ConfigMap `config-autoscaler` says does not stand in it and has its defaults.
 *
 *  After knative/serving: pkg/apis/autoscaling/register.go. */
import { show } from '../../core/quantity.ts';
import { childOf, type MapNode, type Scalar } from '../node.ts';
import { Draft } from './draft.ts';
import { goDuration } from './go-duration.ts';
import { type KubernetesObject, objectsOf } from './kubernetes-objects.ts';
import { quantity } from './kubernetes-quantity.ts';
import type { PastedFile } from './pasted-file.ts';
import { type Found, Section } from './section.ts';

export const knativeObjects = (file: PastedFile): readonly KubernetesObject[] =>
  objectsOf(['Service', 'Configuration', 'Revision'], file).filter(({ node }) => isKnative(node));

export function isKnative(node: MapNode): boolean {
  const version = childOf(node, 'apiVersion');
  return version?.kind === 'scalar' && String(version.value).startsWith('serving.knative.dev/');
}

/** Undefined after complaints. */
export function knativeAutoscaler(node: MapNode, file: PastedFile): Draft | undefined {
  const object = new Section(node, file, node.span);
  const spec = object.section('spec');
  // A revision is what the others have a template of.
  const revision = spec?.section('template') ?? object;
  const annotations = revision.section('metadata')?.section('annotations') ?? new Section(undefined, file, revision.span);
  const concurrency = (revision === object ? spec : revision.section('spec'))?.scalar('containerConcurrency');
  const type = annotations.scalar(`${prefix}class`);
  if (type !== undefined && type.value !== 'kpa.autoscaling.knative.dev') {
    file.error(
      'unknown-class',
      type.span,
      `${show(type.value)} is not Knative’s own autoscaler`,
      'paste the HorizontalPodAutoscaler itself',
    );
    return undefined;
  }
  const draft = new Draft('kpa', file).set('containerConcurrency', concurrency);
  for (const key of annotations.keys) if (!isRead(key, annotations, draft)) return undefined;
  return draft;
}

const prefix = 'autoscaling.knative.dev/';

type Kind = 'number' | 'percent' | 'duration' | 'word' | 'limit';
const settings: Readonly<Record<string, readonly [param: string, kind: Kind]>> = {
  'min-scale': ['min', 'number'],
  'max-scale': ['max', 'limit'],
  'initial-scale': ['initialScale', 'number'],
  'activation-scale': ['activationScale', 'number'],
  metric: ['metric', 'word'],
  target: ['target', 'number'],
  'target-utilization-percentage': ['containerConcurrencyTargetPercentage', 'percent'],
  'target-burst-capacity': ['targetBurstCapacity', 'number'],
  window: ['stableWindow', 'duration'],
  'panic-window-percentage': ['panicWindowPercentage', 'percent'],
  'panic-threshold-percentage': ['panicThresholdPercentage', 'percent'],
  'scale-down-delay': ['scaleDownDelay', 'duration'],
  'scale-to-zero-pod-retention-period': ['scaleToZeroPodRetentionPeriod', 'duration'],
  'metric-aggregation-algorithm': ['metricAggregationAlgorithm', 'word'],
};

/** False after complaints. Annotations that speak of something else are nobody's business here. */
function isRead(key: string, annotations: Section, draft: Draft): boolean {
  const { file } = annotations;
  const isDeadline = key === 'serving.knative.dev/progress-deadline';
  if (!key.startsWith(prefix) && !isDeadline) return true;
  const name = kebab(key.slice(prefix.length));
  const known = isDeadline
    ? (['progressDeadline', 'duration'] as const)
    : Object.hasOwn(settings, name)
      ? settings[name]
      : undefined;
  if (known === undefined) {
    if (name !== 'class') file.warn('not-read', annotations.keySpan(key), `${key} is not read here`);
    return true;
  }
  const [param, kind] = known;
  const found = annotations.scalar(key);
  const value = found === undefined ? undefined : valueOf(kind, found, file);
  if (value === undefined) return false;
  // 0 is no limit.
  if (kind !== 'limit' || value !== 0) draft.set(param, { ...found!, value });
  return true;
}

/** Annotations are texts, whatever they mean. */
function valueOf(kind: Kind, found: Found, file: PastedFile): Scalar | undefined {
  const text = String(found.value).trim();
  if (kind === 'word') return text;
  if (kind === 'percent') return `${text.replace(/%$/, '')}%`;
  if (kind === 'duration') {
    return goDuration({ ...found, value: text }, file)?.value;
  }
  return text === '-1' ? -1 : quantity({ ...found, value: text }, file)?.value;
}

/** Older names are in camel case: `minScale`. */
const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
