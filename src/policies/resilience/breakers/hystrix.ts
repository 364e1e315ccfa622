/** Hystrix: opens when, over the rolling window, enough calls were made and the share of errors reached a percentage; then one probe per
 *  sleep window, which closes it or puts it to sleep again.
 *
 *  A good default where failures come in bulk and traffic is dense. It fails at low traffic, where the volume is never reached, and its
 *  percentage is blind to slow calls unless they time out.
 *
 *  The details are Hystrix's own. Health is judged by a clock, not by calls: every snapshot interval, over complete intervals only, so
 *  that even a total failure is seen up to one interval late. The percentage is cut to a whole number. The sleep window must be exceeded.
 *  A cancelled probe counts as a failed one. Results carry no generation: while the probe is out, whichever call ends first decides, even
 *  one sent before the circuit opened. */
import { duration, int, type ParamValues } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { type Breaker, type BreakerState, breakerStates, defineBreaker, NO_PERMIT } from './breaker.ts';
import { BucketRing } from './parts/bucket-ring.ts';

const params = {
  requestVolumeThreshold: int({
    default: 20,
    min: 1,
    about: 'Calls in the rolling window below which it never opens.',
    official: 'Hystrix circuitBreaker.requestVolumeThreshold',
  }),
  errorThresholdPercentage: int({
    default: 50,
    min: 0,
    max: 100,
    about: 'Opens when at least this percentage of the calls failed.',
    official: 'Hystrix circuitBreaker.errorThresholdPercentage',
  }),
  sleepWindow: duration({
    default: 5000,
    min: 0,
    about: 'How long after opening, or after a failed probe, nothing passes.',
    official: 'Hystrix circuitBreaker.sleepWindowInMilliseconds',
  }),
  rollingStatsTime: duration({
    default: 10_000,
    min: 1,
    about: 'Length of the rolling window; a rest shorter than a snapshot interval is not used.',
    official: 'Hystrix metrics.rollingStats.timeInMilliseconds',
  }),
  healthSnapshotInterval: duration({
    default: 500,
    min: 1,
    about: 'How often health is judged, and the length of the buckets that it is judged by.',
    official: 'Hystrix metrics.healthSnapshot.intervalInMilliseconds',
  }),
};
export type HystrixParams = ParamValues<typeof params>;

export const hystrix = defineBreaker({
  name: 'hystrix',
  summary: 'Opens at a percentage of errors over a rolling window, and lets one probe through per sleep window.',
  useWhen: 'Traffic is dense and a callee fails as a whole.',
  failsWhen:
    'Traffic is thin, so that the volume is never reached; or one probe that happens to end well lets the full load back.',
  cost: 'O(1); O(buckets) per snapshot interval',
  sources: [
    'Netflix/Hystrix: hystrix-core/src/main/java/com/netflix/hystrix/HystrixCircuitBreaker.java',
    'Netflix/Hystrix: hystrix-core/src/main/java/com/netflix/hystrix/metric/consumer/HealthCountsStream.java',
  ],
  aliases: [{ system: 'Hystrix', name: 'HystrixCircuitBreaker' }],
  params,
  create: (values) => new HystrixBreaker(values),
});

/** The share of errors in per cent, cut to a whole number. */
export const hystrixErrorPercentage = (errors: number, total: number): number =>
  total === 0 ? 0 : Math.trunc((errors / total) * 100);

export const hystrixOpens = (errors: number, total: number, values: HealthThresholds): boolean =>
  total >= values.requestVolumeThreshold && hystrixErrorPercentage(errors, total) >= values.errorThresholdPercentage;

type HealthThresholds = Pick<HystrixParams, 'requestVolumeThreshold' | 'errorThresholdPercentage'>;

export class HystrixBreaker implements Breaker {
  readonly #values: HystrixParams;
  /** One bucket more than the window has: the current one, which is not judged before it is complete. */
  readonly #ring: BucketRing;
  #state: BreakerState = breakerStates.closed;
  #generation = 0;
  #openedMs = 0;

  constructor(values: HystrixParams) {
    this.#values = values;
    const buckets = Math.max(1, Math.floor(values.rollingStatsTime / values.healthSnapshotInterval));
    this.#ring = new BucketRing(buckets + 1, values.healthSnapshotInterval);
  }

  acquire(nowMs: Ms): number {
    this.#judgeUntil(nowMs);
    if (this.#state === breakerStates.closed) return this.#generation;
    if (this.#state !== breakerStates.open || !(nowMs > this.#openedMs + this.#values.sleepWindow)) return NO_PERMIT;
    this.#change(breakerStates.halfOpen);
    return this.#generation;
  }

  settle(_permit: number, isGood: boolean, _durationMs: Ms, nowMs: Ms): void {
    this.#judgeUntil(nowMs);
    if (this.#state === breakerStates.halfOpen) {
      if (isGood) this.#close(nowMs);
      else this.open(nowMs);
    }
    this.#ring.addCall();
    if (!isGood) this.#ring.addBad();
  }

  release(_permit: number, nowMs: Ms): void {
    this.#judgeUntil(nowMs);
    if (this.#state === breakerStates.halfOpen) this.open(nowMs);
  }

  state(nowMs: Ms): BreakerState {
    return this.#state === breakerStates.closed && this.#firstTripMs(nowMs) < Infinity ? breakerStates.open : this.#state;
  }

  retryAtMs(nowMs: Ms): Ms {
    if (this.#state === breakerStates.halfOpen) return Infinity;
    return (this.#state === breakerStates.open ? this.#openedMs : this.#firstTripMs(nowMs)) + this.#values.sleepWindow;
  }

  /** Opens it, or puts it to sleep again, whatever its health. */
  open(nowMs: Ms): void {
    this.#openedMs = nowMs;
    this.#change(breakerStates.open);
  }

  /** As last judged. */
  errorPercentage(nowMs: Ms): number {
    this.#judgeUntil(nowMs);
    const { size, bad, total } = this.#ring;
    return hystrixErrorPercentage(bad - this.#ring.badOf(size), total - this.#ring.totalOf(size));
  }

  /** Catches up with the judgements that were due since the last call. */
  #judgeUntil(nowMs: Ms): void {
    if (this.#ring.due(nowMs) === 0) return;
    const tripMs = this.#state === breakerStates.closed ? this.#firstTripMs(nowMs) : Infinity;
    if (tripMs < Infinity) this.open(tripMs);
    this.#ring.turnTo(nowMs);
  }

  /** When, up to now, health was first found too bad. Errors that stay while older successes leave can be enough. */
  #firstTripMs(nowMs: Ms): Ms {
    const ring = this.#ring;
    let { bad, total } = ring;
    const turns = Math.min(ring.due(nowMs), ring.size);
    for (let turn = 1; turn <= turns; turn++) {
      bad -= ring.badOf(turn);
      total -= ring.totalOf(turn);
      if (hystrixOpens(bad, total, this.#values)) return ring.timeOf(turn);
    }
    return Infinity;
  }

  #close(nowMs: Ms): void {
    this.#change(breakerStates.closed);
    this.#ring.restart(nowMs);
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#generation++;
  }
}
