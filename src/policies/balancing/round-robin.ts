/** Round robin: endpoints in turn, blind to weight and load.
 *
 *  The simplest policy that spreads evenly, right for equal endpoints and short, equal requests. It fails when either differs: a slow
 *  endpoint gets its full turn until something takes it out.
 *
 *  As in Envoy, the index starts at a random place, so that many proxies do not walk in step, and runs freely: a change of membership
 *  shifts the phase and never restarts it. */
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';

export const roundRobin = defineBalancer({
  name: 'round-robin',
  summary: 'Picks endpoints in turn, from a random start.',
  useWhen: 'Endpoints are equal and requests short and alike.',
  failsWhen: 'An endpoint is slower than the others, or requests differ widely: turns ignore both.',
  cost: 'O(1)',
  sources: [
    'envoyproxy/envoy: source/extensions/load_balancing_policies/round_robin/round_robin_lb.cc',
    'grpc/grpc-go: balancer/roundrobin',
  ],
  aliases: [
    { system: 'Envoy', name: 'round_robin' },
    { system: 'gRPC', name: 'round_robin' },
    { system: 'Istio', name: 'ROUND_ROBIN' },
    { system: 'Consul', name: 'round_robin' },
    { system: 'Finagle', name: 'Balancers.roundRobin' },
    { system: 'IPVS', name: 'rr' },
  ],
  params: {},
  create: (_params, deps) => new RoundRobin(deps.rng),
});

class RoundRobin implements Balancer {
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #turn: number;

  constructor(rng: Rng) {
    // Low enough that the index stays a small integer for the first billion picks.
    this.#turn = rng.below(0x40000000);
  }

  update(view: EndpointView): void {
    this.#members = view.members;
    this.#count = view.count;
  }

  pick(): Slot {
    return this.#count === 0 ? NO_ENDPOINT : this.#members[this.#turn++ % this.#count];
  }
}
