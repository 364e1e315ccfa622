import { describe, expect, it } from 'vitest';
import { Histogram } from '../../src/stats/histogram.ts';
import { survival } from '../../src/stats/survival.ts';

function curveOf(values: readonly number[], bits = 8) {
  const histogram = new Histogram(bits);
  for (const value of values) histogram.record(value);
  return survival(histogram.toData());
}

describe('survival', () => {
  it('falls inside buckets and is level between them', () => {
    // One bucket per octave: [2, 4), [8, 16), [16, 32).
    expect(curveOf([2, 3, 8, 20], 0)).toEqual([
      { value: 2, share: 1 },
      { value: 4, share: 0.5 },
      { value: 8, share: 0.5 },
      { value: 16, share: 0.25 },
      { value: 20, share: 0 },
    ]);
  });

  it('is empty for no records, and one drop for one', () => {
    expect(curveOf([])).toEqual([]);
    expect(curveOf([7])).toEqual([{ value: 7, share: 0 }]);
  });

  it('starts at the smallest and ends at the largest, zeros and overflow included', () => {
    const curve = curveOf([0, 0, 0, 5, 1e12]);
    expect(curve[0]).toEqual({ value: 0, share: 1 });
    expect(curve[1].share).toBe(0.4);
    expect(curve.at(-1)).toEqual({ value: 1e12, share: 0 });
  });

  it('gives the exact share at every edge, with values that rise and shares that fall', () => {
    const values = Array.from({ length: 2000 }, (_, k) => ((k * 7919) % 2003) / 7 + 0.01);
    const curve = curveOf(values, 5);
    const inner = curve.slice(0, -1);
    expect(inner.map(({ share }) => share)).toEqual(inner.map(({ value }) => values.filter((v) => v >= value).length / 2000));
    expect(curve).toEqual(curve.toSorted((a, b) => a.value - b.value || b.share - a.share));
    expect(new Set(curve.map(({ value }) => value)).size).toBe(curve.length);
    expect(curve.at(-1)).toEqual({ value: Math.max(...values), share: 0 });
  });
});
