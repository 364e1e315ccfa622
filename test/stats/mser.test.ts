import { describe, expect, it } from 'vitest';
import { mser5 } from '../../src/stats/mser.ts';

const noise = (k: number): number => ((k * 7919) % 1009) / 1009 - 0.5;

describe('mser5', () => {
  it('agrees with the reference on a decaying transient: 18 batches, 90 observations', () => {
    const series = Array.from({ length: 400 }, (_, k) => 10 * Math.exp(-k / 20) + noise(k));
    expect(mser5(series)).toEqual({ truncateBatches: 18, truncateObservations: 90, inSecondHalf: false });
  });

  it('cuts nothing from a constant series', () => {
    expect(mser5(Array.from({ length: 100 }, () => 3))).toEqual({
      truncateBatches: 0,
      truncateObservations: 0,
      inSecondHalf: false,
    });
  });

  it('says so when the series is still moving in its second half', () => {
    const series = Array.from({ length: 400 }, (_, k) => (k < 280 ? k / 28 : 10) + noise(k));
    expect(mser5(series).inSecondHalf).toBe(true);
  });

  it('does not mind observations after the last whole batch', () => {
    const series = Array.from({ length: 400 }, (_, k) => 10 * Math.exp(-k / 20) + noise(k));
    expect(mser5([...series, 1e6, 1e6])).toEqual(mser5(series));
  });

  it('has nothing to say on fewer than five observations', () => {
    expect(mser5([1, 2, 3])).toEqual({ truncateBatches: 0, truncateObservations: 0, inSecondHalf: false });
  });

  it('equals the definition, computed the slow way', () => {
    const series = Array.from({ length: 150 }, (_, k) => 4 / (1 + k / 10) + noise(k));
    const batches = Array.from({ length: 30 }, (_, b) => series.slice(b * 5, b * 5 + 5).reduce((sum, v) => sum + v, 0) / 5);
    const statistics = batches.slice(0, 15).map((_, d) => {
      const kept = batches.slice(d);
      const mean = kept.reduce((sum, v) => sum + v, 0) / kept.length;
      return kept.reduce((sum, v) => sum + (v - mean) ** 2, 0) / kept.length ** 2;
    });
    expect(mser5(series).truncateBatches).toBe(statistics.indexOf(Math.min(...statistics)));
  });
});
