/** Weighted round robin by earliest deadline: an endpoint of weight w takes a turn every 1/w.
 *
 *  What Envoy's `round_robin` does when weights differ; shares hold over every stretch of picks, and a pick costs the logarithm of the
 *  number of endpoints where nginx's smooth rotation costs that number. It fails where weights are wrong, and every change of membership
 *  starts the schedule anew from its seed: under churn the same endpoints keep coming first.
 *
 *  With equal weights it is plain round robin with a free-running index. A change of weight takes effect as the endpoint is put back. */
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { EdfScheduler, PRE_PICKS_BOUND } from './parts/edf-scheduler.ts';
import { Membership, weighAlike } from './parts/membership.ts';

export const edfWeightedRoundRobin = defineBalancer({
  name: 'edf-weighted-round-robin',
  summary: 'Picks endpoints in turn by weight, by earliest deadline (Envoy).',
  useWhen: 'Capacities differ and are known, endpoints are many, requests alike.',
  failsWhen: 'Membership changes often: every change starts the schedule anew.',
  cost: 'O(log n)',
  sources: [
    'envoyproxy/envoy: source/common/upstream/edf_scheduler.h',
    'envoyproxy/envoy: source/extensions/load_balancing_policies/common/load_balancer_impl.cc',
  ],
  aliases: [{ system: 'Envoy', name: 'weighted round_robin' }],
  params: {},
  create: (_params, deps) => new EdfWeightedRoundRobin(deps.rng),
});

class EdfWeightedRoundRobin implements Balancer {
  readonly #seed: number;
  readonly #schedule = new EdfScheduler();
  readonly #membership = new Membership();
  #turn: number;
  #isScheduled = false;
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #weights: Float64Array = new Float64Array(0);

  constructor(rng: Rng) {
    this.#seed = rng.below(PRE_PICKS_BOUND);
    this.#turn = this.#seed;
  }

  update(view: EndpointView): void {
    this.#members = view.members;
    this.#count = view.count;
    this.#weights = view.table.weight;
    const changed = this.#membership.changed(view);
    const wasScheduled = this.#isScheduled;
    this.#isScheduled = !weighAlike(view);
    if (this.#isScheduled && (changed || !wasScheduled)) {
      this.#schedule.reseed(view.members, view.count, (slot) => this.#weights[slot], this.#seed);
    }
  }

  pick(): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    if (!this.#isScheduled) return this.#members[this.#turn++ % this.#count];
    const slot = this.#schedule.next();
    this.#schedule.advance(this.#weights[slot]);
    return slot;
  }
}
