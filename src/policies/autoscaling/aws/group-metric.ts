/** The metric of a group of instances: what its members say of themselves, or what is said of the whole. */
import type { ReplicaSample, ScaleObservation } from '../autoscaler.ts';
import type { Reading } from '../parts/datapoints.ts';

export const groupings = ['average', 'per-replica', 'service'] as const;
/** `average`: over the samples of the instances in service that are warm. `per-replica`: the service's metric over the number of these.
 *  `service`: the service's metric as it is. */
export type Grouping = (typeof groupings)[number];

export function readGroup(
  name: string,
  grouping: Grouping,
  observation: ScaleObservation,
  warm: readonly ReplicaSample[],
): Reading | undefined {
  if (grouping === 'average') return averageOf(warm, name);
  const whole = observation.metric(name);
  if (whole === undefined || grouping === 'service') return whole;
  // Work that waits for the first instance is all that instance's.
  return { value: whole.value / Math.max(1, warm.length), atMs: whole.atMs };
}

function averageOf(replicas: readonly ReplicaSample[], name: string): Reading | undefined {
  const readings = replicas.flatMap((replica) => readReplica(replica, name) ?? []);
  if (readings.length === 0) return undefined;
  const sum = readings.reduce((total, { value }) => total + value, 0);
  return { value: sum / readings.length, atMs: Math.max(...readings.map(({ atMs }) => atMs)) };
}

/** `utilization` is the processor time in use over what is reserved. */
function readReplica(replica: ReplicaSample, name: string): Reading | undefined {
  if (name !== 'utilization') return replica.metric(name);
  const used = replica.metric('cpu');
  const reserved = replica.request('cpu');
  if (used === undefined || reserved === undefined || reserved === 0) return undefined;
  return { value: used.value / reserved, atMs: used.atMs };
}
