/** Row numbers for pairs (place, key): a hash table whose users keep columns of their own by row. Rows are dense and used again.
 *  Open addressing with linear probing, at most half full; a removal moves later entries up instead of leaving a mark (Knuth,
 *  TAOCP vol. 3, 6.4, algorithm R), so that years of coming and going do not lengthen a search. */
import { grown, grownInts } from '../core/grow.ts';
import { fmix32 } from '../core/hash.ts';

const NONE = -1;
const INITIAL = 64;

export class KeyTable {
  /** Rows ever handed out are below this: how long the columns of the users must be. */
  capacity: number;
  /** By row. */
  place: Int32Array;
  private key: Int32Array;
  /** Row of each cell; -1 where it is empty. A power of two. */
  private cells: Int32Array;
  private findable: number;
  /** First free row; the others follow through `key`. */
  private free: number;
  private used: number;

  constructor() {
    this.capacity = INITIAL;
    this.place = new Int32Array(INITIAL);
    this.key = new Int32Array(INITIAL);
    this.cells = new Int32Array(INITIAL * 2).fill(NONE);
    this.findable = 0;
    this.free = NONE;
    this.used = 0;
  }

  /** The pair's row, or -1. */
  find(place: number, key: number): number {
    const { cells } = this;
    const mask = cells.length - 1;
    for (let cell = spread(place, key) & mask; ; cell = (cell + 1) & mask) {
      const row = cells[cell];
      if (row === NONE || (this.key[row] === key && this.place[row] === place)) return row;
    }
  }

  /** A row for a pair that has none. */
  add(place: number, key: number): number {
    if (2 * (this.findable + 1) > this.cells.length) this.growCells();
    const row = this.takeRow();
    this.place[row] = place;
    this.key[row] = key;
    this.findable++;
    this.enter(row);
    return row;
  }

  /** The pair has no row from now on, but the row stays taken until `release`. */
  hide(row: number): void {
    const { cells } = this;
    const mask = cells.length - 1;
    let hole = this.homeOf(row) & mask;
    while (cells[hole] !== row) hole = (hole + 1) & mask;
    for (let cell = (hole + 1) & mask; cells[cell] !== NONE; cell = (cell + 1) & mask) {
      const other = cells[cell];
      // It may move up if that is not before its home.
      if (((cell - this.homeOf(other)) & mask) < ((cell - hole) & mask)) continue;
      cells[hole] = other;
      hole = cell;
    }
    cells[hole] = NONE;
    this.findable--;
  }

  /** Gives back a hidden row. */
  release(row: number): void {
    this.key[row] = this.free;
    this.free = row;
  }

  remove(row: number): void {
    this.hide(row);
    this.release(row);
  }

  private enter(row: number): void {
    const { cells } = this;
    const mask = cells.length - 1;
    let cell = this.homeOf(row) & mask;
    while (cells[cell] !== NONE) cell = (cell + 1) & mask;
    cells[cell] = row;
  }

  private homeOf(row: number): number {
    return spread(this.place[row], this.key[row]);
  }

  private takeRow(): number {
    const row = this.free;
    if (row !== NONE) {
      this.free = this.key[row];
      return row;
    }
    if (this.used === this.capacity) {
      this.capacity *= 2;
      this.place = grownInts(this.place, this.capacity);
      this.key = grown(this.key, new Int32Array(this.capacity));
    }
    return this.used++;
  }

  private growCells(): void {
    const old = this.cells;
    this.cells = new Int32Array(old.length * 2).fill(NONE);
    for (const row of old) if (row !== NONE) this.enter(row);
  }
}

const spread = (place: number, key: number): number => fmix32(key ^ Math.imul(place, 0x9e3779b1));
