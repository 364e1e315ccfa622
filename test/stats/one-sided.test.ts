import { expect, test } from 'vitest';
import { boundsOf } from '../../src/stats/one-sided.ts';
import { normalQuantile } from '../../src/stats/special.ts';
import { Streams } from '../../src/core/streams.ts';

test('are the t bounds of the book', () => {
  // t with 4 degrees of freedom at 95 %: 2.1318; mean 3, sd √2.5.
  const { mean, low, high } = boundsOf([1, 2, 3, 4, 5], 0.05);
  expect(mean).toBe(3);
  expect(high).toBeCloseTo(3 + 2.131847 * Math.sqrt(2.5 / 5), 5);
  expect(low).toBeCloseTo(3 - 2.131847 * Math.sqrt(2.5 / 5), 5);
});

test('say nothing from one value, and everything from equal ones', () => {
  expect(boundsOf([7], 0.05)).toMatchObject({ mean: 7, low: -Infinity, high: Infinity });
  expect(boundsOf([7, 7, 7], 0.05)).toMatchObject({ low: 7, high: 7 });
});

test('each misses as often as it says', () => {
  const rng = new Streams('one-sided').stream('values');
  const trials = 4000;
  let below = 0;
  let above = 0;
  for (let trial = 0; trial < trials; trial++) {
    const { low, high } = boundsOf(
      Array.from({ length: 5 }, () => normalQuantile(rng.next())),
      0.05,
    );
    if (high < 0) below++;
    if (low > 0) above++;
  }
  // 4000 fixed trials: 200 expected, standard deviation 14; four of them either way.
  for (const misses of [below, above]) expect(Math.abs(misses - 200)).toBeLessThan(56);
});
