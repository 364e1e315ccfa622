/** Weighted power of two choices: two endpoints drawn in proportion to weight, with replacement; the one with less load for its weight.
 *
 *  Two choices for fleets of unequal machines: weight decides how often an endpoint is considered and how much it may carry. It fails
 *  where weights are wrong, twice over. As in the Linux virtual server, draws reach from 0 to the sum of weights inclusive, so the first
 *  endpoint is drawn a little too often; with weights in the hundreds nobody notices. */
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { CumulativeWeights } from './parts/cumulative-weights.ts';
import { ipvsOverhead } from './parts/ipvs-overhead.ts';

export const weightedP2c = defineBalancer({
  name: 'weighted-p2c',
  summary: 'Of two endpoints drawn by weight, picks the one with less load for its weight (IPVS twos).',
  useWhen: 'Capacities differ, are known, and several clients share the endpoints.',
  failsWhen: 'Weights are wrong, or every client has few requests in flight.',
  cost: 'O(log n)',
  sources: ['torvalds/linux: net/netfilter/ipvs/ip_vs_twos.c'],
  aliases: [{ system: 'IPVS', name: 'twos' }],
  params: {},
  create: (_params, deps) => new WeightedTwoChoices(deps.rng),
});

export class WeightedTwoChoices implements Balancer {
  readonly #rng: Rng;
  readonly #sums = new CumulativeWeights();
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);
  #inactive: Uint32Array = new Uint32Array(0);
  #weights: Float64Array = new Float64Array(0);

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** `inactive` counts connections that are closed but remembered; clients of ours have none. */
  update(view: EndpointView, _nowMs = 0, inactive?: Uint32Array): void {
    this.#members = view.members;
    this.#count = view.count;
    this.#active = view.table.active;
    this.#inactive = inactive ?? new Uint32Array(view.table.active.length);
    this.#weights = view.table.weight;
    this.#sums.update(view);
  }

  pick(): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    const first = this.#draw();
    const second = this.#draw();
    const firstLoad = ipvsOverhead(this.#active[first], this.#inactive[first]);
    const secondLoad = ipvsOverhead(this.#active[second], this.#inactive[second]);
    return this.#weights[second] * firstLoad > this.#weights[first] * secondLoad ? second : first;
  }

  /** The first endpoint whose sum of weights reaches the number drawn. */
  #draw(): Slot {
    const { isWhole, total } = this.#sums;
    if (!isWhole) return this.#members[this.#sums.firstAbove(this.#rng.next() * total)];
    const draw = this.#rng.below(total + 1);
    return this.#members[draw === 0 ? 0 : this.#sums.firstAbove(draw - 1)];
  }
}
