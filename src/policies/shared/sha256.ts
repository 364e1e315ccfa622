/** SHA-256, the address of a content: equal addresses mean equal contents, for all that is known.
 *
 *  After FIPS 180-4. Its constants are the first bits of the fractional parts of roots of the first primes; they are written out because
 *  computing roots to 32 bits takes more care than a list. */
import { utf8 } from '../../core/hash.ts';
import { hexOf, paddedWords } from './sha-blocks.ts';

/** Of a text's UTF-8 bytes, as 64 hexadecimal digits. */
export const sha256 = (text: string): string => sha256OfBytes(utf8(text));

export function sha256OfBytes(bytes: Uint8Array): string {
  const words = paddedWords(bytes);
  const state = Int32Array.of(0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19);
  const schedule = new Int32Array(64);
  for (let block = 0; block < words.length; block += 16) compress(state, words.subarray(block, block + 16), schedule);
  return hexOf(state);
}

function compress(state: Int32Array, block: Int32Array, schedule: Int32Array): void {
  schedule.set(block);
  for (let i = 16; i < 64; i++) {
    const early = schedule[i - 15];
    const late = schedule[i - 2];
    const mixedEarly = right(early, 7) ^ right(early, 18) ^ (early >>> 3);
    const mixedLate = right(late, 17) ^ right(late, 19) ^ (late >>> 10);
    schedule[i] = (schedule[i - 16] + mixedEarly + schedule[i - 7] + mixedLate) | 0;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let i = 0; i < 64; i++) {
    const mixedE = right(e, 6) ^ right(e, 11) ^ right(e, 25);
    const first = (h + mixedE + ((e & f) ^ (~e & g)) + constants[i] + schedule[i]) | 0;
    const mixedA = right(a, 2) ^ right(a, 13) ^ right(a, 22);
    const second = (mixedA + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] += word;
  });
}

const right = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

// prettier-ignore
const constants = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
);
