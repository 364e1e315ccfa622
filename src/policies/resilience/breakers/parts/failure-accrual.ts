/** Finagle's failure accrual policies: when a failure is one too many, and for how long to mark the endpoint dead then.
 *
 *  `ConsecutiveFailures` reacts to failures in a row, `SuccessRate` and `SuccessRateWithinDuration` to a moving average below a required
 *  rate, `OrElse` to either of two. After FailureAccrualPolicy.scala. */
import type { Ms } from '../../../../core/time.ts';
import { WindowedAdder } from '../../../shared/windowed-adder.ts';
import { Ema } from './ema.ts';
import type { MarkDeadFor } from './mark-dead-for.ts';

export interface FailureAccrualPolicy {
  recordSuccess(nowMs: Ms): void;
  /** A request failed: for how long to mark the endpoint dead, or NOT_DEAD. */
  markDeadOnFailure(nowMs: Ms): Ms;
  /** A probe ended well: history is forgotten. */
  revived(nowMs: Ms): void;
}

export const NOT_DEAD = -1;

export class ConsecutiveFailures implements FailureAccrualPolicy {
  readonly #numFailures: number;
  readonly #markDeadFor: MarkDeadFor;
  #failures = 0;

  constructor(numFailures: number, markDeadFor: MarkDeadFor) {
    this.#numFailures = numFailures;
    this.#markDeadFor = markDeadFor;
  }

  recordSuccess(): void {
    this.#failures = 0;
  }

  markDeadOnFailure(): Ms {
    this.#failures++;
    return this.#failures >= this.#numFailures ? this.#markDeadFor.next() : NOT_DEAD;
  }

  revived(): void {
    this.#failures = 0;
    this.#markDeadFor.reset();
  }
}

/** The moving average is over requests; as many as the window must have been seen. */
export class SuccessRate implements FailureAccrualPolicy {
  readonly #requiredSuccessRate: number;
  readonly #window: number;
  readonly #markDeadFor: MarkDeadFor;
  readonly #average: Ema;
  #requests = 0;

  constructor(requiredSuccessRate: number, windowRequests: number, markDeadFor: MarkDeadFor) {
    this.#requiredSuccessRate = requiredSuccessRate;
    this.#window = windowRequests;
    this.#markDeadFor = markDeadFor;
    this.#average = new Ema(windowRequests);
  }

  recordSuccess(): void {
    this.#average.update(++this.#requests, 1);
  }

  markDeadOnFailure(): Ms {
    this.#average.update(++this.#requests, 0);
    const isTooLow = this.#requests >= this.#window && this.#average.average < this.#requiredSuccessRate;
    return isTooLow ? this.#markDeadFor.next() : NOT_DEAD;
  }

  revived(): void {
    this.#requests = 0;
    this.#average.reset();
    this.#markDeadFor.reset();
  }
}

/** The moving average is over time; the window must have passed since the start or the last revival, and hold enough requests. The clock
 *  is Finagle's, which counts whole milliseconds, so that of several results in one of them only the first moves the average. */
export class SuccessRateWithinDuration implements FailureAccrualPolicy {
  readonly #requiredSuccessRate: number;
  readonly #windowMs: Ms;
  readonly #minRequestThreshold: number;
  readonly #markDeadFor: MarkDeadFor;
  readonly #average: Ema;
  readonly #requests: WindowedAdder;
  #startMs = 0;

  constructor(requiredSuccessRate: number, windowMs: Ms, minRequestThreshold: number, markDeadFor: MarkDeadFor) {
    this.#requiredSuccessRate = requiredSuccessRate;
    this.#windowMs = windowMs;
    this.#minRequestThreshold = minRequestThreshold;
    this.#markDeadFor = markDeadFor;
    this.#average = new Ema(windowMs);
    this.#requests = new WindowedAdder(windowMs, SLICES);
  }

  recordSuccess(nowMs: Ms): void {
    this.#requests.add(1, Math.floor(nowMs));
    this.#average.update(nowMs, 1);
  }

  markDeadOnFailure(nowMs: Ms): Ms {
    this.#requests.add(1, Math.floor(nowMs));
    this.#average.update(nowMs, 0);
    const isTooLow =
      Math.floor(nowMs) - this.#startMs >= this.#windowMs &&
      this.#average.average < this.#requiredSuccessRate &&
      this.#requests.sum(Math.floor(nowMs)) >= this.#minRequestThreshold;
    return isTooLow ? this.#markDeadFor.next() : NOT_DEAD;
  }

  revived(nowMs: Ms): void {
    this.#startMs = Math.floor(nowMs);
    this.#requests.reset(this.#startMs);
    this.#average.reset();
    this.#markDeadFor.reset();
  }
}

/** Dead if either says so, and for the longer of the two. */
export class OrElse implements FailureAccrualPolicy {
  readonly #one: FailureAccrualPolicy;
  readonly #other: FailureAccrualPolicy;

  constructor(one: FailureAccrualPolicy, other: FailureAccrualPolicy) {
    this.#one = one;
    this.#other = other;
  }

  recordSuccess(nowMs: Ms): void {
    this.#one.recordSuccess(nowMs);
    this.#other.recordSuccess(nowMs);
  }

  markDeadOnFailure(nowMs: Ms): Ms {
    const oneMs = this.#one.markDeadOnFailure(nowMs);
    return Math.max(oneMs, this.#other.markDeadOnFailure(nowMs));
  }

  revived(nowMs: Ms): void {
    this.#one.revived(nowMs);
    this.#other.revived(nowMs);
  }
}

const SLICES = 5;
