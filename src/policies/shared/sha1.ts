/** SHA-1, as LaunchDarkly divides users by it. Broken against someone who looks for collisions, which dividing users does not mind.
 *
 *  After FIPS 180-4. */
import { utf8 } from '../../core/hash.ts';
import { hexOf, paddedWords, rotatedLeft } from './sha-blocks.ts';

/** Of a text's UTF-8 bytes, as 40 hexadecimal digits. */
export const sha1 = (text: string): string => sha1OfBytes(utf8(text));

export function sha1OfBytes(bytes: Uint8Array): string {
  const words = paddedWords(bytes);
  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0);
  const schedule = new Int32Array(80);
  for (let block = 0; block < words.length; block += 16) compress(state, words.subarray(block, block + 16), schedule);
  return hexOf(state);
}

function compress(state: Int32Array, block: Int32Array, schedule: Int32Array): void {
  schedule.set(block);
  for (let i = 16; i < 80; i++)
    schedule[i] = rotatedLeft(schedule[i - 3] ^ schedule[i - 8] ^ schedule[i - 14] ^ schedule[i - 16], 1);
  let [a, b, c, d, e] = state;
  for (let i = 0; i < 80; i++) {
    const mixed = (rotatedLeft(a, 5) + choose(i, b, c, d) + e + constants[Math.floor(i / 20)] + schedule[i]) | 0;
    e = d;
    d = c;
    c = rotatedLeft(b, 30);
    b = a;
    a = mixed;
  }
  [a, b, c, d, e].forEach((word, i) => {
    state[i] += word;
  });
}

function choose(round: number, b: number, c: number, d: number): number {
  if (round < 20) return (b & c) | (~b & d);
  if (round >= 40 && round < 60) return (b & c) | (b & d) | (c & d);
  return b ^ c ^ d;
}

const constants = Int32Array.of(0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6);
