/** Counts of calls and of bad calls over the last buckets of a fixed length, one of them current. Buckets turn at fixed times, whether or
 *  anything happens: Hystrix's health stream and opossum's status window. Typed arrays, so that nothing is allocated per call. */
import type { Ms } from '../../../../core/time.ts';

export class BucketRing {
  readonly size: number;
  readonly everyMs: Ms;
  readonly #totals: Float64Array;
  readonly #bads: Float64Array;
  #total = 0;
  #bad = 0;
  #current = 0;
  /** Turns since the origin, and when the next one is due. */
  #turns = 0;
  #originMs = 0;
  #nextMs: Ms;

  constructor(size: number, everyMs: Ms) {
    this.size = size;
    this.everyMs = everyMs;
    this.#totals = new Float64Array(size);
    this.#bads = new Float64Array(size);
    this.#nextMs = everyMs;
  }

  /** Over all buckets, the current one included. */
  get total(): number {
    return this.#total;
  }

  get bad(): number {
    return this.#bad;
  }

  /** Of the bucket that the `turns`-th turn from now will drop; the last of them, `size`, is the current one. */
  totalOf(turns: number): number {
    return this.#totals[(this.#current + turns) % this.size];
  }

  badOf(turns: number): number {
    return this.#bads[(this.#current + turns) % this.size];
  }

  addCall(): void {
    this.#totals[this.#current]++;
    this.#total++;
  }

  addBad(): void {
    this.#bads[this.#current]++;
    this.#bad++;
  }

  /** How often the buckets should have turned by now and have not. */
  due(nowMs: Ms): number {
    if (nowMs < this.#nextMs) return 0;
    // The division may round to just below the turn that the comparison has seen.
    return Math.max(1, Math.floor((nowMs - this.#originMs) / this.everyMs) - this.#turns);
  }

  /** When the `turns`-th turn from now is due. */
  timeOf(turns: number): Ms {
    return this.#originMs + (this.#turns + turns) * this.everyMs;
  }

  turnTo(nowMs: Ms): void {
    const due = this.due(nowMs);
    if (due === 0) return;
    for (let turn = Math.min(due, this.size); turn > 0; turn--) {
      this.#current = (this.#current + 1) % this.size;
      this.#total -= this.#totals[this.#current];
      this.#bad -= this.#bads[this.#current];
      this.#totals[this.#current] = 0;
      this.#bads[this.#current] = 0;
    }
    this.#turns += due;
    this.#nextMs = this.timeOf(1);
  }

  /** Empties the buckets; from now on they turn at whole multiples of their length from `originMs`. */
  restart(originMs: Ms): void {
    this.#totals.fill(0);
    this.#bads.fill(0);
    this.#total = 0;
    this.#bad = 0;
    this.#turns = 0;
    this.#originMs = originMs;
    this.#nextMs = originMs + this.everyMs;
  }
}
