/** Fixed sequences in place of chance, for contracts: the same numbers for everybody who asks. */
import { fmix32 } from '../../core/hash.ts';
import type { Rng } from '../../core/rng.ts';

/** Hashes of a counter: without pattern. */
export class HashedDraws implements Rng {
  #state: number;

  constructor(seed = 0) {
    this.#state = seed * 7919;
  }

  uint32(): number {
    return fmix32(++this.#state) >>> 0;
  }
  next(): number {
    return this.uint32() / 0x1_0000_0000;
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
}

/** Steps of the golden ratio: as even over the unit interval as can be. */
export class EvenDraws implements Rng {
  #state = 0;

  next(): number {
    this.#state = (this.#state + 0.6180339887498949) % 1;
    return this.#state;
  }
  uint32(): number {
    return Math.floor(this.next() * 4294967296);
  }
  below(n: number): number {
    return Math.floor(this.next() * n);
  }
}
