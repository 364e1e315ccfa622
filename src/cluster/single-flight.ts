/** Fetches under way, one per (place, key), and who waits for each: so that a thousand requests for one missing key ask the database
 *  once. Known as single flight or request coalescing (groupcache, 2013; Varnish's waiting list).
 *
 *  Fails when the one fetch is slow or lost: everybody behind it shares its fate. */
import { invariant } from '../core/errors.ts';
import { grown } from '../core/grow.ts';
import { KeyTable } from './key-table.ts';
import { LinkedRows } from './linked-rows.ts';

const NONE = -1;

export class SingleFlight {
  private readonly fetches: KeyTable;
  /** By fetch, in the order in which they came. */
  private readonly waiters: LinkedRows;
  /** How many lists `waiters` has. */
  private lists: number;
  /** By waiter: the fetch; -1 for none. */
  private fetchOf: Int32Array;

  constructor() {
    this.fetches = new KeyTable();
    this.lists = this.fetches.capacity;
    this.waiters = new LinkedRows(this.lists);
    this.fetchOf = new Int32Array(64).fill(NONE);
  }

  isOut(place: number, key: number): boolean {
    return this.fetches.find(place, key) !== NONE;
  }

  begin(place: number, key: number): void {
    this.fetches.add(place, key);
    if (this.fetches.capacity > this.lists) {
      this.waiters.addLists(this.fetches.capacity - this.lists);
      this.lists = this.fetches.capacity;
    }
  }

  join(place: number, key: number, waiter: number): void {
    const fetch = this.fetches.find(place, key);
    invariant(fetch !== NONE, 'a request waits for a fetch that nobody has begun');
    while (waiter >= this.fetchOf.length) {
      this.fetchOf = grown(this.fetchOf, new Int32Array(this.fetchOf.length * 2).fill(NONE));
    }
    invariant(this.fetchOf[waiter] === NONE, 'a request waits for two fetches');
    this.fetchOf[waiter] = fetch;
    this.waiters.append(fetch, waiter);
  }

  /** The fetch is over. `each` may begin the next fetch of the key, join it, and make others give up. */
  end(place: number, key: number, each: (waiter: number) => void): void {
    const fetch = this.fetches.find(place, key);
    invariant(fetch !== NONE, 'a fetch ended that nobody has begun');
    // Out of sight before anybody is told, but its row stays taken: those who join from now on join another.
    this.fetches.hide(fetch);
    for (let waiter = this.waiters.first[fetch]; waiter !== NONE; waiter = this.waiters.first[fetch]) {
      this.forget(waiter);
      each(waiter);
    }
    this.fetches.release(fetch);
  }

  /** Whoever does not wait may be forgotten too. */
  forget(waiter: number): void {
    const fetch = waiter < this.fetchOf.length ? this.fetchOf[waiter] : NONE;
    if (fetch === NONE) return;
    this.fetchOf[waiter] = NONE;
    this.waiters.unlink(fetch, waiter);
  }
}
