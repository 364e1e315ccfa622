/** What staleness costs, in closed form: how long a list can be wrong, and how many requests go to somebody who is gone. */
import type { Ms } from '../../../core/time.ts';

/** The longest that a record taken away is still answered, when each of `layers` resolvers restarts the TTL in its own cache. Caches
 *  that hand on the remaining TTL count as one. */
export const worstTtlStalenessMs = (ttlMs: Ms, layers: number): Ms => ttlMs * layers;

/** How long it is on average, when the change falls at any moment of the TTL alike. */
export const meanTtlStalenessMs = (ttlMs: Ms, layers: number): Ms => worstTtlStalenessMs(ttlMs, layers) / 2;

/** Requests sent to one dead endpoint of `endpoints` under random balancing, from its death until it leaves the list. */
export const expectedStaleRequests = (requestsPerSecond: number, endpoints: number, stalenessMs: Ms): number =>
  (requestsPerSecond * stalenessMs) / (1000 * endpoints);
