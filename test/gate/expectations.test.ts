import { describe, expect, test } from 'vitest';
import { checkExpectations } from '../../src/gate/expectations.ts';
import type { Comparator, ExpectSpec } from '../../src/scenario/spec.ts';
import { variantResult } from '../lab/builder.ts';

const place = { file: 'x.yaml', line: 7, column: 5, length: 21 };
const line = (comparator: Comparator, limit: number, variants: readonly string[] = [], metric = 'latency.p99'): ExpectSpec => ({
  text: `${metric} ${comparator} ${limit}`,
  metric,
  comparator,
  limit,
  variants,
  place,
});
const check = (comparator: Comparator, limit: number, values: readonly number[]) => {
  const [result] = checkExpectations([line(comparator, limit)], [variantResult('a', { 'latency.p99': values })]);
  return result;
};
const answer = (comparator: Comparator, limit: number, values: readonly number[]): string => {
  const { passed, uncertain } = check(comparator, limit, values);
  return `${passed ? 'passed' : 'failed'}${uncertain ? ', uncertain' : ''}`;
};

describe('the mean over the seeds decides', () => {
  // Mean 100, sd 1, n = 3: ± 4.303/√3 = 2.48.
  const values = [99, 100, 101];
  test.each<[Comparator, number, string]>([
    ['<', 103, 'passed'],
    ['<', 101, 'passed, uncertain'],
    ['<', 100, 'failed, uncertain'],
    ['<', 97, 'failed'],
    ['<=', 100, 'passed, uncertain'],
    ['>', 97, 'passed'],
    ['>', 100, 'failed, uncertain'],
    ['>=', 100, 'passed, uncertain'],
    ['>=', 103, 'failed'],
    ['==', 100, 'passed, uncertain'],
    ['==', 101, 'failed, uncertain'],
    ['==', 110, 'failed'],
  ])('%s %d: %s', (comparator, limit, expected) => expect(answer(comparator, limit, values)).toBe(expected));
});

describe('how sure that is', () => {
  test('equal values leave no doubt', () => {
    expect(answer('==', 1, [1, 1, 1])).toBe('passed');
    expect(answer('<', 1, [1, 1, 1])).toBe('failed');
    expect(answer('<=', 1, [1, 1, 1])).toBe('passed');
  });

  test('one seed always does', () => {
    expect(answer('<', 1000, [1])).toBe('passed, uncertain');
    expect(answer('>', 1000, [1])).toBe('failed, uncertain');
  });
});

describe('a value that does not exist', () => {
  test.each<Comparator>(['<', '<=', '>', '>=', '=='])('does not hold %s anything', (comparator) => {
    expect(answer(comparator, 100, [NaN, NaN, NaN])).toBe('failed, uncertain');
    expect(answer(comparator, 100, [])).toBe('failed, uncertain');
  });

  test('in one seed fails the line: the others cannot speak for it', () => {
    expect(check('<', 103, [99, 100, 101, NaN]).passed).toBe(false);
  });

  test('of a metric that nobody measured fails', () => {
    const [result] = checkExpectations([line('<', 1, [], 'no.such')], [variantResult('a', {})]);
    expect(result).toMatchObject({ passed: false, uncertain: true });
    expect(result.measured.mean).toBeNaN();
  });
});

describe('lines and variants', () => {
  const variants = [variantResult('a', { 'latency.p99': [1, 1] }), variantResult('b', { 'latency.p99': [3, 3] })];

  test('a line without names holds for all, one with names for those', () => {
    const lines = [line('<', 2), line('<', 4, ['b'])];
    expect(checkExpectations(lines, variants).map(({ variant, passed, text }) => [text, variant, passed])).toEqual([
      ['latency.p99 < 2', 'a', true],
      ['latency.p99 < 2', 'b', false],
      ['latency.p99 < 4', 'b', true],
    ]);
  });

  test('the answer says where the line stands and what was measured', () => {
    expect(checkExpectations([line('<', 2)], variants)[1]).toEqual({
      text: 'latency.p99 < 2',
      ...place,
      variant: 'b',
      metric: 'latency.p99',
      measured: { mean: 3, low: 3, high: 3, sd: 0, n: 2 },
      limit: 2,
      comparator: '<',
      passed: false,
      uncertain: false,
    });
  });

  test('no lines, no answers', () => expect(checkExpectations([], variants)).toEqual([]));
});
