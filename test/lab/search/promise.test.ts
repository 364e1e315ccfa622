import { describe, expect, test } from 'vitest';
import { Streams } from '../../../src/core/streams.ts';
import { judgePromises, looksOf } from '../../../src/lab/search/promise.ts';
import type { ExpectSpec } from '../../../src/scenario/spec.ts';
import { normalQuantile } from '../../../src/stats/special.ts';

const promise = (comparator: ExpectSpec['comparator'], limit: number): ExpectSpec => ({
  ...{ text: `latency.p99 ${comparator} ${limit}ms`, metric: 'latency.p99', comparator, limit, variants: [] },
  place: { file: '', line: 1, column: 1, length: 1 },
});
const decisionOf = (comparator: ExpectSpec['comparator'], limit: number, values: readonly number[]): string =>
  judgePromises([promise(comparator, limit)], [values], 0.05).decision;

describe('a promise', () => {
  test.each([
    ['<', 110, [98, 100, 102], 'meets'],
    ['<', 101, [98, 100, 102], 'undecided'],
    ['<', 90, [98, 100, 102], 'fails'],
    ['>=', 90, [98, 100, 102], 'meets'],
    ['>=', 99, [98, 100, 102], 'undecided'],
    ['>', 110, [98, 100, 102], 'fails'],
    // Equal values leave no doubt, and the comparison is taken by its word.
    ['<', 5, [5, 5], 'fails'],
    ['<=', 5, [5, 5], 'meets'],
    // One run shows nothing.
    ['<', 1000, [5], 'undecided'],
    // A seed without a value promises nothing.
    ['<', 1000, [5, NaN, 5], 'fails'],
  ] as const)('%s %d of %j: %s', (comparator, limit, values, decision) => {
    expect(decisionOf(comparator, limit, values)).toBe(decision);
  });

  test('holds together with others only where each does', () => {
    const both = [promise('<', 110), promise('<', 90)];
    expect(
      judgePromises(
        both,
        [
          [98, 100, 102],
          [78, 80, 82],
        ],
        0.05,
      ).decision,
    ).toBe('meets');
    expect(
      judgePromises(
        both,
        [
          [98, 100, 102],
          [88, 90, 92],
        ],
        0.05,
      ).decision,
    ).toBe('undecided');
    expect(
      judgePromises(
        both,
        [
          [98, 100, 102],
          [118, 120, 122],
        ],
        0.05,
      ).decision,
    ).toBe('fails');
  });
});

test('seeds double from look to look', () => {
  expect(looksOf(5, 40)).toEqual([5, 10, 20, 40]);
  expect(looksOf(1, 7)).toEqual([2, 4, 7]);
  expect(looksOf(50, 40)).toEqual([40]);
});

test('looking again and again does not make a wrong claim likelier than stated', () => {
  // The mean lies exactly at the limit, so that "meets" is wrong for < and the test as hard as can be.
  const rng = new Streams('looks').stream('values');
  const looks = looksOf(3, 24);
  const trials = 3000;
  let wrong = 0;
  for (let trial = 0; trial < trials; trial++) {
    const values = Array.from({ length: 24 }, () => 100 + normalQuantile(rng.next()));
    for (const size of looks) {
      const { decision } = judgePromises([promise('<', 100)], [values.slice(0, size)], 0.05 / looks.length);
      if (decision === 'undecided') continue;
      if (decision === 'meets') wrong++;
      break;
    }
  }
  // At most 5 % of 3000 fixed trials, 150, plus four standard deviations of 12; and not so cautious that nothing is ever claimed.
  expect(wrong).toBeLessThan(198);
  expect(wrong).toBeGreaterThan(60);
});
