/** Envoy's outlier detection: leaves an endpoint out after so many failures in a row, or when its success rate over an interval
 *  is far below that of the others, or below a fixed share.
 *
 *  Use it against endpoints that fail while the others do not: a bad deployment on one machine, a broken disk, a partition to one
 *  host. It fails when all fail together, where it takes capacity away from what is left (the limit on ejections is what saves
 *  you); when endpoints are few or get few requests, where the rates say nothing; and against slowness, which it does not see
 *  until it becomes timeouts.
 *
 *  What surprises: the success-rate rule can never fire with fewer than five endpoints at the default factor, since one outlier
 *  of n lies √(n − 1) deviations below the mean; from 1.31 on a limit of 10 % means nobody is ejected from fewer than ten
 *  endpoints, whereas before one always could be and the limit was overshot by one; and an ejection ends only at the tick after
 *  its time is over.
 *
 *  Timeouts, refused and broken connections count as the gateway errors 504 and 503, unless `splitExternalLocalOriginErrors`,
 *  which judges them apart. A shed request is a 503, any other error a 500. */
import { boolean, choice, duration, fraction, int, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { grownCounts, grownFloats } from '../../../core/grow.ts';
import { judgeSuccessRates } from '../success-rate.ts';
import {
  type AttemptOutcome,
  attemptOutcomes,
  defineOutlierDetector,
  type EjectionReason,
  type EjectionSink,
  type OutlierDetector,
  type OutlierDetectorDeps,
  type OutlierStats,
} from './outlier-detector.ts';
import { CallCounts } from './parts/call-counts.ts';
import { Ejections, isEnforced, percentOf } from './parts/ejections.ts';
import { IntervalClock } from './parts/interval-clock.ts';

const enforcing = (share: number, what: string, official: string) =>
  fraction({
    default: share,
    about: `With which probability an endpoint found by ${what} is left out.`,
    official: `Envoy ${official}`,
  });

const params = {
  interval: duration({ default: 10_000, min: 1, about: 'How often success rates are compared and ejections end.' }),
  baseEjectionTime: duration({
    default: 30_000,
    min: 1,
    about: 'The n-th ejection in short succession lasts n times this.',
    official: 'Envoy base_ejection_time',
  }),
  maxEjectionTime: duration({
    default: 300_000,
    min: 1,
    about: 'No ejection lasts longer, but for the wait for the next tick.',
    official: 'Envoy max_ejection_time',
  }),
  maxEjectionTimeJitter: duration({
    default: 0,
    about: 'A random whole number of milliseconds up to this is added to each ejection.',
    official: 'Envoy max_ejection_time_jitter',
  }),
  maxEjectionPercent: fraction({
    default: 0.1,
    about: 'At most this share of the endpoints is left out at a time.',
    official: 'Envoy max_ejection_percent',
  }),
  alwaysEjectOneHost: boolean({
    default: false,
    about: 'Whether one endpoint may be left out whatever the limit.',
    official: 'Envoy always_eject_one_host',
  }),
  ejectionRule: choice({
    default: 'strict',
    choices: ['strict', 'legacy'],
    about: 'Whether the limit holds after the ejection (since 1.31) or only before it, the first being free.',
  }),
  consecutive5xx: int({ default: 5, min: 1, about: 'Failures in a row until an ejection.', official: 'Envoy consecutive_5xx' }),
  enforcingConsecutive5xx: enforcing(1, 'consecutive5xx', 'enforcing_consecutive_5xx'),
  consecutiveGatewayFailure: int({
    default: 5,
    min: 1,
    about: 'The same for the statuses 502, 503 and 504.',
    official: 'Envoy consecutive_gateway_failure',
  }),
  enforcingConsecutiveGatewayFailure: enforcing(0, 'consecutiveGatewayFailure', 'enforcing_consecutive_gateway_failure'),
  splitExternalLocalOriginErrors: boolean({
    default: false,
    about: 'Whether timeouts and broken or refused connections are judged apart from error answers.',
    official: 'Envoy split_external_local_origin_errors',
  }),
  consecutiveLocalOriginFailure: int({
    default: 5,
    min: 1,
    about: 'Timeouts or lost connections in a row until an ejection, where judged apart.',
    official: 'Envoy consecutive_local_origin_failure',
  }),
  enforcingConsecutiveLocalOriginFailure: enforcing(
    1,
    'consecutiveLocalOriginFailure',
    'enforcing_consecutive_local_origin_failure',
  ),
  successRateMinimumHosts: int({
    default: 5,
    min: 0,
    about: 'Success rates are compared among at least so many endpoints with enough requests.',
    official: 'Envoy success_rate_minimum_hosts',
  }),
  successRateRequestVolume: int({
    default: 100,
    min: 0,
    about: 'Enough requests per interval for that.',
    official: 'Envoy success_rate_request_volume',
  }),
  successRateStdevFactor: int({
    default: 1900,
    min: 0,
    about: 'An outlier is below the mean by this many thousandths of the standard deviation.',
    official: 'Envoy success_rate_stdev_factor',
  }),
  enforcingSuccessRate: enforcing(1, 'its success rate', 'enforcing_success_rate'),
  enforcingLocalOriginSuccessRate: enforcing(
    1,
    'its success rate, of errors judged apart',
    'enforcing_local_origin_success_rate',
  ),
  failurePercentageThreshold: fraction({
    default: 0.85,
    about: 'An endpoint of which this share fails, or more, is an outlier.',
    official: 'Envoy failure_percentage_threshold',
  }),
  failurePercentageMinimumHosts: int({
    default: 5,
    min: 0,
    about: 'That rule needs at least so many endpoints with enough requests.',
    official: 'Envoy failure_percentage_minimum_hosts',
  }),
  failurePercentageRequestVolume: int({
    default: 50,
    min: 0,
    about: 'Enough requests per interval for that.',
    official: 'Envoy failure_percentage_request_volume',
  }),
  enforcingFailurePercentage: enforcing(0, 'its failure percentage', 'enforcing_failure_percentage'),
  enforcingFailurePercentageLocalOrigin: enforcing(
    0,
    'its failure percentage, of errors judged apart',
    'enforcing_failure_percentage_local_origin',
  ),
  successfulActiveHealthCheckUnejectHost: boolean({
    default: true,
    about: 'Whether a good active health check lets an endpoint back at once.',
    official: 'Envoy successful_active_health_check_uneject_host',
  }),
};
export type EnvoyOutlierParams = ParamValues<typeof params>;

export const envoyOutliers = defineOutlierDetector({
  name: 'envoy',
  summary: 'Leaves an endpoint out after failures in a row, or when it does much worse than the others (Envoy).',
  useWhen: 'Single endpoints fail in ways that health checks do not see.',
  failsWhen: 'All endpoints fail together, are few, or get few requests; slowness without timeouts is not seen.',
  cost: 'O(1) per request, O(n) per interval',
  sources: [
    'envoyproxy/envoy: source/common/upstream/outlier_detection_impl.cc',
    'envoyproxy/envoy: api/envoy/config/cluster/v3/outlier_detection.proto',
  ],
  aliases: [{ system: 'Envoy', name: 'outlier_detection' }],
  params,
  create: (values, deps) => new EnvoyOutlierDetector(values, deps),
});

export class EnvoyOutlierDetector implements OutlierDetector {
  readonly #params: EnvoyOutlierParams;
  readonly #rng: Rng;
  readonly #sink: EjectionSink;
  readonly #clock: IntervalClock;
  readonly #ejections = new Ejections();
  readonly #external: Origin;
  readonly #local: Origin;
  // Failures in a row, by slot.
  #serverErrors: Uint32Array = new Uint32Array(16);
  #gatewayErrors: Uint32Array = new Uint32Array(16);
  #localErrors: Uint32Array = new Uint32Array(16);
  #jitterMs: Float64Array = new Float64Array(16);
  /** When it was last let back; −Infinity for never. */
  #backSinceMs: Float64Array = new Float64Array(16);
  #overflow = 0;
  #average = -1;
  #threshold = -1;
  #compared = 0;

  constructor(values: EnvoyOutlierParams, { rng, sink }: OutlierDetectorDeps) {
    this.#params = values;
    this.#rng = rng;
    this.#sink = sink;
    this.#clock = new IntervalClock(values.interval);
    this.#external = {
      counts: new CallCounts(),
      rateReason: 'success-rate',
      rateShare: values.enforcingSuccessRate,
      failureReason: 'failure-percentage',
      failureShare: values.enforcingFailurePercentage,
    };
    this.#local = {
      counts: new CallCounts(),
      rateReason: 'local-origin-success-rate',
      rateShare: values.enforcingLocalOriginSuccessRate,
      failureReason: 'local-origin-failure-percentage',
      failureShare: values.enforcingFailurePercentageLocalOrigin,
    };
  }

  watch(slot: number, nowMs: Ms): void {
    this.#ejections.watch(slot);
    this.#ensure(this.#ejections.size);
    this.#external.counts.start(slot);
    this.#local.counts.start(slot);
    this.#resetRuns(slot);
    this.#backSinceMs[slot] = NEVER;
    this.#clock.startUnlessRunning(nowMs);
  }

  unwatch(slot: number): void {
    this.#ejections.unwatch(slot);
    if (this.#ejections.watched.length === 0) this.#clock.stop();
  }

  onEnd(slot: number, outcome: AttemptOutcome, nowMs: Ms): void {
    if (outcome === attemptOutcomes.ok) this.onStatus(slot, 200, nowMs);
    else if (outcome === attemptOutcomes.error) this.onStatus(slot, 500, nowMs);
    else if (outcome === attemptOutcomes.shed) this.onStatus(slot, 503, nowMs);
    else if (outcome !== attemptOutcomes.cancelled) this.onLocalFailure(slot, outcome === attemptOutcomes.timeout, nowMs);
  }

  /** The endpoint answered. */
  onStatus(slot: number, httpStatus: number, nowMs: Ms): void {
    if (!this.#ejections.isWatched(slot)) return;
    if (this.#params.splitExternalLocalOriginErrors) {
      this.#local.counts.add(slot, true);
      this.#localErrors[slot] = 0;
    }
    this.#count(slot, httpStatus, nowMs);
  }

  /** No answer: it took too long, or the connection failed. */
  onLocalFailure(slot: number, isTimeout: boolean, nowMs: Ms): void {
    if (!this.#ejections.isWatched(slot)) return;
    if (!this.#params.splitExternalLocalOriginErrors) {
      this.#count(slot, isTimeout ? 504 : 503, nowMs);
      return;
    }
    this.#local.counts.add(slot, false);
    const { consecutiveLocalOriginFailure: limit, enforcingConsecutiveLocalOriginFailure: share } = this.#params;
    if (++this.#localErrors[slot] !== limit || this.#ejections.isEjected(slot)) return;
    this.#localErrors[slot] = 0;
    this.#eject(slot, share, nowMs, 'consecutive-local-origin-failure');
  }

  onHealthCheckOk(slot: number, nowMs: Ms): void {
    if (!this.#params.successfulActiveHealthCheckUnejectHost || !this.#ejections.isEjected(slot)) return;
    this.#letBack(slot, nowMs, 'health-check');
  }

  nextTimerMs(): Ms {
    return this.#clock.dueMs;
  }

  onTimer(nowMs: Ms): void {
    if (this.#clock.takeTick(nowMs)) this.tick(nowMs);
  }

  /** What happens each interval: ends ejections, then compares the interval that is over, then forgets old ejections bit by
   *  bit. */
  tick(nowMs: Ms): void {
    // A copy, because the sink may watch and unwatch.
    const slots = [...this.#ejections.watched];
    for (const slot of slots) {
      if (this.#ejections.isEjected(slot) && nowMs - this.#ejections.sinceMs(slot) >= this.ejectionTimeMs(slot)) {
        this.#letBack(slot, nowMs, 'time-served');
      }
      this.#external.counts.swap(slot);
      this.#local.counts.swap(slot);
    }
    this.#compare(this.#external, slots, nowMs);
    this.#compare(this.#local, slots, nowMs);
    for (const slot of slots) {
      const isIn = this.#ejections.isWatched(slot) && !this.#ejections.isEjected(slot);
      const backSinceMs = this.#backSinceMs[slot];
      if (isIn && backSinceMs !== NEVER && nowMs - backSinceMs >= this.#params.interval) this.#ejections.lowerMultiplier(slot);
    }
  }

  /** How long the endpoint's present, or last, ejection takes. */
  ejectionTimeMs(slot: number): Ms {
    const { baseEjectionTime, maxEjectionTime } = this.#params;
    const longestMs = Math.max(maxEjectionTime, baseEjectionTime);
    return Math.min(baseEjectionTime * this.#ejections.multiplier(slot), longestMs) + this.#jitterMs[slot];
  }

  /** Of the last whole interval; NaN without requests. */
  successPercentOf(slot: number): number {
    return this.#external.counts.successPercent(slot);
  }

  stats(): OutlierStats {
    return {
      ejected: this.#ejections.ejected,
      overflow: this.#overflow,
      averageSuccessRate: this.#average,
      successRateThreshold: this.#threshold,
      comparedHosts: this.#compared,
    };
  }

  #count(slot: number, httpStatus: number, nowMs: Ms): void {
    const isFailure = httpStatus >= 500 && httpStatus <= 599;
    this.#external.counts.add(slot, !isFailure);
    if (!isFailure) {
      this.#serverErrors[slot] = 0;
      this.#gatewayErrors[slot] = 0;
      return;
    }
    if (httpStatus < 502 || httpStatus > 504) this.#gatewayErrors[slot] = 0;
    else if (++this.#gatewayErrors[slot] === this.#params.consecutiveGatewayFailure && !this.#ejections.isEjected(slot)) {
      this.#gatewayErrors[slot] = 0;
      this.#eject(slot, this.#params.enforcingConsecutiveGatewayFailure, nowMs, 'consecutive-gateway-failure');
    }
    // The counter goes on while the endpoint is out; it starts anew when it is let back.
    if (++this.#serverErrors[slot] !== this.#params.consecutive5xx || this.#ejections.isEjected(slot)) return;
    this.#serverErrors[slot] = 0;
    this.#eject(slot, this.#params.enforcingConsecutive5xx, nowMs, 'consecutive-5xx');
  }

  #compare(origin: Origin, slots: readonly number[], nowMs: Ms): void {
    const { successRateMinimumHosts, successRateStdevFactor, failurePercentageMinimumHosts } = this.#params;
    const rated = this.#withVolume(origin.counts, slots, this.#params.successRateRequestVolume);
    const percented = this.#withVolume(origin.counts, slots, this.#params.failurePercentageRequestVolume);
    const isReported = origin === this.#external;
    if (isReported) this.#report(rated.length, -1, -1);
    if (rated.length > 0 && rated.length >= successRateMinimumHosts) {
      const rates = rated.map((slot) => origin.counts.successPercent(slot));
      const { mean, threshold, ejected } = judgeSuccessRates(rates, successRateStdevFactor);
      if (isReported) this.#report(rated.length, mean, threshold);
      for (const index of ejected) this.#eject(rated[index], origin.rateShare, nowMs, origin.rateReason);
    }
    if (percented.length === 0 || percented.length < failurePercentageMinimumHosts) return;
    const failing = percented.filter((slot) => this.#failsTooMuch(origin.counts.failurePercent(slot)));
    for (const slot of failing) this.#eject(slot, origin.failureShare, nowMs, origin.failureReason);
  }

  #report(compared: number, average: number, threshold: number): void {
    this.#compared = compared;
    this.#average = average;
    this.#threshold = threshold;
  }

  #failsTooMuch(failurePercent: number): boolean {
    return failurePercent >= percentOf(this.#params.failurePercentageThreshold);
  }

  #withVolume(counts: CallCounts, slots: readonly number[], atLeast: number): readonly number[] {
    const isJudged = (slot: number): boolean => {
      const volume = counts.volume(slot);
      return volume > 0 && volume >= atLeast && this.#ejections.isWatched(slot) && !this.#ejections.isEjected(slot);
    };
    return slots.filter(isJudged);
  }

  #eject(slot: number, share: number, nowMs: Ms, reason: EjectionReason): void {
    // Both rules may find the same endpoint, and the sink may have unwatched it meanwhile.
    if (!this.#ejections.isWatched(slot) || this.#ejections.isEjected(slot)) return;
    const { baseEjectionTime, maxEjectionTime, maxEjectionTimeJitter } = this.#params;
    if (!mayEject(this.#ejections.ejected, this.#ejections.watched.length, this.#params)) {
      this.#overflow++;
      return;
    }
    if (!isEnforced(share, this.#rng)) return;
    this.#ejections.eject(slot, nowMs);
    this.#jitterMs[slot] = ejectionJitterMs(maxEjectionTimeJitter, this.#rng);
    const longestMs = Math.max(maxEjectionTime, baseEjectionTime);
    // One above the longest, so that a steady offender needs a while in to get a shorter sentence.
    if (this.#ejections.multiplier(slot) * baseEjectionTime < longestMs + baseEjectionTime) {
      this.#ejections.raiseMultiplier(slot);
    }
    this.#sink.eject(slot, true, nowMs, reason);
  }

  #letBack(slot: number, nowMs: Ms, reason: EjectionReason): void {
    this.#ejections.letBack(slot);
    this.#resetRuns(slot);
    this.#backSinceMs[slot] = nowMs;
    this.#sink.eject(slot, false, nowMs, reason);
  }

  #resetRuns(slot: number): void {
    this.#serverErrors[slot] = 0;
    this.#gatewayErrors[slot] = 0;
    this.#localErrors[slot] = 0;
  }

  #ensure(size: number): void {
    if (size <= this.#jitterMs.length) return;
    this.#serverErrors = grownCounts(this.#serverErrors, size);
    this.#gatewayErrors = grownCounts(this.#gatewayErrors, size);
    this.#localErrors = grownCounts(this.#localErrors, size);
    this.#jitterMs = grownFloats(this.#jitterMs, size);
    this.#backSinceMs = grownFloats(this.#backSinceMs, size);
  }
}

/** Error answers, or failures to get one: judged by the same rules, enforced each by its own. */
interface Origin {
  readonly counts: CallCounts;
  readonly rateReason: EjectionReason;
  readonly rateShare: number;
  readonly failureReason: EjectionReason;
  readonly failureShare: number;
}

/** Whether one more of `hosts` endpoints may be left out while `ejected` are. */
export function mayEject(
  ejected: number,
  hosts: number,
  limit: Pick<EnvoyOutlierParams, 'maxEjectionPercent' | 'alwaysEjectOneHost' | 'ejectionRule'>,
): boolean {
  const maxPercent = Math.min(100, percentOf(limit.maxEjectionPercent));
  if (limit.ejectionRule === 'legacy') return ejected === 0 || (100 * ejected) / hosts < maxPercent;
  return (limit.alwaysEjectOneHost && ejected === 0) || (100 * (ejected + 1)) / hosts <= maxPercent;
}

/** A random whole number of milliseconds from 0 to `maxMs`. */
export const ejectionJitterMs = (maxMs: Ms, rng: Pick<Rng, 'below'>): Ms => (maxMs < 1 ? 0 : rng.below(Math.floor(maxMs) + 1));

const NEVER = -Infinity;
