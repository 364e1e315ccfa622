/** xoshiro128++ 1.0: the generator behind every stream. Period 2^128 − 1, four words of state, a few shifts and additions per draw.
 *
 *  Use it for simulation and for choices of policies; it is no cryptographic generator. Get instances from `Streams`, which derives
 *  well-mixed states: seeded by hand with few bits set, the first outputs are poor, and the all-zero state is a fixed point.
 *
 *  After D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators" (ACM TOMS 47(4), 2021). */
import type { Rng } from './rng.ts';

export class Xoshiro128 implements Rng {
  // Plain int32 fields, set once in the constructor: the engine's fastest way to keep a word. Typed arrays cost a load each.
  declare private s0: number;
  declare private s1: number;
  declare private s2: number;
  declare private s3: number;

  constructor(s0: number, s1: number, s2: number, s3: number) {
    this.s0 = s0 | 0;
    this.s1 = s1 | 0;
    this.s2 = s2 | 0;
    this.s3 = s3 | 0;
    if ((this.s0 | this.s1 | this.s2 | this.s3) === 0) this.s0 = 1;
  }

  /** Starts over from another state, in place; scratch generators are re-seeded per request. All zeros become 1, 0, 0, 0. */
  reseed(s0: number, s1: number, s2: number, s3: number): void {
    this.s0 = s0 | 0;
    this.s1 = s1 | 0;
    this.s2 = s2 | 0;
    this.s3 = s3 | 0;
    if ((this.s0 | this.s1 | this.s2 | this.s3) === 0) this.s0 = 1;
  }

  /** The four state words, unsigned. */
  state(): readonly [number, number, number, number] {
    return [this.s0 >>> 0, this.s1 >>> 0, this.s2 >>> 0, this.s3 >>> 0];
  }

  /** Draws one word. */
  uint32(): number {
    const s0 = this.s0;
    const s1 = this.s1;
    const s2 = this.s2 ^ s0;
    const s3 = this.s3 ^ s1;
    const sum = (s0 + this.s3) | 0;
    this.s1 = s1 ^ s2;
    this.s0 = s0 ^ s3;
    this.s2 = s2 ^ (s1 << 9);
    this.s3 = (s3 << 11) | (s3 >>> 21);
    return (((sum << 7) | (sum >>> 25)) + s0) >>> 0;
  }

  /** Draws two words: 27 bits of the first lead, 26 bits of the second follow. */
  next(): number {
    // Two steps written out, so that the state between them stays in registers.
    const a0 = this.s0;
    const a1 = this.s1;
    const a3 = this.s3;
    const sumA = (a0 + a3) | 0;
    const first = (((sumA << 7) | (sumA >>> 25)) + a0) >>> 5;
    const x2 = this.s2 ^ a0;
    const x3 = a3 ^ a1;
    const b0 = a0 ^ x3;
    const b1 = a1 ^ x2;
    const b2 = x2 ^ (a1 << 9);
    const b3 = (x3 << 11) | (x3 >>> 21);
    const sumB = (b0 + b3) | 0;
    const second = (((sumB << 7) | (sumB >>> 25)) + b0) >>> 6;
    const y2 = b2 ^ b0;
    const y3 = b3 ^ b1;
    this.s0 = b0 ^ y3;
    this.s1 = b1 ^ y2;
    this.s2 = y2 ^ (b1 << 9);
    this.s3 = (y3 << 11) | (y3 >>> 21);
    return (first * 67108864 + second) * 1.1102230246251565e-16;
  }

  /** Draws one word, and another each time the first falls into the part of the range that would favour some values: with
   *  probability (2^32 mod n) / 2^32, below n / 2^32. Multiplication instead of a remainder: D. Lemire, "Fast random integer
   *  generation in an interval" (2019). */
  below(n: number): number {
    // The step of `uint32` written out: a word above 2^31 returned from a call is boxed.
    const s0 = this.s0;
    const s1 = this.s1;
    const s2 = this.s2 ^ s0;
    const s3 = this.s3 ^ s1;
    const sum = (s0 + this.s3) | 0;
    this.s1 = s1 ^ s2;
    this.s0 = s0 ^ s3;
    this.s2 = s2 ^ (s1 << 9);
    this.s3 = (s3 << 11) | (s3 >>> 21);
    let word = (((sum << 7) | (sum >>> 25)) + s0) >>> 0;
    let low = Math.imul(word, n) >>> 0;
    if (low < n) {
      const unfair = (4294967296 - n) % n;
      while (low < unfair) {
        word = this.uint32();
        low = Math.imul(word, n) >>> 0;
      }
    }
    // The high half of the 64-bit product. The product may round in its last ten bits; half a unit absorbs that.
    return ((word * n - low) * 2.3283064365386963e-10 + 0.5) >>> 0;
  }
}
