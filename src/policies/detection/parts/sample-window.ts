/** Mean and variance of the latest samples: a ring with running sums. O(1) per sample, and no allocation once the ring has its size; until
 *  then it grows by doubling, so that a window of a thousand costs little where only a few samples ever come.
 *
 *  The sums are of distances from a typical sample: squares of large, similar numbers would leave nothing of their small differences. */
import { grownFloats } from '../../../core/grow.ts';

export class SampleWindow {
  readonly #capacity: number;
  #samples: Float64Array;
  #next = 0;
  #count = 0;
  #origin = -0;
  #sum = -0;
  #squares = -0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#samples = new Float64Array(Math.min(capacity, 16));
  }

  get count(): number {
    return this.#count;
  }

  /** There must be a sample. */
  get mean(): number {
    return this.#origin + this.#sum / this.#count;
  }

  /** Of the population; rounding cannot make it negative. */
  get variance(): number {
    const offset = this.#sum / this.#count;
    return Math.max(0, this.#squares / this.#count - offset * offset);
  }

  get stdDeviation(): number {
    return Math.sqrt(this.variance);
  }

  add(sample: number): void {
    if (this.#next === this.#samples.length) this.#makeRoom();
    if (this.#count === this.#capacity) this.#sumUp(this.#samples[this.#next], -1);
    else if (this.#count++ === 0) this.#origin = sample;
    this.#samples[this.#next++] = sample;
    this.#sumUp(sample, 1);
  }

  /** The kept samples, in no particular order, as a view that the next `add` changes. */
  samples(): Float64Array {
    return this.#samples.subarray(0, this.#count);
  }

  #sumUp(sample: number, sign: 1 | -1): void {
    const distance = sample - this.#origin;
    this.#sum += sign * distance;
    this.#squares += sign * distance * distance;
  }

  /** At the end of the ring: makes it longer, or goes round. Then summing anew keeps rounding errors from piling up over a long life. */
  #makeRoom(): void {
    if (this.#next < this.#capacity) {
      this.#samples = grownFloats(this.#samples, Math.min(this.#capacity, 2 * this.#next));
      return;
    }
    this.#origin = this.mean;
    this.#next = 0;
    this.#sum = 0;
    this.#squares = 0;
    for (let i = 0; i < this.#capacity; i++) this.#sumUp(this.#samples[i], 1);
  }
}
