/** A sum over about the last `rangeMs`, in slices that are forgotten whole: O(slices) for a sum that has moved on, O(1) for an
 *  addition.
 *
 *  The running slice and the last `slices` − 1 closed ones count. A slice is closed by the first call after its time is up and
 *  the next begins with that call, so in quiet times the window covers more than its range by up to a slice. Additions may be
 *  negative.
 *
 *  After twitter/util: util-core/src/main/scala/com/twitter/util/WindowedAdder.scala */
import type { Ms } from '../../core/time.ts';

export class WindowedAdder {
  readonly #sliceMs: Ms;
  readonly #closed: Float64Array;
  #next = 0;
  // Numbers with fractions in typed arrays, where a new value needs no new object.
  readonly #running: Float64Array;

  /** `slices` is at least 2; a slice is a whole number of milliseconds. */
  constructor(rangeMs: Ms, slices: number, nowMs: Ms = 0) {
    this.#sliceMs = Math.max(1, Math.floor(rangeMs / slices));
    this.#closed = new Float64Array(slices - 1);
    this.#running = Float64Array.of(0, nowMs);
  }

  add(amount: number, nowMs: Ms): void {
    this.#advance(nowMs);
    this.#running[SUM] += amount;
  }

  sum(nowMs: Ms): number {
    this.#advance(nowMs);
    let sum = this.#running[SUM];
    for (let i = 0; i < this.#closed.length; i++) sum += this.#closed[i];
    return sum;
  }

  /** Forgets everything; a slice begins now. */
  reset(nowMs: Ms): void {
    this.#closed.fill(0);
    this.#running[SUM] = 0;
    this.#running[SINCE] = nowMs;
  }

  #advance(nowMs: Ms): void {
    const elapsedMs = nowMs - this.#running[SINCE];
    if (elapsedMs < this.#sliceMs) return;
    const closed = this.#closed;
    closed[this.#next] = this.#running[SUM];
    this.#next = (this.#next + 1) % closed.length;
    const skipped = Math.min(Math.floor(elapsedMs / this.#sliceMs - 1), closed.length);
    for (let i = 0; i < skipped; i++) closed[(this.#next + i) % closed.length] = 0;
    this.#next = (this.#next + skipped) % closed.length;
    this.#running[SUM] = 0;
    this.#running[SINCE] = nowMs;
  }
}

const SUM = 0;
const SINCE = 1;
