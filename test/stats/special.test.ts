import { describe, expect, it } from 'vitest';
import {
  incompleteBeta,
  logGamma,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
  studentTwoSided,
} from '../../src/stats/special.ts';

const relative = (got: number, expected: number): number => Math.abs(got / expected - 1);

// Expected values: 200-bit arithmetic, except where a table is named.

it.each([
  [-37, 5.725571222524577e-300],
  [-10, 7.619853024160525e-24],
  [-6, 9.86587645037698e-10],
  [-3.5, 0.00023262907903552504],
  [-3, 0.0013498980316300946],
  [-2.99, 0.0013948872354922494],
  [-1, 0.15865525393145705],
  [-0.1, 0.460172162722971],
  [0, 0.5],
  [0.5, 0.6914624612740131],
  [1.96, 0.9750021048517795],
  [2.5, 0.9937903346742238],
  [4, 0.9999683287581669],
  [8, 0.9999999999999993],
])('normalCdf(%s)', (z, expected) => {
  expect(relative(normalCdf(z), expected)).toBeLessThan(1e-13);
});

it.each([
  [1e-10, -6.361340902404057],
  [1e-5, -4.264890793922825],
  [0.001, -3.0902323061678136],
  [0.025, -1.9599639845400543],
  [0.074, -1.4466320671589785],
  [0.076, -1.4325027208258116],
  [0.3, -0.5244005127080408],
  [0.6, 0.2533471031357997],
  [0.975, 1.9599639845400538],
  [0.995, 2.5758293035489004],
  [0.9999, 3.7190164854557084],
  [1 - 2 ** -40, 7.047700256664409],
])('normalQuantile(%s)', (p, expected) => {
  expect(relative(normalQuantile(p), expected)).toBeLessThan(2e-15);
});

it.each([
  [1e-5, 11.512919692895826],
  [0.1, 2.252712651734206],
  [0.5, 0.5723649429247001],
  [0.9, 0.06637623973474295],
  [1, 0],
  [1.5, -0.12078223763524522],
  [2, 0],
  [2.5, 0.2846828704729192],
  [3.7, 1.428072326665388],
  [10.5, 13.940625219403763],
  [100, 359.1342053695754],
  [1e5, 1051287.7089736569],
  [-1.5, 0.860047015376481],
])('logGamma(%s)', (x, expected) => {
  expect(Math.abs(logGamma(x) - expected) / Math.max(1, Math.abs(expected))).toBeLessThan(2e-15);
});

it.each([
  [0.1, 0.5, 0.5, 0.20483276469913347],
  [0.3, 2, 5, 0.579825],
  [0.5, 9.5, 0.5, 0.0003378816380309767],
  [0.9, 9.5, 0.5, 0.16254999902972708],
  [0.001, 1, 20, 0.01981113517046532],
  [0.5, 100, 100, 0.5],
  [0.7, 50, 0.5, 2.55719399443688e-9],
])('incompleteBeta(%s, %s, %s)', (x, a, b, expected) => {
  expect(relative(incompleteBeta(x, a, b), expected)).toBeLessThan(1e-12);
});

it.each([
  [-2, 1, 0.14758361765043326],
  [0.5, 2, 2 / 3],
  [1e-6, 9, 0.5000003880349089],
  [3.25, 9, 0.9950013154579892],
  [-12, 9, 3.849943111492826e-7],
  [2.1, 2.5, 0.9277487776225781],
  [-6, 1e6, 9.869249061772174e-10],
])('studentCdf(%s, %s)', (t, df, expected) => {
  expect(relative(studentCdf(t, df), expected)).toBeLessThan(1e-9);
});

it.each([
  // Reference table, 12 digits.
  [0.975, 19, 2.09302405441],
  [0.95, 19, 1.72913281152],
  [0.995, 19, 2.86093460646],
  [0.975, 29, 2.04522964213],
  [0.995, 29, 2.75638590367],
  [0.975, 99, 1.98421695159],
  [0.95, 99, 1.66039115602],
  // 200-bit arithmetic.
  [0.975, 1, 12.70620473617469],
  [0.975, 2, 4.302652729749462],
  [0.995, 2, 9.92484320091829],
  [0.975, 4, 2.776445105197793],
  [0.975, 9, 2.262157162798205],
  [0.025, 9, -2.262157162798206],
  [0.9, 9, 1.383028738396632],
  [0.9995, 9, 4.780912585931218],
  [0.6, 3, 0.2766706623326898],
  [0.975, 1e6, 1.959966356814107],
])('studentQuantile(%s, %s)', (p, df, expected) => {
  expect(relative(studentQuantile(p, df), expected)).toBeLessThan(1e-11);
});

describe('ends and nonsense', () => {
  it('quantiles of 0 and 1 are infinite, of anything else outside (0, 1) not numbers', () => {
    for (const quantile of [normalQuantile, (p: number): number => studentQuantile(p, 5)]) {
      expect(quantile(0)).toBe(-Infinity);
      expect(quantile(1)).toBe(Infinity);
      expect(quantile(0.5)).toBe(0);
      for (const p of [-0.1, 1.1, NaN]) expect(quantile(p)).toBeNaN();
    }
    expect(studentQuantile(0.9, 0)).toBeNaN();
  });

  it('distribution functions reach 0 and 1', () => {
    expect([normalCdf(-Infinity), normalCdf(Infinity), normalCdf(NaN)]).toEqual([0, 1, NaN]);
    expect([studentCdf(-Infinity, 3), studentCdf(Infinity, 3), studentCdf(0, 3)]).toEqual([0, 1, 0.5]);
    expect([incompleteBeta(0, 2, 3), incompleteBeta(1, 2, 3), incompleteBeta(2, 2, 3)]).toEqual([0, 1, NaN]);
    expect([logGamma(0), logGamma(-3)]).toEqual([Infinity, Infinity]);
  });

  it('infinitely many degrees of freedom are the normal law', () => {
    expect(studentQuantile(0.975, Infinity)).toBeCloseTo(1.9599639845400538, 14);
    expect(studentTwoSided(1.9599639845400538, Infinity)).toBeCloseTo(0.05, 14);
  });

  it('a quantile and its distribution function are inverse, also far out', () => {
    for (const df of [1, 1.5, 3, 30, 1000]) {
      for (const p of [1e-12, 1e-6, 0.01, 0.3, 0.499])
        expect(relative(studentCdf(studentQuantile(p, df), df), p)).toBeLessThan(1e-9);
    }
  });
});
