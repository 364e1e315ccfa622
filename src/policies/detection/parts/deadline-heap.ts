/** Slots in order of their deadlines, equal deadlines in order of slots: a binary heap that also knows where each slot is, so that a
 *  heartbeat can move its endpoint's deadline in O(log n).
 *
 *  Writing a deadline and moving the slot are two steps, for a time that is handed on through several calls would be boxed on its way. */
import { grownFloats, grownInts } from '../../../core/grow.ts';
import type { Ms } from '../../../core/time.ts';

export class DeadlineHeap {
  /** Slots by place in the heap. */
  #heap: Int32Array = new Int32Array(16);
  #count = 0;
  /** By slot: its place in the heap plus one, 0 for none. */
  #placeOf: Int32Array = new Int32Array(16);
  #deadlineMs: Float64Array = new Float64Array(16);

  /** By slot, also of those that are not in the heap. Whoever changes one of a slot in the heap calls `moved`. */
  get deadlineMs(): Float64Array {
    return this.#deadlineMs;
  }

  /** The slot whose deadline comes first, or −1. */
  first(): number {
    return this.#count === 0 ? -1 : this.#heap[0];
  }

  /** Its deadline; Infinity if there is none. */
  firstMs(): Ms {
    return this.#count === 0 ? Infinity : this.#deadlineMs[this.#heap[0]];
  }

  /** Gives a slot its deadline, new or changed. */
  set(slot: number, deadlineMs: Ms): void {
    this.reserve(slot);
    this.#deadlineMs[slot] = deadlineMs;
    this.moved(slot);
  }

  /** Makes room for a slot's deadline. */
  reserve(slot: number): void {
    if (slot >= this.#placeOf.length) this.#grow(slot + 1);
  }

  /** Puts a slot where its deadline belongs, whether or not it was in the heap. */
  moved(slot: number): void {
    const place = this.#placeOf[slot] - 1;
    this.#settle(slot, place === -1 ? this.#count++ : place);
  }

  remove(slot: number): void {
    const place = slot < this.#placeOf.length ? this.#placeOf[slot] - 1 : -1;
    if (place === -1) return;
    this.#placeOf[slot] = 0;
    const last = this.#heap[--this.#count];
    if (last !== slot) this.#settle(last, place);
  }

  /** Puts a slot where it belongs, starting from a hole at `place`. */
  #settle(slot: number, place: number): void {
    let hole = place;
    while (hole > 0) {
      const parent = this.#heap[(hole - 1) >> 1];
      if (!this.#comesBefore(slot, parent)) break;
      this.#put(parent, hole);
      hole = (hole - 1) >> 1;
    }
    for (let child = 2 * hole + 1; child < this.#count; child = 2 * hole + 1) {
      if (child + 1 < this.#count && this.#comesBefore(this.#heap[child + 1], this.#heap[child])) child++;
      if (!this.#comesBefore(this.#heap[child], slot)) break;
      this.#put(this.#heap[child], hole);
      hole = child;
    }
    this.#put(slot, hole);
  }

  #comesBefore(a: number, b: number): boolean {
    const difference = this.#deadlineMs[a] - this.#deadlineMs[b];
    // Two deadlines at Infinity differ by NaN, and go by slot like any equal ones.
    return difference < 0 || (!(difference > 0) && a < b);
  }

  #put(slot: number, place: number): void {
    this.#heap[place] = slot;
    this.#placeOf[slot] = place + 1;
  }

  #grow(needed: number): void {
    const size = Math.max(needed, 2 * this.#placeOf.length);
    this.#heap = grownInts(this.#heap, size);
    this.#placeOf = grownInts(this.#placeOf, size);
    this.#deadlineMs = grownFloats(this.#deadlineMs, size);
  }
}
