import { describe, expect, test } from 'vitest';
import { exitCodeOf, failureLines, inconclusiveLines } from '../../src/cli/findings.ts';
import type { Comparison, ExpectationResult, RunFile } from '../../src/lab/types.ts';

const expectation = (passed: boolean, uncertain: boolean): ExpectationResult => ({
  ...{
    text: 'availability >= 99.9%',
    file: 'x.yaml',
    line: 38,
    column: 5,
    length: 21,
    variant: 'random',
    view: '',
    metric: 'availability',
  },
  ...{
    measured: { mean: 0.994051, low: 0.993152, high: 0.994953, sd: 0.001, n: 10 },
    limit: 0.999,
    comparator: '>=',
    passed,
    uncertain,
  },
});
const comparison = (verdict: Comparison['verdict'], seedsNeeded: number | null = null): Comparison => ({
  ...{ variant: 'p2c', baseline: 'random', metric: 'latency.p99', difference: { mean: 1, low: -1, high: 3, sd: 2, n: 10 } },
  ...{ relative: null, indifference: 1, adjustedP: 0.2, verdict, seedsWon: 5, seedsTied: 0, seeds: 10, seedsNeeded },
});
const run = (expectations: readonly ExpectationResult[], comparisons: readonly Comparison[] = []): RunFile =>
  ({ expectations, comparisons }) as unknown as RunFile;

const ok = expectation(true, false);
const close = expectation(true, true);
const broken = expectation(false, false);

describe('the exit code', () => {
  test.each<[string, RunFile, number, number]>([
    ['all holds', run([ok], [comparison('better'), comparison('equivalent')]), 0, 0],
    ['a failed expectation', run([ok, broken]), 1, 1],
    ['a worse variant alone is no failure', run([ok], [comparison('worse')]), 0, 0],
    ['too close to the limit', run([close]), 0, 3],
    ['an open comparison', run([ok], [comparison('inconclusive')]), 0, 3],
    ['a failure beats an open question', run([broken, close], [comparison('inconclusive')]), 1, 1],
  ])('%s', (_, result, code, strictCode) => {
    expect(exitCodeOf(result, { strict: false })).toBe(code);
    expect(exitCodeOf(result, { strict: true })).toBe(strictCode);
  });
});

test('a failure is one line that starts with its place', () => {
  expect(failureLines(run([ok, broken]), 'scenarios/x.yaml', { unicode: true })).toEqual([
    'scenarios/x.yaml:38:5 ✗ availability >= 99.9%  random: 99.40 % (99.31 .. 99.49 %)',
  ]);
  expect(failureLines(run([expectation(false, true)]), 'x.yaml', { unicode: false })).toEqual([
    'x.yaml:38:5 FAIL availability >= 99.9%  random: 99.40 % (99.31 .. 99.49 %); more seeds could turn this',
  ]);
});

test('an open question says how many seeds would answer it, where that is known', () => {
  expect(
    inconclusiveLines(run([close], [comparison('inconclusive', 23), comparison('inconclusive'), comparison('better')])),
  ).toEqual([
    'inconclusive: p2c against random on latency.p99 with 10 seeds; about 23 seeds would decide',
    'inconclusive: p2c against random on latency.p99 with 10 seeds',
    'inconclusive: availability >= 99.9% for random: the interval reaches over the limit',
  ]);
});
