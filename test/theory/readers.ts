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
  readonly windowUnits: number;
  /** Stretches of time that know nothing of each other. */
  readonly episodes: number;
}
/** Undefined where the run was too short to tell. */
export type Reader = (cells: readonly CellResult[], background: Background) => Observation | undefined;
export type Readers = Readonly<Record<string, Reader>>;

/** One number per seed; the mean over seeds. */
export const perSeed =
  (pick: (cell: CellResult) => number): Reader =>
  (cells) => {
    const values = cells.map(pick);
    return { value: meanOf(values), se: standardError(values), replications: values.length };
  };

/** Percentiles want to be exceeded in this many independent episodes: requests beyond one come in crowds, and from a few crowds neither
 *  the percentile nor its error can be told. */
export const EPISODES_BEYOND = 30;

export const metric = (name: string, scale = 1): Reader => perSeed((cell) => cell.metrics[name] * scale);
/** A metric in ms, in units of the case. */
export const time = (name: string): Reader => metric(name, 1 / UNIT_MS);

/** Of the part of the requests with this place among the scenario's views: its edges, its classes, its services, where there are several. */
export const ofView = (view: number, name: string, scale = 1): Reader =>
  perSeed(({ views }) => views[view].metrics[name] * scale);

/** A share of requests. Where none or all of them were seen, the truth may still be 1 in their number away. */
export const share =
  (name: string): Reader =>
  (cells, background) =>
    atLeast(1 / cells.reduce((sum, { ledger }) => sum + ledger.offered, 0), metric(name)(cells, background));

/** Events per unit of time by the windows in which they happened. */
export const perUnit =
  (column: 'offered' | 'ok' | 'attempts'): Reader =>
  (cells, { warmupWindows, windowUnits }) => {
    const rates = cells.map(({ series }) => meanOf(series.columns[column].slice(warmupWindows)) / windowUnits);
    return { value: meanOf(rates), se: standardError(rates), replications: rates.length };
  };

/** With a standard error of at least this, which is then no estimate. */
export const atLeast = (least: number, observation: Observation | undefined): Observation | undefined =>
  observation && (observation.se ?? 0) < least ? { ...observation, se: least, isBound: true } : observation;

/** The quantile of all seeds' requests together, which is less biased than the mean of their quantiles; those give the error. */
export const quantile =
  (family: 'latency' | 'wait', p: number): Reader =>
  (cells, { episodes }) => {
    if (episodes * (1 - p) < EPISODES_BEYOND) return undefined;
    const all = cells.map((cell) => cell[family]);
    const each = all.map((data) => Histogram.fromData(data).quantile(p) / UNIT_MS);
    const value = Histogram.fromData(mergeHistograms(all)).quantile(p) / UNIT_MS;
    // A histogram places what it finds in a bucket evenly over it, so where many times are equal it is off by part of a bucket's width.
    const resolution = (value * 2 ** -all[0].bits) / Math.sqrt(12);
    return { value, se: Math.hypot(standardError(each), resolution), replications: each.length };
  };

/** Share of the requests that ended well and took longer than so many units, which no bucket of the histogram may contain. */
export const shareSlower =
  (units: number): Reader =>
  (cells) => {
    const shares = cells.map(({ latency }) => {
      const first = latency.counts.findIndex((_, offset) => lowerEdge(latency.first + offset, latency.bits) >= units * UNIT_MS);
      return first < 0 ? 0 : latency.counts.slice(first).reduce((sum, count) => sum + count, 0) / latency.count;
    });
    const least = 1 / cells.reduce((sum, { latency }) => sum + latency.count, 0);
    return atLeast(least, { value: meanOf(shares), se: standardError(shares), replications: shares.length });
  };

/** Of the times in the histogram: exact within a bucket's width, 0.4 %. */
export const variance =
  (family: 'latency' | 'wait'): Reader =>
  (cells, { episodes }) => {
    // It rests on the few longest times, much as the 99 % point does.
    if (episodes * 0.01 < EPISODES_BEYOND) return undefined;
    const each = cells.map((cell) => varianceOf(cell[family]) / (UNIT_MS * UNIT_MS));
    const value = varianceOf(mergeHistograms(cells.map((cell) => cell[family]))) / (UNIT_MS * UNIT_MS);
    return { value, se: standardError(each), replications: each.length };
  };

/** Share of (instance, moment) with at least k requests in the system, looking at the ends of the windows after warm-up. */
export const shareWithAtLeast =
  (k: number): Reader =>
  (cells, { warmupWindows }) => {
    // Of very large fleets the results keep no series by instance.
    if (cells[0].instances[0].queued.length <= warmupWindows) return undefined;
    const shares = cells.map(({ instances }) => {
      const seen = instances.flatMap(({ queued }) => queued.slice(warmupWindows));
      return seen.filter((present) => present >= k).length / seen.length;
    });
    const looks = cells.length * cells[0].instances.length * (cells[0].instances[0].queued.length - warmupWindows);
    return atLeast(1 / looks, { value: meanOf(shares), se: standardError(shares), replications: shares.length });
  };

/** The same for no request at all. */
export const shareEmpty: Reader = (cells, background) => {
  const busy = shareWithAtLeast(1)(cells, background);
  return busy && { ...busy, value: 1 - busy.value };
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
  prob_wait: share('wait.share'),
  mean_in_system: metric('inSystem.mean'),
  utilization: metric('utilization.mean'),
  loss_prob: share('failures.refused'),
  throughput: perUnit('ok'),
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
