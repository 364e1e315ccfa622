/** What a plan says without running anything, worked out by hand. */
import { describe, expect, test } from 'vitest';
import { planExperiment } from '../../src/lab/plan.ts';
import { predictPhases, predictRequests } from '../../src/lab/predict.ts';
import type { RateCurveSpec } from '../../src/scenario/spec.ts';
import { constant, crash, pause, slow, zoneOutage } from '../cluster/world-builder.ts';
import { scenarioOf } from './builder.ts';

/** 4 instances with 2 slots each, 10 ms: 800/s. */
const base = {
  instances: 4,
  slots: 2,
  work: constant(10),
  arrivals: { type: 'poisson', perSecond: 400 } as const,
  durationMs: 60_000,
};

describe('phases', () => {
  test('one, where nothing changes', () => {
    expect(predictPhases(scenarioOf(base))).toEqual([
      {
        fromMs: 0,
        toMs: 60_000,
        service: 'api',
        perSecond: expect.closeTo(400, 9),
        utilization: expect.closeTo(0.5, 9),
        hottest: { instance: 'api/0', utilization: expect.closeTo(0.5, 9) },
      },
    ]);
  });

  test('begin and end with faults', () => {
    // api/2 at half speed in 10–30 s: capacity 3.5 of 4. Even shares: 100/s on 100/s for the slow one. api/0 down in 20–40 s.
    const faults = [slow(2, 2, 10_000, 20_000), crash(0, 20_000, 20_000)];
    const phases = predictPhases(scenarioOf({ ...base, faults }));
    expect(phases.map(({ fromMs, toMs }) => [fromMs / 1000, toMs / 1000])).toEqual([
      [0, 10],
      [10, 20],
      [20, 30],
      [30, 40],
      [40, 60],
    ]);
    // 4 of 8 slot-seconds of work per second, over 8, 7, 5, 6 and 8.
    expect(phases.map(({ utilization }) => utilization)).toEqual(
      [4 / 8, 4 / 7, 4 / 5, 4 / 6, 4 / 8].map((x) => expect.closeTo(x, 9)),
    );
    expect(phases.map(({ hottest }) => [hottest.instance, hottest.utilization])).toEqual([
      ['api/0', expect.closeTo(0.5, 9)],
      ['api/2', expect.closeTo(1, 9)],
      ['api/2', expect.closeTo(4 / 3, 9)],
      // All that are up are alike: the first of them.
      ['api/1', expect.closeTo(2 / 3, 9)],
      ['api/0', expect.closeTo(0.5, 9)],
    ]);
  });

  test('with pauses and zone outages take the instances out', () => {
    const faults = [pause(0, 10_000, 10_000), zoneOutage('a', [1, 2], 30_000, 100_000)];
    const phases = predictPhases(scenarioOf({ ...base, faults }));
    expect(phases.map(({ fromMs, utilization }) => [fromMs / 1000, utilization])).toEqual([
      [0, expect.closeTo(4 / 8, 9)],
      [10, expect.closeTo(4 / 6, 9)],
      [20, expect.closeTo(4 / 8, 9)],
      [30, expect.closeTo(4 / 4, 9)],
    ]);
  });

  test('with everybody down have no capacity', () => {
    const [, dark] = predictPhases(scenarioOf({ ...base, instances: 1, faults: [crash(0, 10_000, 10_000)] }));
    expect(dark).toMatchObject({ utilization: Infinity, hottest: { utilization: Infinity } });
  });

  test('follow the steps of a profile', () => {
    const profile: RateCurveSpec = {
      timesMs: Float64Array.of(0, 20_000, 20_000, 40_000),
      factors: Float64Array.of(1, 1, 2, 0),
      periodMs: Infinity,
    };
    const phases = predictPhases(scenarioOf({ ...base, profile }));
    // 400; a ramp from 800 to 0; nothing, which is not listed.
    expect(phases.map(({ fromMs, toMs, perSecond }) => [fromMs, toMs, perSecond])).toEqual([
      [0, 20_000, expect.closeTo(400, 9)],
      [20_000, 40_000, expect.closeTo(400, 9)],
    ]);
  });

  test('of a fine profile are cut into twelve equal pieces', () => {
    const points = 40;
    const profile: RateCurveSpec = {
      timesMs: Float64Array.from({ length: points }, (_, i) => (60_000 * i) / (points - 1)),
      factors: Float64Array.from({ length: points }, (_, i) => i / (points - 1)),
      periodMs: Infinity,
    };
    const phases = predictPhases(scenarioOf({ ...base, profile }));
    expect(phases.length).toBe(12);
    // A straight rise from 0 to 400: 16.7, 50, …
    phases.forEach(({ perSecond }, i) => expect(perSecond).toBeCloseTo((400 * (i + 0.5)) / 12, 6));
  });

  test('add up the traffic of a service, faster instances count for more', () => {
    const scenario = scenarioOf({ ...base, instances: [{ speed: 3 }, {}], arrivals: { type: 'batch', perSecond: 100, size: 5 } });
    const mmpp = {
      type: 'mmpp',
      states: [
        { perSecond: 0, meanMs: 300 },
        { perSecond: 400, meanMs: 100 },
      ],
    } as const;
    const both = { ...scenario, traffic: [...scenario.traffic, { ...scenario.traffic[0], name: 'other', arrivals: mmpp }] };
    // 100 + 400/4 = 200/s of 10 ms on (3 + 1) · 2 slots: 2/8. The slow one with half the requests: 1/2.
    expect(predictPhases(both)).toMatchObject([
      {
        perSecond: expect.closeTo(200, 9),
        utilization: expect.closeTo(0.25, 9),
        hottest: { instance: 'api/1', utilization: expect.closeTo(0.5, 9) },
      },
    ]);
  });
});

describe('a plan', () => {
  test('counts cells and requests', () => {
    const plan = planExperiment(scenarioOf({ ...base, seeds: 5, variants: ['round-robin', 'p2c', 'random'] }));
    expect(plan).toMatchObject({
      cells: 15,
      variants: ['round-robin', 'p2c', 'random'],
      requestsPerCell: expect.closeTo(24_000, 6),
    });
    expect(plan.seeds.length).toBe(5);
  });

  test('expects more time for more cells, more requests and a network, and memory for queues that grow', () => {
    const cost = (setup: Parameters<typeof scenarioOf>[0]) => planExperiment(scenarioOf({ ...base, ...setup }));
    expect(cost({ seeds: 6 }).seconds).toBeCloseTo(2 * cost({ seeds: 3 }).seconds, 9);
    expect(cost({ arrivals: { type: 'poisson', perSecond: 700 } }).seconds).toBeGreaterThan(cost({}).seconds);
    expect(cost({ network: { betweenZones: constant(1) } }).seconds).toBeGreaterThan(cost({}).seconds);
    // 1600/s on 800/s for 60 s: 48,000 in the queues, of 120 bytes.
    const overloaded = cost({ arrivals: { type: 'poisson', perSecond: 1600 } });
    expect(overloaded.memoryMiB - cost({}).memoryMiB).toBeCloseTo((48_000 * 120) / 1048576, 6);
    expect(cost({ arrivals: { type: 'poisson', perSecond: 1600 }, queueLimit: 10 }).memoryMiB).toBeLessThan(overloaded.memoryMiB);
  });

  test('carries the warnings that need no run', () => {
    expect(planExperiment(scenarioOf(base)).warnings.map(({ code }) => code)).toEqual(['thin-tail']);
  });
});

test('requests of a profile are its integral', () => {
  const profile: RateCurveSpec = {
    timesMs: Float64Array.of(0, 15_000, 15_000),
    factors: Float64Array.of(0, 2, 0.5),
    periodMs: Infinity,
  };
  // 400 · (15 · 1 + 45 · 0.5)
  expect(predictRequests(scenarioOf({ ...base, profile }))).toBeCloseTo(15_000, 0);
});
