/** Oracles: Student's t in closed form, p = 1 − t/√(t² + 2) for two degrees of freedom (three seeds) and 1 − 2/π · atan t for one (two
 *  seeds); otherwise tables. */
import { describe, expect, test } from 'vitest';
import { comparedMetrics, findMetric, type Metric } from '../../src/core/metrics.ts';
import { compareTwo, compareVariants } from '../../src/lab/compare.ts';
import type { Comparison } from '../../src/lab/types.ts';
import { variantResult } from './results.ts';

const p99: Metric = findMetric('latency.p99')!;
const availability: Metric = findMetric('availability')!;

/** One metric of interest, in all others no difference at all; the baseline has 100 everywhere. */
function compareOn(metric: string, values: readonly number[], base: readonly number[] = values.map(() => 100)): Comparison {
  const flat = values.map(() => 100);
  const others = Object.fromEntries(comparedMetrics.map(({ name }) => [name, flat]));
  const comparisons = compareVariants([
    variantResult('base', { ...others, [metric]: base }),
    variantResult('new', { ...others, [metric]: values }),
  ]);
  return comparisons.find((comparison) => comparison.metric === metric)!;
}

describe('the difference', () => {
  test('is paired: variant minus baseline, seed by seed, with its t interval', () => {
    // Differences −10, −12, −8, −10, −10: mean −10, sd √2; t(0.975, 4) = 2.776445.
    const found = compareOn('latency.p99', [90, 188, 292, 390, 490], [100, 200, 300, 400, 500]);
    const half = (2.776445 * Math.SQRT2) / Math.sqrt(5);
    expect(found.difference.mean).toBeCloseTo(-10, 9);
    expect(found.difference.sd).toBeCloseTo(Math.SQRT2, 9);
    expect(found.difference.low).toBeCloseTo(-10 - half, 4);
    expect(found.difference.high).toBeCloseTo(-10 + half, 4);
    expect(found).toMatchObject({ variant: 'new', baseline: 'base', seeds: 5, seedsWon: 5, seedsTied: 0 });
    // Relative to the baseline's mean of 300. Unpaired, the spread of 100 … 500 would drown it.
    expect(found.relative?.mean).toBeCloseTo(-10 / 300, 9);
    expect(found.relative?.low).toBeCloseTo((-10 - half) / 300, 6);
    expect(found.verdict).toBe('better');
  });

  test('counts the seeds won and tied in the direction a user wants', () => {
    expect(compareOn('latency.p99', [90, 100, 110, 80])).toMatchObject({ seedsWon: 2, seedsTied: 1, seeds: 4 });
    expect(compareOn('availability', [0.9, 1, 0.95, 1], [0.8, 1, 1, 0.9])).toMatchObject({ seedsWon: 2, seedsTied: 1 });
  });

  test('is not given in relative terms where the metric is compared absolutely, or the baseline is 0', () => {
    expect(compareOn('availability', [0.9, 0.91, 0.92], [1, 1, 1]).relative).toBeNull();
    expect(compareOn('latency.p99', [1, 2, 3], [0, 0, 0]).relative).toBeNull();
  });
});

describe('Holm’s correction', () => {
  test('multiplies the smallest p by the number of comparisons', () => {
    // −9, −10, −11: t = 10√3.
    const t = 10 * Math.sqrt(3);
    const p = 1 - t / Math.sqrt(t * t + 2);
    expect(compareOn('latency.p99', [91, 90, 89]).adjustedP).toBeCloseTo(p * comparedMetrics.length, 8);
  });

  test('makes one lucky comparison among several inconclusive', () => {
    // −7, −10, −13: t = 10√3/3, p = 0.0287: alone it would do, not as the best of five.
    const found = compareOn('latency.p99', [93, 90, 87]);
    expect(found.adjustedP).toBeCloseTo(0.0287 * comparedMetrics.length, 2);
    expect(found.verdict).toBe('inconclusive');
    const base = variantResult('base', { 'latency.p99': [100, 100, 100] });
    expect(compareTwo(variantResult('new', { 'latency.p99': [93, 90, 87] }), base, p99).verdict).toBe('better');
  });

  test('counts all variants', () => {
    const flat = Object.fromEntries(comparedMetrics.map(({ name }) => [name, [100, 100, 100]]));
    const good = { ...flat, 'latency.p99': [91, 90, 89] };
    const pOf = (others: number): number => {
      const list = Array.from({ length: others }, (_, i) => variantResult(`other ${i}`, flat));
      const found = compareVariants([variantResult('base', flat), variantResult('good', good), ...list]);
      return found.find(({ variant, metric }) => variant === 'good' && metric === 'latency.p99')!.adjustedP;
    };
    expect(pOf(3) / pOf(0)).toBeCloseTo(4, 9);
  });

  test('with two seeds', () => {
    // −9, −11: t = 10, one degree of freedom.
    expect(compareOn('latency.p99', [91, 89]).adjustedP).toBeCloseTo(
      (1 - (2 / Math.PI) * Math.atan(10)) * comparedMetrics.length,
      8,
    );
  });
});

describe('the verdict', () => {
  test('knows which way is better', () => {
    expect(compareOn('latency.p99', [90, 90.1, 89.9]).verdict).toBe('better');
    expect(compareOn('latency.p99', [110, 110.1, 109.9]).verdict).toBe('worse');
    expect(compareOn('availability', [0.9, 0.901, 0.899], [1, 1, 1]).verdict).toBe('worse');
    expect(compareOn('availability', [1, 1, 1], [0.9, 0.901, 0.899]).verdict).toBe('better');
  });

  test('is equivalent when the whole interval lies in the zone of indifference, however sure the difference is', () => {
    // 3 % of p99, 1 % of the mean.
    expect(compareOn('latency.p99', [102, 102.1, 101.9])).toMatchObject({ verdict: 'equivalent', indifference: 3 });
    expect(compareOn('latency.mean', [102, 102.1, 101.9])).toMatchObject({ verdict: 'worse', indifference: 1 });
    expect(compareOn('availability', [0.99995, 0.99995, 0.99995], [1, 1, 1])).toMatchObject({ verdict: 'equivalent' });
  });

  test('of equal numbers is equivalent', () => {
    expect(compareOn('latency.p99', [100, 100, 100])).toMatchObject({ verdict: 'equivalent', adjustedP: 1, seedsTied: 3 });
  });

  test('is inconclusive with one seed, and no number of seeds is guessed', () => {
    expect(compareOn('latency.p99', [50])).toMatchObject({ verdict: 'inconclusive', adjustedP: 1, seedsNeeded: null, seeds: 1 });
  });

  test('is inconclusive where a seed has no value, on either side', () => {
    for (const [values, base] of [
      [
        [50, NaN, 50],
        [100, 100, 100],
      ],
      [
        [50, 50, 50],
        [100, 100, NaN],
      ],
    ]) {
      const found = compareOn('latency.p99', values, base);
      expect(found).toMatchObject({ verdict: 'inconclusive', adjustedP: 1, seedsNeeded: null });
      expect(found.difference.mean).toBeNaN();
    }
  });

  test('one without a value takes nothing away from the others’ correction but counts as a comparison', () => {
    const flat = Object.fromEntries(comparedMetrics.map(({ name }) => [name, [100, 100, 100]]));
    const broken = { ...flat, 'latency.p99.9': [NaN, NaN, NaN], 'latency.p99': [91, 90, 89] };
    const found = compareVariants([variantResult('base', flat), variantResult('new', broken)]);
    expect(found.every(({ adjustedP }) => adjustedP >= 0 && adjustedP <= 1)).toBe(true);
    expect(found.find(({ metric }) => metric === 'latency.p99')?.verdict).toBe('better');
  });
});

describe('the seeds needed', () => {
  test('shrink the interval until it leaves out 0', () => {
    // sd 3, mean 1 (zone 1 on a baseline of 100): half-width 1. t(0.975, 36) = 2.0281 → 37 seeds: 1.0003; 38: 0.986.
    const found = compareOn('latency.mean', [98, 101, 104]);
    expect(found).toMatchObject({ verdict: 'inconclusive', seedsNeeded: 38 });
  });

  test('or until it fits into the zone of indifference, whichever is nearer', () => {
    // Mean 0, zone 3, sd 3: half-width 3 → t(0.975, n − 1)/√n ≤ 1: n = 6 has 2.5706/2.4495 = 1.049, n = 7 has 2.4469/2.6458 = 0.925.
    expect(compareOn('latency.p99', [97, 100, 103])).toMatchObject({ verdict: 'inconclusive', seedsNeeded: 7 });
  });

  test('are more than there are', () => {
    expect(compareOn('latency.p99', [93, 90, 87]).seedsNeeded).toBe(4);
  });
});

test('values beyond the shorter list are left out: they have no partner', () => {
  const base = variantResult('base', { 'latency.p99': [100, 100, 100] });
  const found = compareTwo(variantResult('new', { 'latency.p99': [90, 90, 90, 5000] }), base, p99);
  expect(found).toMatchObject({ seeds: 3, verdict: 'better' });
  expect(found.difference.mean).toBe(-10);
});

test('a metric that nobody measured is inconclusive', () => {
  const found = compareTwo(variantResult('new', {}), variantResult('base', {}), availability);
  expect(found).toMatchObject({ verdict: 'inconclusive', seeds: 0, adjustedP: 1 });
});
