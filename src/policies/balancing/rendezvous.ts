/** Rendezvous hashing: every endpoint draws a lot for the key, and the highest wins.
 *
 *  No table, exact shares by weight, and the least movement there can be: only keys of an endpoint that leaves move, to all others alike.
 *  It pays by looking at every endpoint for every request, so it is for tens of endpoints, not thousands. Popular keys are its weakness as
 *  any hash's. A request without a key goes to a random endpoint. */
import { log } from '../../core/math.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type PickContext, type Slot } from './balancer.ts';
import { xxHash64 } from './hashes/xxhash64.ts';
import { weighAlike } from './parts/membership.ts';

export const rendezvous = defineBalancer({
  name: 'rendezvous',
  summary: 'Sends a key to the endpoint that draws the highest lot for it (highest random weight).',
  useWhen: 'Endpoints are few, shares must be exact, and as few keys as possible may move.',
  failsWhen: 'Endpoints are many: each pick looks at all; or keys are very popular.',
  cost: 'O(n); with unequal weights a logarithm each',
  sources: [
    'Thaler, Ravishankar: A Name-Based Mapping Scheme for Rendezvous (1996)',
    'Schindler, Schomaker: Weighted Distributed Hash Tables (2005), for weights',
  ],
  aliases: [
    { system: 'literature', name: 'hrw' },
    { system: 'literature', name: 'highest-random-weight' },
  ],
  params: {},
  create: (_params, deps) => new Rendezvous(deps.rng),
});

class Rendezvous implements Balancer {
  readonly #rng: Rng;
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #weights: Float64Array = new Float64Array(0);
  #isEven = true;
  /** Hashes of the members' names, by member index. */
  #highs: Int32Array = new Int32Array(0);
  #lows: Int32Array = new Int32Array(0);
  /** The winning score so far: in an array, so that it is not boxed. */
  readonly #best = new Float64Array(1);

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    const { members, count, table } = view;
    this.#members = members;
    this.#count = count;
    this.#weights = table.weight;
    this.#isEven = weighAlike(view);
    const hashes = Array.from(members.subarray(0, count), (slot) => xxHash64(table.ids[slot]));
    this.#highs = Int32Array.from(hashes, ({ high }) => high);
    this.#lows = Int32Array.from(hashes, ({ low }) => low);
  }

  pick({ hasHash, hashHigh, hashLow }: PickContext): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    if (!hasHash) return this.#members[this.#rng.below(this.#count)];
    let winner = 0;
    this.#best[0] = -Infinity;
    for (let i = 0; i < this.#count; i++) {
      // A uniform lot in (0, 1); −w / ln(lot) of it is largest with probability w / Σw.
      const lot = this.#lot(i, hashHigh, hashLow);
      const score = this.#isEven ? lot : -this.#weights[this.#members[i]] / log(lot);
      if (score <= this.#best[0]) continue;
      this.#best[0] = score;
      winner = i;
    }
    return this.#members[winner];
  }

  #lot(i: number, hashHigh: number, hashLow: number): number {
    const high = mix(this.#highs[i] ^ hashHigh, this.#lows[i]);
    const low = mix(this.#lows[i] ^ hashLow, high);
    return ((mix(high, low) >>> 6) * 0x4000000 + (low >>> 6) + 0.5) / 0x10000000000000;
  }
}

/** The finish of MurmurHash3 over two words. */
function mix(a: number, b: number): number {
  let hash = Math.imul(a ^ (b >>> 16), 0x85ebca6b) + b;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
