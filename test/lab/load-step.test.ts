import { describe, expect, test } from 'vitest';
import { streamsWithoutRate, withLoadStep } from '../../src/lab/load-step.ts';
import { curveOf } from '../../src/scenario/rate-curve-spec.ts';
import type { RateCurveSpec, TrafficSpec } from '../../src/scenario/spec.ts';
import { RateCurve } from '../../src/cluster/rate-curve.ts';
import { outline } from './results.ts';

const stepped = (traffic: Partial<TrafficSpec>): RateCurveSpec =>
  withLoadStep(outline({ traffic: [traffic] }), { atMs: 40_000, factor: 0.5 }).traffic[0].profile;
const rateAt = (profile: RateCurveSpec, seconds: number): number => new RateCurve(profile, 100).rateAt(seconds * 1000);

describe('a step of the load', () => {
  test('multiplies every rate from its instant on', () => {
    const world = outline({ traffic: [{ name: 'a' }, { name: 'b' }] });
    for (const { profile } of withLoadStep(world, { atMs: 40_000, factor: 0.5 }).traffic) {
      expect([0, 20, 39.9, 40.1, 60, 99].map((second) => rateAt(profile, second))).toEqual([100, 100, 100, 50, 50, 50]);
    }
  });

  test('keeps the shape of a rate that changes by itself', () => {
    // From 1 at the start to 2 at the end.
    const ramp = curveOf([
      { atMs: 0, factor: 1 },
      { atMs: 100_000, factor: 2 },
    ]);
    const profile = stepped({ profile: ramp });
    for (const [second, expected] of [
      [20, 120],
      [39, 139],
      [50, 75],
      [90, 95],
    ])
      expect(rateAt(profile, second)).toBeCloseTo(expected, 6);
  });

  test('changes nothing else', () => {
    const world = outline();
    const { traffic, ...rest } = withLoadStep(world, { atMs: 1, factor: 0.5 });
    const { traffic: before, ...unchanged } = world;
    expect(rest).toEqual(unchanged);
    expect({ ...traffic[0], profile: undefined }).toEqual({ ...before[0], profile: undefined });
  });
});

test('streams without a rate are named', () => {
  const zero = { type: 'constant', value: 0 } as const;
  const world = outline({
    traffic: [
      { name: 'rate' },
      { name: 'states', arrivals: { type: 'mmpp', states: [{ perSecond: 1, meanMs: 1 }] } },
      { name: 'people', arrivals: { type: 'users', users: 1, think: zero, requests: 1, gap: zero } },
      { name: 'clock', arrivals: { type: 'bursts', everyMs: 1, size: 1, spreadMs: 0, firstMs: 0 } },
    ],
  });
  expect(streamsWithoutRate(world)).toEqual(['people', 'clock']);
});
