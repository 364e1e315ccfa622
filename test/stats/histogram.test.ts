import { describe, expect, it } from 'vitest';
import type { DistributionSpec } from '../../src/core/distribution-spec.ts';
import { Xoshiro128 } from '../../src/core/xoshiro.ts';
import { Histogram, mergeHistograms } from '../../src/stats/histogram.ts';
import { makeSampler } from '../../src/stats/samplers.ts';

function draw(spec: DistributionSpec, n: number): Float64Array {
  const sampler = makeSampler(spec);
  const rng = new Xoshiro128(5, 6, 7, 8);
  return Float64Array.from({ length: n }, () => sampler.sample(rng));
}

function histogramOf(values: Iterable<number>, bits?: number): Histogram {
  const histogram = new Histogram(bits);
  for (const value of values) histogram.record(value);
  return histogram;
}

const laws: readonly { name: string; spec: DistributionSpec }[] = [
  { name: 'exponential', spec: { type: 'exponential', mean: 20 } },
  { name: 'lognormal', spec: { type: 'lognormal', mu: 2.5, sigma: 1.2 } },
  { name: 'uniform', spec: { type: 'uniform', min: 3, max: 400 } },
  { name: 'Weibull of shape 0.5', spec: { type: 'weibull', shape: 0.5, scale: 10 } },
  { name: 'Pareto of infinite mean', spec: { type: 'pareto', shape: 0.9, min: 1, max: Infinity } },
];

describe('quantiles against sorting', () => {
  const n = 100_000;

  it.each(laws)('$name: within 0.2 % at 8 bits from the median to 99.99 %', ({ spec }) => {
    const values = draw(spec, n);
    const sorted = values.toSorted();
    const histogram = histogramOf(values);
    for (const p of [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999]) {
      const exact = sorted[Math.ceil(p * n - 1e-6) - 1];
      expect(Math.abs(histogram.quantile(p) / exact - 1), `at ${p}`).toBeLessThan(0.002);
    }
  });

  it.each([5, 8, 10])('the error is never more than a bucket’s width, 2^-%s, whatever the data', (bits) => {
    // Clusters at bucket edges are the worst case for spreading ranks evenly.
    const values = Array.from({ length: 1000 }, (_, k) => 2 ** (k % 17) * (1 + (k % 3) * 1e-9));
    const sorted = values.toSorted((a, b) => a - b);
    const histogram = histogramOf(values, bits);
    for (let rank = 1; rank <= 1000; rank++) {
      expect(Math.abs(histogram.quantile(rank / 1000) / sorted[rank - 1] - 1)).toBeLessThanOrEqual(2 ** -bits);
    }
  });

  it('takes the rank ⌈p·n⌉, also for shares that a double holds a little too large', () => {
    // 0.07 · 100 is 7.000000000000001 in doubles. Powers of two keep each record in a bucket of its own.
    const histogram = histogramOf(Array.from({ length: 40 }, (_, k) => [2 ** (k - 10), 2 ** (k - 10)]).flat());
    for (let k = 1; k < 40; k++) {
      expect(Math.round(Math.log2(histogram.quantile(k / 40)))).toBe(k - 11);
      expect(Math.round(Math.log2(histogram.quantile(k / 40 + 1e-6)))).toBe(k - 10);
    }
    const hundred = histogramOf(Array.from({ length: 100 }, (_, k) => 1 + Math.floor(k / 7)));
    expect(Math.round(hundred.quantile(0.07))).toBe(1);
    expect(Math.round(hundred.quantile(0.14))).toBe(2);
  });

  it('is exact at the ends and for a constant', () => {
    const histogram = histogramOf([0.3, 5.123, 99.7]);
    expect([histogram.quantile(0), histogram.quantile(1)]).toEqual([0.3, 99.7]);
    const constant = histogramOf([12.345, 12.345, 12.345]);
    expect([constant.quantile(0.01), constant.quantile(0.5), constant.quantile(1)]).toEqual([12.345, 12.345, 12.345]);
  });

  it('is NaN when empty, and so is the mean', () => {
    expect(new Histogram().quantile(0.5)).toBeNaN();
    expect(new Histogram().mean()).toBeNaN();
  });
});

describe('what does not fit the table', () => {
  it('counts zeros, and what is below 61 ns as such', () => {
    const histogram = histogramOf([0, 0, 0, 1e-9, 5e-324, 8]);
    expect(histogram.quantile(0.5)).toBe(0);
    expect(histogram.quantile(0.83)).toBe(0);
    expect(histogram.quantile(0.84)).toBe(8);
    expect(histogram.min).toBe(0);
  });

  it('puts what is beyond half a year in one bucket up to the largest', () => {
    const histogram = histogramOf([1, 2e10, 3e10, 1e300]);
    expect(histogram.max).toBe(1e300);
    expect(histogram.quantile(0.75)).toBeGreaterThanOrEqual(2 ** 34);
    expect(histogram.quantile(0.25)).toBeCloseTo(1, 2);
    expect(histogram.quantile(1)).toBe(1e300);
  });

  it('takes the borders of the table into the right bucket', () => {
    const counts = (value: number): number => histogramOf([value]).toData().first;
    expect(counts(2 ** -14) - counts(2 ** -14 * (1 - 2 ** -53))).toBe(1);
    expect(counts(2 ** 34) - counts(2 ** 34 * (1 - 2 ** -53))).toBe(1);
    expect(counts(2 ** 40)).toBe(counts(2 ** 34));
    expect(counts(-1)).toBe(counts(0));
  });
});

describe('moments', () => {
  it('counts, sums and knows the extremes', () => {
    const histogram = histogramOf([4, 1, 7]);
    expect([histogram.count, histogram.sum, histogram.mean(), histogram.min, histogram.max]).toEqual([3, 12, 4, 1, 7]);
  });

  it('records a value many times as if one by one, or in a bucket already known', () => {
    const manyTimes = histogramOf([1]);
    manyTimes.recordMany(0.5, 3);
    manyTimes.recordMany(7, 0);
    expect(manyTimes.toData()).toEqual(histogramOf([1, 0.5, 0.5, 0.5]).toData());
    const known = new Histogram();
    for (const value of [0, 3, 1e20]) known.recordIn(known.bucketOf(value), value);
    expect(known.toData()).toEqual(histogramOf([0, 3, 1e20]).toData());
    expect([known.bucketOf(0), known.bucketOf(1e20)]).toEqual([0, known.buckets - 1]);
  });

  it('starts over after reset', () => {
    const histogram = histogramOf([4, 1, 7]);
    histogram.reset();
    expect(histogram.toData()).toEqual(new Histogram().toData());
    histogram.record(2);
    expect(histogram.toData()).toEqual(histogramOf([2]).toData());
  });
});

describe('as data', () => {
  const values = draw({ type: 'lognormal', mu: 1, sigma: 2 }, 5000);

  it('an empty histogram is all zeros', () => {
    expect(new Histogram(5).toData()).toEqual({ bits: 5, first: 0, counts: [], count: 0, sum: 0, min: 0, max: 0 });
  });

  it('holds only the buckets in use, from the first index, which is the leading bits of the double', () => {
    // 1 is 0x3ff00000_00000000: its exponent and 8 bits of mantissa are 0x3ff00.
    expect(histogramOf([1, 1, 1.99609375]).toData()).toEqual({
      bits: 8,
      first: 0x3ff00,
      counts: [2, ...Array.from({ length: 254 }, () => 0), 1],
      count: 3,
      sum: 3.99609375,
      min: 1,
      max: 1.99609375,
    });
  });

  it('survives JSON', () => {
    const data = histogramOf(values).toData();
    expect(Histogram.fromData(JSON.parse(JSON.stringify(data))).toData()).toEqual(data);
  });

  it('an empty one read back can be recorded into', () => {
    const histogram = Histogram.fromData(new Histogram().toData());
    histogram.record(3);
    expect([histogram.min, histogram.max, histogram.count]).toEqual([3, 3, 1]);
  });

  it('merging gives the counts of one histogram of everything, in any grouping', () => {
    const parts = [values.subarray(0, 10), values.subarray(10, 3000), values.subarray(3000)].map((part) =>
      histogramOf(part).toData(),
    );
    const whole = histogramOf(values).toData();
    const merged = mergeHistograms([mergeHistograms(parts.slice(0, 2)), parts[2]]);
    expect({ ...merged, sum: 0 }).toEqual({ ...whole, sum: 0 });
    expect(merged.sum).toBeCloseTo(whole.sum, 8);
    expect(mergeHistograms(parts).counts).toEqual(whole.counts);
  });

  it('merging nothing, or empty ones, gives an empty one', () => {
    expect(mergeHistograms([]).count).toBe(0);
    const data = histogramOf([2, 3]).toData();
    expect(mergeHistograms([new Histogram().toData(), data, new Histogram().toData()])).toEqual(data);
  });

  it('refuses to merge different resolutions', () => {
    expect(() => new Histogram(5).merge(new Histogram(8))).toThrow('same bits');
  });
});
