/** How the Linux virtual server weighs its destinations: active connections count 256-fold against inactive ones (closed, still
 *  remembered). A client of ours has no inactive ones and passes zeros. Weight 0 is quiesced; the first of equals wins. */
import { NO_ENDPOINT, type Slot } from '../balancer.ts';

export const ipvsOverhead = (active: number, inactive: number): number => active * 256 + inactive;

/** wlc: least overhead for its weight. lc is the same with equal weights. */
export function leastOverhead(
  members: Int32Array,
  count: number,
  active: Uint32Array,
  inactive: Uint32Array,
  weights: Float64Array,
): Slot {
  let best = NO_ENDPOINT;
  let bestOverhead = 0;
  for (let i = 0; i < count; i++) {
    const slot = members[i];
    if (weights[slot] === 0) continue;
    const overhead = ipvsOverhead(active[slot], inactive[slot]);
    if (best === NO_ENDPOINT || overhead * weights[best] < bestOverhead * weights[slot]) {
      best = slot;
      bestOverhead = overhead;
    }
  }
  return best;
}

/** sed: least (active + 1) for its weight. */
export function shortestExpectedDelay(members: Int32Array, count: number, active: Uint32Array, weights: Float64Array): Slot {
  let best = NO_ENDPOINT;
  for (let i = 0; i < count; i++) {
    const slot = members[i];
    if (weights[slot] === 0) continue;
    if (best === NO_ENDPOINT || (active[slot] + 1) * weights[best] < (active[best] + 1) * weights[slot]) best = slot;
  }
  return best;
}

/** nq: the first idle one, else as sed. */
export function neverQueue(members: Int32Array, count: number, active: Uint32Array, weights: Float64Array): Slot {
  for (let i = 0; i < count; i++) if (active[members[i]] === 0 && weights[members[i]] > 0) return members[i];
  return shortestExpectedDelay(members, count, active, weights);
}
