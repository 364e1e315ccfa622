/** Earliest deadline first, as Envoy schedules weighted endpoints and localities: an entry of weight w is due every 1/w. The entry due
 *  first is picked, the clock moves to its deadline, and it is due again 1/w later, with the weight it has at that moment. Equal
 *  deadlines go in order of insertion. O(log n) a pick on a binary heap of typed arrays. */
import { grownFloats, grownInts } from './grow.ts';

/** Envoy starts a schedule as if this many picks at most had been made, so that a fleet of proxies is not in step. */
export const PRE_PICKS_BOUND = 429_496_729;

export class EdfScheduler {
  #entries: Int32Array = new Int32Array(0);
  #deadlines: Float64Array = new Float64Array(0);
  #insertions: Float64Array = new Float64Array(0);
  #count = 0;
  #clock = 0;
  #insertionCount = 0;

  clear(): void {
    this.#count = 0;
    this.#clock = 0;
    this.#insertionCount = 0;
  }

  add(entry: number, weight: number): void {
    this.#insert(entry, this.#clock + 1 / weight);
  }

  /** Starts anew with `count` entries, as if `picks` picks had been made: the state is computed, then the few picks lost to rounding
   *  are made. `weightOf` gives an entry's weight. */
  reseed(entries: ArrayLike<number>, count: number, weightOf: (entry: number) => number, picks: number): void {
    this.clear();
    let weightSum = 0;
    for (let i = 0; i < count; i++) weightSum += weightOf(entries[i]) + NUDGE;
    let picksMade = 0;
    let latestPick = 0;
    for (let i = 0; i < count; i++) {
      const entry = entries[i];
      const weight = weightOf(entry) + NUDGE;
      let own = Math.floor((weight * picks) / weightSum);
      if (own > 0 && own / weight >= picks / weightSum) own--;
      this.#insert(entry, (own + 1) / weight);
      latestPick = Math.max(latestPick, own / weight);
      picksMade += own;
    }
    this.#clock = latestPick;
    for (; picksMade < picks && count > 0; picksMade++) {
      const entry = this.next();
      this.advance(weightOf(entry));
    }
  }

  /** The entry due first, or −1. It stays due until `advance`. */
  next(): number {
    return this.#count === 0 ? -1 : this.#entries[0];
  }

  /** Moves the clock to the first deadline and makes that entry due again by the weight it now has. */
  advance(weight: number): void {
    this.#clock = this.#deadlines[0];
    this.#sink(0, this.#entries[0], this.#clock + 1 / weight, this.#insertionCount++);
  }

  #insert(entry: number, deadline: number): void {
    if (this.#count === this.#entries.length) this.#grow();
    this.#rise(this.#count++, entry, deadline, this.#insertionCount++);
  }

  #rise(from: number, entry: number, deadline: number, insertion: number): void {
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      // A later insertion never overtakes an equal deadline.
      if (this.#deadlines[parent] <= deadline) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#put(hole, entry, deadline, insertion);
  }

  #sink(from: number, entry: number, deadline: number, insertion: number): void {
    let hole = from;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#isBefore(child + 1, child)) child++;
      // The sinking entry is the latest insertion, so an equal deadline goes before it.
      if (this.#deadlines[child] > deadline) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#put(hole, entry, deadline, insertion);
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#deadlines[a] - this.#deadlines[b];
    return difference < 0 || (difference === 0 && this.#insertions[a] < this.#insertions[b]);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#entries[from], this.#deadlines[from], this.#insertions[from]);
  }

  #put(at: number, entry: number, deadline: number, insertion: number): void {
    this.#entries[at] = entry;
    this.#deadlines[at] = deadline;
    this.#insertions[at] = insertion;
  }

  #grow(): void {
    const size = Math.max(16, 2 * this.#count);
    this.#entries = grownInts(this.#entries, size);
    this.#deadlines = grownFloats(this.#deadlines, size);
    this.#insertions = grownFloats(this.#insertions, size);
  }
}

/** Envoy's guard against an emulated pick falling on the wrong side of a rounding. */
const NUDGE = 1e-13;
