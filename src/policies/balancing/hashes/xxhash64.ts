/** xxHash64, the hash of Envoy's and gRPC's rings and tables. After Y. Collet's specification. */
import { utf8 } from '../../../core/hash.ts';
import { type Hash64, U64, word32 } from './u64.ts';

export const xxHash64 = (text: string, seed = 0): Hash64 => xxHash64Bytes(utf8(text), seed);

/** `seed` is a 32-bit number. */
export function xxHash64Bytes(bytes: Uint8Array, seed = 0): Hash64 {
  const length = bytes.length;
  let at = 0;
  if (length >= 32) {
    const lanes = [
      new U64().set(0, seed).add(prime1).add(prime2),
      new U64().set(0, seed).add(prime2),
      new U64().set(0, seed),
      new U64().set(0, seed).add(minusPrime1),
    ];
    for (; at + 32 <= length; at += 32) lanes.forEach((lane, i) => round(lane, load64(bytes, at + 8 * i)));
    hash.set(0, 0);
    lanes.forEach((lane, i) => hash.add(scratch.copy(lane).rotateLeft([1, 7, 12, 18][i])));
    for (const lane of lanes)
      hash
        .xor(round(scratch.set(0, 0), lane))
        .multiply(prime1)
        .add(prime4);
  } else {
    hash.set(0, seed).add(prime5);
  }
  hash.add(word.set(0, length));
  for (; at + 8 <= length; at += 8) {
    hash.xor(round(scratch.set(0, 0), load64(bytes, at)));
    hash.rotateLeft(27).multiply(prime1).add(prime4);
  }
  if (at + 4 <= length) {
    hash.xor(word.set(0, word32(bytes, at)).multiply(prime1));
    hash.rotateLeft(23).multiply(prime2).add(prime3);
    at += 4;
  }
  for (; at < length; at++) {
    hash.xor(word.set(0, bytes[at]).multiply(prime5));
    hash.rotateLeft(11).multiply(prime1);
  }
  return hash.xorShifted(33).multiply(prime2).xorShifted(29).multiply(prime3).xorShifted(32).toHash();
}

/** Mixes eight bytes into a lane. */
const round = (lane: U64, input: U64): U64 => lane.add(input2.copy(input).multiply(prime2)).rotateLeft(31).multiply(prime1);

const load64 = (bytes: Uint8Array, at: number): U64 => word.set(word32(bytes, at + 4), word32(bytes, at));

const prime1 = new U64().set(0x9e3779b1, 0x85ebca87);
const prime2 = new U64().set(0xc2b2ae3d, 0x27d4eb4f);
const prime3 = new U64().set(0x165667b1, 0x9e3779f9);
const prime4 = new U64().set(0x85ebca77, 0xc2b2ae63);
const prime5 = new U64().set(0x27d4eb2f, 0x165667c5);
const minusPrime1 = new U64().set(~0x9e3779b1, ~0x85ebca87 + 1);

// Scratch registers; nothing here runs while another call is under way.
const hash = new U64();
const scratch = new U64();
const input2 = new U64();
const word = new U64();
