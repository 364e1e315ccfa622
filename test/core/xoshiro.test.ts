import { describe, expect, it } from 'vitest';
import { Xoshiro128 } from '../../src/core/xoshiro.ts';

const fresh = (): Xoshiro128 => new Xoshiro128(0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef);

describe('uint32', () => {
  it('gives the published numbers of xoshiro128++ from the state 1, 2, 3, 4', () => {
    const rng = new Xoshiro128(1, 2, 3, 4);
    const published = [641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295, 495546011, 621204420];
    expect(published.map(() => rng.uint32())).toEqual(published);
  });

  it('has the period’s only fixed point, all zeros, replaced', () => {
    const rng = new Xoshiro128(0, 0, 0, 0);
    expect(rng.state()).toEqual([1, 0, 0, 0]);
    rng.reseed(0, 0, 0, 0);
    expect(rng.state()).toEqual([1, 0, 0, 0]);
  });
});

describe('next', () => {
  it('is made of two words: 27 leading bits of the first, then 26 of the second', () => {
    const doubles = fresh();
    const words = fresh();
    for (let k = 0; k < 1000; k++) {
      const first = BigInt(words.uint32() >>> 5);
      const second = BigInt(words.uint32() >>> 6);
      expect(doubles.next()).toBe(Number(first * 2n ** 26n + second) / 2 ** 53);
      expect(doubles.state()).toEqual(words.state());
    }
  });

  it('fills 100 equal cells evenly: chi-square of 100,000 draws between its 1e-4 critical values', () => {
    // Critical values for 99 degrees of freedom: 54.987 and 160.056. Fixed seed.
    const rng = fresh();
    const cells = new Float64Array(100);
    for (let k = 0; k < 100_000; k++) cells[Math.floor(rng.next() * 100)]++;
    const chi2 = cells.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chi2).toBeGreaterThan(54.987);
    expect(chi2).toBeLessThan(160.056);
  });

  it('gives arrivals whose counts are as dispersed as Poisson’s: index over 1,000 windows between its 1e-4 critical values', () => {
    // Uniform instants over 1,000 windows with 20 expected in each: 0.8353 and 1.1836 for 999 degrees of freedom. Fixed seed.
    const rng = fresh();
    const windows = new Float64Array(1000);
    for (let k = 0; k < 20_000; k++) windows[Math.floor(rng.next() * 1000)]++;
    const dispersion = windows.reduce((sum, count) => sum + (count - 20) ** 2, 0) / 999 / 20;
    expect(dispersion).toBeGreaterThan(0.8353);
    expect(dispersion).toBeLessThan(1.1836);
  });
});

describe('below', () => {
  it.each([1, 2, 3, 7, 100, 2 ** 31, 2 ** 31 + 1, 3_000_000_019, 2 ** 32 - 1])('stays in [0, %s)', (n) => {
    const rng = fresh();
    for (let k = 0; k < 2000; k++) {
      const value = rng.below(n);
      expect(Number.isInteger(value) && value >= 0 && value < n).toBe(true);
    }
  });

  it('is the high half of word times n, and skips exactly the words that would favour a value', () => {
    for (const n of [3, 10, 65_537, 2 ** 31 + 12_345, 3_000_000_019, 2 ** 32 - 1]) {
      const rng = fresh();
      const words = fresh();
      for (let k = 0; k < 300; k++) {
        let product = BigInt(words.uint32()) * BigInt(n);
        while (product % 2n ** 32n < 2n ** 32n % BigInt(n)) product = BigInt(words.uint32()) * BigInt(n);
        expect(rng.below(n)).toBe(Number(product >> 32n));
      }
      expect(rng.state()).toEqual(words.state());
    }
  });

  it('has no favourites where a remainder would: chi-square of 90,000 draws below 3 · 2^30 in six cells', () => {
    // A remainder, or a product without rejection, would fill some sixths twice as much. 5 degrees of freedom: p = 1e-4 at 25.745.
    const rng = fresh();
    const n = 3 * 2 ** 30;
    const cells = new Float64Array(6);
    for (let k = 0; k < 90_000; k++) cells[Math.floor((rng.below(n) / n) * 6)]++;
    expect(cells.reduce((sum, count) => sum + (count - 15_000) ** 2 / 15_000, 0)).toBeLessThan(25.745);
  });

  it('is even over 100 values: chi-square of 100,000 draws between its 1e-4 critical values', () => {
    const rng = fresh();
    const cells = new Float64Array(100);
    for (let k = 0; k < 100_000; k++) cells[rng.below(100)]++;
    const chi2 = cells.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chi2).toBeGreaterThan(54.987);
    expect(chi2).toBeLessThan(160.056);
  });
});

it('a generator made from another’s state goes on like it, and so does one re-seeded with it', () => {
  const rng = fresh();
  for (let k = 0; k < 10; k++) rng.next();
  const twin = new Xoshiro128(...rng.state());
  const other = new Xoshiro128(1, 2, 3, 4);
  other.reseed(...rng.state());
  for (let k = 0; k < 10; k++) {
    const value = rng.next();
    expect(twin.next()).toBe(value);
    expect(other.next()).toBe(value);
  }
});
