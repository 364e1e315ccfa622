/** Consistent hashing with bounded loads: a key goes to its endpoint unless that carries more than its share times a factor, then to the
 *  first in an order of the key's own that does not.
 *
 *  Keeps affinity for most keys and caps what a popular one can do. It fails where the factor is too near 100: most keys then move about
 *  with the load and affinity is gone; above 200 the bound hardly binds. Load is what this client has in flight, so with many clients
 *  the bound holds per client only.
 *
 *  As in Envoy, an endpoint is fine while its requests do not exceed its slots, so it may end up one above; the overflow of one endpoint
 *  is spread over all. (HAProxy stops at the slots and goes on along the ring: see `consistent-hash`.) */
import { choice, int, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type PickContext, type Slot } from './balancer.ts';
import { maglev } from './maglev.ts';
import { envoySlots } from './parts/load-bounds.ts';
import { normalizedWeights } from './parts/normalized-weights.ts';
import { OverflowOrder } from './parts/overflow-order.ts';
import { ringHash } from './ring-hash.ts';

const params = {
  hashBalanceFactor: int({
    default: 150,
    min: 100,
    about: 'Per cent of its share of all load that an endpoint may carry; 120 to 200 is usual.',
    official: 'Envoy hash_balance_factor',
  }),
  table: choice({
    default: 'ring-hash',
    choices: ['ring-hash', 'maglev'],
    about: 'How keys find their endpoint in the first place.',
  }),
};

export const boundedLoad = defineBalancer({
  name: 'bounded-load',
  summary: 'Sends a key to the same endpoint while that carries no more than its bounded share (Envoy).',
  useWhen: 'Affinity matters and some keys are popular.',
  failsWhen: 'The factor is near 100 (affinity is lost) or clients are many (each bounds only its own load).',
  cost: 'as its table; O(n) where the endpoint is overloaded',
  sources: [
    'Mirrokni, Thorup, Zadimoghaddam: Consistent Hashing with Bounded Loads (arXiv 1608.01350)',
    'Chen, Coleman, Shrivastava: Revisiting Consistent Hashing with Bounded Loads (arXiv 1908.08762), random jumps',
    'envoyproxy/envoy: source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc',
  ],
  aliases: [{ system: 'Envoy', name: 'consistent_hashing_lb_config' }],
  params,
  create: (values, deps) => new BoundedLoad(values, deps.rng),
});

class BoundedLoad implements Balancer {
  readonly #factor: number;
  readonly #table: Balancer;
  readonly #rng: Rng;
  readonly #overflow = new OverflowOrder();
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);
  /** Of the weight, by member index. */
  #shares: Float64Array = new Float64Array(0);
  #indexBySlot: Int32Array = new Int32Array(0);
  #inFlight = 0;
  readonly #overloadFactor = (index: number): number =>
    this.#active[this.#members[index]] / envoySlots(this.#inFlight, this.#factor, this.#shares[index]);

  constructor({ hashBalanceFactor, table }: ParamValues<typeof params>, rng: Rng) {
    this.#factor = hashBalanceFactor;
    this.#rng = rng;
    this.#table = (table === 'maglev' ? maglev : ringHash).make({}, { rng });
  }

  update(view: EndpointView, nowMs: number): void {
    this.#table.update(view, nowMs);
    const { members, count, table } = view;
    this.#members = members;
    this.#count = count;
    this.#active = table.active;
    this.#shares = Float64Array.from(normalizedWeights(view));
    this.#indexBySlot = new Int32Array(table.active.length);
    for (let i = 0; i < count; i++) this.#indexBySlot[members[i]] = i;
  }

  pick(context: PickContext): Slot {
    const home = this.#table.pick(context);
    if (home === NO_ENDPOINT) return home;
    const hashLow = context.hasHash ? context.hashLow : this.#rng.uint32();
    return this.#members[this.#overflow.choose(this.#indexBySlot[home], this.#count, hashLow, this.#overloadFactor)];
  }

  onStart(): void {
    this.#inFlight++;
  }

  onEnd(): void {
    this.#inFlight--;
  }
}
