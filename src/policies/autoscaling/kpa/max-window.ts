/** The highest value of a sliding window, in slices: values that a later one exceeds are dropped at once, so that the first of those
 *  left is the answer.
 *
 *  After knative/serving: pkg/autoscaler/aggregation/max/window.go. */
import type { Ms } from '../../../core/time.ts';

export class MaxWindow {
  readonly #slices: number;
  readonly #sliceMs: Ms;
  /** Falling values in rising slices. */
  #maxima: { readonly slice: number; readonly value: number }[] = [];

  constructor(windowMs: Ms, sliceMs: Ms) {
    this.#slices = Math.ceil(windowMs / sliceMs);
    this.#sliceMs = sliceMs;
  }

  record(value: number, nowMs: Ms): void {
    const slice = Math.floor(nowMs / this.#sliceMs);
    const kept = this.#maxima.filter((each) => each.value > value && slice - each.slice < this.#slices);
    // Of several values in one slice the highest counts.
    if (kept.at(-1)?.slice !== slice) kept.push({ slice, value });
    this.#maxima = kept;
  }

  /** As of the latest value. */
  get highest(): number {
    return this.#maxima.length === 0 ? 0 : this.#maxima[0].value;
  }
}
