/** C3: rank endpoints by expected wait, with a queue that counts cubed: R − S + (1 + in flight · clients + q)³ · S, where R is the average
 *  response time seen here, S the service time and q the queue length that the endpoint reports.
 *
 *  The cube makes many clients shy of long queues and so keeps them from herding; `clients` makes each count its own requests as if the
 *  others had as many. Made for replicated stores, where a key has few replicas. It fails with many endpoints (every pick ranks all) and
 *  where endpoints report nothing: S is taken to be R then, and q to be 0. An endpoint without history ranks first until it answers.
 *
 *  The paper's rate control is off by default, as in Elasticsearch: with it, endpoints over their rate are passed over, and when all are,
 *  the one that may be sent to soonest is taken, since a balancer here cannot hold requests back. */
import { boolean, duration, fraction, int, number, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Balancer,
  defineBalancer,
  type EndpointView,
  type LoadReport,
  NO_ENDPOINT,
  type Outcome,
  outcomes,
  type PickContext,
  type Slot,
} from './balancer.ts';
import { CubicRates } from './parts/cubic-rate.ts';
import { grownFloats } from '../../core/grow.ts';
import { Newcomers } from './parts/newcomers.ts';

const params = {
  clients: int({ default: 1, min: 1, about: 'How many clients share the endpoints: the weight of own requests in flight.' }),
  alpha: fraction({
    default: 0.9,
    about: 'Weight of a new sample in the averages of response time, service time and queue length.',
    official: 'absim 0.9, Elasticsearch 0.3',
  }),
  rateControl: boolean({ default: false, about: 'Limit the rate to each endpoint, after CUBIC.' }),
  rateInterval: duration({ default: 20, min: 1, about: 'The interval that rates are counted over.', official: 'δ' }),
  beta: fraction({ default: 0.2, about: 'A rate that is too high is multiplied by beta.', official: 'β' }),
  cubic: number({ default: 0.000004, min: 0, exclusiveMin: true, about: 'Scales the cubic growth.', official: 'γ' }),
  maxStep: number({ default: 10, min: 0, about: 'Largest growth at one answer.', official: 's_max' }),
  hysteresis: number({ default: 2, min: 0, about: 'Intervals that must pass between a raise and a cut.' }),
};

export const c3 = defineBalancer({
  name: 'c3',
  summary: 'Picks the endpoint with the lowest expected wait, queues counted cubed (C3).',
  useWhen: 'Requests go to few replicas, many clients share them, and endpoints report their queues.',
  failsWhen: 'Endpoints are many, or report nothing; newcomers draw everything until their first answer.',
  cost: 'O(n)',
  sources: [
    'Suresh, Canini, Schmid, Feldmann: C3: Cutting Tail Latency in Cloud Data Stores via Adaptive Replica Selection (NSDI 2015)',
    'elastic/elasticsearch: ResponseCollectorService',
    'lalithsuresh/absim: simulations/client.py',
  ],
  aliases: [{ system: 'Elasticsearch', name: 'adaptive_replica_selection' }],
  params,
  create: (values, deps) => new C3(values, deps.rng),
});

/** Expected wait, times in milliseconds; lower is better. */
export function c3Rank(responseMs: Ms, serviceMs: Ms, queueLength: number, inFlight: number, clients: number): number {
  const queue = 1 + inFlight * clients + queueLength;
  return responseMs - serviceMs + queue * queue * queue * serviceMs;
}

class C3 implements Balancer {
  readonly #values: ParamValues<typeof params>;
  readonly #rng: Rng;
  readonly #newcomers = new Newcomers();
  readonly #rates: CubicRates;
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);
  // Averages by slot; negative until the first sample.
  #responseMs: Float64Array = new Float64Array(0);
  #serviceMs: Float64Array = new Float64Array(0);
  #queueLength: Float64Array = new Float64Array(0);

  constructor(values: ParamValues<typeof params>, rng: Rng) {
    this.#values = values;
    this.#rng = rng;
    this.#rates = new CubicRates(values);
  }

  update({ members, count, table }: EndpointView, nowMs: Ms): void {
    this.#members = members;
    this.#count = count;
    this.#active = table.active;
    const size = table.active.length;
    if (size > this.#responseMs.length) {
      this.#responseMs = grownFloats(this.#responseMs, size);
      this.#serviceMs = grownFloats(this.#serviceMs, size);
      this.#queueLength = grownFloats(this.#queueLength, size);
      this.#rates.ensure(size);
    }
    for (let i = 0; i < count; i++) {
      const slot = members[i];
      if (!this.#newcomers.meet(table, slot)) continue;
      this.#responseMs[slot] = this.#serviceMs[slot] = this.#queueLength[slot] = -1;
      this.#rates.start(slot, nowMs);
    }
  }

  pick(context: PickContext): Slot {
    let best = NO_ENDPOINT;
    let bestRank = 0;
    let bestWaitMs = 0;
    let ties = 1;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#members[i];
      const waitMs = this.#values.rateControl ? this.#rates.waitMs(slot, context.nowMs) : 0;
      const rank = this.#rank(slot);
      const order = best === NO_ENDPOINT ? -1 : waitMs - bestWaitMs || rank - bestRank || this.#active[slot] - this.#active[best];
      ties = order === 0 ? ties + 1 : 1;
      if (order > 0 || (order === 0 && this.#rng.below(ties) > 0)) continue;
      best = slot;
      bestRank = rank;
      bestWaitMs = waitMs;
    }
    return best;
  }

  onStart(slot: Slot, nowMs: Ms): void {
    if (this.#values.rateControl) this.#rates.onSend(slot, nowMs);
  }

  onEnd(slot: Slot, nowMs: Ms, latencyMs: Ms, outcome: Outcome): void {
    // Fast failures must not make an endpoint look good; but one that only fails is no longer unknown.
    if (outcome === outcomes.ok || this.#responseMs[slot] < 0) this.#average(this.#responseMs, slot, latencyMs);
    if (this.#values.rateControl && outcome !== outcomes.cancelled) this.#rates.onAnswer(slot, nowMs);
  }

  onReport(slot: Slot, _nowMs: Ms, report: LoadReport): void {
    this.#average(this.#serviceMs, slot, report.latencyMs);
    this.#average(this.#queueLength, slot, report.queueLength);
  }

  #rank(slot: Slot): number {
    const responseMs = this.#responseMs[slot];
    if (responseMs < 0) return 0;
    const serviceMs = this.#serviceMs[slot] < 0 ? responseMs : this.#serviceMs[slot];
    return c3Rank(responseMs, serviceMs, Math.max(0, this.#queueLength[slot]), this.#active[slot], this.#values.clients);
  }

  #average(averages: Float64Array, slot: Slot, sample: number): void {
    const { alpha } = this.#values;
    averages[slot] = averages[slot] < 0 ? sample : alpha * sample + (1 - alpha) * averages[slot];
  }
}
