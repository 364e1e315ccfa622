/** Consistent hashing as HAProxy has it: a ring of 16 nodes per unit of weight, where a key belongs to the nearest node, before or after.
 *
 *  Taking the nearest evens out shares on a small ring. It fails on popular keys unless hashBalanceFactor bounds the load: then an
 *  endpoint takes requests while it serves fewer than its slots, and the overflow goes on along the ring, onto the neighbours.
 *
 *  Nodes are placed by the hash of an endpoint's name, so clients agree whatever order they learnt the names in. The lower half of a
 *  key's hash is used. A request without a key goes to a random node. */
import { int } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type PickContext, type Slot } from './balancer.ts';
import { xxHash64 } from './hashes/xxhash64.ts';
import { HaproxyRing } from './parts/haproxy-ring.ts';
import { haproxySlots } from './parts/load-bounds.ts';
import { Membership } from './parts/membership.ts';
import { wholeWeights } from './parts/whole-weights.ts';

export const consistentHash = defineBalancer({
  name: 'consistent-hash',
  summary: 'Sends a key to the nearest node of a ring (HAProxy hash-type consistent).',
  useWhen: 'Endpoints cache or keep sessions behind HAProxy, or load must be bounded along the ring.',
  failsWhen: 'Weights are small: 16 nodes per unit of weight make uneven shares.',
  cost: 'O(log nodes)',
  sources: ['haproxy/haproxy: src/lb_chash.c'],
  aliases: [{ system: 'HAProxy', name: 'hash-type consistent' }],
  params: {
    hashBalanceFactor: int({
      default: 0,
      min: 0,
      about: 'Per cent of its share of all load that an endpoint may carry, above 100; 0 does not bound.',
      official: 'HAProxy hash-balance-factor',
    }),
  },
  create: ({ hashBalanceFactor }, deps) => new ConsistentHash(hashBalanceFactor, deps.rng),
});

class ConsistentHash implements Balancer {
  readonly #factor: number;
  readonly #rng: Rng;
  readonly #ring = new HaproxyRing();
  readonly #membership = new Membership('members and weights');
  #members: Int32Array = new Int32Array(0);
  #active: Uint32Array = new Uint32Array(0);
  #weights: Float64Array = new Float64Array(0);
  #weightsBefore: Float64Array = new Float64Array(0);
  #totalWeight = 0;
  #served = 0;

  constructor(factor: number, rng: Rng) {
    this.#factor = factor;
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    this.#active = view.table.active;
    if (!this.#membership.changed(view)) return;
    this.#members = view.members.slice(0, view.count);
    const weights = wholeWeights(view);
    const numbers = Array.from(this.#members, (slot) => xxHash64(view.table.ids[slot]).low);
    this.#ring.build(numbers, weights);
    this.#weights = Float64Array.from(weights);
    this.#weightsBefore = new Float64Array(weights.length);
    this.#totalWeight = 0;
    weights.forEach((weight, i) => {
      this.#weightsBefore[i] = this.#totalWeight;
      this.#totalWeight += weight;
    });
  }

  pick({ hasHash, hashLow }: PickContext): Slot {
    if (this.#members.length === 0) return NO_ENDPOINT;
    const first = this.#ring.nearest(hasHash ? hashLow : this.#rng.uint32());
    if (this.#factor === 0) return this.#members[this.#ring.ownerAt(first)];
    let node = first;
    do {
      const owner = this.#ring.ownerAt(node);
      if (this.#mayTake(owner)) return this.#members[owner];
      node = this.#ring.after(node);
    } while (node !== first);
    return this.#members[this.#ring.ownerAt(first)];
  }

  onStart(): void {
    this.#served++;
  }

  onEnd(): void {
    this.#served--;
  }

  #mayTake(owner: number): boolean {
    const slots = haproxySlots(this.#served, this.#factor, this.#weights[owner], this.#weightsBefore[owner], this.#totalWeight);
    return this.#active[this.#members[owner]] < slots;
  }
}
