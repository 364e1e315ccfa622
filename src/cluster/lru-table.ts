/** Entries of caches that forget the least recently used first; one cache per place, all in one table. Rows name entries: what a user
 *  wants to know of an entry stands in a column by row. Every operation is O(1) but `clear`. */
import { grownFloats } from '../core/grow.ts';
import type { Ms } from '../core/time.ts';
import { KeyTable } from './key-table.ts';
import { LinkedRows } from './linked-rows.ts';

const NONE = -1;

export class LruTable {
  /** By row: when the entry stops being fresh, and how long fetching it took. */
  expiryMs: Float64Array;
  fetchMs: Float64Array;
  /** Entries by place. */
  readonly size: Int32Array;
  private readonly entries: number;
  private readonly rows: KeyTable;
  /** By place, least recently used first. */
  private readonly uses: LinkedRows;

  /** `entries` is what each place holds at most. */
  constructor(entries: number, places: number) {
    this.entries = entries;
    this.rows = new KeyTable();
    this.uses = new LinkedRows(places);
    this.size = new Int32Array(places);
    this.expiryMs = new Float64Array(this.rows.capacity);
    this.fetchMs = new Float64Array(this.rows.capacity);
  }

  /** The entry's row, or -1. Looking is not using. */
  find(place: number, key: number): number {
    return this.rows.find(place, key);
  }

  use(row: number): void {
    const place = this.rows.place[row];
    if (this.uses.last[place] === row) return;
    this.uses.unlink(place, row);
    this.uses.append(place, row);
  }

  /** Enters or renews, as the most recently used; the place's least recently used entry makes room. */
  put(place: number, key: number, expiryMs: Ms, fetchMs: Ms): void {
    let row = this.rows.find(place, key);
    if (row === NONE) {
      if (this.size[place] >= this.entries) this.remove(this.uses.first[place]);
      row = this.add(place, key);
    } else this.use(row);
    this.expiryMs[row] = expiryMs;
    this.fetchMs[row] = fetchMs;
  }

  remove(row: number): void {
    const place = this.rows.place[row];
    this.size[place]--;
    this.uses.unlink(place, row);
    this.rows.remove(row);
  }

  clear(place: number): void {
    while (this.uses.first[place] !== NONE) this.remove(this.uses.first[place]);
  }

  private add(place: number, key: number): number {
    const row = this.rows.add(place, key);
    if (this.rows.capacity > this.expiryMs.length) {
      this.expiryMs = grownFloats(this.expiryMs, this.rows.capacity);
      this.fetchMs = grownFloats(this.fetchMs, this.rows.capacity);
    }
    this.size[place]++;
    this.uses.append(place, row);
    return row;
  }
}
