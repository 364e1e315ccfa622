/** Doubly linked lists over rows of a table: a row is in one list at most. Every operation is O(1) and allocates nothing once the
 *  columns have grown to the rows in use. Those who need order, removal from the middle and no garbage share it: queues of waiters,
 *  idle connections, least recently used entries. */
import { grown } from '../core/grow.ts';

const NONE = -1;

export class LinkedRows {
  /** By list; -1 when it is empty. */
  first: Int32Array;
  last: Int32Array;
  /** By row; -1 at the ends. They mean something only while the row is in a list. */
  next: Int32Array;
  prev: Int32Array;
  private lists: number;

  constructor(lists: number) {
    this.first = new Int32Array(lists).fill(NONE);
    this.last = new Int32Array(lists).fill(NONE);
    this.next = new Int32Array(64);
    this.prev = new Int32Array(64);
    this.lists = lists;
  }

  /** So many more empty lists; returns the number of the first. */
  addLists(count: number): number {
    const added = this.lists;
    this.lists += count;
    if (this.lists > this.first.length) {
      const size = Math.max(this.lists, this.first.length * 2);
      this.first = grown(this.first, new Int32Array(size).fill(NONE));
      this.last = grown(this.last, new Int32Array(size).fill(NONE));
    }
    return added;
  }

  append(list: number, row: number): void {
    while (row >= this.next.length) this.growRows();
    const last = this.last[list];
    this.prev[row] = last;
    this.next[row] = NONE;
    this.last[list] = row;
    if (last === NONE) this.first[list] = row;
    else this.next[last] = row;
  }

  unlink(list: number, row: number): void {
    const before = this.prev[row];
    const after = this.next[row];
    if (before === NONE) this.first[list] = after;
    else this.next[before] = after;
    if (after === NONE) this.last[list] = before;
    else this.prev[after] = before;
  }

  private growRows(): void {
    const size = this.next.length * 2;
    this.next = grown(this.next, new Int32Array(size));
    this.prev = grown(this.prev, new Int32Array(size));
  }
}
