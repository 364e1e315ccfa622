/** The hashes of contents and of users against published values. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fnv1a32 } from '../../../src/policies/shared/fnv1a.ts';
import { murmur3of32 } from '../../../src/policies/shared/murmur3-32.ts';
import { sha1, sha1OfBytes } from '../../../src/policies/shared/sha1.ts';
import { sha256, sha256OfBytes } from '../../../src/policies/shared/sha256.ts';

const millionA = new Uint8Array(1_000_000).fill(97);

describe('SHA-1 and SHA-256', () => {
  it('give the values that FIPS 180 prints', () => {
    expect(sha1('abc')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
    expect(sha1('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')).toBe('84983e441c3bd26ebaae4aa1f95129e5e54670f1');
    expect(sha1OfBytes(millionA)).toBe('34aa973cd4c4daa4f61eeb2bdbad27316534016f');
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sha256('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')).toBe(
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    );
    expect(sha256OfBytes(millionA)).toBe('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
  });

  it('agree with the platform for every length around a block, and for other alphabets', () => {
    const texts = [...Array.from({ length: 131 }, (_, length) => 'x'.repeat(length)), 'ключ', '键值', '🙂🙂'];
    for (const text of texts) {
      expect(sha1(text)).toBe(createHash('sha1').update(text).digest('hex'));
      expect(sha256(text)).toBe(createHash('sha256').update(text).digest('hex'));
    }
  });
});

describe('FNV-1a', () => {
  it('gives the values of its authors’ test suite', () => {
    expect(fnv1a32('')).toBe(0x811c9dc5);
    expect(fnv1a32('a')).toBe(0xe40c292c);
    expect(fnv1a32('foobar')).toBe(0xbf9cf968);
  });
});

describe('MurmurHash3', () => {
  it.each([
    ['', 0, 0],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['a', 0x9747b28c, 0x7fa09ea6],
    ['aa', 0x9747b28c, 0x5d211726],
    ['aaa', 0x9747b28c, 0x283e0130],
    ['aaaa', 0x9747b28c, 0x5a97808a],
    ['abc', 0, 0xb3dd93fa],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ])('of %j with seed %i is what is published', (text, seed, expected) => {
    expect(murmur3of32(text, seed)).toBe(expected);
  });
});
