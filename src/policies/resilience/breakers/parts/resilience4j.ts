/** The states of resilience4j's circuit breaker, around a window of calls; see `../resilience4j-count.ts` and `../resilience4j-time.ts`.
 *
 *  Judged after every call, so that a good call can open it: the one that fills the minimum. It leaves the open state only when asked
 *  for a permit after the wait, which must be exceeded. Half open, it hands out a fixed number of permits and decides once that many calls
 *  have ended. Results carry no generation: one that was sent before the circuit opened counts among the trial calls, and a permit that is
 *  given back then, adds to theirs. */
import { duration, int, number, fraction, type ParamValues } from '../../../../core/params.ts';
import type { Rng } from '../../../../core/rng.ts';
import type { Ms } from '../../../../core/time.ts';
import { type Breaker, type BreakerState, breakerStates, NO_PERMIT } from '../breaker.ts';
import { callRate, type CallWindow } from './call-window.ts';
import { CountWindow } from './count-window.ts';

/** Parameters that do not depend on the window. */
export const resilience4jParams = {
  minimumNumberOfCalls: int({
    default: 100,
    min: 1,
    about: 'Calls in the window below which there is no rate; at most the calls that the window can hold.',
    official: 'resilience4j minimumNumberOfCalls',
  }),
  failureRateThreshold: number({
    default: 50,
    min: 0,
    exclusiveMin: true,
    max: 100,
    about: 'Opens when at least this percentage of the calls failed.',
    official: 'resilience4j failureRateThreshold',
  }),
  slowCallDurationThreshold: duration({
    default: 60_000,
    min: 0,
    about: 'A call that took longer is slow.',
    official: 'resilience4j slowCallDurationThreshold',
  }),
  slowCallRateThreshold: number({
    default: 100,
    min: 0,
    exclusiveMin: true,
    max: 100,
    about: 'Opens when at least this percentage of the calls was slow.',
    official: 'resilience4j slowCallRateThreshold',
  }),
  waitDurationInOpenState: duration({
    default: 60_000,
    min: 1,
    about: 'How long it stays open, at least; the first wait, if waits grow.',
    official: 'resilience4j waitDurationInOpenState',
  }),
  exponentialBackoffMultiplier: number({
    default: 1,
    min: 1,
    about: 'The wait is this many times the one before while trial calls fail; 1 keeps it constant.',
    official: 'resilience4j exponentialBackoffMultiplier (1.5 when switched on)',
  }),
  exponentialMaxWaitDurationInOpenState: duration({
    default: 0,
    min: 0,
    about: 'The longest wait; 0 for no limit.',
    official: 'resilience4j exponentialMaxWaitDurationInOpenState',
  }),
  randomizedWaitFactor: fraction({
    default: 0,
    min: 0,
    about: 'Waits are drawn from this share below to this share above; 0 draws nothing.',
    official: 'resilience4j randomizedWaitFactor (0.5 when switched on)',
  }),
  permittedNumberOfCallsInHalfOpenState: int({
    default: 10,
    min: 1,
    about: 'Trial calls in the half-open state.',
    official: 'resilience4j permittedNumberOfCallsInHalfOpenState',
  }),
  maxWaitDurationInHalfOpenState: duration({
    default: 0,
    min: 0,
    about: 'How long it waits for the trial calls to end before it opens again; 0 for ever.',
    official: 'resilience4j maxWaitDurationInHalfOpenState',
  }),
};
export type Resilience4jParams = ParamValues<typeof resilience4jParams>;

export class Resilience4jBreaker implements Breaker {
  readonly #values: Resilience4jParams;
  readonly #rng: Rng;
  readonly #callWindow: CallWindow;
  readonly #trialWindow: CountWindow;
  /** The window calls are recorded in; while open, still the one that made it open. */
  #window: CallWindow;
  #state: BreakerState = breakerStates.closed;
  #generation = 0;
  /** Openings in a row. */
  #attempts = 0;
  /** The wait before randomization, and the one in force. */
  #backoffMs = 0;
  #waitMs = 0;
  /** Open: the wait must exceed this. Half open: it opens again then. */
  #untilMs = Infinity;
  #trialsLeft = 0;

  constructor(callWindow: CallWindow, values: Resilience4jParams, rng: Rng) {
    this.#values = values;
    this.#rng = rng;
    this.#callWindow = callWindow;
    this.#trialWindow = new CountWindow(values.permittedNumberOfCallsInHalfOpenState);
    this.#window = callWindow;
  }

  acquire(nowMs: Ms): number {
    this.#giveUpTrials(nowMs);
    if (this.#state === breakerStates.closed) return this.#generation;
    if (this.#state === breakerStates.open) {
      if (!(nowMs > this.#untilMs)) return NO_PERMIT;
      this.transitionToHalfOpen(nowMs);
    }
    if (this.#trialsLeft === 0) return NO_PERMIT;
    this.#trialsLeft--;
    return this.#generation;
  }

  settle(_permit: number, isGood: boolean, durationMs: Ms, nowMs: Ms): void {
    this.#giveUpTrials(nowMs);
    const window = this.#window;
    window.record(isGood, durationMs > this.#values.slowCallDurationThreshold, durationMs, nowMs);
    if (this.#state === breakerStates.open || !this.#hasMinimum()) return;
    if (this.#exceedsThresholds()) this.transitionToOpen(nowMs);
    else if (this.#state === breakerStates.halfOpen) this.transitionToClosed(nowMs);
  }

  release(_permit: number, nowMs: Ms): void {
    this.#giveUpTrials(nowMs);
    if (this.#state === breakerStates.halfOpen) this.#trialsLeft++;
  }

  state(nowMs: Ms): BreakerState {
    return this.#trialsAreOver(nowMs) ? breakerStates.open : this.#state;
  }

  retryAtMs(nowMs: Ms): Ms {
    // The wait after trials that were given up is not known before it is drawn.
    return this.#state === breakerStates.open && !this.#trialsAreOver(nowMs) ? this.#untilMs : Infinity;
  }

  /** Opens it, whatever its window says; the wait starts anew. */
  transitionToOpen(nowMs: Ms): void {
    this.#attempts++;
    this.#waitMs = this.#nextWaitMs();
    this.#untilMs = nowMs + this.#waitMs;
    this.#change(breakerStates.open);
  }

  transitionToHalfOpen(nowMs: Ms): void {
    const { maxWaitDurationInHalfOpenState, permittedNumberOfCallsInHalfOpenState } = this.#values;
    this.#untilMs = maxWaitDurationInHalfOpenState > 0 ? nowMs + maxWaitDurationInHalfOpenState : Infinity;
    this.#trialsLeft = permittedNumberOfCallsInHalfOpenState;
    this.#trialWindow.reset();
    this.#window = this.#trialWindow;
    this.#change(breakerStates.halfOpen);
  }

  transitionToClosed(nowMs: Ms): void {
    this.#attempts = 0;
    this.#callWindow.reset(nowMs);
    this.#window = this.#callWindow;
    this.#change(breakerStates.closed);
  }

  /** In per cent; −1 while there are too few calls. */
  failureRate(nowMs: Ms): number {
    this.#window.moveTo(nowMs);
    return this.#hasMinimum() ? callRate(this.#window.failed, this.#window.total) : -1;
  }

  slowCallRate(nowMs: Ms): number {
    this.#window.moveTo(nowMs);
    return this.#hasMinimum() ? callRate(this.#window.slow, this.#window.total) : -1;
  }

  bufferedCalls(nowMs: Ms): number {
    this.#window.moveTo(nowMs);
    return this.#window.total;
  }

  /** The latest wait in the open state. */
  get waitMs(): Ms {
    return this.#waitMs;
  }

  #hasMinimum(): boolean {
    const { total, capacity } = this.#window;
    return total > 0 && total >= Math.min(this.#values.minimumNumberOfCalls, capacity);
  }

  #exceedsThresholds(): boolean {
    const { total, failed, slow } = this.#window;
    const { failureRateThreshold, slowCallRateThreshold } = this.#values;
    return resilience4jExceeds(failed, total, failureRateThreshold) || resilience4jExceeds(slow, total, slowCallRateThreshold);
  }

  #trialsAreOver(nowMs: Ms): boolean {
    return this.#state === breakerStates.halfOpen && nowMs >= this.#untilMs;
  }

  #giveUpTrials(nowMs: Ms): void {
    if (this.#trialsAreOver(nowMs)) this.transitionToOpen(this.#untilMs);
  }

  #nextWaitMs(): Ms {
    const values = this.#values;
    this.#backoffMs = this.#attempts === 1 ? values.waitDurationInOpenState : this.#grownBackoffMs();
    const delta = this.#backoffMs * values.randomizedWaitFactor;
    return delta === 0 ? this.#backoffMs : Math.trunc(this.#backoffMs - delta + this.#rng.next() * (2 * delta + 1));
  }

  /** Cut to whole milliseconds at every step. */
  #grownBackoffMs(): Ms {
    const { exponentialBackoffMultiplier: multiplier, exponentialMaxWaitDurationInOpenState: max } = this.#values;
    if (multiplier === 1) return this.#backoffMs;
    return Math.trunc(Math.min(this.#backoffMs * multiplier, max === 0 ? LONGEST_WAIT_MS : max));
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#generation++;
  }
}

/** Compared in single precision. */
export const resilience4jExceeds = (part: number, total: number, thresholdPercentage: number): boolean =>
  callRate(part, total) >= Math.fround(thresholdPercentage);

/** Waits stay whole numbers. */
const LONGEST_WAIT_MS = Number.MAX_SAFE_INTEGER;
