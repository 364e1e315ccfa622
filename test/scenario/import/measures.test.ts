/** What is measured, against laws whose values are known in closed form. Seeds are fixed, so that nothing flakes; tolerances are five
 *  standard errors or more of the estimate at that n. */
import { describe, expect, test } from 'vitest';
import { Xoshiro128 } from '../../../src/core/xoshiro.ts';
import { BurstinessMeter, type FittedArrivals } from '../../../src/scenario/import/burstiness.ts';
import { DurationSketch } from '../../../src/scenario/import/duration-sketch.ts';
import { KeyCounts } from '../../../src/scenario/import/key-counts.ts';
import { RateWindows } from '../../../src/scenario/import/rate-windows.ts';
import { fitService } from '../../../src/scenario/import/service-fit.ts';
import { SessionMeter } from '../../../src/scenario/import/session-meter.ts';
import { fitKeys, zipfExponent } from '../../../src/scenario/import/zipf-fit.ts';
import { makeSampler } from '../../../src/stats/samplers.ts';
import { ZipfSampler } from '../../../src/stats/zipf.ts';

const fresh = (): Xoshiro128 => new Xoshiro128(5, 6, 7, 8);

describe('burstiness', () => {
  /** Gaps with a mean of 20 ms, that is 50 per second, for 20,000 requests: 400 seconds. */
  const gammaArrivals = (shape: number, rateAt: (ms: number) => number = () => 1): number[] => {
    const rng = fresh();
    const sampler = makeSampler({ type: 'gamma', shape, mean: 20 });
    const times: number[] = [];
    let now = 0;
    for (let i = 0; i < 20_000; i++) {
      now += sampler.sample(rng) / rateAt(now);
      times.push(now);
    }
    return times;
  };
  const fit = (times: readonly number[], tickMs: number): FittedArrivals => {
    const meter = new BurstinessMeter(tickMs);
    for (const time of times) meter.add(tickMs === 0.001 ? time : Math.floor(time / tickMs) * tickMs);
    return meter.fit();
  };
  const at = (fitted: FittedArrivals, windowMs: number) => fitted.counts.find((each) => each.windowMs === windowMs)!;

  test('a Poisson process has 1 everywhere: dispersion and Allan factor of counts, variation and local variation of gaps', () => {
    const fitted = fit(gammaArrivals(1), 0.001);
    // 400 windows: the standard error of both is about sqrt(3/400) = 0.09.
    expect(at(fitted, 1000).dispersion).toBeCloseTo(1, 0);
    expect(at(fitted, 1000).allanFactor).toBeCloseTo(1, 0);
    expect(Math.abs(at(fitted, 100).dispersion - 1)).toBeLessThan(0.15);
    expect(Math.abs(fitted.gaps!.cv - 1)).toBeLessThan(0.05);
    expect(Math.abs(fitted.gaps!.localVariation - 1)).toBeLessThan(0.05);
    expect(fitted.law).toEqual({ type: 'poisson' });
  });

  // A gamma law of shape k has cv 1/sqrt(k) and local variation 3/(2k + 1). Of shape 0.1 three gaps in ten are too short for the clock:
  // there the counts decide, which know cv² to about a tenth.
  test.each([
    [0.25, 2, 2],
    [0.1, 3.162, 2.5],
    [4, 0.5, 3 / 9],
  ])('gamma gaps of shape %s are found again as cv %s', (shape, cv, lv) => {
    const fitted = fit(gammaArrivals(shape), 0.001);
    expect(Math.abs(fitted.gaps!.localVariation / lv - 1)).toBeLessThan(0.05);
    expect(fitted.law.type).toBe('gamma');
    expect(Math.abs((fitted.law as { cv: number }).cv / cv - 1)).toBeLessThan(0.1);
  });

  test('a rate that swings by a factor of nine does not count as bursts, although it inflates the dispersion', () => {
    const swinging = gammaArrivals(1, (ms) => 1 + 0.8 * Math.sin(ms / 20_000));
    const fitted = fit(swinging, 0.001);
    expect(at(fitted, 1000).dispersion).toBeGreaterThan(5);
    expect(fitted.law).toEqual({ type: 'poisson' });
  });

  test('a clock of whole seconds is judged by counts of ten seconds', () => {
    const poisson = fit(gammaArrivals(1), 1000);
    expect(poisson.law).toEqual({ type: 'poisson' });
    expect(poisson.because).toContain('Allan factor of counts per 10 s');
    const bursty = fit(gammaArrivals(0.1), 1000);
    // The Allan factor tends to cv² = 10; with 40 windows it is known to about a third.
    expect(bursty.law.type).toBe('gamma');
    expect((bursty.law as { cv: number }).cv).toBeGreaterThan(2);
    expect((bursty.law as { cv: number }).cv).toBeLessThan(4.5);
  });

  test('requests that come in the same millisecond are batches', () => {
    const batches = gammaArrivals(1)
      .slice(0, 5000)
      .flatMap((time) => [time, time, time, time]);
    expect(fit(batches, 0.001).law).toEqual({ type: 'batch', size: 4 });
    // The same with a clock of milliseconds, where chance alone makes one gap in twenty 0.
    expect(fit(batches, 1).law).toEqual({ type: 'batch', size: 4 });
  });

  test('a few requests tell nothing', () => {
    expect(fit([0, 10, 20], 1)).toMatchObject({ law: { type: 'poisson' }, because: 'there are too few requests to tell' });
    expect(fit([], 1)).toMatchObject({ law: { type: 'poisson' } });
  });

  test('windows of silence count', () => {
    const meter = new BurstinessMeter(1);
    for (const time of [0, 1, 2, 9_500, 30_000]) meter.add(time);
    // Seconds 0 to 29: three in the first, one in the tenth, none in the others.
    const mean = 4 / 30;
    const { windows, meanCount, maxCount, dispersion, allanFactor } = at(meter.fit(), 1000);
    expect({ windows, meanCount, maxCount }).toEqual({ windows: 30, meanCount: mean, maxCount: 3 });
    expect(dispersion).toBeCloseTo((9 + 1 - 30 * mean * mean) / 29 / mean, 12);
    expect(allanFactor).toBeCloseTo((9 + 1 + 1) / 29 / (2 * mean), 12);
  });
});

describe('durations', () => {
  test('quantiles are within 0.8 % of the exact ones, extremes are exact', () => {
    const sketch = new DurationSketch(0.001);
    const values = Array.from({ length: 9999 }, (_, i) => 0.05 * (i + 1) * 1.0007 ** i);
    for (const value of values) sketch.record(value);
    for (const p of [0.01, 0.25, 0.5, 0.9, 0.99, 0.999]) {
      expect(Math.abs(sketch.quantile(p) / values[Math.ceil(p * 9999) - 1] - 1)).toBeLessThan(0.008);
    }
    expect([sketch.quantile(0), sketch.quantile(1)]).toEqual([values[0], values.at(-1)]);
  });

  test.each([0, 1e-9, 1e300])('%s has a place', (value) => {
    const sketch = new DurationSketch(1);
    sketch.record(value);
    expect(sketch.quantile(0.5)).toBe(value);
  });

  const fitOf = (spec: Parameters<typeof makeSampler>[0], tickMs = 0.001) => {
    const rng = fresh();
    const sampler = makeSampler(spec);
    const sketch = new DurationSketch(tickMs);
    for (let i = 0; i < 50_000; i++) sketch.record(tickMs === 0.001 ? sampler.sample(rng) : Math.floor(sampler.sample(rng)));
    return fitService(sketch, tickMs)!;
  };

  test('a lognormal law is found again, with its error', () => {
    const fitted = fitOf({ type: 'lognormal', mu: Math.log(20), sigma: 0.8 });
    expect(fitted.choice).toBe('lognormal');
    expect(fitted.lognormalError).toBeLessThan(0.05);
    // Standard error of the median: 0.8 / sqrt(50,000) = 0.4 %; of p99: 1.2 %.
    expect(Math.abs(fitted.lognormal!.p50 / 20 - 1)).toBeLessThan(0.02);
    expect(Math.abs(fitted.lognormal!.p99 / (20 * Math.exp(2.326 * 0.8)) - 1)).toBeLessThan(0.04);
  });

  test('it is found through a clock of whole milliseconds, too', () => {
    expect(fitOf({ type: 'lognormal', mu: Math.log(20), sigma: 0.8 }, 1).choice).toBe('lognormal');
  });

  test.each([
    [{ type: 'exponential', mean: 20 }],
    [{ type: 'uniform', min: 5, max: 50 }],
    [{ type: 'discrete', values: [1, 100], shares: [0.9, 0.1] }],
  ] as const)('%j is no lognormal law: the quantiles are kept', (spec) => {
    const fitted = fitOf(spec);
    expect(fitted.choice).toBe('quantiles');
    expect(fitted.lognormalError).toBeGreaterThan(0.1);
    const values = Object.values(fitted.quantiles);
    expect(values).toEqual([...values].sort((a, b) => a - b));
  });

  test('times that are all alike have no lognormal law, and times of 0 no law at all', () => {
    const alike = new DurationSketch(1);
    for (let i = 0; i < 200; i++) alike.record(7);
    expect(fitService(alike, 1)).toMatchObject({ choice: 'quantiles', meanMs: 7 });
    const zero = new DurationSketch(1);
    zero.record(0);
    expect(fitService(zero, 1)).toBeUndefined();
    expect(fitService(new DurationSketch(1), 1)).toBeUndefined();
  });
});

describe('keys', () => {
  const countsOf = (count: number, exponent: number, requests: number): KeyCounts => {
    const rng = fresh();
    const sampler = new ZipfSampler(count, exponent);
    const keys = new KeyCounts();
    // Keys as the import makes them: large and scattered.
    for (let i = 0; i < requests; i++) keys.add((sampler.sample(rng) + 1) * 7_919_000_003);
    return keys;
  };

  test.each([0.6, 0.9, 1, 1.2, 1.5])('the exponent %s is found again to 0.03', (exponent) => {
    const keys = countsOf(5000, exponent, 200_000);
    const fitted = fitKeys(keys.total, keys.distinct(), keys.top(1000));
    expect(Math.abs(fitted.exponent - exponent)).toBeLessThan(0.03);
    expect(Math.abs(fitted.topShareOfLaw / fitted.topShare - 1)).toBeLessThan(0.15);
  });

  test('even keys have an exponent near 0', () => {
    // 400 requests each differ by 5 % by chance; put in order that looks like an exponent of about 0.045.
    const keys = countsOf(500, 0, 200_000);
    expect(fitKeys(keys.total, keys.distinct(), keys.top(1000)).exponent).toBeLessThan(0.06);
  });

  test('exact counts of a Zipf law give its exponent', () => {
    expect(zipfExponent(Array.from({ length: 100 }, (_, rank) => 1e9 / (rank + 1) ** 1.1))).toBeCloseTo(1.1, 6);
  });

  test('keys that hardly come twice have no exponent', () => {
    expect(fitKeys(30, 20, [3, 2, 2, 1, 1])).toMatchObject({ exponent: 0, fittedKeys: 0, distinct: 20 });
  });

  test('distinct keys are counted exactly while they are few, and to 3 % when they are many', () => {
    const keys = new KeyCounts();
    for (let i = 1; i <= 16_000; i++) keys.add(i * 1_000_003);
    expect(keys.distinct()).toBe(16_000);
    for (let i = 1; i <= 300_000; i++) keys.add(i * 1_000_003);
    // Standard error of adaptive sampling with 8,192 to 16,384 in the sample: 1.2 / sqrt(8,192) = 1.3 %; one draw of it is fixed here.
    expect(Math.abs(keys.distinct() / 300_000 - 1)).toBeLessThan(0.03);
  });

  test('the frequent keys keep their exact counts among hundreds of thousands that come once', () => {
    const keys = new KeyCounts();
    for (let i = 0; i < 200_000; i++) {
      keys.add(1e12 + i);
      if (i % 100 === 0) keys.add(7);
      if (i % 200 === 0) keys.add(8);
    }
    expect(keys.top(2)).toEqual([2000, 1000]);
  });
});

describe('sessions', () => {
  const minute = 60_000;

  test('a pause of more than half an hour ends a session', () => {
    const meter = new SessionMeter(1);
    const visits: readonly (readonly [client: number, at: number])[] = [
      [1, 0],
      [2, 1000],
      [1, 5000],
      [1, 30 * minute],
      [1, 61 * minute],
      [2, 61 * minute],
    ];
    expect(visits.map(([client, at]) => meter.add(client, at, NaN))).toEqual([1, 2, 1, 1, 3, 4]);
    expect(meter.fit()).toMatchObject({ count: 4, requestsPerSession: { mean: 1.5, p50: 1, max: 3 } });
  });

  test('thinking begins when the answer is there', () => {
    const meter = new SessionMeter(1);
    meter.add(1, 0, 400);
    meter.add(1, 1000, 100);
    // Sent before the answer to the one before: no thought at all.
    meter.add(1, 1050, NaN);
    expect(meter.fit()!.thinkTime!.meanMs).toBe(300);
  });

  test('without clients there are none', () => {
    expect(new SessionMeter(1).fit()).toBeUndefined();
  });

  test('clients that left are forgotten, and their sessions counted', () => {
    const meter = new SessionMeter(1);
    for (let i = 0; i < 200_000; i++) meter.add(i, i * 100, NaN);
    expect(meter.fit()).toMatchObject({ count: 200_000, requestsPerSession: { mean: 1 } });
  });
});

describe('the rate', () => {
  test.each([
    [90_000, 1000],
    [121_000, 2000],
    [3_600_000, 30_000],
    [86_400_000, 900_000],
    [30 * 86_400_000, 6 * 3_600_000],
    [20 * 365 * 86_400_000, 61 * 86_400_000],
  ])('of %s ms is counted in windows of %s ms', (spanMs, windowMs) => {
    expect(new RateWindows(spanMs).windowMs).toBe(windowMs);
  });

  test('windows without requests are there, and the peak is that of whole windows', () => {
    const windows = new RateWindows(10_400);
    for (const at of [0, 100, 200, 2500, 10_300, 10_400]) windows.add(at);
    const rate = windows.fit(10_400);
    expect(rate.counts).toEqual([3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
    // Two requests in the last 0.4 s are taken as two in half a second.
    expect(rate.peakPerSecond).toBe(4);
    expect(rate.perSecond).toBeCloseTo(6 / 10.4, 12);
  });
});
