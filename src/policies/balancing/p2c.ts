/** Power of two choices: of two distinct random endpoints, the one with fewer requests in flight.
 *
 *  Nearly as good as knowing all queues, at the cost of two looks, and far more robust to stale information, since the crowd does not
 *  run to one minimum. It fails with many small clients: each sees next to nothing in flight, and two ties are a coin toss.
 *
 *  Finagle's drawing: the pair is distinct, so the busiest endpoint is never picked, where Envoy and gRPC draw with replacement (see
 *  `least-request`). Health is compared before load, and the first drawn wins ties. */
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { anotherIndex } from './parts/distinct-pair.ts';
import { healthier } from './parts/health-order.ts';

export const p2c = defineBalancer({
  name: 'p2c',
  summary: 'Of two distinct random endpoints, picks the one with fewer requests in flight.',
  useWhen: 'Load differs between endpoints and the client has several requests in flight: a good default.',
  failsWhen:
    'Every client has few requests in flight, so that loads look equal; or fast failures make a broken endpoint look idle.',
  cost: 'O(1)',
  sources: [
    'Mitzenmacher: The Power of Two Choices in Randomized Load Balancing (2001)',
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/p2c/P2CPick.scala',
  ],
  aliases: [
    { system: 'Finagle', name: 'choice' },
    { system: 'Finagle', name: 'Balancers.p2c' },
    { system: 'literature', name: 'two-choices' },
  ],
  params: {},
  create: (_params, deps) => new PowerOfTwoChoices(deps.rng),
});

class PowerOfTwoChoices implements Balancer {
  readonly #rng: Rng;
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);
  #health: Uint8Array = new Uint8Array(0);

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    this.#members = view.members;
    this.#count = view.count;
    this.#active = view.table.active;
    this.#health = view.table.health;
  }

  pick(): Slot {
    if (this.#count < 2) return this.#count === 0 ? NO_ENDPOINT : this.#members[0];
    const firstIndex = this.#rng.below(this.#count);
    const first = this.#members[firstIndex];
    const second = this.#members[anotherIndex(this.#rng, this.#count, firstIndex)];
    const byHealth = healthier(this.#health[first], this.#health[second]);
    if (byHealth !== 0) return byHealth > 0 ? first : second;
    return this.#active[first] <= this.#active[second] ? first : second;
  }
}
