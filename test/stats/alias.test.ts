import { describe, expect, it } from 'vitest';
import { Xoshiro128 } from '../../src/core/xoshiro.ts';
import { AliasTable } from '../../src/stats/alias.ts';

/** The exact probabilities a table realises, read off on a fine even grid of places instead of random ones. */
function realised(weights: readonly number[], perCell: number): number[] {
  const table = new AliasTable(weights);
  const total = weights.length * perCell;
  const counts = weights.map(() => 0);
  const rng = new Xoshiro128(1, 2, 3, 4);
  let at = 0;
  rng.next = () => (at++ + 0.5) / total;
  for (let k = 0; k < total; k++) counts[table.sample(rng)]++;
  return counts.map((count) => count / total);
}

describe('AliasTable', () => {
  it.each([[[1]], [[1, 1]], [[1, 2, 3, 4]], [[0, 5, 0, 0, 1]], [[1e-9, 1, 1e9]], [[3, 3, 3]]])(
    'realises the shares of %j',
    (weights) => {
      const total = weights.reduce((sum, w) => sum + w, 0);
      realised(weights, 10_000).forEach((share, k) => expect(share).toBeCloseTo(weights[k] / total, 3));
    },
  );

  it('never draws an index of weight zero', () => {
    expect(realised([0, 1, 0, 3, 0], 1000).map((share) => share > 0)).toEqual([false, true, false, true, false]);
  });

  it.each([[[]], [[0, 0]], [[1, NaN]], [[Infinity]]])('refuses weights %j', (weights) => {
    expect(() => new AliasTable(weights)).toThrow('positive, finite sum');
  });
});
