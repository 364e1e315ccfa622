/** Random: every endpoint with the same probability.
 *
 *  Stateless and immune to stale information, so the baseline for everything else. It fails at high load: with n endpoints busy a
 *  fraction ρ of the time each is a queue of its own, and some are long while others stand idle. */
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';

export const random = defineBalancer({
  name: 'random',
  summary: 'Picks every endpoint with the same probability.',
  useWhen: 'Nothing is known of the endpoints, or a baseline is wanted.',
  failsWhen: 'Load is high: some queues are long while other endpoints stand idle.',
  cost: 'O(1)',
  sources: ['envoyproxy/envoy: source/extensions/load_balancing_policies/random/random_lb.cc'],
  aliases: [
    { system: 'Envoy', name: 'random' },
    { system: 'Istio', name: 'RANDOM' },
    { system: 'Consul', name: 'random' },
    { system: 'kube-proxy', name: 'statistic random' },
  ],
  params: {},
  create: (_params, deps) => new Random(deps.rng),
});

class Random implements Balancer {
  readonly #rng: Rng;
  #members: Int32Array = new Int32Array(0);
  #count = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    this.#members = view.members;
    this.#count = view.count;
  }

  pick(): Slot {
    return this.#count === 0 ? NO_ENDPOINT : this.#members[this.#rng.below(this.#count)];
  }
}
