/** The 32-bit Mersenne Twister (mt19937) of Matsumoto and Nishimura, for reproducing orders that were shuffled with it. Seeding fills 624
 *  words and the first draw another 624; nothing is allocated after construction. */
export class MersenneTwister {
  readonly #state = new Uint32Array(WORDS);
  #next = WORDS;

  seed(value: number): void {
    const state = this.#state;
    state[0] = value;
    for (let i = 1; i < WORDS; i++) state[i] = Math.imul(0x6c078965, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
    this.#next = WORDS;
  }

  uint32(): number {
    if (this.#next === WORDS) this.#refill();
    let word = this.#state[this.#next++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  /** Uniform below `n`, as Envoy draws it: the range is cut into n equal parts and what is left over is drawn again. */
  below(n: number): number {
    const part = Math.floor(0x1_0000_0000 / n);
    for (;;) {
      const draw = Math.floor(this.uint32() / part);
      if (draw < n) return draw;
    }
  }

  #refill(): void {
    const state = this.#state;
    for (let i = 0; i < WORDS; i++) {
      const bits = (state[i] & 0x80000000) | (state[(i + 1) % WORDS] & 0x7fffffff);
      state[i] = state[(i + SHIFT) % WORDS] ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }
}

const WORDS = 624;
const SHIFT = 397;
