/** Earliest deadline first, as Envoy schedules weighted endpoints and localities: an entry of weight w is due every 1/w. The entry due
 *  first is picked, the clock moves to its deadline, and it is due again 1/w later, with the weight it has at that moment. Equal
 *  deadlines go in order of insertion. O(log n) a pick. */
import { SlotHeap } from './slot-heap.ts';

/** Envoy starts a schedule as if this many picks at most had been made, so that a fleet of proxies is not in step. */
export const PRE_PICKS_BOUND = 429_496_729;

export class EdfScheduler {
  readonly #queue = new SlotHeap();
  #clock = 0;

  clear(): void {
    this.#queue.clear();
    this.#clock = 0;
  }

  add(entry: number, weight: number): void {
    this.#queue.insert(entry, this.#clock + 1 / weight);
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
      const weight = weightOf(entries[i]) + NUDGE;
      let own = Math.floor((weight * picks) / weightSum);
      if (own > 0 && own / weight >= picks / weightSum) own--;
      this.#queue.insert(entries[i], (own + 1) / weight);
      latestPick = Math.max(latestPick, own / weight);
      picksMade += own;
    }
    this.#clock = latestPick;
    for (; picksMade < picks && count > 0; picksMade++) this.advance(weightOf(this.next()));
  }

  /** The entry due first, or −1. It stays due until `advance`. */
  next(): number {
    return this.#queue.first();
  }

  /** Moves the clock to the first deadline and makes that entry due again by the weight it now has. */
  advance(weight: number): void {
    this.#clock = this.#queue.firstKey();
    this.#queue.postponeFirst(this.#clock + 1 / weight);
  }
}

/** Envoy's guard against an emulated pick falling on the wrong side of a rounding. */
const NUDGE = 1e-13;
