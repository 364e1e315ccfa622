/** Where keys lie between 0 and 1, remembered: the function that says so may hash text, and picks must not allocate.
 *
 *  Places are whole numbers, which are never boxed. A key is looked for in a few neighbouring rows and takes one of them from whoever was
 *  there, so the memory is bounded; it grows to its bound while keys drive each other out. */

/** A number from 0 to below 1 for the two unsigned 32-bit halves of a key's hash, always the same for the same key. */
export type BucketOf = (hashHigh: number, hashLow: number) => number;

/** Places there are. */
export const PLACES = 1_073_741_824;

const FIRST_SIZE = 1024;
const LAST_SIZE = 65_536;
const NEIGHBOURS = 4;
const EMPTY = -1;

export class KeyPlaces {
  #bucketOf: BucketOf | undefined;
  #size = 0;
  #evictions = 0;
  #high: Uint32Array = new Uint32Array(0);
  #low: Uint32Array = new Uint32Array(0);
  #places: Int32Array = new Int32Array(0);

  /** Places come from this function from now on; what is remembered stays if it is the same. */
  use(bucketOf: BucketOf | undefined): void {
    if (bucketOf === this.#bucketOf) return;
    this.#bucketOf = bucketOf;
    this.#resize(bucketOf === undefined ? 0 : Math.max(this.#size, FIRST_SIZE));
  }

  get isUsed(): boolean {
    return this.#bucketOf !== undefined;
  }

  of(hashHigh: number, hashLow: number): number {
    const first = this.#firstRow(hashHigh, hashLow);
    for (let row = first; row < first + NEIGHBOURS; row++) {
      if (this.#low[row] === hashLow && this.#high[row] === hashHigh && this.#places[row] !== EMPTY) return this.#places[row];
    }
    return this.#learn(hashHigh, hashLow);
  }

  #learn(hashHigh: number, hashLow: number): number {
    if (this.#evictions > this.#size / 2 && this.#size < LAST_SIZE) this.#resize(2 * this.#size);
    const first = this.#firstRow(hashHigh, hashLow);
    let row = first;
    while (row < first + NEIGHBOURS && this.#places[row] !== EMPTY) row++;
    if (row === first + NEIGHBOURS) row = first + (this.#evictions++ % NEIGHBOURS);
    this.#high[row] = hashHigh;
    this.#low[row] = hashLow;
    this.#places[row] = Math.floor(this.#bucketOf!(hashHigh, hashLow) * PLACES);
    return this.#places[row];
  }

  /** The keys of one row lie anywhere: the hash may be a poor one. */
  #firstRow(hashHigh: number, hashLow: number): number {
    const mixed = Math.imul(hashLow ^ Math.imul(hashHigh, 0x85ebca6b), 0x9e3779b1);
    return (mixed >>> 12) & (this.#size - NEIGHBOURS);
  }

  #resize(size: number): void {
    this.#size = size;
    this.#evictions = 0;
    this.#high = new Uint32Array(size);
    this.#low = new Uint32Array(size);
    this.#places = new Int32Array(size).fill(EMPTY);
  }
}
