/** From the cells of a trial to a number in the case's units, with its standard error over seeds. Nothing here knows a formula of
 *  queueing theory: every number was counted or timed by the simulator. */
import { lowerEdge } from '../../src/stats/buckets.ts';
import type { HistogramData } from '../../src/stats/histogram-data.ts';
import { Histogram, mergeHistograms } from '../../src/stats/histogram.ts';
import type { CellResult } from '../../src/stats/result.ts';
import type { Observation } from './judgement.ts';
import { UNIT_MS } from './yaml.ts';

/** The trial beside its first variant's cells. */
export interface Background {
  /** Cells of all variants, by variant and seed. */
  readonly variants: readonly (readonly CellResult[])[];
  readonly warmupWindows: number;
}
export type Reader = (cells: readonly CellResult[], background: Background) => Observation;
export type Readers = Readonly<Record<string, Reader>>;

/** One number per seed; the mean over seeds. */
export const perSeed =
  (pick: (cell: CellResult) => number): Reader =>
  (cells) => {
    const values = cells.map(pick);
    return { value: meanOf(values), se: standardError(values), replications: values.length };
  };

export const metric = (name: string, scale = 1): Reader => perSeed((cell) => cell.metrics[name] * scale);
/** A metric in ms, in units of the case. */
export const time = (name: string): Reader => metric(name, 1 / UNIT_MS);
/** A metric per second, per unit of the case. */
export const rate = (name: string): Reader => metric(name, UNIT_MS / 1000);

/** The quantile of all seeds' requests together, which is less biased than the mean of their quantiles; those give the error. */
export const quantile =
  (family: 'latency' | 'wait', p: number): Reader =>
  (cells) => {
    const all = cells.map((cell) => cell[family]);
    const each = all.map((data) => Histogram.fromData(data).quantile(p) / UNIT_MS);
    const value = Histogram.fromData(mergeHistograms(all)).quantile(p) / UNIT_MS;
    return { value, se: standardError(each), replications: each.length };
  };

/** Of the times in the histogram: exact within a bucket's width, 0.4 %. */
export const variance =
  (family: 'latency' | 'wait'): Reader =>
  (cells) => {
    const each = cells.map((cell) => varianceOf(cell[family]) / (UNIT_MS * UNIT_MS));
    const value = varianceOf(mergeHistograms(cells.map((cell) => cell[family]))) / (UNIT_MS * UNIT_MS);
    return { value, se: standardError(each), replications: each.length };
  };

/** Share of (instance, moment) with at least k requests in the system, looking at the ends of the windows after warm-up. */
export const shareWithAtLeast =
  (k: number): Reader =>
  (cells, { warmupWindows }) => {
    const shares = cells.map(({ instances }) => {
      const seen = instances.flatMap(({ queued }) => queued.slice(warmupWindows));
      return seen.filter((present) => present >= k).length / seen.length;
    });
    return { value: meanOf(shares), se: standardError(shares), replications: shares.length };
  };

export const standardQuantiles: Readers = Object.fromEntries(
  (
    [
      ['p50', 0.5],
      ['p90', 0.9],
      ['p99', 0.99],
      ['p999', 0.999],
    ] as const
  ).flatMap(([name, p]) => [
    [`${name}_wait`, quantile('wait', p)],
    [`${name}_sojourn`, quantile('latency', p)],
  ]),
);

/** What most families ask for. */
export const standard: Readers = {
  ...standardQuantiles,
  mean_wait: time('wait.mean'),
  mean_sojourn: time('latency.mean'),
  var_wait: variance('wait'),
  var_sojourn: variance('latency'),
  prob_wait: metric('wait.share'),
  mean_in_system: metric('inSystem.mean'),
  utilization: metric('utilization.mean'),
  loss_prob: metric('failures.refused'),
  throughput: rate('goodput'),
};

export const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export function standardError(values: readonly number[]): number {
  return Math.sqrt(varianceOver(values) / values.length);
}

export function varianceOver(values: readonly number[]): number {
  const mean = meanOf(values);
  return values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / (values.length - 1);
}

function varianceOf(data: HistogramData): number {
  const mean = data.sum / data.count;
  let squares = 0;
  data.counts.forEach((count, offset) => {
    if (count === 0) return;
    const index = data.first + offset;
    const from = Math.max(lowerEdge(index, data.bits), data.min);
    const to = Math.min(lowerEdge(index + 1, data.bits), data.max);
    const middle = (from + to) / 2 - mean;
    // A bucket's records lie evenly spread over it.
    squares += count * (middle * middle + ((to - from) * (to - from)) / 12);
  });
  return squares / data.count;
}
