import { describe, expect, it } from 'vitest';
import { ruleOfThree, wilson } from '../../src/stats/wilson.ts';

describe('wilson', () => {
  it.each([
    [0, 10, 0, 0.277532799862889],
    [3, 10, 0.107791267406301, 0.603221852538855],
    [10, 10, 0.722467200137111, 1],
    [999, 1000, 0.994357441402042, 0.999823453629374],
  ])('%s of %s', (successes, trials, low, high) => {
    const interval = wilson(successes, trials);
    expect(interval.low).toBeCloseTo(low, 12);
    expect(interval.high).toBeCloseTo(high, 12);
  });

  it('knows nothing without trials', () => {
    expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
  });

  it('covers the true share in about 95 % of cases, by exact summation over the binomial law', () => {
    // n = 50, p = 0.1: the coverage of Wilson's interval is 0.9703 by enumeration; that of mean ± 1.96 se is 0.879.
    let coverage = 0;
    let probability = 0.9 ** 50;
    for (let k = 0; k <= 50; k++) {
      const { low, high } = wilson(k, 50);
      if (low <= 0.1 && 0.1 <= high) coverage += probability;
      probability *= ((50 - k) / (k + 1)) * (0.1 / 0.9);
    }
    expect(coverage).toBeCloseTo(0.9703, 3);
  });
});

describe('ruleOfThree', () => {
  it('is exact, and close to 3 / n', () => {
    expect(ruleOfThree(100)).toBeCloseTo(0.0295130496070399, 14);
    expect(ruleOfThree(1_000_000) * 1e6).toBeCloseTo(2.99572778635254, 9);
    expect(ruleOfThree(1)).toBeCloseTo(0.95, 14);
    expect(ruleOfThree(0)).toBe(1);
  });
});
