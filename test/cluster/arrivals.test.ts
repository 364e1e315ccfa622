/** The laws of arrivals. Seeds are fixed, so nothing here can flake; tolerances are four standard deviations or more of what is
 *  measured, so that a correct change of generator passes too. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeArrivals } from '../../src/cluster/arrivals.ts';
import { Streams } from '../../src/core/streams.ts';
import type { ArrivalSpec, RateCurveSpec } from '../../src/scenario/spec.ts';
import { steady } from './world-builder.ts';

function draw(spec: ArrivalSpec, count: number, profile: RateCurveSpec = steady, seed = 'arrivals'): Float64Array {
  const times = new Float64Array(count);
  makeArrivals(spec, profile, new Streams(seed).stream('arrivals')).drawInto(times);
  return times;
}

const gapsOf = (times: Float64Array): Float64Array => times.subarray(1).map((time, i) => time - times[i]);
const meanOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;
function cvOf(values: Float64Array): number {
  const mean = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2))) / mean;
}
/** Variance over mean of counts in windows: 1 for Poisson, whatever the width. */
function dispersion(times: Float64Array, windowMs: number): number {
  const counts = new Float64Array(Math.floor(times[times.length - 1] / windowMs));
  for (const time of times) if (time < counts.length * windowMs) counts[Math.floor(time / windowMs)]++;
  const mean = meanOf(counts);
  return meanOf(counts.map((count) => (count - mean) ** 2)) / mean;
}

const n = 100_000;

describe('evenly spaced arrivals', () => {
  test('have one gap, after a random share of it', () => {
    const times = draw({ type: 'constant', perSecond: 250 }, 1000);
    for (const gap of gapsOf(times)) expect(gap).toBeCloseTo(4, 9);
    const firsts = Float64Array.from(
      { length: 200 },
      (_, i) => draw({ type: 'constant', perSecond: 250 }, 1, steady, `seed ${i}`)[0],
    );
    expect(Math.min(...firsts)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...firsts)).toBeLessThan(4);
    // Uniform on [0, 4): sd of the mean of 200 is 0.08.
    expect(Math.abs(meanOf(firsts) - 2)).toBeLessThan(0.35);
  });
});

describe('independent gaps', () => {
  // Rate 500/s: mean gap 2 ms. The relative standard error of the mean of n gaps is cv/√n, with cv up to 2.24: 0.7 %.
  const cases: readonly (readonly [string, ArrivalSpec, number])[] = [
    ['poisson', { type: 'poisson', perSecond: 500 }, 1],
    ['gamma of shape 4', { type: 'gamma', perSecond: 500, shape: 4 }, 0.5],
    ['gamma of shape 1/4', { type: 'gamma', perSecond: 500, shape: 0.25 }, 2],
    // cv² = Γ(1 + 2/k) / Γ(1 + 1/k)² − 1 with k = 1/2: 24 / 4 − 1.
    ['weibull of shape 1/2', { type: 'weibull', perSecond: 500, shape: 0.5 }, Math.sqrt(5)],
    // Means 1 and 9 in equal parts, whatever their unit: E = 5, E[X²] = 82, cv² = 82/25 − 1.
    [
      'hyperexponential',
      {
        type: 'hyperexponential',
        perSecond: 500,
        branches: [
          { share: 0.5, mean: 1 },
          { share: 0.5, mean: 9 },
        ],
      },
      Math.sqrt(82 / 25 - 1),
    ],
  ];
  test.each(cases)('%s: mean gap and its coefficient of variation', (_, spec, cv) => {
    const gaps = gapsOf(draw(spec, n));
    expect(Math.abs(meanOf(gaps) / 2 - 1)).toBeLessThan(0.03);
    expect(Math.abs(cvOf(gaps) / cv - 1)).toBeLessThan(0.05);
  });

  test('of a Poisson process make counts of dispersion 1 in windows of any width; even ones 0, bursty ones more', () => {
    // 2000 windows of 100 ms: sd of the dispersion is √(2/2000) = 0.032.
    const poisson = draw({ type: 'poisson', perSecond: 500 }, n);
    for (const windowMs of [1, 10, 100]) expect(Math.abs(dispersion(poisson, windowMs) - 1)).toBeLessThan(0.13);
    expect(dispersion(draw({ type: 'constant', perSecond: 500 }, n), 100)).toBeLessThan(0.01);
    // In wide windows the dispersion of independent gaps is their cv²: 4 for shape 1/4.
    const bursty = dispersion(draw({ type: 'gamma', perSecond: 500, shape: 0.25 }, n), 200);
    expect(bursty).toBeGreaterThan(3.2);
    expect(bursty).toBeLessThan(4.6);
  });
});

describe('batches', () => {
  test('come whole, at the instants of a Poisson process, so that requests have the rate', () => {
    const times = draw({ type: 'batch', perSecond: 500, size: 5 }, n);
    for (let i = 0; i < n; i += 5) expect(times[i + 4]).toBe(times[i]);
    const instants = times.filter((_, i) => i % 5 === 0);
    expect(new Set(instants).size).toBe(n / 5);
    // A batch every 10 ms; n/5 gaps: relative error 0.7 %.
    expect(Math.abs(meanOf(gapsOf(instants)) / 10 - 1)).toBeLessThan(0.03);
    expect(Math.abs(cvOf(gapsOf(instants)) - 1)).toBeLessThan(0.05);
    // Counts in wide windows: five times a Poisson count.
    const wide = dispersion(times, 200);
    expect(wide).toBeGreaterThan(4.2);
    expect(wide).toBeLessThan(5.8);
  });
});

describe('a Markov-modulated process', () => {
  const states = [
    { perSecond: 100, meanMs: 300 },
    { perSecond: 2000, meanMs: 100 },
  ];
  test('has the mean rate of its states, weighted by the time spent in them', () => {
    // (100 · 300 + 2000 · 100) / 400 = 575/s. 174 s: about 435 turns of both; the share of time in a state varies by about 5 %.
    const times = draw({ type: 'mmpp', states }, n);
    expect(Math.abs(n / (times[n - 1] / 1000) / 575 - 1)).toBeLessThan(0.15);
  });

  test('is bursty: its counts are far from Poisson, and gaps cluster', () => {
    expect(dispersion(draw({ type: 'mmpp', states }, n), 100)).toBeGreaterThan(20);
  });

  test('with one state is Poisson', () => {
    const times = draw({ type: 'mmpp', states: [{ perSecond: 500, meanMs: 70 }] }, n);
    expect(Math.abs(meanOf(gapsOf(times)) / 2 - 1)).toBeLessThan(0.02);
    expect(Math.abs(dispersion(times, 10) - 1)).toBeLessThan(0.05);
  });

  test('is silent in a state without a rate', () => {
    const silent = [
      { perSecond: 1000, meanMs: 50 },
      { perSecond: 0, meanMs: 50 },
    ];
    const times = draw({ type: 'mmpp', states: silent }, 20_000);
    // 500/s on average; about 400 turns: 5 % each side.
    expect(Math.abs(20_000 / (times[19_999] / 1000) / 500 - 1)).toBeLessThan(0.25);
    expect(gapsOf(times).filter((gap) => gap > 15).length).toBeGreaterThan(200);
  });

  test('follows a profile that comes round again, also when a state is away for several rounds', () => {
    // Rate for 10 of every 100 ms; stays of 250 ms on average.
    const profile: RateCurveSpec = {
      timesMs: Float64Array.of(0, 10, 10, 100),
      factors: Float64Array.of(1, 1, 0, 0),
      periodMs: 100,
    };
    const long = [
      { perSecond: 2000, meanMs: 250 },
      { perSecond: 4000, meanMs: 250 },
    ];
    const times = draw({ type: 'mmpp', states: long }, 20_000, profile);
    expect(times.every((time, i) => i === 0 || time >= times[i - 1])).toBe(true);
    expect(times.filter((time) => time % 100 > 10 + 1e-9).length).toBe(0);
    // 3000/s in a tenth of the time.
    expect(Math.abs(20_000 / (times[19_999] / 1000) / 300 - 1)).toBeLessThan(0.15);
  });

  test('ends where its profile ends for good', () => {
    const profile: RateCurveSpec = { timesMs: Float64Array.of(0, 1000), factors: Float64Array.of(1, 0), periodMs: Infinity };
    const times = draw({ type: 'mmpp', states }, 5000, profile);
    const real = times.filter((time) => time < Infinity);
    expect(real.length).toBeGreaterThan(50);
    expect(real.length).toBeLessThan(2000);
    expect(Math.max(...real)).toBeLessThan(1000);
    expect(times[4999]).toBe(Infinity);
  });
});

describe('a profile', () => {
  const steps: RateCurveSpec = {
    timesMs: Float64Array.of(0, 10_000, 10_000, 20_000, 20_000, 30_000),
    factors: Float64Array.of(1, 1, 3, 3, 0, 0),
    periodMs: 30_000,
  };

  test.each<[string, ArrivalSpec]>([
    ['even spacing', { type: 'constant', perSecond: 100 }],
    ['Poisson arrivals', { type: 'poisson', perSecond: 100 }],
    ['gamma gaps', { type: 'gamma', perSecond: 100, shape: 2 }],
    ['batches', { type: 'batch', perSecond: 100, size: 4 }],
  ])('scales %s', (_, spec) => {
    // 4000 per round of 30 s; ten rounds: 10,000 in the first thirds, 30,000 in the second, none in the last.
    const times = draw(spec, 40_000, steps);
    const third = (k: number): number => times.filter((time) => Math.floor((time % 30_000) / 10_000) === k).length;
    // Batches of 4 have twice the spread: sd of 10,000 about 200.
    expect(Math.abs(third(0) - 10_000)).toBeLessThan(800);
    expect(Math.abs(third(1) - 30_000)).toBeLessThan(800);
    expect(third(2)).toBe(0);
  });

  test('keeps even spacing even within each step', () => {
    const times = draw({ type: 'constant', perSecond: 100 }, 2000, steps);
    const gaps = gapsOf(times.filter((time) => time > 10_000 && time < 20_000));
    for (const gap of gaps) expect(gap).toBeCloseTo(10 / 3, 6);
  });

  test('that ends for good ends the arrivals', () => {
    const ramp: RateCurveSpec = { timesMs: Float64Array.of(0, 1000), factors: Float64Array.of(2, 0), periodMs: Infinity };
    const times = draw({ type: 'poisson', perSecond: 100 }, 1000, ramp);
    const real = times.filter((time) => time < Infinity);
    // Poisson of mean 100.
    expect(real.length).toBeGreaterThan(60);
    expect(real.length).toBeLessThan(140);
    expect(times.subarray(real.length).every((time) => time === Infinity)).toBe(true);
  });
});

describe('whatever the process and the profile', () => {
  const process = fc.constantFrom<ArrivalSpec>(
    { type: 'constant', perSecond: 100 },
    { type: 'poisson', perSecond: 100 },
    { type: 'weibull', perSecond: 100, shape: 0.3 },
    { type: 'batch', perSecond: 100, size: 3 },
    {
      type: 'mmpp',
      states: [
        { perSecond: 10, meanMs: 30 },
        { perSecond: 1000, meanMs: 20 },
      ],
    },
  );
  const point = fc.tuple(
    fc.oneof(fc.constant(0), fc.double({ min: 0.001, max: 2000, noNaN: true })),
    fc.constantFrom(0, 0.5, 1, 4),
  );
  test('times never fall, and filling in pieces gives the same as at once', () => {
    const property = fc.property(
      process,
      fc.array(point, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      (spec, points, isPeriodic) => {
        let ms = 0;
        const timesMs = Float64Array.from(points, ([gap]) => (ms += gap));
        const factors = Float64Array.from(points, ([, factor]) => factor);
        const profile: RateCurveSpec = { timesMs, factors: factors.with(0, 1), periodMs: isPeriodic ? ms + 10 : Infinity };
        const times = draw(spec, 300, profile);
        expect(times.every((time, i) => time >= (i === 0 ? 0 : times[i - 1]))).toBe(true);
        const again = makeArrivals(spec, profile, new Streams('arrivals').stream('arrivals'));
        const pieces = [1, 7, 92, 200].flatMap((size) => {
          const piece = new Float64Array(size);
          again.drawInto(piece);
          return Array.from(piece);
        });
        expect(pieces).toEqual(Array.from(times));
      },
    );
    fc.assert(property, { numRuns: 150, seed: 5 });
  });
});
