/** KEDA as a whole: its own steps between nothing and something, and the HPA's above. */
import { describe, expect, test } from 'vitest';
import type { InputError } from '../../../src/core/errors.ts';
import type { ParamSettings } from '../../../src/core/params.ts';
import { keda } from '../../../src/policies/autoscaling/index.ts';
import { depsFor, shown } from './stage.ts';

type Settings = ParamSettings<typeof keda.params>;
const queue: Settings = { triggers: [{ type: 'metric', name: 'queue/work', threshold: 10 }] };

/** A service that does as it is told. */
class Service {
  readonly autoscaler;
  replicas: number;
  nowMs = 0;

  constructor(settings: Settings, replicas: number, epochMs = 0) {
    this.autoscaler = keda.make(settings, depsFor(replicas, epochMs));
    this.replicas = replicas;
  }

  /** Counts after every decision; `waiting` is undefined while the queue cannot be read. */
  run(seconds: number, waiting: number | undefined): number[] {
    const counts: number[] = [];
    for (const endMs = this.nowMs + seconds * 1000; this.nowMs < endMs; this.nowMs += this.autoscaler.decideEveryMs) {
      const seen = shown({ nowMs: this.nowMs, replicas: this.replicas, total: { 'queue/work': waiting } });
      const { replicas } = this.autoscaler.decide(seen);
      if (replicas !== undefined && replicas !== this.replicas) this.autoscaler.onScaled?.(this.replicas, replicas, this.nowMs);
      this.replicas = replicas ?? this.replicas;
      counts.push(this.replicas);
    }
    return counts;
  }
}

test('looks at polls and at syncs, whatever their periods', () => {
  expect(keda.make({}, depsFor(0)).decideEveryMs).toBe(15_000);
  expect(keda.make({ pollingInterval: 20_000 }, depsFor(0)).decideEveryMs).toBe(5000);
});

test('from nothing it goes to one itself, and the HPA goes on from there', () => {
  // Decisions at 0, 15, 30 … s: a poll, and then a sync with four times the present count at most.
  expect(new Service(queue, 0).run(60, 95)).toEqual([1, 4, 8, 10]);
});

test('goes to nothing when nothing has been active for the cooldown', () => {
  const service = new Service(queue, 0);
  service.run(60, 95);
  const counts = service.run(900, 0);
  // Active last at 30 s: at 330 s it is not yet over, the next poll is at 360 s.
  expect(counts.indexOf(0)).toBe((360 - 60) / 15);
});

test('a cooldown in the beginning counts from the beginning', () => {
  const counts = new Service({ ...queue, initialCooldownPeriod: 90_000 }, 1).run(300, 0);
  expect(counts.indexOf(0)).toBe(120 / 15);
});

test('what is not above its activation threshold does not wake it', () => {
  const settings: Settings = { triggers: [{ type: 'metric', name: 'queue/work', threshold: 10, activationThreshold: 50 }] };
  expect(new Service(settings, 0).run(60, 50).at(-1)).toBe(0);
  expect(new Service(settings, 0).run(60, 51).at(-1)).toBe(6);
});

test('keeps its minimum, or what it has when idle', () => {
  expect(new Service({ ...queue, min: 3 }, 3).run(900, 0).at(-1)).toBe(3);
  const service = new Service({ ...queue, min: 3, idle: 0 }, 3);
  expect(service.run(900, 0).at(-1)).toBe(0);
  expect(service.run(15, 5)).toEqual([3]);
});

describe('a queue that cannot be read', () => {
  test('changes nothing', () => {
    const service = new Service(queue, 0);
    service.run(60, 95);
    expect(new Set(service.run(1800, undefined))).toEqual(new Set([10]));
  });

  test('leads to the fallback after more failures than its threshold', () => {
    const service = new Service(
      { ...queue, fallbackReplicas: 6, fallbackFailureThreshold: 3, scaleDownStabilizationWindow: 0 },
      0,
    );
    service.run(60, 95);
    expect(service.run(75, undefined)).toEqual([10, 10, 10, 6, 6]);
  });

  test('leaves the others', () => {
    const triggers = [
      { type: 'metric', name: 'queue/work', threshold: 10 },
      { type: 'cron', start: '0 0 * * *', end: '0 12 * * *', desiredReplicas: 8 },
    ] as const;
    expect(new Service({ triggers }, 2).run(60, undefined).at(-1)).toBe(8);
  });
});

describe('hours', () => {
  const settings: Settings = {
    triggers: [{ type: 'cron', timezone: 'Europe/Berlin', start: '0 8 * * 1-5', end: '0 18 * * 1-5', desiredReplicas: 5 }],
    pollingInterval: 60_000,
    syncPeriod: 60_000,
    scaleDownStabilizationWindow: 0,
  };

  test('have their replicas from the beginning to the end, in their own zone', () => {
    // A Monday in summer, 06:00 in Berlin.
    const service = new Service(settings, 0, Date.parse('2026-07-06T04:00:00Z'));
    const counts = service.run(14 * 3600, undefined);
    const hourOf = (count: number): number => counts.indexOf(count) / 60;
    expect(hourOf(1)).toBe(2);
    expect(hourOf(5)).toBeCloseTo(2 + 2 / 60, 9);
    // The cooldown of five minutes passes at 18:05; from 18:00 on the HPA keeps one.
    expect(counts.lastIndexOf(5) / 60).toBeCloseTo(12 - 1 / 60, 9);
    expect(counts.lastIndexOf(1) / 60).toBeCloseTo(12 + 4 / 60, 9);
    expect(counts.at(-1)).toBe(0);
  });

  test('do not come at the weekend', () => {
    const service = new Service(settings, 0, Date.parse('2026-07-04T00:00:00Z'));
    expect(new Set(service.run(24 * 3600, undefined))).toEqual(new Set([0]));
  });
});

test('a value for all together is kept in proportion to those that are ready', () => {
  const triggers = [{ type: 'metric', name: 'queue/work', threshold: 100, metricType: 'Value' }] as const;
  expect(new Service({ triggers }, 4).run(15, 200)).toEqual([8]);
  const fallback: Settings = { triggers, fallbackReplicas: 6, fallbackFailureThreshold: 0, scaleDownStabilizationWindow: 0 };
  expect(new Service(fallback, 4).run(15, undefined)).toEqual([6]);
});

test.each<[Settings, string]>([
  [{ min: 3, max: 2 }, 'min is 3 and max is 2'],
  [{ min: 2, idle: 2 }, 'idle is 2, it must be less than min, 2'],
  [{ triggers: [{ type: 'metric', name: 'x' }] }, 'the metric x needs a threshold'],
  [{ triggers: [{ type: 'metric', threshold: 3 }] }, 'a metric needs a name'],
  [{ triggers: [{ type: 'cron', start: '0 8 * * *', end: '0 8 * * *', desiredReplicas: 1 }] }, 'start and end'],
  [{ triggers: [{ type: 'cron', start: '0 8 * * *', end: '0 9 * *', desiredReplicas: 1 }] }, 'not a cron expression'],
  [{ triggers: [{ type: 'cron', start: '0 8 * * *', end: '0 9 * * *' }] }, 'needs desiredReplicas'],
  [{ scaleUpSelectPolicy: 'Min' }, 'counts only with behavior: true'],
])('says what cannot be: %j', (settings, message) => {
  expect(() => keda.make(settings, depsFor(1))).toThrow(message);
});

test('points at the field that is wrong', () => {
  const triggers = [
    { type: 'metric', name: 'x', threshold: 1 },
    { type: 'cron', start: '0 8 * * *', end: '0 9 * *', desiredReplicas: 1 },
  ] as const;
  const pathOf = (settings: Settings): unknown => {
    try {
      keda.make(settings, depsFor(1));
    } catch (error) {
      return (error as InputError).issues[0].path;
    }
    return undefined;
  };
  expect(pathOf({ triggers })).toEqual(['triggers', 1, 'end']);
  expect(pathOf({ triggers: [{ ...triggers[1], end: '0 9 * * *', timezone: 'Mars/Base' }] })).toEqual([
    'triggers',
    0,
    'timezone',
  ]);
});
