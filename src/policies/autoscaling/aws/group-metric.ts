/** The metric of a group of instances, in datapoints of one period.
 *
 *  Measurements are taken several times in a period and joined by a statistic. One that was counted already, because nothing new has
 *  arrived, is not counted again; a period without any has no datapoint. */
import type { Ms } from '../../../core/time.ts';
import type { MetricSample, ReplicaSample, ScaleObservation } from '../autoscaler.ts';

export const groupings = ['average', 'per-replica', 'service'] as const;
/** `average`: over the samples of the instances in service that are warm. `per-replica`: the service's metric over the number of these.
 *  `service`: the service's metric as it is. */
export type Grouping = (typeof groupings)[number];

export const statistics = ['Average', 'Minimum', 'Maximum'] as const;
export type Statistic = (typeof statistics)[number];

export class GroupMetric {
  readonly #name: string;
  readonly #grouping: Grouping;
  readonly #statistic: Statistic;
  #values: number[] = [];
  #latestAtMs: Ms = -Infinity;

  constructor(name: string, grouping: Grouping, statistic: Statistic) {
    this.#name = name;
    this.#grouping = grouping;
    this.#statistic = statistic;
  }

  sample(observation: ScaleObservation, warm: readonly ReplicaSample[]): void {
    const measured = this.#measure(observation, warm);
    if (measured === undefined || !(measured.atMs > this.#latestAtMs)) return;
    this.#latestAtMs = measured.atMs;
    this.#values.push(measured.value);
  }

  /** The datapoint of the period that is over; undefined if nothing was measured. */
  close(): number | undefined {
    const values = this.#values;
    this.#values = [];
    if (values.length === 0) return undefined;
    if (this.#statistic === 'Average') return mean(values);
    return this.#statistic === 'Minimum' ? Math.min(...values) : Math.max(...values);
  }

  #measure(observation: ScaleObservation, warm: readonly ReplicaSample[]): Measured | undefined {
    if (this.#grouping === 'average') return averageOf(warm, this.#name);
    const whole = observation.metric(this.#name);
    if (whole === undefined || this.#grouping === 'service') return whole;
    // Work that waits for the first instance is all that instance's.
    return { value: whole.value / Math.max(1, warm.length), atMs: whole.atMs };
  }
}

type Measured = Pick<MetricSample, 'value' | 'atMs'>;

function averageOf(replicas: readonly ReplicaSample[], name: string): Measured | undefined {
  const measured = replicas.flatMap((replica) => measureReplica(replica, name) ?? []);
  if (measured.length === 0) return undefined;
  return { value: mean(measured.map(({ value }) => value)), atMs: Math.max(...measured.map(({ atMs }) => atMs)) };
}

/** `utilization` is the processor time in use over what is reserved. */
function measureReplica(replica: ReplicaSample, name: string): Measured | undefined {
  if (name !== 'utilization') return replica.metric(name);
  const used = replica.metric('cpu');
  const reserved = replica.request('cpu');
  return used === undefined || reserved === undefined ? undefined : { value: used.value / reserved, atMs: used.atMs };
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
