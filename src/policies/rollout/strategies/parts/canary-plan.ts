/** Replicas and weights that an Argo Rollouts canary wants at a step, given what there is: pure, so that steps can be tried in advance.
 *
 *  After argoproj/argo-rollouts: rollout/canary.go, rollout/trafficrouting.go. */
import type { CountOrPercent } from '../../../shared/count-or-percent.ts';
import type { GroupStatus, RolloutObservation } from '../rollout.ts';
import { groupOf, hasWeights, othersThan } from './base-rollout.ts';
import { approximateCounts, type CanaryCounts, steppedCounts } from './canary-replicas.ts';
import { type CanaryStep, canaryScaleAt, currentWeight, previousWeight, stepWeightsOf } from './canary-steps.ts';
import { fencepostsWithin } from './fenceposts.ts';
import { availableOf } from './replica-group.ts';
import { isThresholdMet, replicasForWeight, retreatWeight, routedCounts, type RoutedTarget } from './routed-replicas.ts';
import { takenOldestFirst } from './rolling-replicas.ts';

export interface CanarySettings {
  readonly steps: readonly CanaryStep[];
  readonly maxSurge: CountOrPercent;
  readonly maxUnavailable: CountOrPercent;
  readonly trafficRouting: boolean;
  readonly dynamicStableScale: boolean;
  readonly minPodsPerReplicaSet: number;
  readonly maxTrafficWeight: number;
  readonly threshold: { readonly type: 'Percentage' | 'Pods'; readonly value: number } | undefined;
  /** Whether an abort leaves the canary's own scale as it is. */
  readonly keepsAborted: boolean;
}

export interface CanaryPosition {
  readonly from: string;
  readonly to: string;
  /** The step that is being taken; the number of steps when all are done. */
  readonly index: number;
  readonly isAborted: boolean;
}

export interface CanaryPlan {
  readonly canary: GroupStatus;
  readonly stable: GroupStatus;
  readonly older: readonly GroupStatus[];
  readonly counts: CanaryCounts;
  readonly olderSizes: readonly number[];
  /** Shares of traffic that the router shall have; undefined without one. */
  readonly weights: Readonly<Record<string, number>> | undefined;
  /** Whether the router has them, or there is none. */
  readonly isRouted: boolean;
  /** Whether replicas, and weights if there is a router, are what the step is about. */
  readonly isReached: boolean;
}

export function planCanary(settings: CanarySettings, observation: RolloutObservation, position: CanaryPosition): CanaryPlan {
  const canary = groupOf(observation, position.to);
  const stable = groupOf(observation, position.from);
  const older = othersThan(observation, position.to, position.from);
  const sides = { canary, stable, older };
  return settings.trafficRouting ? routed(settings, observation, position, sides) : basic(settings, observation, position, sides);
}

type Sides = Pick<CanaryPlan, 'canary' | 'stable' | 'older'>;

function basic(
  settings: CanarySettings,
  { desired }: RolloutObservation,
  { index, isAborted }: CanaryPosition,
  sides: Sides,
): CanaryPlan {
  const { canary, stable, older } = sides;
  const posts = fencepostsWithin(settings.maxSurge, settings.maxUnavailable, desired);
  const weight = currentWeight(settings.steps, index, isAborted, settings.maxTrafficWeight);
  const wanted = approximateCounts(desired, weight, settings.maxTrafficWeight, posts.maxSurge);
  const counts = steppedCounts(desired, wanted, canary, stable, older, posts);
  const spare = availableOf([canary, stable, ...older]) - (desired - posts.maxUnavailable);
  const isDrained = older.every(({ available, spec }) => available === 0 && spec === 0);
  return {
    ...sides,
    counts,
    olderSizes: takenOldestFirst(older, spare),
    weights: undefined,
    isRouted: true,
    isReached:
      isDrained &&
      counts.canary === wanted.canary &&
      counts.stable === wanted.stable &&
      isThresholdMet(settings.threshold, canary, counts.canary) &&
      stable.spec === counts.stable &&
      stable.created === counts.stable,
  };
}

function routed(settings: CanarySettings, observation: RolloutObservation, position: CanaryPosition, sides: Sides): CanaryPlan {
  const { canary, stable, older } = sides;
  const { from, to, index, isAborted } = position;
  const { steps, maxTrafficWeight } = settings;
  const counted = { ...settings, replicas: observation.desired, maxWeight: maxTrafficWeight };
  const actual = asWeights(observation.weights, position, maxTrafficWeight);
  const retreat = settings.dynamicStableScale
    ? Math.min(retreatWeight(counted, stepWeightsOf(steps), canary.available, stable.available), actual?.canary ?? 0)
    : 0;
  const counts = routedCounts(counted, routedTarget(settings, position), actual, retreat);
  const hasReplicas =
    isThresholdMet(settings.threshold, canary, counts.canary) &&
    (settings.dynamicStableScale || (stable.spec === counts.stable && stable.created === counts.stable));
  let share: number;
  // An aborted canary goes back as far as the stable side can take over, and when it can.
  const canTakeOver =
    !settings.dynamicStableScale ||
    stable.available >= replicasForWeight(observation.desired, maxTrafficWeight - retreat, maxTrafficWeight);
  if (isAborted) share = canTakeOver ? retreat : (actual?.canary ?? retreat);
  else if (canary.available === 0) share = 0;
  // Until its replicas are there, a step's weight is that of the step before.
  else share = hasReplicas ? currentWeight(steps, index, false, maxTrafficWeight) : previousWeight(steps, index);
  const percent = (share * 100) / maxTrafficWeight;
  const weights = { [from]: 100 - percent, [to]: percent };
  const isRouted = hasShares(observation, weights);
  return {
    ...sides,
    counts,
    // The router keeps traffic away from them.
    olderSizes: older.map(() => 0),
    weights,
    isRouted,
    isReached: hasReplicas && share === currentWeight(steps, index, isAborted, maxTrafficWeight) && isRouted,
  };
}

function routedTarget(
  { steps, maxTrafficWeight, keepsAborted }: CanarySettings,
  { index, isAborted }: CanaryPosition,
): RoutedTarget {
  const own = isAborted && !keepsAborted ? undefined : canaryScaleAt(steps, index);
  const weight = currentWeight(steps, index, isAborted, maxTrafficWeight);
  if (own === undefined) return { weight, isAborted };
  return 'replicas' in own ? { weight, isAborted, canaryReplicas: own.replicas } : { weight: own.weight, isAborted };
}

function asWeights(
  actual: Readonly<Record<string, number>> | undefined,
  { from, to }: CanaryPosition,
  maxWeight: number,
): { readonly canary: number; readonly stable: number } | undefined {
  if (actual === undefined) return undefined;
  const share = (name: string): number => ((actual[name] ?? 0) * maxWeight) / 100;
  return { canary: share(to), stable: share(from) };
}

const hasShares = ({ weights: actual }: RolloutObservation, weights: Readonly<Record<string, number>>): boolean =>
  hasWeights(actual, Object.fromEntries(Object.entries(weights).filter(([, share]) => share > 0)));
