/** Knative's autoscaler as a whole: windows, panic, zero and back. Cases of the arithmetic alone are among the exact cases. */
import { describe, expect, test } from 'vitest';
import type { ParamSettings } from '../../../src/core/params.ts';
import type { Autoscaler, ScaleDecision } from '../../../src/policies/autoscaling/autoscaler.ts';
import { kpa } from '../../../src/policies/autoscaling/index.ts';
import { depsFor, shown } from './stage.ts';

type Settings = ParamSettings<typeof kpa.params>;

/** A service that does as it is told, replicas ready at once: a sample every second, a decision every two. */
class Service {
  readonly autoscaler: Autoscaler;
  replicas: number;
  nowMs = 0;
  last: ScaleDecision = { replicas: undefined, reason: '' };

  constructor(settings: Settings, replicas: number) {
    this.autoscaler = kpa.make(settings, depsFor(replicas));
    this.replicas = replicas;
  }

  /** Counts after every decision. */
  run(seconds: number, concurrency: number | undefined): number[] {
    const counts: number[] = [];
    for (const endMs = this.nowMs + seconds * 1000; this.nowMs < endMs;) {
      this.nowMs += 1000;
      const total = { concurrency, 'requests-per-second': concurrency };
      const seen = shown({ nowMs: this.nowMs, replicas: this.replicas, total });
      this.autoscaler.sample!(seen);
      if (this.nowMs % 2000 !== 0) continue;
      this.last = this.autoscaler.decide(seen);
      this.replicas = this.last.replicas ?? this.replicas;
      counts.push(this.replicas);
    }
    return counts;
  }
}

test('aims for its share of the target: 500 requests at once, 70 of 100 per replica', () => {
  const service = new Service({}, 1);
  service.run(120, 500);
  expect(service.replicas).toBe(8);
});

test.each<[Settings, number]>([
  [{ target: 50 }, 15],
  [{ containerConcurrency: 10 }, 72],
  [{ containerConcurrency: 10, target: 20 }, 72],
  [{ containerConcurrency: 10, target: 5, containerConcurrencyTargetPercentage: 1 }, 100],
  [{ metric: 'rps' }, 4],
  [{ metric: 'rps', containerConcurrency: 10, target: 100 }, 8],
])('targets: %j', (settings, expected) => {
  const service = new Service(settings, 1);
  service.run(200, 500);
  expect(service.replicas).toBe(expected);
});

describe('panic', () => {
  test('answers a burst within its short window, and keeps the count for a stable window', () => {
    const service = new Service({}, 1);
    service.run(60, 60);
    expect(service.replicas).toBe(1);
    // After two seconds the mean of six is (4 · 60 + 2 · 2000) / 6 = 707.
    expect(service.run(6, 2000)).toEqual([11, 20, 29]);
    expect(service.last.reason).toBe('Panic');
    expect(new Set(service.run(56, 60))).toEqual(new Set([29]));
    service.run(20, 60);
    expect(service.last.reason).toBe('Stable');
    expect(service.replicas).toBeLessThan(29);
  });

  test('is where one begins that finds several replicas', () => {
    const service = new Service({}, 10);
    expect(new Set(service.run(60, 10))).toEqual(new Set([10]));
    // The window of a minute began at 2 s and ends after 62 s.
    expect(service.run(8, 10)).toEqual([10, 5, 2, 1]);
  });
});

describe('zero', () => {
  test('comes a stable window after the start at the earliest, and when the activator has been in the way long enough', () => {
    const service = new Service({ targetBurstCapacity: 0 }, 1);
    const counts = service.run(140, 0);
    // Active from 2 s on: inactive at 62 s, and 30 s of grace.
    expect(counts.indexOf(0)).toBe(92 / 2 - 1);
    expect(service.last.reason).toBe('NoTraffic');
  });

  test('needs no grace where the activator is in the way anyway', () => {
    const counts = new Service({ targetBurstCapacity: -1 }, 1).run(140, 0);
    expect(counts.indexOf(0)).toBe(64 / 2 - 1);
  });

  test('keeps the last replica for its retention period', () => {
    const counts = new Service({ targetBurstCapacity: -1, scaleToZeroPodRetentionPeriod: 60_000 }, 1).run(140, 0);
    expect(counts.indexOf(0)).toBe(122 / 2 - 1);
  });

  test('is left with the first request, which waits', () => {
    const service = new Service({ targetBurstCapacity: 0 }, 1);
    service.run(140, 0);
    expect(service.replicas).toBe(0);
    expect(service.run(4, 1).at(-1)).toBe(1);
    expect(service.autoscaler.holdsRequests).toBe(true);
  });

  test('is not for those who forbid it, or have a minimum', () => {
    const forbidden = new Service({ enableScaleToZero: false }, 1);
    expect(forbidden.run(300, 0).at(-1)).toBe(1);
    expect(new Service({ min: 2 }, 2).run(300, 0).at(-1)).toBe(2);
  });

  test('comes as well where nobody ever becomes ready', () => {
    const autoscaler = kpa.make({ progressDeadline: 60_000, targetBurstCapacity: 0 }, depsFor(0));
    const decisions: (number | undefined)[] = [];
    for (let nowMs = 2000; nowMs <= 100_000; nowMs += 2000) {
      const seen = shown({ nowMs, replicas: 1, total: { concurrency: 0 }, except: { 0: { isReady: false } } });
      autoscaler.sample!(seen);
      decisions.push(autoscaler.decide(seen).replicas);
    }
    // 90 s after the first decision, and not sooner.
    expect(decisions.indexOf(0)).toBe(94 / 2 - 1);
    expect(new Set(decisions.slice(0, 46))).toEqual(new Set([undefined]));
  });
});

test('the initial scale holds until it has been reached', () => {
  const service = new Service({ initialScale: 5, min: 0 }, 1);
  expect(service.run(6, 10)).toEqual([5, 2, 1]);
});

test('the activation scale holds while there is anything to do', () => {
  const service = new Service({ activationScale: 4, targetBurstCapacity: 0 }, 0);
  service.run(10, 1);
  expect(service.replicas).toBe(4);
});

test('a delay holds the highest count', () => {
  const burst = (settings: Settings): number => {
    const service = new Service(settings, 1);
    service.run(10, 2000);
    return service.run(160, 10).filter((count) => count > 20).length;
  };
  expect(burst({ scaleDownDelay: 120_000 })).toBeGreaterThan(burst({}) + 20);
});

test('weights that fall off forget a burst sooner', () => {
  const afterBurst = (metricAggregationAlgorithm: 'linear' | 'weighted-exponential'): number => {
    const service = new Service({ metricAggregationAlgorithm, panicThresholdPercentage: 10, min: 10 }, 10);
    service.run(61, 2000);
    service.run(40, 10);
    return service.replicas;
  };
  expect(afterBurst('weighted-exponential')).toBeLessThan(afterBurst('linear'));
});

test('without values it says nothing', () => {
  const service = new Service({}, 3);
  service.run(10, undefined);
  expect(service.last).toEqual({ replicas: undefined, reason: 'NoData' });
});

test.each<[Settings, string]>([
  [{ min: 3, max: 2 }, 'min is 3 and max is 2'],
  [{ stableWindow: 6500 }, 'stableWindow is not a whole number of seconds'],
  [{ stableWindow: 6000, panicWindowPercentage: 0.1 }, 'panicWindowPercentage'],
])('says what cannot be: %j', (settings, message) => {
  expect(() => kpa.make(settings, depsFor(1))).toThrow(message);
});
