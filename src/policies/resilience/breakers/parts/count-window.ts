/** The last calls, whenever they ended: a ring of outcomes in which the newest replaces the oldest.
 *  After resilience4j's FixedSizeSlidingWindowMetrics. */
import type { Ms } from '../../../../core/time.ts';
import { type CallWindow, FAILED, outcomeBits, SLOW } from './call-window.ts';

export class CountWindow implements CallWindow {
  readonly capacity: number;
  readonly #outcomes: Uint8Array;
  readonly #durationsMs: Float64Array;
  /** Calls by outcome bits. */
  readonly #counts = new Int32Array(4);
  #oldest = 0;
  #total = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#outcomes = new Uint8Array(capacity);
    this.#durationsMs = new Float64Array(capacity);
  }

  get total(): number {
    return this.#total;
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
    for (let i = 0; i < this.#total; i++) sum += this.#durationsMs[(this.#oldest + i) % this.capacity];
    return sum;
  }

  get averageDurationMs(): Ms {
    return this.total === 0 ? 0 : this.totalDurationMs / this.total;
  }

  record(isGood: boolean, isSlow: boolean, durationMs: Ms): void {
    const isFull = this.#total === this.capacity;
    const place = isFull ? this.#oldest : (this.#oldest + this.#total) % this.capacity;
    if (isFull) {
      this.#counts[this.#outcomes[place]]--;
      this.#oldest = (place + 1) % this.capacity;
    } else {
      this.#total++;
    }
    const outcome = outcomeBits(isGood, isSlow);
    this.#outcomes[place] = outcome;
    this.#durationsMs[place] = durationMs;
    this.#counts[outcome]++;
  }

  moveTo(): void {
    // Time does not matter here.
  }

  reset(): void {
    this.#counts.fill(0);
    this.#oldest = 0;
    this.#total = 0;
  }
}
