/** One timer per slot, soonest first, equal times in the order they were set: a binary heap that knows where each slot stands.
 *  Setting, clearing and taking are O(log n) and allocate only when a slot is larger than any before. */
import type { Ms } from '../../../../core/time.ts';
import { grownFloats, grownInts } from '../../../../core/grow.ts';

export class SlotTimers {
  #atMs: Float64Array = new Float64Array(16);
  #order: Float64Array = new Float64Array(16);
  /** Where the slot stands in the heap; −1 if it has no timer. */
  #place: Int32Array = new Int32Array(16).fill(-1);
  #heap: Int32Array = new Int32Array(16);
  #count = 0;
  #settings = 0;

  /** Infinity if none is set. */
  nextMs(): Ms {
    return this.#count === 0 ? Infinity : this.#atMs[this.#heap[0]];
  }

  /** The soonest slot; only if there is one. */
  first(): number {
    return this.#heap[0];
  }

  /** Sets or moves the slot's timer. */
  set(slot: number, atMs: Ms): void {
    if (slot >= this.#place.length) this.#grow(slot + 1);
    this.clear(slot);
    this.#atMs[slot] = atMs;
    this.#order[slot] = this.#settings++;
    this.#rise(this.#count++, slot);
  }

  clear(slot: number): void {
    if (slot >= this.#place.length || this.#place[slot] === -1) return;
    const at = this.#place[slot];
    this.#place[slot] = -1;
    const last = this.#heap[--this.#count];
    if (last === slot) return;
    if (at > 0 && this.#comesBefore(last, this.#heap[(at - 1) >> 1])) this.#rise(at, last);
    else this.#sink(at, last);
  }

  #rise(from: number, slot: number): void {
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.#comesBefore(slot, this.#heap[parent])) break;
      this.#put(hole, this.#heap[parent]);
      hole = parent;
    }
    this.#put(hole, slot);
  }

  #sink(from: number, slot: number): void {
    let hole = from;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#comesBefore(this.#heap[child + 1], this.#heap[child])) child++;
      if (this.#comesBefore(slot, this.#heap[child])) break;
      this.#put(hole, this.#heap[child]);
      hole = child;
    }
    this.#put(hole, slot);
  }

  #comesBefore(slot: number, other: number): boolean {
    const difference = this.#atMs[slot] - this.#atMs[other];
    return difference < 0 || (difference === 0 && this.#order[slot] < this.#order[other]);
  }

  #put(at: number, slot: number): void {
    this.#heap[at] = slot;
    this.#place[slot] = at;
  }

  #grow(needed: number): void {
    const size = Math.max(needed, 2 * this.#place.length);
    this.#atMs = grownFloats(this.#atMs, size);
    this.#order = grownFloats(this.#order, size);
    const place = new Int32Array(size).fill(-1);
    place.set(this.#place);
    this.#place = place;
    this.#heap = grownInts(this.#heap, size);
  }
}
