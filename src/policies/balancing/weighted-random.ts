/** Weighted random: every endpoint with a probability in proportion to its weight.
 *
 *  Right where weights matter and state does not: many small clients, each with few requests. It fails at high load as `random` does:
 *  shares are right on average only. */
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { CumulativeWeights } from './parts/cumulative-weights.ts';

export const weightedRandom = defineBalancer({
  name: 'weighted-random',
  summary: 'Picks every endpoint with a probability in proportion to its weight.',
  useWhen: 'Capacities differ and are known, and many clients have few requests each.',
  failsWhen: 'Load is high: shares are right on average, queues are not.',
  cost: 'O(log n)',
  sources: ['grpc/grpc-go: internal/wrr/random.go', 'nginx/nginx: src/http/modules/ngx_http_upstream_random_module.c'],
  aliases: [
    { system: 'nginx', name: 'random' },
    { system: 'gRPC', name: 'weighted_target' },
    { system: 'HAProxy', name: 'random(1)' },
  ],
  params: {},
  create: (_params, deps) => new WeightedRandom(deps.rng),
});

class WeightedRandom implements Balancer {
  readonly #rng: Rng;
  readonly #weights = new CumulativeWeights();
  #members: Int32Array = new Int32Array(0);
  #count = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    this.#members = view.members;
    this.#count = view.count;
    this.#weights.update(view);
  }

  pick(): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    const weights = this.#weights;
    const draw = weights.isWhole ? this.#rng.below(weights.total) : this.#rng.next() * weights.total;
    return this.#members[weights.firstAbove(draw)];
  }
}
