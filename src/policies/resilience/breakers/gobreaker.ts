/** gobreaker: opens by a rule over counts, by default more than five failures in a row; half open it lets a few requests through and
 *  closes after as many successes in a row.
 *
 *  Counts belong to a generation, which ends with every change of state and, while closed, with every interval; results of requests from
 *  an earlier generation are ignored, which is the cleanest answer to stragglers among the breakers here. The default rule fails where
 *  failures are mixed with successes: they are hardly ever in a row, however many they are; the ratio is for those.
 *
 *  The interval is a fixed window by default: a burst of failures around its end is divided in two. With `bucketPeriod` the window rolls.
 *  What is excluded (cancelled, not sent) counts neither way and gives its place back. The timeout must be exceeded. */
import { choice, duration, fraction, int, type ParamValues } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { type Breaker, type BreakerState, breakerStates, defineBreaker, NO_PERMIT } from './breaker.ts';
import { RollingCounts } from './parts/rolling-counts.ts';

const params = {
  maxRequests: int({
    default: 1,
    min: 0,
    about: 'Requests that pass while half open, and successes in a row that close it; 0 is 1.',
    official: 'gobreaker Settings.MaxRequests',
  }),
  interval: duration({
    default: 0,
    min: 0,
    about: 'After this long in the closed state counts start over; 0 for never.',
    official: 'gobreaker Settings.Interval',
  }),
  bucketPeriod: duration({
    default: 0,
    min: 0,
    about: 'The interval rolls in buckets of this length, rounded up to whole buckets; 0 for a fixed interval.',
    official: 'gobreaker Settings.BucketPeriod',
  }),
  timeout: duration({
    default: 60_000,
    min: 0,
    about: 'How long it stays open; 0 is 60 s.',
    official: 'gobreaker Settings.Timeout',
  }),
  readyToTrip: choice({
    default: 'consecutive-failures',
    choices: ['consecutive-failures', 'failure-ratio'],
    about: 'The rule by which a failure opens it.',
    official: 'gobreaker Settings.ReadyToTrip',
  }),
  consecutiveFailures: int({
    default: 5,
    min: 0,
    about: 'With consecutive-failures: opens when more than this many requests in a row failed.',
    official: 'gobreaker default ReadyToTrip',
  }),
  minRequests: int({
    default: 3,
    min: 1,
    about: 'With failure-ratio: requests that count, at least.',
    official: "gobreaker's own example of ReadyToTrip",
  }),
  failureRatio: fraction({
    default: 0.6,
    about: 'With failure-ratio: opens when at least this share of the requests that count failed.',
    official: "gobreaker's own example of ReadyToTrip",
  }),
};
export type GobreakerParams = ParamValues<typeof params>;

export const gobreaker = defineBreaker({
  name: 'gobreaker',
  summary:
    'Opens after failures in a row, or at a ratio of them, per generation; late results of an earlier generation are ignored.',
  useWhen: 'A callee fails as a whole, traffic may be thin, and stragglers should not disturb.',
  failsWhen: 'Failures are mixed with successes: then they are hardly ever in a row, unless the rule is the ratio.',
  cost: 'O(1); O(buckets) after a pause',
  sources: ['sony/gobreaker: v2/gobreaker.go', 'sony/gobreaker: v2/counter.go'],
  aliases: [{ system: 'Go', name: 'sony/gobreaker' }],
  params,
  create: (values) => new GobreakerBreaker(values),
});

export class GobreakerBreaker implements Breaker {
  readonly counts: RollingCounts;
  readonly #values: GobreakerParams;
  readonly #maxRequests: number;
  readonly #timeoutMs: Ms;
  readonly #isRolling: boolean;
  #state: BreakerState = breakerStates.closed;
  /** Permits number the buckets of all generations through: this is the first of the present one, which tells the age of any other. */
  #firstPermit = 0;
  #startMs = 0;
  #expiryMs: Ms;

  constructor(values: GobreakerParams) {
    this.#values = values;
    this.#maxRequests = Math.max(1, values.maxRequests);
    this.#timeoutMs = values.timeout === 0 ? DEFAULT_TIMEOUT_MS : values.timeout;
    const isDivided = values.interval > 0 && values.bucketPeriod > 0;
    const buckets = isDivided ? Math.ceil(values.interval / values.bucketPeriod) : 1;
    this.#isRolling = buckets >= 2;
    this.counts = new RollingCounts(buckets);
    this.#expiryMs = this.#closedExpiryMs(0);
  }

  acquire(nowMs: Ms): number {
    this.#update(nowMs);
    if (this.#state === breakerStates.open) return NO_PERMIT;
    if (this.#state === breakerStates.halfOpen && this.counts.validRequests >= this.#maxRequests) return NO_PERMIT;
    this.counts.onRequest();
    return this.#firstPermit + this.counts.age;
  }

  settle(permit: number, isGood: boolean, _durationMs: Ms, nowMs: Ms): void {
    this.#update(nowMs);
    const age = permit - this.#firstPermit;
    if (age < 0) return;
    if (isGood) this.#onSuccess(age, nowMs);
    else this.#onFailure(age, nowMs);
  }

  release(permit: number, nowMs: Ms): void {
    this.#update(nowMs);
    if (permit >= this.#firstPermit) this.counts.onExclusion(permit - this.#firstPermit);
  }

  state(nowMs: Ms): BreakerState {
    return this.#state === breakerStates.open && nowMs > this.#expiryMs ? breakerStates.halfOpen : this.#state;
  }

  retryAtMs(nowMs: Ms): Ms {
    return this.state(nowMs) === breakerStates.open ? this.#expiryMs : Infinity;
  }

  #onSuccess(age: number, nowMs: Ms): void {
    this.counts.onSuccess(age);
    if (this.#state === breakerStates.halfOpen && this.counts.consecutiveSuccesses >= this.#maxRequests)
      this.#change(breakerStates.closed, nowMs);
  }

  #onFailure(age: number, nowMs: Ms): void {
    if (this.#state === breakerStates.closed) this.counts.onFailure(age);
    if (this.#state === breakerStates.halfOpen || this.#isReadyToTrip()) this.#change(breakerStates.open, nowMs);
  }

  #isReadyToTrip(): boolean {
    const { readyToTrip, consecutiveFailures, minRequests, failureRatio } = this.#values;
    if (readyToTrip === 'consecutive-failures') return this.counts.consecutiveFailures > consecutiveFailures;
    const { validRequests, failures } = this.counts;
    return validRequests >= minRequests && failures / validRequests >= failureRatio;
  }

  #update(nowMs: Ms): void {
    if (this.#state === breakerStates.open) {
      if (nowMs > this.#expiryMs) this.#change(breakerStates.halfOpen, nowMs);
    } else if (nowMs > this.#expiryMs) {
      this.#change(breakerStates.closed, nowMs);
    } else if (this.#isRolling && this.#state === breakerStates.closed) {
      this.counts.growTo(Math.floor((nowMs - this.#startMs) / this.#values.bucketPeriod));
    }
  }

  /** A new generation, also where the state stays closed. */
  #change(state: BreakerState, nowMs: Ms): void {
    this.#firstPermit += this.counts.age + 1;
    this.counts.clear();
    this.#state = state;
    this.#startMs = nowMs;
    if (state === breakerStates.closed) this.#expiryMs = this.#closedExpiryMs(nowMs);
    else this.#expiryMs = state === breakerStates.open ? nowMs + this.#timeoutMs : Infinity;
  }

  #closedExpiryMs(nowMs: Ms): Ms {
    return this.#values.interval === 0 || this.#isRolling ? Infinity : nowMs + this.#values.interval;
  }
}

const DEFAULT_TIMEOUT_MS = 60_000;
