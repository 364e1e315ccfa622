/** Requests and successes per endpoint: those of the interval that runs, and of the last whole one. */
import { grownCounts } from '../../../../core/grow.ts';

export class CallCounts {
  #total: Uint32Array = new Uint32Array(16);
  #good: Uint32Array = new Uint32Array(16);
  #lastTotal: Uint32Array = new Uint32Array(16);
  #lastGood: Uint32Array = new Uint32Array(16);

  start(slot: number): void {
    if (slot >= this.#total.length) this.#grow(Math.max(slot + 1, 2 * this.#total.length));
    this.#total[slot] = 0;
    this.#good[slot] = 0;
    this.#lastTotal[slot] = 0;
    this.#lastGood[slot] = 0;
  }

  add(slot: number, isGood: boolean): void {
    this.#total[slot]++;
    if (isGood) this.#good[slot]++;
  }

  /** The interval is over. */
  swap(slot: number): void {
    this.#lastTotal[slot] = this.#total[slot];
    this.#lastGood[slot] = this.#good[slot];
    this.#total[slot] = 0;
    this.#good[slot] = 0;
  }

  volume(slot: number): number {
    return this.#lastTotal[slot];
  }

  /** In percent; only of endpoints that had requests. */
  successPercent(slot: number): number {
    return (this.#lastGood[slot] * 100) / this.#lastTotal[slot];
  }

  failurePercent(slot: number): number {
    return 100 - this.successPercent(slot);
  }

  #grow(size: number): void {
    this.#total = grownCounts(this.#total, size);
    this.#good = grownCounts(this.#good, size);
    this.#lastTotal = grownCounts(this.#lastTotal, size);
    this.#lastGood = grownCounts(this.#lastGood, size);
  }
}
