/** Each warning fires where it should, and does not where it should not. */
import { describe, expect, test } from 'vitest';
import { advise, foresee } from '../../src/lab/advice.ts';
import { compareVariants } from '../../src/lab/compare.ts';
import type { RateCurveSpec, Scenario } from '../../src/scenario/spec.ts';
import { constant, crash, errors, slow } from '../cluster/world-builder.ts';
import { testRng } from '../policies/fixtures.ts';
import { scenarioOf, type ScenarioSetup } from './builder.ts';
import { variantResult } from './results.ts';

const codes = (setup: ScenarioSetup): string[] => foresee(scenarioOf(setup)).map(({ code }) => code);
/** Long enough for any percentile: 4500/s for 5 minutes. */
const plenty = { arrivals: { type: 'poisson', perSecond: 4500 } as const, work: constant(1), instances: 10, durationMs: 300_000 };

describe('overload', () => {
  test('is told for the time it lasts, with the load', () => {
    // 10 instances of 10 ms do 1000/s.
    const found = foresee(scenarioOf({ ...plenty, work: constant(10), arrivals: { type: 'poisson', perSecond: 1500 } }));
    expect(found).toEqual([
      {
        severity: 'warning',
        code: 'overload',
        path: ['services', 'api'],
        message: 'api: offered load 1.50 from 0s to 5m is more than it can do',
        hint: 'its queue is unlimited and grows without bound: there is no steady state',
      },
    ]);
  });

  test('with a limited queue ends in refusals', () => {
    const [found] = foresee(
      scenarioOf({ ...plenty, work: constant(10), arrivals: { type: 'poisson', perSecond: 1500 }, queueLimit: 10 }),
    );
    expect(found.hint).toBe('requests will be refused or time out, whatever the policy');
  });

  test('by a fault alone, for as long as it is there', () => {
    // 900/s on 1000/s; two of ten down: 1.125.
    const busy = { ...plenty, work: constant(10), arrivals: { type: 'poisson', perSecond: 900 } as const };
    const found = foresee(scenarioOf({ ...busy, faults: [crash(0, 60_000, 30_000), crash(1, 60_000, 30_000)] }));
    expect(found.map(({ message }) => message)).toEqual(['api: offered load 1.13 from 1m to 90s is more than it can do']);
    expect(foresee(scenarioOf({ ...busy, faults: [crash(0, 60_000, 30_000), errors(1, 0.5, 60_000, 30_000)] }))).toEqual([]);
  });

  test('with nobody left', () => {
    const [found] = foresee(
      scenarioOf({ ...plenty, instances: 1, arrivals: { type: 'poisson', perSecond: 900 }, faults: [crash(0, 60_000, 30_000)] }),
    );
    expect(found.message).toBe('api: offered load without any instance up from 1m to 90s is more than it can do');
  });

  test('by a profile', () => {
    const profile: RateCurveSpec = {
      timesMs: Float64Array.of(0, 60_000, 60_000),
      factors: Float64Array.of(1, 1, 3),
      periodMs: Infinity,
    };
    const found = foresee(scenarioOf({ ...plenty, profile }));
    expect(found.map(({ message }) => message)).toEqual(['api: offered load 1.35 from 1m to 5m is more than it can do']);
  });

  test('is not told at exactly full load, or below', () => {
    expect(codes({ ...plenty, work: constant(10), arrivals: { type: 'poisson', perSecond: 1000 } })).toEqual([]);
    expect(codes(plenty)).toEqual([]);
  });
});

describe('thin tails', () => {
  test('p99.9 needs 200,000 requests per seed', () => {
    // 4500/s · 40 s = 180,000: 180 beyond it. 50 s: 225.
    const [found] = foresee(scenarioOf({ ...plenty, durationMs: 40_000 }));
    expect(found).toMatchObject({
      code: 'thin-tail',
      message: 'p99.9 rests on about 180 requests per seed beyond it; below 200 it is mostly luck',
      hint: 'simulate about 2 times longer, or read a lower percentile',
    });
    expect(codes({ ...plenty, durationMs: 50_000 })).toEqual([]);
    // The warm-up does not count.
    expect(codes({ ...plenty, durationMs: 50_000, warmupMs: 10_000 })).toEqual(['thin-tail']);
  });

  test('others are looked at when something is promised of them', () => {
    const promise = (metric: string): Scenario['expect'] => [
      { text: '', metric, comparator: '<', limit: 1, variants: [], place: { file: '', line: 1, column: 1, length: 1 } },
    ];
    const of = (metric: string, durationMs: number): string[] =>
      foresee(scenarioOf({ ...plenty, durationMs, expect: promise(metric) })).map(({ message }) => message.split(' ')[0]);
    // 1,350,000 requests: 13,500 beyond p99, 135 beyond p99.99.
    expect(of('latency.p99.99', 300_000)).toEqual(['p99.99']);
    expect(of('latency.p99', 300_000)).toEqual([]);
    expect(of('wait.p99', 4000)).toEqual(['p99', 'p99.9']);
    expect(of('latency.p50', 300_000)).toEqual([]);
  });

  test('very long runs have no thin tails', () => {
    // 4.05e9 requests, more than 32 bits hold.
    expect(codes({ ...plenty, durationMs: 900_000_000 })).toEqual([]);
  });
});

describe('warm-up', () => {
  const rng = testRng(3);
  const noise = (): number => rng.next() - 0.5;
  /** Requests in the system per window of one second. */
  const rising = Array.from({ length: 200 }, (_, k) => 100 * (1 - Math.exp(-k / 10)) + noise());
  const settled = Array.from({ length: 200 }, () => 100 + 20 * noise());
  const drifting = Array.from({ length: 200 }, (_, k) => k + noise());
  const advice = (inFlight: readonly number[], setup: ScenarioSetup = {}): string[] =>
    advise(
      scenarioOf({ ...plenty, durationMs: 200_000, windowMs: 1000, ...setup }),
      [variantResult('a', { x: [1] }, inFlight)],
      [],
    ).map(({ code }) => code);

  test('that leaves in the climb is too short, and the advice is enough', () => {
    const scenario = scenarioOf({ ...plenty, durationMs: 200_000, windowMs: 1000 });
    const [found] = advise(scenario, [variantResult('a', { x: [1] }, rising)], []);
    expect(found.code).toBe('warmup-too-short');
    const [, seconds] = /write warmup: (\d+)s or more/.exec(found.hint ?? '') ?? [];
    // Within 1 % of the end after 46 s.
    expect(Number(seconds)).toBeGreaterThan(25);
    expect(Number(seconds)).toBeLessThan(100);
    expect(advice(rising, { warmupMs: Number(seconds) * 1000 })).toEqual([]);
  });

  test('that leaves in a climb of two per cent is long enough: it biases nothing that matters', () => {
    const slight = Array.from({ length: 200 }, (_, k) => 100 - 2 * Math.exp(-k / 10) + 0.01 * noise());
    expect(advice(slight)).toEqual([]);
  });

  test('of a settled run is long enough', () => expect(advice(settled)).toEqual([]));

  test('is not the problem where the run still drifts at its end', () => expect(advice(drifting)).toEqual(['not-stationary']));

  test('is not judged where the scenario has a plan of its own: a fault, a profile', () => {
    expect(advice(rising, { faults: [slow(0, 2, 1000, 1000)] })).toEqual([]);
    const profile: RateCurveSpec = { timesMs: Float64Array.of(0, 1), factors: Float64Array.of(0.5, 1), periodMs: Infinity };
    expect(advice(rising, { profile })).toEqual([]);
    // A constant profile is none.
    const flat: RateCurveSpec = { timesMs: Float64Array.of(0, 1), factors: Float64Array.of(1, 1), periodMs: Infinity };
    expect(advice(rising, { profile: flat })).toEqual(['warmup-too-short']);
  });
});

describe('comparisons left open', () => {
  const base = variantResult('base', { 'latency.p99': [100, 100, 100] });
  const of = (values: readonly number[]) => {
    const variants = [base, variantResult('new', { 'latency.p99': values })];
    const comparisons = compareVariants(variants).filter(({ metric }) => metric === 'latency.p99');
    return advise(scenarioOf(plenty), [], comparisons).filter(({ code }) => code === 'inconclusive');
  };

  test('are counted, with the seeds that would decide', () => {
    // The seven of compare.test.ts.
    expect(of([97, 100, 103])).toMatchObject([
      {
        message: '1 of 1 comparisons (100%) cannot be decided with these seeds',
        hint: 'about 7 seeds would decide the hardest of them; --until-ci adds seeds until p99 is known well enough',
      },
    ]);
  });

  test('without a number say to simulate longer', () => {
    expect(of([NaN, 100, 103])).toMatchObject([{ hint: 'simulate longer' }]);
  });

  test('that are decided are not told of', () => expect(of([100, 100, 100])).toEqual([]));
});
