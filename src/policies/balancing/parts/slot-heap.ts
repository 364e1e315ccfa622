/** Slots in order of a key, equal keys in order of insertion: a binary heap of typed arrays. */
import type { Slot } from '../balancer.ts';
import { grownFloats, grownInts } from '../../../core/grow.ts';

export class SlotHeap {
  #slots: Int32Array = new Int32Array(0);
  #keys: Float64Array = new Float64Array(0);
  #insertions: Float64Array = new Float64Array(0);
  #count = 0;
  #insertionCount = 0;

  clear(): void {
    this.#count = 0;
    this.#insertionCount = 0;
  }

  insert(slot: Slot, key: number): void {
    if (this.#count === this.#slots.length) this.#grow();
    this.#rise(this.#count++, slot, key, this.#insertionCount++);
  }

  /** The slot with the smallest key, or −1. */
  first(): Slot {
    return this.#count === 0 ? -1 : this.#slots[0];
  }

  firstKey(): number {
    return this.#keys[0];
  }

  /** Removes the first slot and inserts it again with a key that is not smaller. */
  postponeFirst(key: number): void {
    this.#sink(0, this.#slots[0], key, this.#insertionCount++);
  }

  removeFirst(): void {
    this.#removeAt(0);
  }

  /** O(n): the slot is looked for. */
  remove(slot: Slot): void {
    for (let at = 0; at < this.#count; at++) {
      if (this.#slots[at] === slot) {
        this.#removeAt(at);
        return;
      }
    }
  }

  #removeAt(at: number): void {
    const last = --this.#count;
    if (at === last) return;
    const slot = this.#slots[last];
    const key = this.#keys[last];
    const insertion = this.#insertions[last];
    if (at > 0 && this.#comesBefore(key, insertion, (at - 1) >> 1)) this.#rise(at, slot, key, insertion);
    else this.#sink(at, slot, key, insertion);
  }

  #rise(from: number, slot: Slot, key: number, insertion: number): void {
    let hole = from;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.#comesBefore(key, insertion, parent)) break;
      this.#move(parent, hole);
      hole = parent;
    }
    this.#put(hole, slot, key, insertion);
  }

  #sink(from: number, slot: Slot, key: number, insertion: number): void {
    let hole = from;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= this.#count) break;
      if (child + 1 < this.#count && this.#comesBefore(this.#keys[child + 1], this.#insertions[child + 1], child)) child++;
      if (this.#comesBefore(key, insertion, child)) break;
      this.#move(child, hole);
      hole = child;
    }
    this.#put(hole, slot, key, insertion);
  }

  #comesBefore(key: number, insertion: number, at: number): boolean {
    const other = this.#keys[at];
    return key < other || (key === other && insertion < this.#insertions[at]);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#slots[from], this.#keys[from], this.#insertions[from]);
  }

  #put(at: number, slot: Slot, key: number, insertion: number): void {
    this.#slots[at] = slot;
    this.#keys[at] = key;
    this.#insertions[at] = insertion;
  }

  #grow(): void {
    const size = Math.max(16, 2 * this.#count);
    this.#slots = grownInts(this.#slots, size);
    this.#keys = grownFloats(this.#keys, size);
    this.#insertions = grownFloats(this.#insertions, size);
  }
}
