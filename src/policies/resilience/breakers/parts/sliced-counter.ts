/** Counts events of the last `range`, in slices that leave whole: at least slices − 1 of them are covered.
 *
 *  After twitter/util's WindowedAdder. A slice begins with the first call after the one before ended, not at fixed times. The clock counts
 *  whole milliseconds, as there; fractions are cut. */
import type { Ms } from '../../../../core/time.ts';

export class SlicedCounter {
  readonly #sliceMs: Ms;
  /** The slices that have ended. */
  readonly #ended: Float64Array;
  #current = 0;
  #next = 0;
  #startedMs = 0;

  constructor(rangeMs: Ms, slices: number) {
    // A range of fewer milliseconds than slices has slices of one.
    this.#sliceMs = Math.max(1, Math.floor(rangeMs / slices));
    this.#ended = new Float64Array(slices - 1);
  }

  add(count: number, nowMs: Ms): void {
    this.#expire(nowMs);
    this.#current += count;
  }

  sum(nowMs: Ms): number {
    this.#expire(nowMs);
    let sum = this.#current;
    for (let i = 0; i < this.#ended.length; i++) sum += this.#ended[i];
    return sum;
  }

  reset(nowMs: Ms): void {
    this.#ended.fill(0);
    this.#current = 0;
    this.#startedMs = Math.floor(nowMs);
  }

  #expire(nowMs: Ms): void {
    const elapsedMs = Math.floor(nowMs) - this.#startedMs;
    if (elapsedMs < this.#sliceMs) return;
    this.#push(this.#current);
    this.#current = 0;
    const skipped = Math.min(Math.floor(elapsedMs / this.#sliceMs) - 1, this.#ended.length);
    for (let i = 0; i < skipped; i++) this.#push(0);
    this.#startedMs = Math.floor(nowMs);
  }

  #push(count: number): void {
    this.#ended[this.#next] = count;
    this.#next = (this.#next + 1) % this.#ended.length;
  }
}
