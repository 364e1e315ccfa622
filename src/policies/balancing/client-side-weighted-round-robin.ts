/** Weighted round robin by what the endpoints report: weight = queries per second / (utilization + penalty · errors / queries).
 *
 *  Finds the right weights by itself where machines differ, without counting requests in flight, so that many clients agree. It fails
 *  where reports do not say what an endpoint can do (utilization that is not linear in load, or that of a noisy neighbour), and it is
 *  slow by design: reports are averages, weights are made anew once per weightUpdatePeriod, and a newcomer's are ignored for
 *  blackoutPeriod, while it gets an average share.
 *
 *  gRPC fills in the mean for endpoints without a weight and schedules by static stride; Envoy fills in the median and schedules by
 *  earliest deadline. Reports out of band are the driver's business. */
import { choice, duration, number, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import { type Balancer, defineBalancer, type EndpointView, type LoadReport, NO_ENDPOINT, type Slot } from './balancer.ts';
import { EdfScheduler, PRE_PICKS_BOUND } from './parts/edf-scheduler.ts';
import { grownFloats } from '../../core/grow.ts';
import { Newcomers } from './parts/newcomers.ts';
import { fallsBackToRotation, StaticStride, strides, strideVariants } from './parts/static-stride.ts';

const params = {
  blackoutPeriod: duration({
    default: 10_000,
    min: 0,
    about: 'An endpoint’s reports are ignored until it has reported for this long.',
    official: 'gRPC blackoutPeriod, Envoy blackout_period',
  }),
  weightExpirationPeriod: duration({
    default: 180_000,
    min: 1,
    about: 'A weight without a report for this long is forgotten.',
    official: 'gRPC weightExpirationPeriod, Envoy weight_expiration_period',
  }),
  weightUpdatePeriod: duration({
    default: 1000,
    min: 100,
    about: 'How often weights are made from the latest reports.',
    official: 'gRPC weightUpdatePeriod, Envoy weight_update_period',
  }),
  errorUtilizationPenalty: number({
    default: 1,
    min: 0,
    about: 'weight = qps / (utilization + errorUtilizationPenalty · eps / qps).',
    official: 'gRPC errorUtilizationPenalty, Envoy error_utilization_penalty',
  }),
  variant: choice({
    default: 'grpc',
    choices: ['grpc', 'envoy'],
    about: 'Whose scheduler and whose stand-in for missing weights.',
  }),
};

export const clientSideWeightedRoundRobin = defineBalancer({
  name: 'client-side-weighted-round-robin',
  summary: 'Picks endpoints in turn by weights made from their load reports (gRPC, Envoy).',
  useWhen: 'Endpoints report load, machines differ, and clients are many.',
  failsWhen: 'Conditions change within seconds, or utilization says little about capacity.',
  cost: 'O(1) with gRPC’s scheduler, O(log n) with Envoy’s',
  sources: [
    'grpc/proposal: A58-client-side-weighted-round-robin-lb-policy.md',
    'grpc/grpc-go: balancer/weightedroundrobin/balancer.go',
    'envoyproxy/envoy: source/extensions/load_balancing_policies/client_side_weighted_round_robin',
  ],
  aliases: [
    { system: 'Envoy', name: 'client_side_weighted_round_robin' },
    { system: 'gRPC', name: 'weighted_round_robin' },
  ],
  params,
  create: (values, deps) => new ClientSideWeightedRoundRobin(values, deps.rng),
});

/** The weight an endpoint's report gives it; 0 if it says too little. */
export const weightOfReport = (
  queriesPerSecond: number,
  errorsPerSecond: number,
  utilization: number,
  penalty: number,
): number =>
  queriesPerSecond > 0 && utilization > 0 ? queriesPerSecond / (utilization + (errorsPerSecond / queriesPerSecond) * penalty) : 0;

/** Envoy's stand-in for missing weights (0): the median of the others as a whole number, 1 if there are none. */
export function medianWeight(weights: readonly number[]): number {
  const known = weights.filter((weight) => weight > 0).sort((a, b) => a - b);
  if (known.length === 0) return 1;
  const middle = known.length >> 1;
  return Math.floor(known.length % 2 === 1 ? known[middle] : (known[middle - 1] + known[middle]) / 2);
}

class ClientSideWeightedRoundRobin implements Balancer {
  readonly #values: ParamValues<typeof params>;
  readonly #newcomers = new Newcomers();
  readonly #stride: StaticStride;
  readonly #schedule = new EdfScheduler();
  readonly #seed: number;
  #turn: number;
  #rotates = true;
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #reported: Float64Array = new Float64Array(0);
  #reportedMs: Float64Array = new Float64Array(0);
  #reportingSinceMs: Float64Array = new Float64Array(0);
  /** By slot, as the schedule uses them. */
  #effective: Float64Array = new Float64Array(0);
  #nextUpdateMs = Infinity;

  constructor(values: ParamValues<typeof params>, rng: Rng) {
    this.#values = values;
    this.#seed = rng.below(PRE_PICKS_BOUND);
    this.#turn = this.#seed;
    this.#stride = new StaticStride(this.#seed);
  }

  update({ members, count, table }: EndpointView, nowMs: Ms): void {
    this.#members = members;
    this.#count = count;
    const size = table.weight.length;
    if (size > this.#reported.length) {
      this.#reported = grownFloats(this.#reported, size);
      this.#reportedMs = grownFloats(this.#reportedMs, size);
      this.#reportingSinceMs = grownFloats(this.#reportingSinceMs, size);
      this.#effective = grownFloats(this.#effective, size);
    }
    for (let i = 0; i < count; i++) {
      if (!this.#newcomers.meet(table, members[i])) continue;
      this.#reported[members[i]] = 0;
      this.#reportingSinceMs[members[i]] = Infinity;
    }
    this.#makeSchedule(nowMs);
    if (this.#nextUpdateMs === Infinity) this.#nextUpdateMs = nowMs + this.#values.weightUpdatePeriod;
  }

  pick(): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    if (this.#rotates) return this.#members[this.#turn++ % this.#count];
    if (this.#values.variant === 'grpc') return this.#members[this.#stride.pick()];
    const slot = this.#schedule.next();
    this.#schedule.advance(this.#effective[slot]);
    return slot;
  }

  onReport(slot: Slot, nowMs: Ms, report: LoadReport): void {
    const penalty = this.#values.errorUtilizationPenalty;
    const weight = weightOfReport(report.queriesPerSecond, report.errorsPerSecond, report.utilization, penalty);
    if (weight === 0) return;
    this.#reported[slot] = weight;
    this.#reportedMs[slot] = nowMs;
    if (this.#reportingSinceMs[slot] === Infinity) this.#reportingSinceMs[slot] = nowMs;
  }

  nextTimerMs(): Ms {
    return this.#nextUpdateMs;
  }

  onTimer(nowMs: Ms): void {
    if (nowMs < this.#nextUpdateMs) return;
    const period = this.#values.weightUpdatePeriod;
    // On the beat, however late the call.
    this.#nextUpdateMs += period * Math.max(1, Math.floor((nowMs - this.#nextUpdateMs) / period) + 1);
    this.#makeSchedule(nowMs);
  }

  #makeSchedule(nowMs: Ms): void {
    const weights = Array.from({ length: this.#count }, (_, i) => this.#weightAt(this.#members[i], nowMs));
    if (this.#values.variant === 'grpc') {
      this.#rotates = fallsBackToRotation(weights, 'cpp');
      if (!this.#rotates) this.#stride.setStrides(strides(weights, strideVariants.cpp));
      return;
    }
    const standIn = medianWeight(weights);
    weights.forEach((weight, i) => (this.#effective[this.#members[i]] = weight > 0 ? Math.max(1, Math.floor(weight)) : standIn));
    this.#rotates = weights.every((_, i) => this.#effective[this.#members[i]] === this.#effective[this.#members[0]]);
    if (!this.#rotates) this.#schedule.reseed(this.#members, this.#count, (slot) => this.#effective[slot], this.#seed);
  }

  /** 0 in the blackout and after the expiration. */
  #weightAt(slot: Slot, nowMs: Ms): number {
    if (this.#reported[slot] === 0) return 0;
    if (nowMs - this.#reportedMs[slot] >= this.#values.weightExpirationPeriod) {
      this.#reported[slot] = 0;
      this.#reportingSinceMs[slot] = Infinity;
      return 0;
    }
    return nowMs - this.#reportingSinceMs[slot] < this.#values.blackoutPeriod ? 0 : this.#reported[slot];
  }
}
