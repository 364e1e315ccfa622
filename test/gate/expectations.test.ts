import { describe, expect, test } from 'vitest';
import { checkExpectations } from '../../src/gate/expectations.ts';
import type { Comparator, ExpectSpec } from '../../src/scenario/spec.ts';
import { estimate } from '../../src/stats/estimate.ts';
import { ledgerOf, variantResult } from '../lab/results.ts';

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
  const [result] = checkExpectations([line(comparator, limit)], [variantResult('a', { 'latency.p99': values })], []);
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
    const [result] = checkExpectations([line('<', 1, [], 'no.such')], [variantResult('a', {})], []);
    expect(result).toMatchObject({ passed: false, uncertain: true });
    expect(result.measured.mean).toBeNaN();
  });
});

describe('lines and variants', () => {
  const variants = [variantResult('a', { 'latency.p99': [1, 1] }), variantResult('b', { 'latency.p99': [3, 3] })];

  test('a line without names holds for all, one with names for those', () => {
    const lines = [line('<', 2), line('<', 4, ['b'])];
    expect(checkExpectations(lines, variants, []).map(({ variant, passed, text }) => [text, variant, passed])).toEqual([
      ['latency.p99 < 2', 'a', true],
      ['latency.p99 < 2', 'b', false],
      ['latency.p99 < 4', 'b', true],
    ]);
  });

  test('the answer says where the line stands and what was measured', () => {
    expect(checkExpectations([line('<', 2)], variants, [])[1]).toEqual({
      text: 'latency.p99 < 2',
      ...place,
      variant: 'b',
      metric: 'latency.p99',
      view: '',
      measured: { mean: 3, low: 3, high: 3, sd: 0, n: 2 },
      limit: 2,
      comparator: '<',
      passed: false,
      uncertain: false,
    });
  });

  test('no lines, no answers', () => expect(checkExpectations([], variants, [])).toEqual([]));
});

describe('a line about a part of the requests', () => {
  const views = [{ label: 'edge=web->db' }, { label: 'class=read' }];
  const viewOf = (label: string, p99: readonly number[]) => ({
    ...{ label, edges: [], service: '', class: '', fromMs: 0, toMs: Infinity },
    ...{ ledger: ledgerOf(), latency: variantResult('', {}).latency },
    ...{ metrics: { 'latency.p99': p99 }, estimates: { 'latency.p99': estimate(p99) } },
  });
  const whole = variantResult('a', { 'latency.p99': [1, 1] });
  const read: ExpectSpec = { ...line('<', 2), view: 1 };

  test('is answered by the numbers of that part', () => {
    const variant = { ...whole, views: [viewOf('edge=web->db', [9, 9]), viewOf('class=read', [3, 3])] };
    const [all, part] = checkExpectations([line('<', 2), read], [variant], views);
    expect(all).toMatchObject({ view: '', passed: true, measured: { mean: 1 } });
    expect(part).toMatchObject({ view: 'class=read', passed: false, uncertain: false, measured: { mean: 3 } });
  });

  test('finds its part by name, wherever it stands among the views of a variant with a world of its own', () => {
    const variant = { ...whole, views: [viewOf('class=read', [3, 3]), viewOf('edge=web->db', [9, 9])] };
    expect(checkExpectations([read], [variant], views)[0]).toMatchObject({ view: 'class=read', measured: { mean: 3 } });
  });

  test('fails where the variant has no such part, and in a seed in which nobody belonged to it', () => {
    expect(checkExpectations([read], [whole], views)[0]).toMatchObject({ passed: false, uncertain: true });
    const variant = { ...whole, views: [viewOf('class=read', [1, NaN])] };
    expect(checkExpectations([read], [variant], views)[0]).toMatchObject({ passed: false });
  });
});
