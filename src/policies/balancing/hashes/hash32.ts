/** The 32-bit hashes of HAProxy and nginx. */
import { utf8 } from '../../../core/hash.ts';
import { crc32 } from '../../shared/crc32.ts';

export const haproxyHashNames = ['sdbm', 'djb2', 'wt6', 'crc32'] as const;
export type HaproxyHashName = (typeof haproxyHashNames)[number];

/** HAProxy's `hash-type <method> <function> [avalanche]`. */
export function haproxyHash(name: HaproxyHashName, text: string, avalanche = false): number {
  const hash = functions[name](utf8(text));
  return avalanche ? fullAvalanche(hash) : hash;
}

/** Spreads a 32-bit number over the whole range (B. Jenkins), as HAProxy places servers on its ring. */
export function fullAvalanche(value: number): number {
  let a = value | 0;
  a = (a + 0x7ed55d16 + (a << 12)) | 0;
  a = a ^ 0xc761c23c ^ (a >>> 19);
  a = (a + 0x165667b1 + (a << 5)) | 0;
  a = (a + 0xd3a2646c) ^ (a << 9);
  a = (a + 0xfd7046c5 + (a << 3)) | 0;
  a = a ^ 0xb55a4f09 ^ (a >>> 16);
  // Three quarters of the range, a prime.
  return Math.imul(a, 0xc0000001) >>> 0;
}

function sdbm(bytes: Uint8Array): number {
  let hash = 0;
  for (const byte of bytes) hash = (byte + (hash << 6) + (hash << 16) - hash) | 0;
  return hash >>> 0;
}

function djb2(bytes: Uint8Array): number {
  let hash = 5381;
  for (const byte of bytes) hash = ((hash << 5) + hash + byte) | 0;
  return hash >>> 0;
}

/** W. Tarreau's: two words, rotated by amounts that depend on what came before. */
function wt6(bytes: Uint8Array): number {
  let h0 = 0xa53c965a | 0;
  let h1 = 0x5ca6953a;
  let step0 = 6;
  let step1 = 18;
  for (const byte of bytes) {
    h0 = ~(h0 ^ byte);
    h1 = ~(h1 + byte);
    const rotated = rotate(h1, step0);
    h1 = rotate(h0, step1);
    h0 = rotated;
    const steps = ((h0 >>> 16) ^ h1) & 0xffff;
    step0 = steps & 0x1f;
    step1 = steps >>> 11;
  }
  return (h0 ^ h1) >>> 0;
}

const rotate = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

const functions: Readonly<Record<HaproxyHashName, (bytes: Uint8Array) => number>> = { sdbm, djb2, wt6, crc32 };
