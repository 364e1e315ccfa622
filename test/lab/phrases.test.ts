import { describe, expect, test } from 'vitest';
import { exactly, list, percent, points, roughly, signed, span } from '../../src/lab/phrases.ts';

test.each([
  [[], ''],
  [['a'], 'a'],
  [['a', 'b'], 'a and b'],
  [['a', 'b', 'c'], 'a, b and c'],
])('%j is %s', (labels, text) => expect(list(labels)).toBe(text));

describe('a share', () => {
  test.each([
    [1, '100 %', '100 %'],
    [0.99999999, '99.999 %', '99 %'],
    [0.29, '29.000 %', '29 %'],
    [0.0199, '1.990 %', '1 %'],
    [0.00999, '0.999 %', '0.99 %'],
    [0.0001, '0.010 %', '0.01 %'],
    [0.00001, '0.001 %', 'less than 0.01 %'],
    [0, '0.000 %', '0 %'],
  ])('%d is cut off: %s, roughly %s', (share, exact, rough) => {
    expect(percent(share)).toBe(exact);
    expect(roughly(share)).toBe(rough);
  });

  test.each([
    [0.55, '55 %'],
    [0.07, '7 %'],
    [1.1, '110 %'],
    [0.125, '12.5 %'],
  ])('that somebody wrote stays as written: %d', (share, text) => expect(exactly(share)).toBe(text));
});

test.each([
  [-0.25, '−25 %'],
  [0.0312, '+3.1 %'],
  [3, '+300 %'],
  [-0.9996, '−99.96 %'],
  [-1, '−100 %'],
])('a change by %d is %s', (share, text) => expect(signed(share)).toBe(text));

test('a change of a share is in points', () => {
  expect(points(-0.05)).toBe('−5.000 points');
  expect(points(0.0000199)).toBe('+0.001 points');
});

test.each([
  [0, '0 ms'],
  [250, '250 ms'],
  [1500, '1.5 s'],
  [9000, '9 s'],
  [12_400, '12 s'],
  [240_000, '240 s'],
])('a stretch of %d ms is %s', (ms, text) => expect(span(ms)).toBe(text));
