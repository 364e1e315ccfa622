/** The latest samples in order of size, for quantiles: O(size of the window) per sample, O(1) per quantile. */
export class SortedWindow {
  readonly #sorted: Float64Array;
  /** The same samples in order of arrival, as a ring. */
  readonly #arrived: Float64Array;
  #count = 0;
  #next = 0;

  constructor(size: number) {
    this.#sorted = new Float64Array(size);
    this.#arrived = new Float64Array(size);
  }

  add(sample: number): void {
    if (this.#count === this.#sorted.length) this.#remove(this.#arrived[this.#next]);
    this.#arrived[this.#next] = sample;
    this.#next = (this.#next + 1) % this.#arrived.length;
    let at = this.#count++;
    for (; at > 0 && this.#sorted[at - 1] > sample; at--) this.#sorted[at] = this.#sorted[at - 1];
    this.#sorted[at] = sample;
  }

  /** The sample at rank floor(q · (count − 1)), counted from 0; there must be one. */
  quantile(q: number): number {
    return this.#sorted[Math.floor(q * (this.#count - 1))];
  }

  #remove(sample: number): void {
    let at = 0;
    while (this.#sorted[at] !== sample) at++;
    this.#count--;
    for (; at < this.#count; at++) this.#sorted[at] = this.#sorted[at + 1];
  }
}
