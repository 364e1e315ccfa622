/** The samples of one window, for its exact percentile. Grows to the fullest window seen and then no more. */
import { grownFloats } from '../../../../core/grow.ts';

export class SampleBuffer {
  count = 0;
  #samples: Float64Array = new Float64Array(64);

  add(sample: number): void {
    if (this.count === this.#samples.length) this.#samples = grownFloats(this.#samples, 2 * this.count);
    this.#samples[this.count++] = sample;
  }

  clear(): void {
    this.count = 0;
  }

  /** The smallest sample that at least this share of the samples do not exceed (nearest rank). Empties the buffer, which must not be
   *  empty. */
  takePercentile(share: number): number {
    const sorted = this.#samples.subarray(0, this.count).sort();
    // A product that rounding put just above a whole number must not count as the next rank.
    const rank = Math.ceil(this.count * share * (1 - 4 * Number.EPSILON));
    this.count = 0;
    return sorted[Math.max(0, rank - 1)];
  }
}
