/** gRPC's outlier detection (proposal A50): at each interval leaves out endpoints whose success rate is far below that of the
 *  others, or whose failure percentage is above a limit.
 *
 *  Use it in gRPC clients, as their counterpart of Envoy's. It fails where Envoy's does, and is slower: there is no rule for
 *  failures in a row, so an endpoint that fails everything is noticed at the end of the interval, given enough requests.
 *
 *  It differs from Envoy's in small ways that decide single cases: the failure percentage must exceed its limit and not only
 *  reach it; the limit on ejections is compared before each, so that it can be overshot by one, and at 0 nobody is ever left
 *  out; an ejection ends at the first tick after its time, not at it; and the multiplier falls at every tick spent in. The
 *  proposal leaves the order of endpoints open; here it is that of their slots. */
import { boolean, duration, fraction, int, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
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

const params = {
  interval: duration({ default: 10_000, min: 1, about: 'How often endpoints are compared and ejections end.' }),
  baseEjectionTime: duration({
    default: 30_000,
    min: 1,
    about: 'The n-th ejection in short succession lasts n times this.',
    official: 'gRPC base_ejection_time',
  }),
  maxEjectionTime: duration({
    default: 300_000,
    min: 1,
    about: 'No ejection lasts longer, unless baseEjectionTime does.',
    official: 'gRPC max_ejection_time',
  }),
  maxEjectionPercent: fraction({
    default: 0.1,
    about: 'No further endpoint is left out when this share is, or more.',
    official: 'gRPC max_ejection_percent',
  }),
  successRateEjection: boolean({
    default: true,
    about: 'Whether success rates are compared.',
    official: 'gRPC success_rate_ejection',
  }),
  successRateStdevFactor: int({
    default: 1900,
    min: 0,
    about: 'An outlier is below the mean by this many thousandths of the standard deviation.',
    official: 'gRPC success_rate_ejection.stdev_factor',
  }),
  successRateEnforcement: fraction({
    default: 1,
    about: 'With which probability an endpoint found so is left out.',
    official: 'gRPC success_rate_ejection.enforcement_percentage',
  }),
  successRateMinimumHosts: int({
    default: 5,
    min: 0,
    about: 'At least so many endpoints with enough requests.',
    official: 'gRPC success_rate_ejection.minimum_hosts',
  }),
  successRateRequestVolume: int({
    default: 100,
    min: 0,
    about: 'Enough requests per interval for that.',
    official: 'gRPC success_rate_ejection.request_volume',
  }),
  failurePercentageEjection: boolean({
    default: false,
    about: 'Whether failure percentages are looked at.',
    official: 'gRPC failure_percentage_ejection',
  }),
  failurePercentageThreshold: fraction({
    default: 0.85,
    about: 'An endpoint of which more than this share fails is an outlier.',
    official: 'gRPC failure_percentage_ejection.threshold',
  }),
  failurePercentageEnforcement: fraction({
    default: 1,
    about: 'With which probability an endpoint found so is left out.',
    official: 'gRPC failure_percentage_ejection.enforcement_percentage',
  }),
  failurePercentageMinimumHosts: int({
    default: 5,
    min: 0,
    about: 'At least so many endpoints with enough requests.',
    official: 'gRPC failure_percentage_ejection.minimum_hosts',
  }),
  failurePercentageRequestVolume: int({
    default: 50,
    min: 0,
    about: 'Enough requests per interval for that.',
    official: 'gRPC failure_percentage_ejection.request_volume',
  }),
};
export type GrpcOutlierParams = ParamValues<typeof params>;

export const grpcOutliers = defineOutlierDetector({
  name: 'grpc',
  summary: 'Leaves endpoints out that did much worse than the others in the last interval (gRPC A50).',
  useWhen: 'gRPC clients have many endpoints and enough requests to each to compare them.',
  failsWhen: 'Endpoints are few, get few requests or fail together; a dead endpoint goes unnoticed until the interval ends.',
  cost: 'O(1) per request, O(n) per interval',
  sources: ['grpc/proposal: A50-xds-outlier-detection.md', 'grpc/grpc-go: internal/xds/balancer/outlierdetection/balancer.go'],
  aliases: [{ system: 'gRPC', name: 'outlier_detection_experimental' }],
  params,
  create: (values, deps) => new GrpcOutlierDetector(values, deps),
});

export class GrpcOutlierDetector implements OutlierDetector {
  readonly #params: GrpcOutlierParams;
  readonly #rng: Rng;
  readonly #sink: EjectionSink;
  readonly #clock: IntervalClock;
  readonly #ejections = new Ejections();
  readonly #counts = new CallCounts();
  #overflow = 0;
  #average = -1;
  #threshold = -1;
  #compared = 0;

  constructor(values: GrpcOutlierParams, { rng, sink }: OutlierDetectorDeps) {
    this.#params = values;
    this.#rng = rng;
    this.#sink = sink;
    this.#clock = new IntervalClock(values.interval);
  }

  watch(slot: number, nowMs: Ms): void {
    this.#ejections.watch(slot);
    this.#counts.start(slot);
    this.#clock.startUnlessRunning(nowMs);
  }

  unwatch(slot: number): void {
    this.#ejections.unwatch(slot);
    if (this.#ejections.watched.length === 0) this.#clock.stop();
  }

  onEnd(slot: number, outcome: AttemptOutcome): void {
    if (outcome === attemptOutcomes.cancelled || !this.#ejections.isWatched(slot)) return;
    this.#counts.add(slot, outcome === attemptOutcomes.ok);
  }

  nextTimerMs(): Ms {
    return this.#clock.dueMs;
  }

  onTimer(nowMs: Ms): void {
    if (this.#clock.takeTick(nowMs)) this.tick(nowMs);
  }

  /** What happens each interval: compares the one that is over, then lowers multipliers and ends ejections. */
  tick(nowMs: Ms): void {
    const { baseEjectionTime, maxEjectionTime } = this.#params;
    // A copy, because the sink may watch and unwatch.
    const slots = [...this.#ejections.watched];
    for (const slot of slots) this.#counts.swap(slot);
    this.#average = -1;
    this.#threshold = -1;
    if (this.#params.successRateEjection) this.#compareSuccessRates(slots, nowMs);
    if (this.#params.failurePercentageEjection) this.#lookAtFailures(slots, nowMs);
    for (const slot of slots) {
      if (!this.#ejections.isWatched(slot)) continue;
      if (!this.#ejections.isEjected(slot)) {
        this.#ejections.lowerMultiplier(slot);
        continue;
      }
      const lengthMs = grpcEjectionTimeMs(this.#ejections.multiplier(slot), baseEjectionTime, maxEjectionTime);
      if (nowMs > this.#ejections.sinceMs(slot) + lengthMs) {
        this.#ejections.letBack(slot);
        this.#sink.eject(slot, false, nowMs, 'time-served');
      }
    }
  }

  /** How many base times the endpoint's present ejection takes, or how much of the last one is not forgotten yet. */
  multiplierOf(slot: number): number {
    return this.#ejections.multiplier(slot);
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

  #compareSuccessRates(slots: readonly number[], nowMs: Ms): void {
    const { successRateMinimumHosts, successRateStdevFactor, successRateEnforcement } = this.#params;
    const rated = this.#withVolume(slots, this.#params.successRateRequestVolume);
    this.#compared = rated.length;
    if (rated.length === 0 || rated.length < successRateMinimumHosts) return;
    const rates = rated.map((slot) => this.#counts.successPercent(slot));
    const { mean, threshold, ejected } = judgeSuccessRates(rates, successRateStdevFactor);
    this.#average = mean;
    this.#threshold = threshold;
    for (const index of ejected) this.#eject(rated[index], successRateEnforcement, nowMs, 'success-rate');
  }

  #lookAtFailures(slots: readonly number[], nowMs: Ms): void {
    const { failurePercentageMinimumHosts, failurePercentageEnforcement } = this.#params;
    const thresholdPercent = percentOf(this.#params.failurePercentageThreshold);
    const rated = this.#withVolume(slots, this.#params.failurePercentageRequestVolume);
    if (rated.length < failurePercentageMinimumHosts) return;
    for (const slot of rated) {
      if (this.#counts.failurePercent(slot) > thresholdPercent) {
        this.#eject(slot, failurePercentageEnforcement, nowMs, 'failure-percentage');
      }
    }
  }

  #withVolume(slots: readonly number[], atLeast: number): readonly number[] {
    return slots.filter((slot) => this.#counts.volume(slot) > 0 && this.#counts.volume(slot) >= atLeast);
  }

  #eject(slot: number, share: number, nowMs: Ms, reason: EjectionReason): void {
    // An endpoint that is out may still end requests from before, and the sink may have unwatched it meanwhile.
    if (!this.#ejections.isWatched(slot) || this.#ejections.isEjected(slot)) return;
    const ejectedPercent = (100 * this.#ejections.ejected) / this.#ejections.watched.length;
    if (ejectedPercent >= percentOf(this.#params.maxEjectionPercent)) {
      this.#overflow++;
      return;
    }
    if (!isEnforced(share, this.#rng)) return;
    this.#ejections.eject(slot, nowMs);
    this.#ejections.raiseMultiplier(slot);
    this.#sink.eject(slot, true, nowMs, reason);
  }
}

/** How long an ejection lasts at least. */
export const grpcEjectionTimeMs = (multiplier: number, baseMs: Ms, maxMs: Ms): Ms =>
  Math.min(baseMs * multiplier, Math.max(baseMs, maxMs));
