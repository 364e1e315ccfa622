/** MurmurHash3 (x86, 128 bits) with its state started from a 128-bit key, for deriving independent random streams from names and
 *  numbers. Well mixed and fast; not for defence against someone who chooses the input. For a fixed key and length the function of
 *  one 16-byte block is a bijection, so different (a, b) never collide.
 *
 *  After A. Appleby, MurmurHash3 (public domain). With all four key words equal to a seed it is the published function. */

/** Four 32-bit words, signed as JavaScript's bit operations leave them. */
export type Words = Int32Array;

/** Hashes bytes under `key` into `out`, which may be the key itself. */
export function hashBytes(bytes: Uint8Array, key: Words, out: Words): void {
  out[0] = key[0];
  out[1] = key[1];
  out[2] = key[2];
  out[3] = key[3];
  const length = bytes.length;
  const whole = length & ~15;
  for (let at = 0; at < whole; at += 16) {
    absorb(out, wordAt(bytes, at), wordAt(bytes, at + 4), wordAt(bytes, at + 8), wordAt(bytes, at + 12));
  }
  // Bytes past the end read as zero and change nothing.
  out[0] ^= scramble1(wordAt(bytes, whole));
  out[1] ^= scramble2(wordAt(bytes, whole + 4));
  out[2] ^= scramble3(wordAt(bytes, whole + 8));
  out[3] ^= scramble4(wordAt(bytes, whole + 12));
  finish(out, length);
}

/** Hashes a string's UTF-8 bytes. */
export function hashString(text: string, key: Words, out: Words): void {
  hashBytes(utf8(text), key, out);
}

/** Hashes two whole numbers from 0 to 2^53 − 1 as one block. `domain` keeps uses with the same numbers apart; 16 is the published
 *  function. Allocates nothing. */
export function hashPair(a: number, b: number, domain: number, key: Words, out: Words): void {
  // Conversion to int32 is exact modulo 2^32, also beyond 2^31.
  const k1 = scramble1(a | 0);
  const k2 = scramble2((a * 2.3283064365386963e-10) | 0);
  const k3 = scramble3(b | 0);
  const k4 = scramble4((b * 2.3283064365386963e-10) | 0);
  // The block of `absorb` and the finish in registers: this is on the path of every request.
  let h1 = key[0] ^ k1;
  let h2 = key[1];
  let h3 = key[2];
  let h4 = key[3];
  h1 = (Math.imul(((h1 << 19) | (h1 >>> 13)) + h2, 5) + 0x561ccd1b) | 0;
  h2 ^= k2;
  h2 = (Math.imul(((h2 << 17) | (h2 >>> 15)) + h3, 5) + 0x0bcaa747) | 0;
  h3 ^= k3;
  h3 = (Math.imul(((h3 << 15) | (h3 >>> 17)) + h4, 5) + 0x96cd1c35) | 0;
  h4 ^= k4;
  h4 = (Math.imul(((h4 << 13) | (h4 >>> 19)) + h1, 5) + 0x32ac3b17) | 0;
  h2 ^= domain;
  h3 ^= domain;
  h4 ^= domain;
  h1 = ((h1 ^ domain) + h2 + h3 + h4) | 0;
  const f2 = fmix32(h2 + h1);
  const f3 = fmix32(h3 + h1);
  const f4 = fmix32(h4 + h1);
  h1 = (fmix32(h1) + f2 + f3 + f4) | 0;
  out[0] = h1;
  out[1] = f2 + h1;
  out[2] = f3 + h1;
  out[3] = f4 + h1;
}

function absorb(h: Words, w1: number, w2: number, w3: number, w4: number): void {
  let h1 = h[0] ^ scramble1(w1);
  let h2 = h[1];
  let h3 = h[2];
  let h4 = h[3];
  h1 = (Math.imul(((h1 << 19) | (h1 >>> 13)) + h2, 5) + 0x561ccd1b) | 0;
  h2 ^= scramble2(w2);
  h2 = (Math.imul(((h2 << 17) | (h2 >>> 15)) + h3, 5) + 0x0bcaa747) | 0;
  h3 ^= scramble3(w3);
  h3 = (Math.imul(((h3 << 15) | (h3 >>> 17)) + h4, 5) + 0x96cd1c35) | 0;
  h4 ^= scramble4(w4);
  h4 = (Math.imul(((h4 << 13) | (h4 >>> 19)) + h1, 5) + 0x32ac3b17) | 0;
  h[0] = h1;
  h[1] = h2;
  h[2] = h3;
  h[3] = h4;
}

function finish(h: Words, length: number): void {
  let h1 = h[0] ^ length;
  let h2 = h[1] ^ length;
  let h3 = h[2] ^ length;
  let h4 = h[3] ^ length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = fmix32(h2 + h1);
  h3 = fmix32(h3 + h1);
  h4 = fmix32(h4 + h1);
  h1 = (fmix32(h1) + h2 + h3 + h4) | 0;
  h[0] = h1;
  h[1] = h2 + h1;
  h[2] = h3 + h1;
  h[3] = h4 + h1;
}

const scramble1 = (w: number): number => spread(w, 0x239b961b, 15, 0xab0e9789);
const scramble2 = (w: number): number => spread(w, 0xab0e9789, 16, 0x38b34ae5);
const scramble3 = (w: number): number => spread(w, 0x38b34ae5, 17, 0xa1e38b93);
const scramble4 = (w: number): number => spread(w, 0xa1e38b93, 18, 0x239b961b);

function spread(word: number, first: number, turn: number, second: number): number {
  const product = Math.imul(word, first);
  return Math.imul((product << turn) | (product >>> (32 - turn)), second);
}

/** A bijection of 32 bits in which each input bit turns each output bit with probability near one half. */
export function fmix32(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);

/** UTF-8 without TextEncoder, which belongs to the platform and not to the language. A lone surrogate is encoded as it stands. */
export function utf8(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return Uint8Array.from(bytes);
}
