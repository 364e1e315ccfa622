/** Rows ordered by a number each, smallest first, any of which can be taken out: a binary heap that knows every row's place.
 *  O(log n) an operation; appending a number larger than all others is O(1). Nothing is allocated after growth. */
import { grownFloats, grownInts } from '../core/grow.ts';

export class RowHeap {
  size: number;
  private heap: Int32Array;
  // By row.
  private rank: Float64Array;
  private place: Int32Array;

  constructor() {
    this.size = 0;
    this.heap = new Int32Array(64);
    this.rank = new Float64Array(64);
    this.place = new Int32Array(64);
  }

  /** The row must not be there. */
  push(row: number, rank: number): void {
    while (row >= this.rank.length) this.growRows();
    if (this.size === this.heap.length) this.heap = grownInts(this.heap, this.size * 2);
    this.rank[row] = rank;
    this.siftUp(this.size++, row);
  }

  /** Takes out the row with the smallest number. There must be one. */
  pop(): number {
    const row = this.heap[0];
    this.remove(row);
    return row;
  }

  remove(row: number): void {
    const place = this.place[row];
    const moved = this.heap[--this.size];
    if (place === this.size) return;
    if (place > 0 && this.rank[moved] < this.rank[this.heap[(place - 1) >>> 1]]) this.siftUp(place, moved);
    else this.siftDown(place, moved);
  }

  private siftUp(from: number, row: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const other = this.heap[parent];
      if (this.rank[row] >= this.rank[other]) break;
      this.put(index, other);
      index = parent;
    }
    this.put(index, row);
  }

  private siftDown(from: number, row: number): void {
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.size) break;
      if (child + 1 < this.size && this.rank[this.heap[child + 1]] < this.rank[this.heap[child]]) child++;
      const other = this.heap[child];
      if (this.rank[other] >= this.rank[row]) break;
      this.put(index, other);
      index = child;
    }
    this.put(index, row);
  }

  private put(index: number, row: number): void {
    this.heap[index] = row;
    this.place[row] = index;
  }

  private growRows(): void {
    const size = this.rank.length * 2;
    this.rank = grownFloats(this.rank, size);
    this.place = grownInts(this.place, size);
  }
}
