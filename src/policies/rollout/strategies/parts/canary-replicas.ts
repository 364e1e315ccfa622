/** A canary's share of traffic by nothing but replica counts, where every replica gets the same: Argo Rollouts without a traffic router.
 *
 *  The counts that come nearest to the weight are aimed at, and each step goes there as far as surge and unavailability allow.
 *
 *  After argoproj/argo-rollouts: utils/replicaset/canary.go. */
import type { Fenceposts } from './fenceposts.ts';
import { type ReplicaGroup, specOf } from './replica-group.ts';

export interface CanaryCounts {
  readonly canary: number;
  readonly stable: number;
}

/** The counts nearest to a weight out of `maxWeight`, in sum `replicas` or, if a surge is allowed, one more. A weight that is neither nothing
 *  nor all leaves at least one on each side, as long as there are two. */
export function approximateCounts(replicas: number, weight: number, maxWeight: number, maxSurge: number): CanaryCounts {
  if (replicas === 0) return { canary: 0, stable: 0 };
  const share = (replicas * weight) / maxWeight;
  const isZeroAllowed = weight === 0 || weight === maxWeight || (replicas === 1 && maxSurge === 0);
  const up = Math.ceil(share);
  const down = Math.floor(share);
  const options: { readonly canary: number; readonly total: number }[] = [];
  const offer = (total: number, isUpAllowed: boolean): void => {
    if (isUpAllowed) options.push({ canary: up, total });
    // Halfway between two counts the larger one is taken.
    const isTied = (total * (weight / maxWeight)) % 1 === 0.5;
    if (!isTied && (down !== 0 || isZeroAllowed)) options.push({ canary: down, total });
  };
  offer(replicas, up < replicas || isZeroAllowed);
  if (maxSurge > 0) offer(replicas + 1, true);
  const missBy = ({ canary, total }: (typeof options)[number]): number => Math.abs((canary * maxWeight) / total - weight);
  let best = options[0] ?? { canary: 0, total: replicas };
  for (const option of options) if (missBy(option) < missBy(best)) best = option;
  return { canary: best.canary, stable: best.total - best.canary };
}

/** One step towards `wanted`. `older` are replica sets of versions that are neither the canary's nor the stable one; they go before
 *  anything else does. */
export function steppedCounts(
  replicas: number,
  wanted: CanaryCounts,
  canary: ReplicaGroup,
  stable: ReplicaGroup,
  older: readonly ReplicaGroup[],
  { maxSurge, maxUnavailable }: Fenceposts,
): CanaryCounts {
  const most = replicas + maxSurge;
  const grown = grow(wanted, canary.spec, stable.spec, most - canary.spec - stable.spec - specOf(older));
  if (specOf(older) > 0) return grown;
  const least = replicas - maxUnavailable;
  // The side that is to shrink counts with all it asks for: those of its replicas that do not serve must not hold it up.
  const isIncreasing = wanted.canary >= canary.spec;
  const spare = counted(canary, !isIncreasing) + counted(stable, isIncreasing) - least;
  if (spare <= 0) return grown;
  if (isIncreasing) {
    const drained = drain(stable, wanted.stable, spare, grown.stable);
    const kept = withinLimits(stable, canary, drained, grown.canary, most, least);
    return { canary: kept.other, stable: kept.drained };
  }
  const drained = drain(canary, wanted.canary, spare, grown.canary);
  const kept = withinLimits(canary, stable, drained, grown.stable, most, least);
  return { canary: kept.drained, stable: kept.other };
}

/** The stable side first: it is the one that is known to work. */
function grow(wanted: CanaryCounts, canary: number, stable: number, room: number): CanaryCounts {
  const forStable = Math.max(0, Math.min(room, wanted.stable - stable));
  const forCanary = Math.max(0, Math.min(room - forStable, wanted.canary - canary));
  return { canary: canary + forCanary, stable: stable + forStable };
}

const counted = ({ spec, available }: ReplicaGroup, asAsked: boolean): number => (asAsked || spec < available ? spec : available);

const drain = ({ spec }: ReplicaGroup, wanted: number, spare: number, current: number): number =>
  spec > wanted ? Math.max(wanted, spec - spare) : current;

/** Takes what is above the most that may be from the other side, as far as it does not serve what must be available, and the rest from
 *  the side that is drained. */
function withinLimits(
  drainedGroup: ReplicaGroup,
  otherGroup: ReplicaGroup,
  drained: number,
  other: number,
  most: number,
  least: number,
): { readonly drained: number; readonly other: number } {
  const reduced = other - Math.max(0, other + drained - most);
  const available = Math.min(drainedGroup.available, drained) + Math.min(otherGroup.available, reduced);
  const lost = Math.max(0, otherGroup.available - reduced);
  const kept = reduced + Math.min(lost, Math.max(0, least - available));
  return { drained: drained - Math.max(0, kept + drained - most), other: kept };
}
