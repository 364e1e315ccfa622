/** The calls that ended in the current whole second of the clock or in one of the seconds before it: a window of n seconds therefore
 *  holds between n − 1 and n seconds of calls. After resilience4j's SlidingTimeWindowMetrics. */
import type { Ms } from '../../../../core/time.ts';
import { type CallWindow, FAILED, outcomeBits, SLOW } from './call-window.ts';

export class TimeWindow implements CallWindow {
  readonly capacity = Infinity;
  readonly #seconds: number;
  /** Calls by second and outcome bits, and over all seconds by outcome bits. */
  readonly #buckets: Int32Array;
  readonly #counts = new Int32Array(4);
  readonly #durationsMs: Float64Array;
  #head = 0;
  #headSecond = 0;

  constructor(seconds: number) {
    this.#seconds = seconds;
    this.#buckets = new Int32Array(4 * seconds);
    this.#durationsMs = new Float64Array(seconds);
  }

  get total(): number {
    return this.#counts[0] + this.#counts[FAILED] + this.#counts[SLOW] + this.#counts[FAILED | SLOW];
  }

  get failed(): number {
    return this.#counts[FAILED] + this.#counts[FAILED | SLOW];
  }

  get slow(): number {
    return this.#counts[SLOW] + this.#counts[FAILED | SLOW];
  }

  get slowFailed(): number {
    return this.#counts[FAILED | SLOW];
  }

  get totalDurationMs(): Ms {
    let sum = 0;
    for (let i = 1; i <= this.#seconds; i++) sum += this.#durationsMs[(this.#head + i) % this.#seconds];
    return sum;
  }

  get averageDurationMs(): Ms {
    return this.total === 0 ? 0 : this.totalDurationMs / this.total;
  }

  record(isGood: boolean, isSlow: boolean, durationMs: Ms, nowMs: Ms): void {
    this.moveTo(nowMs);
    const outcome = outcomeBits(isGood, isSlow);
    this.#buckets[4 * this.#head + outcome]++;
    this.#counts[outcome]++;
    this.#durationsMs[this.#head] += durationMs;
  }

  moveTo(nowMs: Ms): void {
    const second = Math.floor(nowMs / 1000);
    const elapsed = second - this.#headSecond;
    if (elapsed <= 0) return;
    for (let step = Math.min(elapsed, this.#seconds); step > 0; step--) {
      this.#head = (this.#head + 1) % this.#seconds;
      this.#clearHead();
    }
    this.#headSecond = second;
  }

  reset(nowMs: Ms): void {
    this.#buckets.fill(0);
    this.#counts.fill(0);
    this.#durationsMs.fill(0);
    this.#head = 0;
    this.#headSecond = Math.floor(nowMs / 1000);
  }

  #clearHead(): void {
    const base = 4 * this.#head;
    for (let outcome = 0; outcome < 4; outcome++) {
      this.#counts[outcome] -= this.#buckets[base + outcome];
      this.#buckets[base + outcome] = 0;
    }
    this.#durationsMs[this.#head] = 0;
  }
}
