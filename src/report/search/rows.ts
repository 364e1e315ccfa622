/** What the outputs of `capacity` and `tune` have in common: settings as text, means with intervals. */
import type { Assignment } from '../../lab/search/trials.ts';
import type { Probe } from '../../lab/search/types.ts';
import type { Estimate } from '../../lab/types.ts';
import { estimate } from '../../stats/estimate.ts';
import { findMetric } from '../../core/metrics.ts';
import { formatEstimate } from '../format.ts';
import { forTerminal } from '../plain-text.ts';

export const settingText = (values: Assignment): string =>
  Object.entries(values)
    .map(([path, value]) => `${path}=${value}`)
    .join(', ');

export const isSame = (x: Assignment | null, y: Assignment): boolean => x !== null && settingText(x) === settingText(y);

export const estimateOf = ({ metrics }: Pick<Probe, 'metrics'>, metric: string): Estimate => estimate(metrics[metric] ?? []);

/** `212 ms (205 .. 219 ms)` in two cells. */
export function estimateCells(metric: string, value: Estimate): readonly [string, string] {
  const { value: text, interval } = formatEstimate(metric.split('{', 1)[0]!, value);
  return [text, interval ?? ''];
}

/** `latency.p99{class=read}` of `latency.p99{class=read} < 250ms`, with how the limit goes. */
export function promiseParts(text: string): { readonly metric: string; readonly isUpper: boolean } {
  const [, metric = text, comparator = '<'] = /^(.*?)\s*([<>]=?)\s*\S+$/.exec(text) ?? [];
  return { metric, isUpper: comparator.startsWith('<') };
}

/** A metric with its unit. */
export function axisTitle(metric: string): string {
  const unit = findMetric(metric.split('{', 1)[0]!)?.unit;
  return forTerminal(unit === 'ms' || unit === 'per second' ? `${metric} (${unit})` : metric);
}
