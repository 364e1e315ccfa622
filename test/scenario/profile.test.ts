/** Rates over time: profiles of every kind, and their products. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { curveOf, multiply, type Point } from '../../src/scenario/rate-curve-spec.ts';
import type { RateCurveSpec } from '../../src/scenario/spec.ts';
import { arrivalsText, briefly, scenarioOf } from './fixture.ts';

const text = (profile: string, duration = '10m'): string =>
  arrivalsText('{ type: poisson, rate: 1/s }', `, profile: ${profile}`).replace('duration: 1m', `duration: ${duration}`);
const profileOf = async (profile: string, duration?: string): Promise<RateCurveSpec> =>
  (await scenarioOf(text(profile, duration))).traffic[0].profile;
/** Time in seconds and factor, point by point. */
const pointsOf = async (profile: string): Promise<number[][]> => {
  const { timesMs, factors } = await profileOf(profile);
  return Array.from(timesMs, (at, index) => [at / 1000, factors[index]]);
};

/** By the contract of `RateCurveSpec`, written down a second time: at a jump the value after it. */
function valueAt({ timesMs, factors, periodMs }: RateCurveSpec, at: number): number {
  const local = Number.isFinite(periodMs) ? at % periodMs : at;
  let before = -1;
  for (let i = 0; i < timesMs.length && timesMs[i] <= local; i++) before = i;
  if (before === -1) return factors[0];
  if (before === timesMs.length - 1) return factors[before];
  const share = (local - timesMs[before]) / (timesMs[before + 1] - timesMs[before]);
  return factors[before] + share * (factors[before + 1] - factors[before]);
}

test('steps jump from 1 to each factor', async () => {
  expect(await pointsOf('{ type: steps, steps: [{ at: 10s, factor: 2 }, { at: 20s, factor: 0 }] }')).toEqual([
    [10, 1],
    [10, 2],
    [20, 2],
    [20, 0],
  ]);
});

test('a step at the start needs no jump', async () => {
  expect(await pointsOf('{ type: steps, steps: [{ at: 0s, factor: 2 }] }')).toEqual([[0, 2]]);
});

test('a ramp', async () => {
  expect(await pointsOf('{ type: ramp, at: 10s, for: 20s, from: 0.5, to: 3 }')).toEqual([
    [10, 0.5],
    [30, 3],
  ]);
});

test('a spike, with and without flanks', async () => {
  expect(await pointsOf('{ type: spike, at: 10s, for: 20s, factor: 3 }')).toEqual([
    [10, 1],
    [10, 3],
    [30, 3],
    [30, 1],
  ]);
  expect(await pointsOf('{ type: spike, at: 10s, for: 20s, factor: 3, rise: 5s }')).toEqual([
    [10, 1],
    [15, 3],
    [25, 3],
    [30, 1],
  ]);
});

test('points with lines between them', async () => {
  expect(
    await pointsOf('{ type: piecewise, points: [{ at: 1s, factor: 1 }, { at: 2s, factor: 2 }, { at: 2s, factor: 5 }] }'),
  ).toEqual([
    [1, 1],
    [2, 2],
    [2, 5],
  ]);
});

test('a day follows the cosine to 1e-5 of its amplitude, again and again', async () => {
  const curve = await profileOf('{ type: diurnal, amplitude: 50%, peak: 14h }', '3d');
  expect(curve.periodMs).toBe(86_400_000);
  let worst = 0;
  for (let i = 0; i < 7001; i++) {
    const hours = (i * 72) / 7001;
    const exact = 1 + 0.5 * Math.cos((2 * Math.PI * (hours - 14)) / 24);
    worst = Math.max(worst, Math.abs(valueAt(curve, hours * 3_600_000) - exact));
  }
  expect(worst).toBeLessThan(0.5e-5);
  expect(worst).toBeGreaterThan(0);
});

test('without a peak a period is highest in its middle', async () => {
  const curve = await profileOf('{ type: diurnal, amplitude: 100%, period: 1m }');
  expect(valueAt(curve, 30_000)).toBeCloseTo(2, 12);
  expect(valueAt(curve, 0)).toBe(0);
});

describe('several profiles', () => {
  test('multiply', async () => {
    expect(
      await pointsOf('[{ type: steps, steps: [{ at: 10s, factor: 2 }] }, { type: spike, at: 5s, for: 10s, factor: 3 }]'),
    ).toEqual([
      [0, 1],
      [5, 1],
      [5, 3],
      [10, 3],
      [10, 6],
      [15, 6],
      [15, 2],
      [600, 2],
    ]);
  });

  test('a product of curves is the product of their values, everywhere', () => {
    const duration = 10_000;
    const points = fc
      .array(fc.record({ atMs: fc.nat({ max: 12_000 }), factor: fc.integer({ min: 0, max: 5 }) }), { minLength: 1, maxLength: 6 })
      .map((list): Point[] => list.toSorted((a, b) => a.atMs - b.atMs));
    // A period at least as long as the curve's last point.
    const curve = fc.tuple(points, fc.constantFrom(Infinity, 12_000, 13_500)).map(([list, periodMs]) => curveOf(list, periodMs));
    fc.assert(
      fc.property(
        curve,
        curve,
        fc.array(fc.double({ min: 0, max: duration - 1, noNaN: true }), { minLength: 5 }),
        (a, b, times) => {
          const product = multiply(a, b, duration);
          for (const at of times) {
            const exact = valueAt(a, at) * valueAt(b, at);
            expect(Math.abs(valueAt(product, at) - exact)).toBeLessThanOrEqual(1e-6 * 25 + 1e-9);
          }
        },
      ),
      { seed: 7, numRuns: 200 },
    );
  });

  test('a short period is unrolled over the run', async () => {
    const curve = await profileOf(
      '[{ type: diurnal, period: 1m, amplitude: 50% }, { type: steps, steps: [{ at: 5m, factor: 2 }] }]',
    );
    expect(curve.periodMs).toBe(Infinity);
    expect(valueAt(curve, 30_000)).toBeCloseTo(1.5, 6);
    expect(valueAt(curve, 8.5 * 60_000)).toBeCloseTo(3, 6);
  });
});

test.each([
  ['{ type: steps, steps: [{ at: 2s, factor: 2 }, { at: 1s, factor: 1 }] }', 'error: times must rise: 1s does not follow 2s'],
  ['{ type: steps, steps: [{ at: 2s, factor: 2 }, { at: 2s, factor: 1 }] }', 'error: times must rise: 2s does not follow 2s'],
  ['{ type: steps, steps: [] }', 'error: must not be empty'],
  ['{ type: spike, at: 1s, for: 5s, factor: 2, rise: 3s }', 'error: two flanks of 3s do not fit into 5s'],
  ['{ type: diurnal, amplitude: 150% }', 'error: "150%" is too large; it must be at most 100%'],
  ['{ type: diurnal, amplitude: 50%, period: 1h, peak: 2h }', 'error: peak must be within the period, 1h'],
  ['{ type: steps, steps: [{ at: 0s, factor: 0 }] }', 'error: the rate is 0 all the time'],
  ['{ type: spike, at: 20m, for: 1m, factor: 2 }', 'warning: 20m is not before the end of the run, 10m'],
  ['{ type: ramp, at: 1s, for: 5s, to: -1 }', 'error: -1 is too small; it must be at least 0'],
  ['flat', 'error: expected a map with "type", or a list of them, found "flat"'],
])('%s', async (profile, complaint) => {
  expect((await briefly(text(profile))).map((line) => line.replace(/^\S+ /, ''))).toEqual([complaint]);
});
