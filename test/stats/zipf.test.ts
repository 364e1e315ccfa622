import { describe, expect, it } from 'vitest';
import { Xoshiro128 } from '../../src/core/xoshiro.ts';
import { ZipfSampler } from '../../src/stats/zipf.ts';

const fresh = (): Xoshiro128 => new Xoshiro128(11, 22, 33, 44);

/** Chi-square of n draws in cells: each of the first ranks alone, the rest in one. */
function chiSquare(sampler: ZipfSampler, count: number, exponent: number, cells: number, n: number): number {
  const rng = fresh();
  const seen = new Float64Array(cells + 1);
  for (let k = 0; k < n; k++) seen[Math.min(sampler.sample(rng), cells)]++;
  let total = 0;
  for (let rank = 1; rank <= count; rank++) total += rank ** -exponent;
  const expected = Array.from({ length: cells }, (_, k) => ((k + 1) ** -exponent / total) * n);
  expected.push(n - expected.reduce((sum, e) => sum + e, 0));
  return expected.reduce((sum, e, k) => sum + (e > 0 ? (seen[k] - e) ** 2 / e : 0), 0);
}

/** p = 1e-4 for 20 degrees of freedom. */
const critical20 = 52.386;

describe('the table', () => {
  it.each([0, 0.5, 0.99, 1, 1.2, 3])(
    'draws rank k with probability ~ 1/k^%s: chi-square of 100,000 draws of 100 ranks',
    (exponent) => {
      expect(chiSquare(new ZipfSampler(100, exponent), 100, exponent, 20, 100_000)).toBeLessThan(critical20);
    },
  );

  it('gives rank 1 of 100 at exponent 1 its 19.28 %, and the first ten their 56.46 %', () => {
    // 100,000 draws: standard deviations 0.125 % and 0.157 %; bound 5 of them.
    const rng = fresh();
    const sampler = new ZipfSampler(100, 1);
    let first = 0;
    let ten = 0;
    for (let k = 0; k < 100_000; k++) {
      const rank = sampler.sample(rng);
      if (rank === 0) first++;
      if (rank < 10) ten++;
    }
    expect(Math.abs(first / 100_000 - 0.192775635974)).toBeLessThan(0.00625);
    expect(Math.abs(ten / 100_000 - 0.564633717906)).toBeLessThan(0.00785);
  });
});

describe('rejection-inversion', () => {
  it.each([0, 0.5, 0.99, 1, 1.000000001, 1.2, 3])('has the same law at exponent %s', (exponent) => {
    expect(chiSquare(new ZipfSampler(100, exponent, 0), 100, exponent, 20, 100_000)).toBeLessThan(critical20);
  });

  it('covers every rank up to the last, and none beyond', () => {
    const rng = fresh();
    const sampler = new ZipfSampler(3, 0.2, 0);
    const seen = new Set(Array.from({ length: 2000 }, () => sampler.sample(rng)));
    expect([...seen].toSorted()).toEqual([0, 1, 2]);
  });

  it('takes over beyond a million ranks', () => {
    // H(2·10⁶) at exponent 1 is 15.0859: rank 1 has 6.629 %; of 50,000 draws 3,314 ± 56, bound 5 standard deviations.
    const rng = fresh();
    const sampler = new ZipfSampler(2_000_000, 1);
    let first = 0;
    let largest = 0;
    for (let k = 0; k < 50_000; k++) {
      const rank = sampler.sample(rng);
      if (rank === 0) first++;
      largest = Math.max(largest, rank);
    }
    expect(Math.abs(first - 3314)).toBeLessThan(280);
    expect(largest).toBeGreaterThan(1_000_000);
    expect(largest).toBeLessThan(2_000_000);
  });
});
