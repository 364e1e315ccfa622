/** What planned faults mean for the load, before anything runs, and when reports say that they were there. 4 instances of 200/s each. */
import { describe, expect, test } from 'vitest';
import { predictPhases } from '../../src/lab/predict.ts';
import { worldFacts } from '../../src/lab/world-facts.ts';
import type { FaultSpec } from '../../src/scenario/spec.ts';
import { constant, randomly } from '../cluster/world-builder.ts';
import { around, between, fault, flapping, once } from '../cluster/failures/setup.ts';
import { scenarioOf } from '../lab/builder.ts';

const base = {
  instances: 4,
  slots: 2,
  work: constant(10),
  arrivals: { type: 'poisson', perSecond: 400 } as const,
  durationMs: 60_000,
};
const all = [0, 1, 2, 3];
const during = once(10_000, 10_000);
/** Offered load over capacity while the fault is there. */
const load = (...faults: readonly FaultSpec[]): number =>
  predictPhases(scenarioOf({ ...base, faults })).find(({ fromMs }) => fromMs === 10_000)?.utilization ?? NaN;

describe('capacity', () => {
  test.each([
    ['a hang', fault({ type: 'hang', heartbeats: true }, [0], during), 400 / 600],
    ['a crash that hits half of all', fault({ type: 'crash' }, all, during, { hit: 0.5 }), 400 / 400],
    ['a crash that hits one at least', fault({ type: 'crash' }, all, during, { hit: 0.01 }), 400 / 600],
    ['flapping: down a quarter of the time', fault({ type: 'crash' }, all, flapping(10_000, 10_000, 1000, 3000)), 400 / 600],
    ['slowness of half the requests: 2 on average', fault({ type: 'slow', factor: 3, requests: 0.5 }, all, during), 400 / 400],
    ['a leak up to 3: 2 on average', fault({ type: 'memory-leak', fillsMs: 1000, factor: 3 }, all, during), 400 / 400],
    ['a partition around one', fault({ type: 'partition', link: around('both') }, [0], during), 400 / 600],
    ['a partition out of one: it works in vain', fault({ type: 'partition', link: around('out') }, [0], during), 400 / 800],
    ['a partition around all: they are idle', fault({ type: 'partition', link: around('both') }, all, during), 400 / 800],
    ['a partition between zones', fault({ type: 'partition', link: between('a', 'b') }, [], during), 400 / 800],
    ['dropped responses', fault({ type: 'drop-responses', share: 1 }, all, during), 400 / 800],
    ['packet loss', fault({ type: 'packet-loss', link: around('both'), share: 1 }, all, during), 400 / 800],
    ['latency', fault({ type: 'latency', link: around('both'), adds: constant(50) }, all, during), 400 / 800],
    ['drift', fault({ type: 'clock-drift', rate: 2 }, all, during), 400 / 800],
    ['an outage of discovery', fault({ type: 'discovery-outage' }, [], during), 400 / 800],
  ])('under %s', (_, each, expected) => {
    expect(load(each)).toBeCloseTo(expected, 9);
  });

  test('of all down is none', () => {
    expect(load(fault({ type: 'crash' }, all, during))).toBe(Infinity);
    const isolated = fault({ type: 'partition', link: around('both') }, [3], during);
    expect(load(fault({ type: 'crash' }, [0, 1, 2], during), isolated)).toBeCloseTo(400 / 200, 9);
  });
});

test('reports show planned and flapping faults where they were, and no window of random ones', () => {
  const faults = [
    fault({ type: 'hang', heartbeats: true }, [0], during),
    fault({ type: 'pause' }, [0], flapping(30_000, Infinity, 1000, 1000)),
    randomly({ type: 'crash' }, [0], constant(1000), constant(1000)),
  ];
  expect(worldFacts(scenarioOf({ ...base, faults })).faults).toEqual([
    { label: 'hang', fromMs: 10_000, toMs: 20_000 },
    { label: 'pause', fromMs: 30_000, toMs: Infinity },
  ]);
});
