/** Two members of A. Appleby's MurmurHash family: the 64-bit MurmurHash2 that std::hash of libstdc++ is made of (Envoy's MURMUR_HASH_2),
 *  and the 128-bit MurmurHash3 of two numbers, first half, that Katran places endpoints with. */
import { utf8 } from '../../../core/hash.ts';
import { type Hash64, U64, word32 } from './u64.ts';

/** The seed of libstdc++. */
export const STD_HASH_SEED = 0xc70f6907;

export function murmurHash2(text: string, seed = STD_HASH_SEED): Hash64 {
  const bytes = utf8(text);
  const hash = new U64().set(0, bytes.length).multiply(multiplier2).xor(new U64().set(0, seed));
  const block = new U64();
  let at = 0;
  for (; at + 8 <= bytes.length; at += 8) {
    block
      .set(word32(bytes, at + 4), word32(bytes, at))
      .multiply(multiplier2)
      .xorShifted(47)
      .multiply(multiplier2);
    hash.xor(block).multiply(multiplier2);
  }
  if (at < bytes.length) {
    const rest = new Uint8Array(8);
    rest.set(bytes.subarray(at));
    hash.xor(block.set(word32(rest, 4), word32(rest, 0))).multiply(multiplier2);
  }
  return hash.xorShifted(47).multiply(multiplier2).xorShifted(47).toHash();
}

export function murmurHash3OfPair(a: Hash64, b: Hash64, seed: number): Hash64 {
  const first = new U64().set(0, seed);
  const second = new U64().set(0, seed);
  first.xor(new U64().set(a.high, a.low).multiply(multiplier3a).rotateLeft(31).multiply(multiplier3b));
  first.rotateLeft(27).add(second).multiply(five).add(increment1);
  second.xor(new U64().set(b.high, b.low).multiply(multiplier3b).rotateLeft(33).multiply(multiplier3a));
  second.rotateLeft(31).add(first).multiply(five).add(increment2);
  first.xor(length).add(second.xor(length));
  second.add(first);
  return finish(first).add(finish(second)).toHash();
}

const finish = (hash: U64): U64 => hash.xorShifted(33).multiply(final1).xorShifted(33).multiply(final2).xorShifted(33);

const multiplier2 = new U64().set(0xc6a4a793, 0x5bd1e995);
const multiplier3a = new U64().set(0x87c37b91, 0x114253d5);
const multiplier3b = new U64().set(0x4cf5ad43, 0x2745937f);
const five = new U64().set(0, 5);
const increment1 = new U64().set(0, 0x52dce729);
const increment2 = new U64().set(0, 0x38495ab5);
const length = new U64().set(0, 16);
const final1 = new U64().set(0xff51afd7, 0xed558ccd);
const final2 = new U64().set(0xc4ceb9fe, 0x1a85ec53);
