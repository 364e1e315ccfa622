/** Whole numbers to small integers, as a hash table in typed arrays: with hundreds of thousands of entries several times as fast as a
 *  Map, which boxes every number beyond 31 bits. Open addressing with linear probing; entries are not removed one by one, the table is
 *  cleared or rebuilt. */

export class NumberTable {
  declare size: number;
  /** NaN where free. */
  declare private keys: Float64Array;
  declare private values: Int32Array;
  declare private mask: number;

  constructor() {
    this.size = 0;
    this.clear();
  }

  clear(): void {
    this.size = 0;
    this.mask = 1023;
    this.keys = new Float64Array(this.mask + 1).fill(NaN);
    this.values = new Int32Array(this.mask + 1);
  }

  /** −1 for none. */
  get(key: number): number {
    const place = this.placeOf(key);
    return this.keys[place] === key ? this.values[place] : -1;
  }

  set(key: number, value: number): void {
    const place = this.placeOf(key);
    this.values[place] = value;
    if (this.keys[place] === key) return;
    this.keys[place] = key;
    this.size++;
    // Beyond half full, runs of neighbours get long.
    if (this.size * 2 > this.mask) this.grow();
  }

  /** Entries in no particular order. */
  *entries(): Generator<readonly [key: number, value: number]> {
    for (let place = 0; place <= this.mask; place++) {
      if (!Number.isNaN(this.keys[place])) yield [this.keys[place], this.values[place]];
    }
  }

  /** Where the key is, or would be put. */
  private placeOf(key: number): number {
    const { keys, mask } = this;
    // Multiplication spreads neighbours; the high bits are the well mixed ones.
    let hash = Math.imul((key | 0) ^ ((key * 2.3283064365386963e-10) | 0), 0x9e3779b1);
    hash ^= hash >>> 15;
    let place = hash & mask;
    while (keys[place] === keys[place] && keys[place] !== key) place = (place + 1) & mask;
    return place;
  }

  private grow(): void {
    const { keys, values } = this;
    this.mask = this.mask * 2 + 1;
    this.keys = new Float64Array(this.mask + 1).fill(NaN);
    this.values = new Int32Array(this.mask + 1);
    for (let place = 0; place < keys.length; place++) {
      if (Number.isNaN(keys[place])) continue;
      const to = this.placeOf(keys[place]);
      this.keys[to] = keys[place];
      this.values[to] = values[place];
    }
  }
}
