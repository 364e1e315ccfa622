/** Hit ratios of warm caches: exact where there is a closed form, against a simulated cache where there is none. */
import { expect, test } from 'vitest';
import { Xoshiro128 } from '../../src/core/xoshiro.ts';
import { hitShare, popularity } from '../../src/lab/cache-forecast.ts';
import type { CacheSpec } from '../../src/scenario/spec.ts';
import { ZipfSampler } from '../../src/stats/zipf.ts';

const keyCache = (entries: number, ttlMs = Infinity): CacheSpec => ({
  ...{ type: 'keys', entries, ttlMs, coalesces: false, earlyRefresh: 0, startsCold: false, shared: true },
  hitTime: { type: 'constant', value: 0 },
});
const uniform = [{ count: 1000, share: 0.001 }];
const zipf = (count: number, exponent: number) => popularity({ traffic: [{ keys: { count, exponent } } as never] });

test('a cache for all keys, with no end to their life, answers everything', () => {
  expect(hitShare(keyCache(1000), uniform, 1)).toBe(1);
  expect(hitShare(keyCache(5000), uniform, 1)).toBe(1);
});

test('of equally popular keys a cache answers the share it holds, at any rate', () => {
  for (const perMs of [0.001, 1, 1000]) expect(hitShare(keyCache(250), uniform, perMs)).toBeCloseTo(0.25, 6);
});

test('by time to live alone: one fetch, then rate times life hits', () => {
  // Each key is asked for every second on average and lives four: 4 of 5.
  expect(hitShare(keyCache(1000, 4000), uniform, 1)).toBeCloseTo(0.8, 9);
});

test('a cache of ratios says so itself', () => {
  const cache: CacheSpec = {
    type: 'ratio',
    hit: 0.9,
    fills: 10,
    startsCold: true,
    shared: true,
    hitTime: { type: 'constant', value: 0 },
  };
  expect(hitShare(cache, uniform, 1)).toBe(0.9);
});

test.each([
  [10_000, 0.9, 500],
  [10_000, 1.2, 100],
])('%i keys of exponent %d in %i places: as a simulated least-recently-used cache', (count, exponent, entries) => {
  // 200,000 requests after as many for warming up. Hits are nearly independent, so the share has a standard error below 0.0012; Che's
  // approximation is good to about 0.01 at these sizes. The seed is fixed.
  const sampler = new ZipfSampler(count, exponent);
  const rng = new Xoshiro128(1, 2, 3, 4);
  const held = new Map<number, true>();
  let hits = 0;
  for (let i = 0; i < 400_000; i++) {
    const key = sampler.sample(rng);
    const isHit = held.delete(key);
    held.set(key, true);
    if (held.size > entries) held.delete(held.keys().next().value!);
    if (isHit && i >= 200_000) hits++;
  }
  expect(Math.abs(hitShare(keyCache(entries), zipf(count, exponent), 1) - hits / 200_000)).toBeLessThan(0.01);
});

test('shares of all keys sum to 1, grouped or not', () => {
  for (const [count, exponent] of [
    [10, 0],
    [100_000, 1],
    [10_000_000, 0.8],
  ]) {
    const groups = zipf(count, exponent);
    expect(groups.reduce((sum, group) => sum + group.count, 0)).toBe(count);
    expect(groups.reduce((sum, group) => sum + group.count * group.share, 0)).toBeCloseTo(1, 9);
    expect(groups.length).toBeLessThan(5000);
  }
});
