/** From one metric to a count of replicas: present replicas times what is used over what should be, with caution where samples are
 *  missing. Amounts are whole thousandths and percentages whole, as there: the truncation decides cases near the tolerance.
 *
 *  After kubernetes/kubernetes: pkg/controller/podautoscaler/replica_calculator.go and metrics/utilization.go. */
import type { Ms } from '../../../core/time.ts';
import { groupPods, type Pod, type PodGroups, type Readiness, type Usage } from './group-pods.ts';
import { toMilli, toReplicas } from './milli.ts';
import { isWithin, type Tolerance } from './tolerance.ts';

export interface Proposal {
  readonly replicas: number;
  /** Of the pods whose samples count: mean use, in thousandths. */
  readonly averageMilli: number;
  /** Of what they request, in percent; for utilisation targets. */
  readonly utilizationPercent?: number;
}
/** Why there is none. */
export interface NoProposal {
  readonly problem: string;
}
export const isProposal = (result: Proposal | NoProposal): result is Proposal => 'replicas' in result;

export interface PodsInput {
  readonly currentReplicas: number;
  readonly pods: readonly Pod[];
  readonly usage: Usage;
  readonly tolerance: Tolerance;
  readonly readiness: Readiness;
  readonly nowMs: Ms;
}

/** Pods should use `targetPercent` of what they request of `resource`. */
export function replicasForUtilization(input: PodsInput, resource: string, targetPercent: number): Proposal | NoProposal {
  const groups = groupPods(input.pods, input.usage, resource === 'cpu', input.readiness, input.nowMs);
  const used = countedUse(input.usage, groups);
  if (input.pods.length === 0) return noPods;
  if (used.size === 0) return noMetrics;
  const requests = new Map<number, number>();
  for (const { replica, request } of input.pods.map((pod) => ({ replica: pod.replica, request: pod.request(resource) }))) {
    if (request === undefined) return { problem: `missing request for ${resource} of replica ${replica}` };
    requests.set(replica, toMilli(request));
  }
  const measure = (use: ReadonlyMap<number, number>): Measured | undefined => utilization(use, requests, targetPercent);
  const first = measure(used);
  if (first === undefined) return { problem: 'no metrics returned matched known pods' };
  const missingUse = (replica: number): number => Math.trunc((requests.get(replica)! * Math.max(100, targetPercent)) / 100);
  // Exactly on target, the missing are left out.
  const forMissing = first.ratio < 1 ? missingUse : first.ratio > 1 ? () => 0 : undefined;
  const replicas = proportional(input, groups, used, first.ratio, forMissing, (use) => measure(use)!.ratio);
  return { replicas, averageMilli: first.averageMilli, utilizationPercent: first.percent };
}

/** Pods should use, or have, `targetMilli` each. */
export function replicasForAverage(input: PodsInput, resource: string, targetMilli: number): Proposal | NoProposal {
  const groups = groupPods(input.pods, input.usage, resource === 'cpu', input.readiness, input.nowMs);
  const used = countedUse(input.usage, groups);
  if (input.pods.length === 0) return noPods;
  if (used.size === 0) return noMetrics;
  const averageMilli = average(used);
  const ratio = averageMilli / targetMilli;
  const forMissing = ratio < 1 ? () => targetMilli : () => 0;
  const replicas = proportional(input, groups, used, ratio, forMissing, (use) => average(use) / targetMilli);
  return { replicas, averageMilli };
}

/** Something as a whole should be at `targetMilli`, and is in proportion to the ready replicas. */
export function replicasForValue(
  currentReplicas: number,
  readyReplicas: number,
  totalMilli: number,
  targetMilli: number,
  tolerance: Tolerance,
): Proposal {
  const ratio = totalMilli / targetMilli;
  // From none there is no proportion: one replica for every target's worth.
  const replicas =
    currentReplicas === 0 ? Math.ceil(ratio) : isWithin(tolerance, ratio) ? currentReplicas : Math.ceil(ratio * readyReplicas);
  return { replicas: toReplicas(replicas), averageMilli: totalMilli };
}

/** Something as a whole should be `targetMilli` for every replica there is. */
export function replicasForShare(
  statusReplicas: number,
  totalMilli: number,
  targetMilli: number,
  tolerance: Tolerance,
): Proposal {
  const isEnough = isWithin(tolerance, totalMilli / (targetMilli * statusReplicas));
  const replicas = isEnough ? statusReplicas : Math.ceil(totalMilli / targetMilli);
  const averageMilli = statusReplicas === 0 ? 0 : Math.ceil(totalMilli / statusReplicas);
  return { replicas: toReplicas(replicas), averageMilli };
}

const noPods: NoProposal = { problem: 'no pods while calculating replica count' };
const noMetrics: NoProposal = { problem: 'did not receive metrics for targeted pods (pods might be unready)' };

/** What counts of the samples: not that of ignored and unready pods. */
function countedUse(usage: Usage, { ignored, unready }: PodGroups): Map<number, number> {
  const left = new Set([...ignored, ...unready]);
  return new Map([...usage].filter(([replica]) => !left.has(replica)).map(([replica, { milli }]) => [replica, milli]));
}

interface Measured {
  readonly ratio: number;
  readonly percent: number;
  readonly averageMilli: number;
}

function utilization(
  use: ReadonlyMap<number, number>,
  requests: ReadonlyMap<number, number>,
  targetPercent: number,
): Measured | undefined {
  let used = 0;
  let requested = 0;
  let count = 0;
  for (const [replica, milli] of use) {
    const request = requests.get(replica);
    if (request === undefined) continue;
    used += milli;
    requested += request;
    count++;
  }
  if (requested === 0) return undefined;
  const percent = Math.trunc((used * 100) / requested);
  return { ratio: percent / targetPercent, percent, averageMilli: Math.trunc(used / count) };
}

function average(use: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const milli of use.values()) sum += milli;
  return Math.trunc(sum / use.size);
}

/** Scales with the ratio; where samples are missing or pods unready, computes again with what they use at most or at least, and stays
 *  where it is if that changes the direction. `forMissing` is undefined where they are left out; `ratioOf` measures anew. */
function proportional(
  { currentReplicas, tolerance }: PodsInput,
  { readyCount, missing, unready }: PodGroups,
  used: Map<number, number>,
  ratio: number,
  forMissing: ((replica: number) => number) | undefined,
  ratioOf: (used: ReadonlyMap<number, number>) => number,
): number {
  const addsUnready = unready.length > 0 && ratio > 1;
  if (!addsUnready && missing.length === 0)
    return isWithin(tolerance, ratio) ? currentReplicas : toReplicas(Math.ceil(ratio * readyCount));
  if (forMissing !== undefined) for (const replica of missing) used.set(replica, forMissing(replica));
  if (addsUnready) for (const replica of unready) used.set(replica, 0);
  const cautious = ratioOf(used);
  if (isWithin(tolerance, cautious) || (ratio < 1 && cautious > 1) || (ratio > 1 && cautious < 1)) return currentReplicas;
  const replicas = toReplicas(Math.ceil(cautious * used.size));
  const turnsBack = (cautious < 1 && replicas > currentReplicas) || (cautious > 1 && replicas < currentReplicas);
  return turnsBack ? currentReplicas : replicas;
}
