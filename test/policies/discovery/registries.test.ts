import { beforeEach, describe, expect, it } from 'vitest';
import {
  consulRegistry,
  EtcdRegistry,
  etcdRegistry,
  eurekaRegistry,
  type Registry,
  type RegistryDefinition,
  type SourceView,
} from '../../../src/policies/discovery/index.ts';
import { Lessor } from '../../../src/policies/shared/lessor.ts';
import { testRng } from '../fixtures.ts';

let answers: Map<number, SourceView & { readonly atMs: number }>;
beforeEach(() => {
  answers = new Map();
});

const deps = () => ({
  rng: testRng(1),
  host: { answer: (query: number, view: SourceView, atMs: number) => void answers.set(query, { ...view, atMs }) },
});
const make = (definition: RegistryDefinition, params: object = {}): Registry => definition.make(params, deps());

let nextQuery = 1000;
function listed(registry: Registry, nowMs: number): readonly number[] {
  registry.query(nextQuery, 0, 0, nowMs);
  return answers.get(nextQuery++)!.members;
}

function runTo(registry: Registry, untilMs: number): void {
  while (registry.nextTimerMs() <= untilMs) registry.onTimer(registry.nextTimerMs());
}

describe('consul', () => {
  it('does not show an instance before its first report, unless told so', () => {
    const registry = make(consulRegistry);
    registry.register(1, 0);
    expect([registry.status(1), listed(registry, 0)]).toEqual(['critical', []]);
    const trusting = make(consulRegistry, { initialStatus: 'passing' });
    trusting.register(1, 0);
    expect(listed(trusting, 0)).toEqual([1]);
  });

  it('turns a check critical exactly after its time to live, and revives it with the next report', () => {
    const registry = make(consulRegistry, { ttl: 10_000 });
    registry.register(1, 0);
    registry.renew(1, 'passing', 9000);
    runTo(registry, 18_999);
    expect(registry.status(1)).toBe('passing');
    runTo(registry, 19_000);
    expect(registry.status(1)).toBe('critical');
    expect(registry.renew(1, 'warning', 30_000)).toBe(true);
    expect([registry.status(1), listed(registry, 30_000)]).toEqual(['warning', [1]]);
  });

  it('leaves instances with warnings out if only passing ones are wanted', () => {
    const registry = make(consulRegistry, { onlyPassing: true });
    registry.register(1, 0);
    registry.renew(1, 'warning', 0);
    expect(listed(registry, 0)).toEqual([]);
  });

  it('removes what was critical for too long at a tick of 30 s, after a minute at the earliest', () => {
    const removedAt = (afterMs: number): number => {
      const registry = make(consulRegistry, { deregisterCriticalServiceAfter: afterMs });
      registry.register(1, 5000);
      let nowMs = 5000;
      while (registry.status(1) !== undefined) {
        nowMs = registry.nextTimerMs();
        registry.onTimer(nowMs);
      }
      return nowMs;
    };
    // The cases of agent.go's reapServices: critical from 5 s on.
    expect([30_000, 60_000, 90_000].map(removedAt)).toEqual([90_000, 90_000, 120_000]);
  });

  it('holds a query until something changes, or for its wait and at most a sixteenth more', () => {
    const registry = make(consulRegistry, { ttl: 1e9 });
    registry.register(1, 0);
    registry.query(1, registry.index, 16_000, 0);
    registry.query(2, registry.index, 60_000, 0);
    runTo(registry, 15_999);
    expect(answers.size).toBe(0);
    runTo(registry, 17_000);
    const { atMs, index } = answers.get(1)!;
    expect(atMs).toBeGreaterThanOrEqual(16_000);
    expect([index, answers.size]).toEqual([registry.index, 1]);
    registry.renew(1, 'passing', 20_000);
    expect(answers.get(2)).toMatchObject({ atMs: 20_000, members: [1], index: registry.index });
  });

  it('forgets the queries of clients that are gone', () => {
    const registry = make(consulRegistry);
    registry.query(1, 99, 1000, 0);
    registry.forget(1);
    runTo(registry, 1e6);
    expect(answers.size).toBe(0);
  });
});

describe('etcd', () => {
  it('deletes at the first scan after the lease ran out, and does not revive it before', () => {
    const registry = make(etcdRegistry, { ttl: 10_200 });
    registry.register(1, 0);
    expect(registry.renew(1, 'critical', 100)).toBe(true);
    expect(registry.renew(1, 'passing', 10_300)).toBe(false);
    expect(listed(registry, 10_300)).toEqual([1]);
    runTo(registry, 10_499);
    expect(listed(registry, 10_499)).toEqual([1]);
    runTo(registry, 10_500);
    expect(listed(registry, 10_500)).toEqual([]);
  });

  it('raises leases that would not outlive an election', () => {
    expect(make(etcdRegistry, { ttl: 10 }).renewEveryMs).toBe(2000 / 3);
    expect(make(etcdRegistry, { ttl: 10, heartbeatInterval: 500, electionTimeout: 5000 }).renewEveryMs).toBe(8000 / 3);
  });

  it('gives every lease its full time again when the leader changes', () => {
    const registry = new EtcdRegistry(10_000, 1000, deps());
    registry.register(1, 0);
    registry.onLeaderChanged(1000, 7000);
    runTo(registry, 17_999);
    expect(listed(registry, 17_999)).toEqual([1]);
    runTo(registry, 18_000);
    expect(listed(registry, 18_000)).toEqual([]);
  });

  it('revokes as many leases per scan as its rate allows', () => {
    const registry = make(etcdRegistry, { ttl: 10_000, leaseRevokeRate: 4 });
    for (let instance = 0; instance < 5; instance++) registry.register(instance, 0);
    const left = [10_000, 10_500, 11_000].map((nowMs) => {
      runTo(registry, nowMs);
      return listed(registry, nowMs).length;
    });
    expect(left).toEqual([3, 1, 0]);
  });
});

describe('leases', () => {
  it('are alive while now is before the end, and renewed only then', () => {
    const lessor = new Lessor();
    lessor.grant(1, 10_000, 0);
    expect([lessor.isAlive(1, 9999), lessor.isAlive(1, 10_000), lessor.renew(1, 10_000)]).toEqual([true, false, false]);
    expect([lessor.renew(2, 0), lessor.isAlive(2, 0)]).toEqual([false, false]);
    lessor.revoke(1);
    expect(lessor.size).toBe(0);
  });

  it('are not spread by a new leader when there are few', () => {
    const lessor = new Lessor(100);
    for (let lease = 0; lease < 99; lease++) lessor.grant(lease, 10_000, 0);
    lessor.promote(0, 5000);
    expect(new Set(Array.from({ length: 99 }, (_, lease) => lessor.expiryMs(lease)))).toEqual(new Set([15_000]));
  });
});

describe('eureka', () => {
  const noCache = { responseCacheUpdateInterval: 0 };
  /** Ten instances that renew every 30 s from their registration on; some stop. */
  function live(registry: Registry, instances: readonly number[], fromMs: number, untilMs: number): void {
    for (let nowMs = fromMs; nowMs <= untilMs; nowMs += 30_000) {
      runTo(registry, nowMs - 1);
      for (const instance of instances) registry.renew(instance, 'passing', nowMs);
    }
    runTo(registry, untilMs);
  }
  const ten = Array.from({ length: 10 }, (_, i) => i);

  it('lists a crashed instance until twice its lease after the last renewal, and then to the next run', () => {
    const registry = make(eurekaRegistry, noCache);
    for (const instance of ten) registry.register(instance, 1000);
    live(registry, ten, 31_000, 121_000);
    // The last renewal at 121 s: the lease ends at 301 s, and the run after that is at 360 s.
    live(registry, ten.slice(1), 151_000, 359_999);
    expect(listed(registry, 359_999)).toEqual(ten);
    runTo(registry, 360_000);
    expect(listed(registry, 360_000)).toEqual(ten.slice(1));
    expect(registry.renew(0, 'passing', 360_001)).toBe(false);
  });

  it('evicts nobody while too few renew, unless self-preservation is off', () => {
    const leftAfterLosingTwo = (params: object): number => {
      const registry = make(eurekaRegistry, { ...noCache, ...params });
      for (const instance of ten) registry.register(instance, 1000);
      live(registry, ten, 31_000, 121_000);
      live(registry, ten.slice(2), 151_000, 1_200_000);
      return listed(registry, 1_200_000).length;
    };
    // Two of ten silent: 16 renewals a minute, and 17 are the threshold.
    expect(leftAfterLosingTwo({})).toBe(10);
    expect(leftAfterLosingTwo({ enableSelfPreservation: false })).toBe(8);
  });

  it('evicts at most 15 % in one run', () => {
    const registry = make(eurekaRegistry, { ...noCache, enableSelfPreservation: false });
    for (let instance = 0; instance < 100; instance++) registry.register(instance, 1000);
    const left = [120_000, 180_000, 240_000].map((nowMs) => {
      runTo(registry, nowMs);
      return listed(registry, nowMs).length;
    });
    // Of 100, 85 and 72: a run leaves int(0.85 · size).
    expect(left).toEqual([85, 72, 61]);
  });

  it('answers as of the last tick of its cache, and says how old that is', () => {
    const registry = make(eurekaRegistry);
    registry.register(1, 1000);
    expect(listed(registry, 2000)).toEqual([1]);
    registry.register(2, 5000);
    registry.query(1, 0, 0, 29_999);
    registry.register(3, 31_000);
    registry.query(2, 0, 0, 40_000);
    registry.query(3, 0, 0, 60_000);
    const shown = [1, 2, 3].map((query) => [answers.get(query)!.members, answers.get(query)!.ageMs]);
    expect(shown).toEqual([
      [[1], 27_999],
      [[1, 2], 10_000],
      [[1, 2, 3], 0],
    ]);
  });
});
