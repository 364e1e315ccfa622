/** Where keys lie between 0 and 1, remembered: the function that says so may hash text, and picks must not allocate. Each key has one place
 *  in the memory and takes it from whoever was there; the memory grows while keys drive each other out, up to a bound. */

/** A number from 0 to below 1 for the two unsigned 32-bit halves of a key's hash, always the same for the same key. */
export type BucketOf = (hashHigh: number, hashLow: number) => number;

const FIRST_SIZE = 1024;
const LAST_SIZE = 65_536;
const EMPTY = -1;

export class KeyBuckets {
  #bucketOf: BucketOf | undefined;
  #size = 0;
  #evictions = 0;
  #high: Uint32Array = new Uint32Array(0);
  #low: Uint32Array = new Uint32Array(0);
  #buckets: Float64Array = new Float64Array(0);

  /** Buckets come from this function from now on; what is remembered stays if it is the same. */
  use(bucketOf: BucketOf | undefined): void {
    if (bucketOf === this.#bucketOf) return;
    this.#bucketOf = bucketOf;
    this.#resize(bucketOf === undefined ? 0 : Math.max(this.#size, FIRST_SIZE));
  }

  get isUsed(): boolean {
    return this.#bucketOf !== undefined;
  }

  of(hashHigh: number, hashLow: number): number {
    const place = (hashHigh ^ hashLow) & (this.#size - 1);
    const bucket = this.#buckets[place];
    if (bucket !== EMPTY && this.#low[place] === hashLow && this.#high[place] === hashHigh) return bucket;
    return this.#learn(hashHigh, hashLow);
  }

  #learn(hashHigh: number, hashLow: number): number {
    if (this.#evictions > this.#size / 2 && this.#size < LAST_SIZE) this.#resize(2 * this.#size);
    const place = (hashHigh ^ hashLow) & (this.#size - 1);
    if (this.#buckets[place] !== EMPTY) this.#evictions++;
    this.#high[place] = hashHigh;
    this.#low[place] = hashLow;
    this.#buckets[place] = this.#bucketOf!(hashHigh, hashLow);
    return this.#buckets[place];
  }

  #resize(size: number): void {
    this.#size = size;
    this.#evictions = 0;
    this.#high = new Uint32Array(size);
    this.#low = new Uint32Array(size);
    this.#buckets = new Float64Array(size).fill(EMPTY);
  }
}
