/** MurmurHash3 with 32 bits (x86), as Unleash divides users by it. Not for defence against someone who chooses the input.
 *
 *  After A. Appleby, MurmurHash3 (public domain). */
import { fmix32, utf8 } from '../../core/hash.ts';

/** Of a text's UTF-8 bytes, from 0 to 2^32 − 1. */
export function murmur3of32(text: string, seed = 0): number {
  const bytes = utf8(text);
  const whole = bytes.length & ~3;
  let hash = seed | 0;
  for (let at = 0; at < whole; at += 4) {
    hash ^= scrambled(bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24));
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  let rest = 0;
  for (let at = bytes.length - 1; at >= whole; at--) rest = (rest << 8) | bytes[at];
  hash ^= scrambled(rest);
  return fmix32(hash ^ bytes.length) >>> 0;
}

function scrambled(word: number): number {
  const product = Math.imul(word, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}
