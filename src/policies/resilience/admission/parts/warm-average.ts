/** An exponential moving average whose first values are a plain mean, so that it does not start from its first sample alone. Netflix's
 *  ExpAvgMeasurement: weight 2 / (window + 1) after the warm-up. */

export class WarmAverage {
  readonly #weight: number;
  readonly #warmUp: number;
  #value = 0;
  #sum = 0;
  #count = 0;

  constructor(window: number, warmUp: number) {
    this.#weight = 2 / (window + 1);
    this.#warmUp = warmUp;
  }

  /** The average with this sample. */
  add(sample: number): number {
    if (this.#count < this.#warmUp) {
      this.#count++;
      this.#sum += sample;
      this.#value = this.#sum / this.#count;
    } else {
      this.#value = this.#value * (1 - this.#weight) + sample * this.#weight;
    }
    return this.#value;
  }

  scale(factor: number): void {
    this.#value *= factor;
  }
}
