/** Readings of a metric, joined to one datapoint per period.
 *
 *  A reading that was counted already, because nothing new has arrived, is not counted again; a period without any has no datapoint. */
import type { Ms } from '../../../core/time.ts';
import type { MetricSample } from '../autoscaler.ts';

export const statistics = ['Average', 'Minimum', 'Maximum'] as const;
export type Statistic = (typeof statistics)[number];

export type Reading = Pick<MetricSample, 'value' | 'atMs'>;

export class Datapoints {
  readonly #statistic: Statistic;
  #values: number[] = [];
  #latestAtMs: Ms = -Infinity;

  constructor(statistic: Statistic) {
    this.#statistic = statistic;
  }

  add(reading: Reading | undefined): void {
    if (reading === undefined || !(reading.atMs > this.#latestAtMs)) return;
    this.#latestAtMs = reading.atMs;
    this.#values.push(reading.value);
  }

  /** The datapoint of the period that is over; undefined if nothing was read. */
  close(): number | undefined {
    const values = this.#values;
    this.#values = [];
    if (values.length === 0) return undefined;
    if (this.#statistic === 'Average') return values.reduce((sum, value) => sum + value, 0) / values.length;
    return this.#statistic === 'Minimum' ? Math.min(...values) : Math.max(...values);
  }
}
