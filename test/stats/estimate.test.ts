import { describe, expect, it } from 'vitest';
import { estimate, holm, pairedDifference, pairedP, seedsNeeded } from '../../src/stats/estimate.ts';

// Forty numbers and a correlated partner; expected values from scipy.
const x = Array.from({ length: 40 }, (_, k) => (((k + 1) * 7919) % 1009) / 1009);
const y = x.map((value, k) => value + 0.05 + 0.02 * Math.sin(3 * k));

const relative = (got: number, expected: number): number => Math.abs(got / expected - 1);

describe('estimate', () => {
  it('agrees with scipy on forty numbers', () => {
    const { mean, low, high, sd, n } = estimate(x);
    expect(relative(mean, 0.516476709613)).toBeLessThan(1e-11);
    expect(relative(sd, 0.292704421587)).toBeLessThan(1e-11);
    expect(relative((high - low) / 2, 0.093611415477)).toBeLessThan(1e-10);
    expect(n).toBe(40);
  });

  it('leaves out values that do not exist', () => {
    expect(estimate([1, NaN, 3, NaN])).toEqual(estimate([1, 3]));
  });

  it('has no interval below two values, and no mean of none', () => {
    expect(estimate([5])).toEqual({ mean: 5, low: NaN, high: NaN, sd: NaN, n: 1 });
    expect(estimate([])).toEqual({ mean: NaN, low: NaN, high: NaN, sd: NaN, n: 0 });
  });

  it('is a point when all values are equal, even ones a sum would round', () => {
    expect(estimate([0.1, 0.1, 0.1])).toEqual({ mean: 0.1, low: 0.1, high: 0.1, sd: 0, n: 3 });
  });

  it('is wider at a higher level: t for 9 degrees of freedom is 2.262157 at 95 % and 3.249836 at 99 %', () => {
    const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const at95 = estimate(values);
    const at99 = estimate(values, 0.99);
    expect((at99.high - at99.low) / (at95.high - at95.low)).toBeCloseTo(3.24983554159213 / 2.262157162798205, 10);
  });
});

describe('paired comparison', () => {
  it('agrees with scipy', () => {
    const difference = pairedDifference(y, x);
    expect(relative(difference.mean, 0.0498581415358)).toBeLessThan(1e-11);
    expect(relative((difference.high - difference.low) / 2, 0.00474778281449)).toBeLessThan(1e-9);
    expect(relative(pairedP(y.map((value, k) => value - x[k])), 4.83667914528e-23)).toBeLessThan(1e-9);
  });

  it('leaves out pairs with a missing half', () => {
    expect(pairedDifference([1, NaN, 5, 9], [0, 2, NaN, 7, 8])).toEqual(estimate([1, 2]));
  });

  it('leaves no doubt when all differences are equal: p is 1 for zeros, else 0', () => {
    expect(pairedP([0, 0, 0])).toBe(1);
    expect(pairedP([0.2, 0.2, 0.2])).toBe(0);
  });

  it('says nothing with fewer than two differences', () => {
    expect([pairedP([]), pairedP([3]), pairedP([3, NaN])]).toEqual([1, 1, 1]);
  });

  it('of two differences 1 and 3 is the t test by hand: t = 2 with one degree of freedom, p = 0.2952', () => {
    expect(pairedP([1, 3])).toBeCloseTo(0.29516723530086653, 12);
  });
});

describe('holm', () => {
  it('agrees with the definition on ten p-values', () => {
    const adjusted = holm([0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216]);
    const expected = [0.01, 0.072, 0.312, 0.312, 0.312, 0.312, 0.312, 0.615, 0.615, 0.615];
    adjusted.forEach((p, k) => expect(p).toBeCloseTo(expected[k], 12));
  });

  it('keeps the order given, never exceeds 1, and leaves one test as it is', () => {
    expect(holm([0.9, 0.01, 0.8])).toEqual([1, 0.03, 1]);
    expect(holm([0.04])).toEqual([0.04]);
    expect(holm([])).toEqual([]);
  });

  it('does not count what could not be tested', () => {
    expect(holm([NaN, 0.02, 0.5])).toEqual([NaN, 0.04, 0.5]);
  });
});

describe('seedsNeeded', () => {
  it('is the first number of seeds whose t interval is narrow enough', () => {
    // t(0.975, 17) = 2.10982 and t(0.975, 18) = 2.10092: 2.10982/sqrt(18) = 0.4973 and with 17 seeds 2.11991/sqrt(17) = 0.5142.
    expect(seedsNeeded(1, 10, 0.5)).toBe(18);
    expect(seedsNeeded(2, 10, 1)).toBe(18);
  });

  it('asks for at least one more than there are', () => {
    expect(seedsNeeded(1, 30, 0.5)).toBe(31);
  });

  it('is null where no number of seeds helps or can be told', () => {
    expect([seedsNeeded(1, 10, 0), seedsNeeded(NaN, 1, 1), seedsNeeded(1, 10, NaN), seedsNeeded(1, 10, 1e-9)]).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });
});
