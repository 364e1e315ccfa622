import { describe, expect, it } from 'vitest';
import { fmix32, hashBytes, hashPair, hashString } from '../../src/core/hash.ts';

const seeded = (seed: number): Int32Array => Int32Array.of(seed, seed, seed, seed);
const hex = (words: Int32Array): string => Array.from(words, (word) => (word >>> 0).toString(16).padStart(8, '0')).join(' ');

describe('hashBytes', () => {
  it('passes the verification of SMHasher for MurmurHash3_x86_128: 0xB3ECE62A', () => {
    // Keys {}, {0}, {0, 1}, … up to 255 bytes, hashed with seeds 256, 255, …; then all the hashes, hashed with seed 0.
    const hashes = new Uint8Array(256 * 16);
    for (let length = 0; length < 256; length++) {
      const out = new Int32Array(4);
      hashBytes(
        Uint8Array.from({ length }, (_, k) => k),
        seeded(256 - length),
        out,
      );
      const view = new DataView(hashes.buffer);
      out.forEach((word, k) => view.setInt32(length * 16 + k * 4, word, true));
    }
    const final = new Int32Array(4);
    hashBytes(hashes, seeded(0), final);
    expect(final[0] >>> 0).toBe(0xb3ece62a);
  });

  it('may write into the key itself', () => {
    const apart = new Int32Array(4);
    const words = Int32Array.of(1, 2, 3, 4);
    hashBytes(Uint8Array.of(1, 2, 3), words, apart);
    hashBytes(Uint8Array.of(1, 2, 3), words, words);
    expect(words).toEqual(apart);
  });
});

describe('hashString', () => {
  it.each(['', 'a', 'gateway/3', 'Größe', '漢字', '🚀 launch', 'x'.repeat(100)])('hashes the UTF-8 bytes of %j', (text) => {
    const ofText = new Int32Array(4);
    const ofBytes = new Int32Array(4);
    hashString(text, seeded(7), ofText);
    hashBytes(new TextEncoder().encode(text), seeded(7), ofBytes);
    expect(hex(ofText)).toBe(hex(ofBytes));
  });
});

describe('hashPair', () => {
  it('is the hash of the two numbers as one block of little-endian 64-bit integers', () => {
    const key = Int32Array.of(0x01234567, 0x89abcdef | 0, 0x0badcafe, 0x7fffffff);
    const values = [0, 1, 2, 255, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 40 + 12_345, 2 ** 53 - 1];
    for (const a of values) {
      for (const b of values) {
        const block = new DataView(new ArrayBuffer(16));
        block.setBigUint64(0, BigInt(a), true);
        block.setBigUint64(8, BigInt(b), true);
        const ofPair = new Int32Array(4);
        const ofBytes = new Int32Array(4);
        hashPair(a, b, 16, key, ofPair);
        hashBytes(new Uint8Array(block.buffer), key, ofBytes);
        expect(hex(ofPair), `${a}, ${b}`).toBe(hex(ofBytes));
      }
    }
  });

  it('turns about half of the leading 53 bits when any one bit of either number turns', () => {
    // 400 pairs per input bit: each output bit turns 200 ± 10 times; 5.5 standard deviations over 106 · 53 cells, fixed numbers.
    const key = Int32Array.of(1, 2, 3, 4);
    const before = new Int32Array(4);
    const after = new Int32Array(4);
    let worst = 0;
    for (let bit = 0; bit < 106; bit++) {
      const turned = new Int32Array(64);
      for (let k = 0; k < 400; k++) {
        const numbers = [k * 3, k];
        hashPair(numbers[0], numbers[1], 16, key, before);
        const flip = 2 ** (bit % 53);
        const which = bit < 53 ? 0 : 1;
        numbers[which] += Math.floor(numbers[which] / flip) % 2 === 0 ? flip : -flip;
        hashPair(numbers[0], numbers[1], 16, key, after);
        for (let out = 0; out < 64; out++) turned[out] += ((before[out >> 5] ^ after[out >> 5]) >>> (out & 31)) & 1;
      }
      for (const count of turned) worst = Math.max(worst, Math.abs(count - 200));
    }
    expect(worst).toBeLessThan(55);
  });
});

it('fmix32 is the finisher of MurmurHash3 and loses nothing', () => {
  expect(fmix32(0)).toBe(0);
  // Inverse steps, with the multiplicative inverses of the two constants.
  const undo = (hash: number): number => {
    let h = hash ^ (hash >>> 16);
    h = Math.imul(h, 0x7ed1b41d);
    h ^= (h >>> 13) ^ (h >>> 26);
    h = Math.imul(h, 0xa5cb9243);
    return h ^ (h >>> 16);
  };
  for (const word of [1, 2, 3, 1000, -1, 0x7fffffff, -0x80000000, 0x12345678]) expect(undo(fmix32(word))).toBe(word);
});
