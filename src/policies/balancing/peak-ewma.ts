/** Peak EWMA: of two distinct random endpoints, the one with the lower expected latency: (requests in flight + 1) × a moving average of
 *  latency that jumps up at once and comes down slowly.
 *
 *  Sees what counting cannot: an endpoint that is slow though nothing waits there. It fails on fast errors, which make a broken endpoint
 *  look quick and draw everybody (set `penalty`), on responses that stream for long, and where latency is the request's and not the
 *  endpoint's.
 *
 *  The systems differ in what a newcomer costs and in what a sample is compared with:
 *  linkerd: newcomers cost defaultRtt; a sample replaces the average if it exceeds what is left of it by now;
 *  tower: the same start; a sample is compared with what was left of the average when last looked at;
 *  finagle: as tower, but newcomers are free until something is in flight, then prohibitively dear until the first answer;
 *  envoy: newcomers cost defaultRtt while idle, then prohibitively much; no peak, and no decay between samples. */
import { choice, duration, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Balancer,
  defineBalancer,
  type EndpointView,
  NO_ENDPOINT,
  type Outcome,
  outcomes,
  type PickContext,
  type Slot,
} from './balancer.ts';
import { DecayingAverages } from './parts/decaying-averages.ts';
import { anotherIndex } from './parts/distinct-pair.ts';
import { healthier } from './parts/health-order.ts';
import { grownFloats } from '../../core/grow.ts';
import { Newcomers } from './parts/newcomers.ts';

const params = {
  decay: duration({
    default: 10_000,
    min: 1,
    about: 'Time after which a sample counts 1/e of what it did: the weight of the old is exp(−elapsed / decay).',
    official: 'Finagle decayTime, Linkerd decay, Envoy decay_time',
  }),
  defaultRtt: duration({
    default: 30,
    min: 0,
    about: 'Latency assumed of an endpoint without samples; finagle does not use it.',
    official: 'Linkerd default_rtt 30 ms, Envoy default_rtt 10 ms',
  }),
  variant: choice({
    default: 'linkerd',
    choices: ['linkerd', 'tower', 'finagle', 'envoy'],
    about: 'Whose rule for newcomers and peaks.',
  }),
  penalty: duration({
    default: 0,
    min: 0,
    about: 'Latency recorded for an attempt that failed, if it took less; 0 records what it took.',
    official: 'Linkerd load bias: 5 s',
  }),
};
export type PeakEwmaParams = ParamValues<typeof params>;

export const peakEwma = defineBalancer({
  name: 'peak-ewma',
  summary: 'Of two random endpoints, picks the one with the lower latency average times requests in flight.',
  useWhen: 'Endpoints differ in speed for reasons that counting does not show: slow hosts, distant zones, pauses.',
  failsWhen: 'Errors come back fast: the broken endpoint looks quickest and draws everything, unless penalised.',
  cost: 'O(1); an exponential or two per answer',
  sources: [
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/PeakEwma.scala',
    'tower-rs/tower: tower/src/load/peak_ewma.rs',
    'linkerd/linkerd2-proxy: linkerd/ewma/src/lib.rs',
    'envoyproxy/envoy: source/extensions/load_balancing_policies/peak_ewma/cost.cc',
  ],
  aliases: [
    { system: 'Envoy', name: 'peak_ewma' },
    { system: 'Finagle', name: 'p2c_peak_ewma' },
    { system: 'Finagle', name: 'Balancers.p2cPeakEwma' },
    { system: 'Linkerd', name: 'ewma' },
  ],
  params,
  create: (values, deps) => new PeakEwma(values, deps.rng),
});

class PeakEwma implements Balancer {
  readonly #rng: Rng;
  readonly #load: PeakEwmaLoad;
  readonly #newcomers = new Newcomers();
  readonly #penaltyMs: Ms;
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);
  #health: Uint8Array = new Uint8Array(0);

  constructor(values: PeakEwmaParams, rng: Rng) {
    this.#rng = rng;
    this.#load = new PeakEwmaLoad(values);
    this.#penaltyMs = values.penalty;
  }

  update(view: EndpointView, nowMs: Ms): void {
    const { table, members, count } = view;
    this.#members = members;
    this.#count = count;
    this.#active = table.active;
    this.#health = table.health;
    this.#load.ensure(table.active.length);
    for (let i = 0; i < count; i++) if (this.#newcomers.meet(table, members[i])) this.#load.start(members[i], nowMs);
  }

  pick(context: PickContext): Slot {
    if (this.#count < 2) return this.#count === 0 ? NO_ENDPOINT : this.#members[0];
    const firstIndex = this.#rng.below(this.#count);
    const first = this.#members[firstIndex];
    const second = this.#members[anotherIndex(this.#rng, this.#count, firstIndex)];
    const byHealth = healthier(this.#health[first], this.#health[second]);
    if (byHealth !== 0) return byHealth > 0 ? first : second;
    const firstRank = this.#load.rank(first, this.#active[first], context.nowMs);
    return firstRank <= this.#load.rank(second, this.#active[second], context.nowMs) ? first : second;
  }

  onEnd(slot: Slot, nowMs: Ms, latencyMs: Ms, outcome: Outcome): void {
    const isFailure = outcome !== outcomes.ok && outcome !== outcomes.cancelled;
    this.#load.observe(slot, isFailure ? Math.max(latencyMs, this.#penaltyMs) : latencyMs, nowMs);
  }
}

/** What an endpoint is expected to cost one more request, by slot; lower is better. */
export class PeakEwmaLoad {
  readonly #variant: PeakEwmaParams['variant'];
  readonly #defaultRttMs: Ms;
  readonly #averages: DecayingAverages;
  /** When tower and finagle last looked, which makes the decay up to then permanent there. */
  #looksMs: Float64Array = new Float64Array(0);

  constructor(values: PeakEwmaParams) {
    this.#variant = values.variant;
    this.#defaultRttMs = values.defaultRtt;
    this.#averages = new DecayingAverages(values.decay);
  }

  ensure(size: number): void {
    this.#averages.ensure(size);
    if (size > this.#looksMs.length) this.#looksMs = grownFloats(this.#looksMs, size);
  }

  /** An endpoint without history. */
  start(slot: Slot, nowMs: Ms): void {
    const assumesLatency = this.#variant === 'linkerd' || this.#variant === 'tower';
    this.#averages.set(slot, assumesLatency ? this.#defaultRttMs : 0, nowMs);
    this.#looksMs[slot] = nowMs;
  }

  observe(slot: Slot, latencyMs: Ms, nowMs: Ms): void {
    const averages = this.#averages;
    if (this.#variant === 'linkerd') {
      averages.addPeak(slot, latencyMs, nowMs);
    } else if (this.#variant === 'envoy') {
      const isFirst = averages.get(slot) === 0 || nowMs <= averages.stampMs(slot);
      if (isFirst) averages.set(slot, latencyMs, nowMs);
      else averages.add(slot, latencyMs, nowMs);
    } else {
      averages.add(slot, 0, this.#looksMs[slot]);
      if (latencyMs > averages.get(slot)) averages.set(slot, latencyMs, nowMs);
      else averages.add(slot, latencyMs, nowMs);
    }
  }

  /** Expected latency times requests, in milliseconds. `pending` counts requests in flight without the one to be placed. */
  cost(slot: Slot, pending: number, nowMs: Ms): number {
    this.#looksMs[slot] = nowMs;
    if (this.#variant === 'envoy') return this.#envoyCost(slot, pending);
    const average = this.#averages.getAt(slot, nowMs);
    if (average === 0 && pending > 0 && this.#variant === 'finagle') return FINAGLE_PENALTY + pending;
    return average * (pending + 1);
  }

  /** Orders endpoints as `cost` does at this time, without exponentials. */
  rank(slot: Slot, pending: number, nowMs: Ms): number {
    this.#looksMs[slot] = nowMs;
    if (this.#variant === 'envoy') return this.#envoyCost(slot, pending);
    const level = this.#averages.level(slot);
    if (level === 0 && pending > 0 && this.#variant === 'finagle') return BEYOND_ANY_LEVEL * pending;
    return level * (pending + 1);
  }

  #envoyCost(slot: Slot, pending: number): number {
    const average = this.#averages.get(slot);
    if (average > 0) return average * (pending + 1);
    return pending > 0 ? ENVOY_PENALTY + pending : this.#defaultRttMs;
  }
}

/** (2^63 − 1) >> 16 nanoseconds there; only its being larger than any latency matters. */
const FINAGLE_PENALTY = 0x7fff_ffff_ffff;
const ENVOY_PENALTY = 1e6;
const BEYOND_ANY_LEVEL = 1e290;
