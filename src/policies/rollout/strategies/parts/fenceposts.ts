/** How many replicas above and how many below the wanted count there may be while versions change. Shares of the count are rounded in
 *  favour of going on: surge up, unavailability down; if both come to nothing, one replica may be missing, or nothing could ever move.
 *
 *  After kubernetes/kubernetes: pkg/controller/deployment/util/deployment_util.go, ResolveFenceposts. */
import { type CountOrPercent, roundedDown, roundedUp } from '../../../shared/count-or-percent.ts';

export interface Fenceposts {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** Without a value there is no surge, and nothing may be missing. */
export function resolveFenceposts(
  maxSurge: CountOrPercent | undefined,
  maxUnavailable: CountOrPercent | undefined,
  desired: number,
): Fenceposts {
  const surge = maxSurge === undefined ? 0 : roundedUp(maxSurge, desired);
  const unavailable = maxUnavailable === undefined ? 0 : roundedDown(maxUnavailable, desired);
  return { maxSurge: surge, maxUnavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** The same, with no more missing than there are. */
export function fencepostsWithin(
  maxSurge: CountOrPercent | undefined,
  maxUnavailable: CountOrPercent | undefined,
  desired: number,
): Fenceposts {
  const fenceposts = resolveFenceposts(maxSurge, maxUnavailable, desired);
  return { ...fenceposts, maxUnavailable: Math.min(desired, fenceposts.maxUnavailable) };
}
