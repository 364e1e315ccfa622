/** The HPA: what it makes of what it is shown. Cases of the formulas alone are among the exact cases. */
import { describe, expect, test } from 'vitest';
import type { ParamSettings } from '../../../src/core/params.ts';
import { hpa } from '../../../src/policies/autoscaling/index.ts';
import { toMilli } from '../../../src/policies/autoscaling/hpa/milli.ts';
import { depsFor, shown, type Shown } from './stage.ts';

type Settings = ParamSettings<typeof hpa.params>;
const decide = (settings: Settings, what: Shown) => hpa.make(settings, depsFor(what.replicas)).decide(shown(what));

describe('one look', () => {
  test('CPU in use over CPU requested: 5 replicas at 160 % of what is wanted become 8', () => {
    // ceil(5 · 128 / 80) = 8
    expect(decide({}, { replicas: 5, each: { cpu: 1.28 } })).toEqual({ replicas: 8, reason: 'DesiredWithinRange' });
  });

  test('what is used is measured against requests, whatever they are', () => {
    expect(decide({}, { replicas: 4, each: { cpu: 0.6 }, request: 0.5 }).replicas).toBe(6);
  });

  test('percentages are cut to whole ones, so that 88.9 % over 80 % is still within a tenth', () => {
    expect(decide({}, { replicas: 10, each: { cpu: 0.889 } }).replicas).toBe(10);
    expect(decide({ max: 20 }, { replicas: 10, each: { cpu: 0.89 } }).replicas).toBe(12);
  });

  test('a tolerance may differ by direction', () => {
    expect(decide({ scaleUpTolerance: 0.01 }, { replicas: 5, each: { cpu: 0.82 } }).replicas).toBe(6);
    expect(decide({ scaleUpTolerance: 0.01 }, { replicas: 5, each: { cpu: 0.75 } }).replicas).toBe(5);
  });

  test('replicas that are starting are expected to help: their CPU does not count', () => {
    const young = { isReady: false, startedAtMs: -20_000, readyChangedAtMs: -20_000 };
    const replicas = { replicas: 4, each: { cpu: 1.6 } };
    expect(decide({ max: 20 }, replicas).replicas).toBe(8);
    // 1.6 + 1.6 over four is on target.
    expect(decide({ max: 20 }, { ...replicas, except: { 2: young, 3: young } }).replicas).toBe(4);
  });

  test('the metric that wants most replicas counts', () => {
    const metrics = [
      { type: 'Resource', name: 'cpu', averageUtilization: 0.5 },
      { type: 'Pods', name: 'requests-per-second', averageValue: 100 },
      { type: 'External', name: 'queue/work', averageValue: 30 },
      { type: 'Object', name: 'latency.p99', value: 200 },
    ] as const;
    const busy = {
      replicas: 4,
      each: { cpu: 0.5, 'requests-per-second': 150 },
      total: { 'queue/work': 210, 'latency.p99': 200 },
    };
    expect(decide({ metrics }, busy).replicas).toBe(7);
    expect(decide({ metrics }, { ...busy, total: { 'queue/work': 0, 'latency.p99': 390 } }).replicas).toBe(8);
    expect(decide({ metrics }, { ...busy, total: { 'queue/work': 0, 'latency.p99': 200 } }).replicas).toBe(6);
  });

  test('without one of its metrics it may go up and not down', () => {
    const metrics = [
      { name: 'cpu', averageUtilization: 0.5 },
      { type: 'External', name: 'queue/work', averageValue: 10 },
    ] as const;
    expect(decide({ metrics }, { replicas: 4, each: { cpu: 0.1 } })).toEqual({
      replicas: undefined,
      reason: 'FailedGetExternalMetric',
    });
    expect(decide({ metrics }, { replicas: 4, each: { cpu: 1 } }).replicas).toBe(8);
    expect(decide({ metrics }, { replicas: 4 }).reason).toBe('FailedGetResourceMetric');
  });

  test('bounds come before metrics, and nothing before zero', () => {
    expect(decide({ min: 3 }, { replicas: 2 })).toEqual({ replicas: 3, reason: 'TooFewReplicas' });
    expect(decide({ max: 4 }, { replicas: 9 })).toEqual({ replicas: 4, reason: 'TooManyReplicas' });
    expect(decide({}, { replicas: 0 })).toEqual({ replicas: undefined, reason: 'ScalingDisabled' });
  });

  test('from none it comes back by a metric of something else, if it may be none', () => {
    const metrics = [{ type: 'External', name: 'queue/work', value: 10 }] as const;
    expect(decide({ min: 0, metrics }, { replicas: 0, total: { 'queue/work': 25 } }).replicas).toBe(3);
  });
});

describe('over time', () => {
  /** A service that does as it is told: what is decided for each load, one decision every 15 s. */
  const follow = (settings: Settings, from: number, loads: readonly number[]): (number | undefined)[] => {
    const autoscaler = hpa.make(settings, depsFor(from));
    let replicas = from;
    return loads.map((load, i) => {
      const nowMs = i * 15_000;
      const decision = autoscaler.decide(shown({ nowMs, replicas, each: { cpu: load / replicas } })).replicas;
      if (decision !== undefined && decision !== replicas) autoscaler.onScaled?.(replicas, decision, nowMs);
      return (replicas = decision ?? replicas);
    });
  };
  const repeat = (load: number, times: number): number[] => Array.from({ length: times }, () => load);

  test('without behavior a step up doubles at most, or goes to four', () => {
    expect(follow({ max: 100 }, 1, repeat(40, 6))).toEqual([4, 8, 16, 32, 50, 50]);
  });

  test('a step down waits until all of five minutes wanted no more', () => {
    const counts = follow({ max: 100 }, 10, [8, ...repeat(2, 24)]);
    // The first recommendation is that of its first decision, which leaves the window after 20 periods.
    expect(counts.indexOf(3)).toBe(21);
    expect(new Set(counts)).toEqual(new Set([10, 3]));
  });

  test('with behavior it goes up by what its rules allow within their periods', () => {
    const settings: Settings = {
      max: 100,
      behavior: true,
      scaleUpPolicies: [{ type: 'Pods', value: 3, period: 60_000 }],
    };
    expect(follow(settings, 2, repeat(80, 10))).toEqual([5, 5, 5, 5, 8, 8, 8, 8, 11, 11]);
  });

  test('a rule that takes the smallest change, a window up, and a direction that is off', () => {
    const both = [
      { type: 'Pods', value: 1, period: 15_000 },
      { type: 'Percent', value: 50, period: 15_000 },
    ] as const;
    expect(follow({ max: 50, behavior: true, scaleUpPolicies: both, scaleUpSelectPolicy: 'Min' }, 4, repeat(80, 3))).toEqual([
      5, 6, 7,
    ]);
    expect(follow({ max: 50, behavior: true, scaleUpStabilizationWindow: 30_000 }, 4, repeat(8, 4))).toEqual([4, 4, 8, 10]);
    const off: Settings = { behavior: true, scaleDownSelectPolicy: 'Disabled' };
    expect(new Set(follow(off, 8, repeat(0.1, 60)))).toEqual(new Set([8]));
  });

  test('what others change does not use up what its rules allow', () => {
    const autoscaler = hpa.make(
      { max: 100, behavior: true, scaleUpPolicies: [{ type: 'Pods', value: 3, period: 600_000 }] },
      depsFor(2),
    );
    autoscaler.onScaled?.(2, 10, 0);
    expect(autoscaler.decide(shown({ nowMs: 15_000, replicas: 10, each: { cpu: 2 } })).replicas).toBe(13);
  });
});

describe('says what cannot be', () => {
  test.each<[Settings, string]>([
    [{ min: 5, max: 3 }, 'min is 5 and max is 3'],
    [{ min: 0 }, 'no metric of type Object or External'],
    [{ metrics: [{ name: 'cpu' }] }, 'needs one target: averageUtilization or averageValue'],
    [{ metrics: [{ name: 'cpu', averageUtilization: 0.5, averageValue: 1 }] }, 'needs one target'],
    [{ metrics: [{ name: 'cpu', value: 3 }] }, 'has value, its target is averageUtilization or averageValue'],
    [{ metrics: [{ type: 'Pods', name: '', averageValue: 3 }] }, 'has no name'],
    [{ scaleUpStabilizationWindow: 60_000 }, 'scaleUpStabilizationWindow counts only with behavior: true'],
    [
      { scaleDownPolicies: [{ type: 'Percent', value: 10, period: 60_000 }] },
      'scaleDownPolicies counts only with behavior: true',
    ],
  ])('%j', (settings, message) => {
    expect(() => hpa.make(settings, depsFor(1))).toThrow(message);
  });
});

test('thousandths are rounded up, and not by the error of a product', () => {
  expect([0.1 * 3, 1.005, 0.0001, 2, 0].map(toMilli)).toEqual([300, 1005, 1, 2000, 0]);
});
