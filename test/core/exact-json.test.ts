import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exactJson, parseExactJson } from '../../src/core/exact-json.ts';

test('loses nothing', () => {
  const value = {
    numbers: [0, -0, NaN, Infinity, -Infinity, 1e300, 5e-324, 0.1 + 0.2],
    times: Float64Array.of(0, NaN, Infinity),
    keys: Int32Array.of(-1, 2),
    words: Uint32Array.of(2 ** 32 - 1),
    texts: ['', '"', '\u2028', '💥'],
    nested: { empty: {}, list: [], none: null, yes: true },
  };
  expect(parseExactJson(exactJson(value))).toEqual(value);
  expect(Object.is((parseExactJson(exactJson(-0)) as number) / 1, -0)).toBe(true);
});

test('does not depend on the order of keys, and leaves out what is undefined', () => {
  expect(exactJson({ b: 1, a: undefined, c: { z: 1, y: 2 } })).toBe(exactJson({ c: { y: 2, z: 1 }, b: 1 }));
});

test('of anything that JSON can hold is JSON that holds the same', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false } as object), (value) => {
      expect(parseExactJson(exactJson(value))).toEqual(value);
    }),
    { numRuns: 200, seed: 7 },
  );
});
