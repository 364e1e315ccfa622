import { describe, expect, test } from 'vitest';
import {
  countOf,
  type Dimension,
  numberOf,
  parseDimension,
  placeOf,
  valueAt,
  valueNear,
} from '../../../src/lab/search/dimension.ts';
import { InputError } from '../../../src/core/errors.ts';

const values = (dimension: Dimension): string[] =>
  Array.from({ length: countOf(dimension) }, (_, index) => valueAt(dimension, index));
const parsed = (text: string): Dimension => parseDimension(`x.y=${text}`, '--param');

describe('a range', () => {
  test.each([
    ['1..4', ['1', '2', '3', '4']],
    ['10..30:10', ['10', '20', '30']],
    ['10..35:10', ['10', '20', '30']],
    ['40%..60%:10', ['40%', '50%', '60%']],
    ['1..3ms', ['1ms', '2ms', '3ms']],
    ['500ms..2s:500ms', ['500ms', '1s', '1.5s', '2s']],
    ['1s..3s', ['1s', '2s', '3s']],
    ['100/s..300/s:100', ['100/s', '200/s', '300/s']],
    ['64MiB..192MiB:64', ['64MiB', '128MiB', '192MiB']],
  ])('%s is written as somebody would write it', (text, expected) => {
    expect(values(parsed(text))).toEqual(expected);
  });

  test('of decimals has at least a hundred steps, each a short number', () => {
    const dimension = parsed('0.4..0.9');
    expect(countOf(dimension)).toBe(501);
    expect(valueAt(dimension, 7)).toBe('0.407');
  });

  test('by ratios has its middle at the geometric mean', () => {
    expect(valueNear(parsed('1..10000:log'), 0.5)).toBe('100');
    expect(placeOf(parsed('1..10000:log'), '100')).toBeCloseTo(0.5, 12);
  });

  test.each(['1..100', '0.4..0.9', '10ms..2s', '40%..80%', '1..1000:log'])(
    '%s: every value is nearest to its own place',
    (text) => {
      const dimension = parsed(text);
      for (let index = 0; index < countOf(dimension); index += 7) {
        const value = valueAt(dimension, index);
        expect(valueNear(dimension, placeOf(dimension, value))).toBe(value);
        expect(Number.isFinite(numberOf(dimension, value))).toBe(true);
      }
    },
  );
});

describe('a list', () => {
  test('is split where no bracket or quote is open', () => {
    expect(values(parsed('random,{ use: p2c, choices: 3 },"a,b"'))).toEqual(['random', '{ use: p2c, choices: 3 }', '"a,b"']);
  });

  test('of numbers or durations goes from the smallest to the largest', () => {
    expect(values(parsed('8,2,16'))).toEqual(['2', '8', '16']);
    expect(values(parsed('1s,200ms,1m'))).toEqual(['200ms', '1s', '1m']);
  });

  test('takes each value for the same share of its places', () => {
    const dimension = parsed('a,b,c,d');
    expect([0, 0.24, 0.26, 0.99, 1].map((place) => valueNear(dimension, place))).toEqual(['a', 'a', 'b', 'd', 'd']);
  });
});

test.each([
  ['x.y', 'names no values: "x.y"'],
  ['x.y=', 'has no values'],
  ['x.y=3', '"3" is one value: nothing varies'],
  ['x.y=5..2', 'the range "5..2" is empty'],
  ['x.y=1..5:0', '"0" is no step'],
  ['x.y=1..5:9', 'a step of 9 leaves the range'],
  ['x.y=0..5:log', 'cannot grow by ratios from 0'],
  ['x.y=1..5:wide', '"wide" is no step'],
  ['x.y=1ms..5%', 'begins in another unit'],
  ['x.y=1foo..5foo', 'unknown unit "foo"'],
  ['x.y=1...5', 'is not a range'],
  ['x.y=a,b,a', '"a" stands twice'],
  ['x.y=a,,b', 'has an empty value'],
  ['run.seeds=1..5', 'all settings share their seeds'],
  ['run.duration=1m..5m', 'other stretches of time'],
  ['expect=a,b', 'changes nothing that is simulated'],
])('%s is refused: %s', (text, complaint) => {
  const words = complaint.split(': ').at(-1)!;
  expect(() => parseDimension(text, '--param')).toThrow(InputError);
  expect(() => parseDimension(text, '--param')).toThrow(words);
});
