/** What the texts and pictures of a sweep have in common: names of points, estimates in cells, the axes of the map of winners. */
import { findMetric } from '../../core/metrics.ts';
import type { SweepFile } from '../../lab/sweep/types.ts';
import type { Estimate } from '../../stats/result.ts';
import { estimate } from '../../stats/estimate.ts';
import { formatMetric, formatMs, formatPercent, significant } from '../format.ts';

export const nobody = 'nobody can tell';

export const cellEstimate = (sweep: SweepFile, point: number, variant: number, metric = sweep.metric): Estimate =>
  estimate(sweep.points[point].cells[variant].metrics[metric] ?? []);

/** A value of `latency.p99{class=read}` in its unit. */
export const metricText = (metric: string, value: number): string => formatMetric(metric.split('{', 1)[0], value);

/** How far a mean lies from the mean of all. */
export function effectText(metric: string, value: number): string {
  const sign = value > 0 ? '+' : value < 0 ? '-' : '';
  const size = Math.abs(value);
  const unit = findMetric(metric.split('{', 1)[0])?.unit;
  return sign + (unit === 'ms' ? formatMs(size) : unit === 'fraction' ? formatPercent(size) : significant(size));
}

export interface MapAxes {
  /** Indices of factors: across, and up; -1 for none. */
  readonly x: number;
  readonly y: number;
  /** The others. */
  readonly rest: readonly number[];
}

/** The two factors with the most values; numbers go across. */
export function mapAxes({ factors }: SweepFile): MapAxes {
  const order = factors
    .map((factor, i) => ({ i, size: factor.values.length, isNumeric: factor.numbers !== null }))
    .toSorted((a, b) => Number(b.isNumeric) - Number(a.isNumeric) || b.size - a.size || a.i - b.i);
  const [x, y, ...rest] = order.map(({ i }) => i);
  return { x: x ?? -1, y: y ?? -1, rest: rest.toSorted((a, b) => a - b) };
}

/** Points by the values of all factors that the map does not show. */
export function mapPanels(sweep: SweepFile, { rest }: MapAxes): { readonly name: string; readonly points: readonly number[] }[] {
  const panels = new Map<string, number[]>();
  sweep.points.forEach(({ levels }, point) => {
    const name = rest.map((i) => `${sweep.factors[i].path}=${sweep.factors[i].values[levels[i]]}`).join(', ');
    panels.set(name, [...(panels.get(name) ?? []), point]);
  });
  return [...panels].map(([name, points]) => ({ name, points }));
}
