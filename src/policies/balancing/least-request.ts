/** Least request, as Envoy and gRPC have it: of a few random endpoints, the one with the fewest requests in flight.
 *
 *  Two samples drawn with replacement, so even the busiest endpoint is picked now and then (1 in n² with two choices). A full scan
 *  finds the true minimum; among many clients that act on it at once, all run to the same endpoint.
 *
 *  With unequal weights it becomes another algorithm, and `choiceCount` is ignored: earliest deadline first with weight
 *  w / (in flight + 1)^activeRequestBias, evaluated when an endpoint is put back, so between its turns its load is out of date. */
import { pow } from '../../core/math.ts';
import { choice, int, number, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { EdfScheduler, PRE_PICKS_BOUND } from './parts/edf-scheduler.ts';
import { Membership, weighAlike } from './parts/membership.ts';

const params = {
  choiceCount: int({
    default: 2,
    min: 2,
    about: 'How many endpoints are drawn, with replacement, when weights are equal.',
    official: 'Envoy choice_count, gRPC choiceCount (at most 10 there)',
  }),
  selectionMethod: choice({
    default: 'n-choices',
    choices: ['n-choices', 'full-scan'],
    about: 'Draw choiceCount endpoints, or look at all and draw among the least loaded.',
    official: 'Envoy selection_method',
  }),
  activeRequestBias: number({
    default: 1,
    min: 0,
    about: 'With unequal weights the effective weight is weight / (in flight + 1)^activeRequestBias; 0 ignores load.',
    official: 'Envoy active_request_bias',
  }),
};

export const leastRequest = defineBalancer({
  name: 'least-request',
  summary: 'Of a few random endpoints, picks the one with the fewest requests in flight (Envoy).',
  useWhen: 'Requests differ in cost or endpoints in speed; the usual choice behind Envoy and gRPC.',
  failsWhen: 'Weights differ and load moves fast: the schedule then uses load as it was at the last turn.',
  cost: 'O(choices); O(n) for a full scan; O(log n) when weights differ',
  sources: [
    'envoyproxy/envoy: source/extensions/load_balancing_policies/least_request/least_request_lb.cc',
    'grpc/proposal: A48-xds-least-request-lb-policy.md',
  ],
  aliases: [
    { system: 'Envoy', name: 'least_request' },
    { system: 'gRPC', name: 'least_request_experimental' },
    { system: 'Istio', name: 'LEAST_REQUEST' },
    { system: 'Istio', name: 'LEAST_CONN' },
    { system: 'Consul', name: 'least_request' },
  ],
  params,
  create: (values, deps) => new LeastRequest(values, deps.rng),
});

/** The choice count gRPC settles on: 2 by default, 10 at most, and less than 2 is refused (undefined). */
export const grpcChoiceCount = (wanted = 2): number | undefined => (wanted < 2 ? undefined : Math.min(wanted, 10));

class LeastRequest implements Balancer {
  readonly #rng: Rng;
  readonly #choiceCount: number;
  readonly #scansAll: boolean;
  readonly #bias: number;
  readonly #seed: number;
  readonly #schedule = new EdfScheduler();
  readonly #membership = new Membership();
  #isScheduled = false;
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);
  #weights: Float64Array = new Float64Array(0);

  constructor(values: ParamValues<typeof params>, rng: Rng) {
    this.#rng = rng;
    this.#choiceCount = values.choiceCount;
    this.#scansAll = values.selectionMethod === 'full-scan';
    this.#bias = values.activeRequestBias;
    this.#seed = rng.below(PRE_PICKS_BOUND);
  }

  update(view: EndpointView): void {
    this.#members = view.members;
    this.#count = view.count;
    this.#active = view.table.active;
    this.#weights = view.table.weight;
    const wasScheduled = this.#isScheduled;
    this.#isScheduled = !weighAlike(view);
    const changed = this.#membership.changed(view);
    // A change of weights alone takes effect as endpoints are put back; only other members make another schedule.
    if (this.#isScheduled && (changed || !wasScheduled)) {
      this.#schedule.reseed(view.members, view.count, (slot) => this.#effectiveWeight(slot), this.#seed);
    }
  }

  pick(): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    if (this.#isScheduled) return this.#pickScheduled();
    return this.#scansAll ? this.#pickByScan() : this.#pickBySamples();
  }

  #pickBySamples(): Slot {
    const members = this.#members;
    const active = this.#active;
    let best = members[this.#rng.below(this.#count)];
    for (let choices = 1; choices < this.#choiceCount; choices++) {
      const sampled = members[this.#rng.below(this.#count)];
      if (active[sampled] < active[best]) best = sampled;
    }
    return best;
  }

  /** Keeps one of the least loaded so far; the k-th of them replaces it with probability 1/k, which makes all equally likely. */
  #pickByScan(): Slot {
    const members = this.#members;
    const active = this.#active;
    let best = members[0];
    let ties = 1;
    for (let i = 1; i < this.#count; i++) {
      const slot = members[i];
      if (active[slot] < active[best]) {
        best = slot;
        ties = 1;
      } else if (active[slot] === active[best]) {
        ties++;
        if (this.#rng.below(ties) === 0) best = slot;
      }
    }
    return best;
  }

  #pickScheduled(): Slot {
    const slot = this.#schedule.next();
    this.#schedule.advance(this.#effectiveWeight(slot));
    return slot;
  }

  #effectiveWeight(slot: Slot): number {
    const weight = this.#weights[slot];
    const load = this.#active[slot] + 1;
    return this.#bias === 1 ? weight / load : weight / pow(load, this.#bias);
  }
}
