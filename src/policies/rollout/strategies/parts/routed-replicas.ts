/** Replicas of a canary whose traffic is divided by a router: each side needs replicas for its share of traffic, and shares move only when
 *  the replicas are there. By default the stable side keeps its full size, which makes going back instant and costs up to double; with
 *  `dynamicStableScale` it gives up what the canary takes over, and going back has to scale up first.
 *
 *  After argoproj/argo-rollouts: utils/replicaset/canary.go, CalculateReplicaCountsForTrafficRoutedCanary, and pull request 4035 on going
 *  back in steps. */
import type { CanaryCounts } from './canary-replicas.ts';

/** Rounded up: no share of traffic goes without a replica. */
export const replicasForWeight = (replicas: number, weight: number, maxWeight: number): number =>
  Math.ceil((weight * replicas) / maxWeight);

export interface RoutedSettings {
  readonly replicas: number;
  readonly maxWeight: number;
  readonly dynamicStableScale: boolean;
  /** Fewest replicas of a side that has any. */
  readonly minPodsPerReplicaSet: number;
}

export interface RoutedTarget {
  /** A count that was set by itself, apart from traffic. */
  readonly canaryReplicas?: number;
  readonly weight: number;
  readonly isAborted: boolean;
}

export interface TrafficWeights {
  readonly canary: number;
  readonly stable: number;
}

/** `actual` are the weights that the router was last seen to have; undefined if nobody knows. `retreatWeight` is the weight that the canary
 *  is to go back to next when it was aborted. */
export function routedCounts(
  { replicas, maxWeight, dynamicStableScale, minPodsPerReplicaSet }: RoutedSettings,
  { canaryReplicas, weight, isAborted }: RoutedTarget,
  actual: TrafficWeights | undefined,
  retreatWeight = 0,
): CanaryCounts {
  const atLeast = (count: number): number => (count === 0 ? 0 : Math.min(replicas, Math.max(count, minPodsPerReplicaSet)));
  const forWeight = (share: number): number => replicasForWeight(replicas, share, maxWeight);
  const canary = canaryReplicas ?? atLeast(forWeight(weight));
  if (!dynamicStableScale) return { canary, stable: replicas };
  const wanted = isAborted ? retreatWeight : weight;
  // Traffic goes before replicas do, and comes after they have.
  const stable = Math.max(forWeight(maxWeight - wanted), forWeight(actual?.stable ?? 0));
  const needed = isAborted ? Math.max(canary, forWeight(actual?.canary ?? 0)) : canary;
  return { canary: atLeast(needed), stable: atLeast(stable) };
}

/** Where an aborted canary's weight goes next, with `dynamicStableScale`: down the weights of the steps, each as soon as the stable side can
 *  take over what that frees. */
export function retreatWeight(
  settings: RoutedSettings,
  stepWeights: readonly number[],
  canaryAvailable: number,
  stableAvailable: number,
): number {
  const { replicas, maxWeight } = settings;
  const needed = Math.max(replicas - stableAvailable, canaryAvailable);
  return stepWeights.findLast((weight) => replicasForWeight(replicas, weight, maxWeight) < needed) ?? 0;
}

/** Whether enough of the wanted replicas are available to go on with a step. A threshold of nothing, or below, means all. */
export function isThresholdMet(
  threshold: { readonly type: 'Percentage' | 'Pods'; readonly value: number } | undefined,
  group: { readonly spec: number; readonly available: number },
  desired: number,
): boolean {
  if (threshold === undefined || threshold.value <= 0) return group.spec === desired && group.available === desired;
  if (threshold.type === 'Pods') return group.available >= Math.min(threshold.value, desired);
  return group.available * 100 >= Math.min(threshold.value, 100) * desired;
}
