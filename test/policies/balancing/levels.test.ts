/** Policies around other balancers: priorities, zones, slow start, subsets. */
import { describe, expect, it } from 'vitest';
import { type BalancerDefinition, type EndpointView, healthStates } from '../../../src/policies/balancing/balancer.ts';
import { apertureWeights, apertureWidth } from '../../../src/policies/balancing/deterministic-aperture.ts';
import { EndpointSet, type EndpointOptions } from '../../../src/policies/balancing/endpoint-set.ts';
import {
  deterministicAperture,
  deterministicSubset,
  localityWeighted,
  priority,
  randomSubset,
  slowStart,
  zoneAware,
} from '../../../src/policies/balancing/index.ts';
import { testRng } from '../fixtures.ts';

const { unhealthy, degraded, healthy } = healthStates;
const context = { nowMs: 0, attempt: 0, previous: -1, hasHash: false, hashHigh: 0, hashLow: 0 };

function setOf(...endpoints: readonly EndpointOptions[]): EndpointSet {
  const set = new EndpointSet();
  endpoints.forEach((options, i) => set.add(`e${i}`, options, 0));
  return set;
}

/** Share of picks by what `kind` says of a slot. */
function shares(
  set: EndpointSet,
  definition: BalancerDefinition,
  params: object,
  kind: (slot: number, view: EndpointView) => string,
) {
  const balancer = definition.make(params, { rng: testRng(6) });
  set.bind(balancer, 0);
  const picks = 10_000;
  const result: Record<string, number> = {};
  for (let i = 0; i < picks; i++) {
    const slot = balancer.pick(context);
    const name = slot === -1 ? 'nobody' : kind(slot, set.view);
    result[name] = (result[name] ?? 0) + 1 / picks;
  }
  return result;
}

const repeat = (count: number, options: EndpointOptions): EndpointOptions[] => Array.from({ length: count }, () => options);
const levelOf = (slot: number, view: EndpointView): string => `P${view.table.priority[slot]}`;
const zoneOf = (slot: number, view: EndpointView): string => `zone ${view.table.locality[slot]}`;

/** Ten thousand picks: a share has a deviation of 0.005 at most, so 0.02 is four of them; the seed is fixed besides. */
const close = 0.02;

describe('priority levels', () => {
  const levels = (up: number, of: number): EndpointSet =>
    setOf(...repeat(up, { priority: 0 }), ...repeat(of - up, { priority: 0, health: unhealthy }), ...repeat(10, { priority: 1 }));

  it('keep everything in the first level until fewer than 71.4 % of it are healthy', () => {
    expect(shares(levels(8, 10), priority, {}, levelOf)).toEqual({ P0: expect.closeTo(1, 9) as number });
  });

  it('spill over what the first level lacks', () => {
    // 140 · 5/10 = 70 per cent stay.
    const split = shares(levels(5, 10), priority, {}, levelOf);
    expect(Math.abs(split.P0 - 0.7)).toBeLessThan(close);
    expect(Math.abs(split.P1 - 0.3)).toBeLessThan(close);
  });

  it('use endpoints that are down in panic, or nobody', () => {
    const set = (): EndpointSet => setOf(...repeat(1, {}), ...repeat(3, { health: unhealthy }));
    const health = (slot: number, view: EndpointView): string => (view.table.health[slot] === healthy ? 'up' : 'down');
    expect(Math.abs(shares(set(), priority, {}, health).down - 0.75)).toBeLessThan(close);
    expect(shares(set(), priority, { failTrafficOnPanic: true }, health)).toEqual({ nobody: expect.closeTo(1, 9) as number });
    expect(shares(set(), priority, { healthyPanicThreshold: 0 }, health)).toEqual({ up: expect.closeTo(1, 9) as number });
  });

  it('use degraded endpoints for what the healthy cannot take', () => {
    const set = setOf(...repeat(1, {}), ...repeat(3, { health: degraded }));
    const health = (slot: number, view: EndpointView): string => (view.table.health[slot] === degraded ? 'degraded' : 'healthy');
    // 35 per cent for the healthy quarter, the rest for the degraded.
    expect(Math.abs(shares(set, priority, {}, health).healthy - 0.35)).toBeLessThan(close);
  });

  it('send a key to the same level every time, if the balancer within keeps keys', () => {
    const set = levels(5, 10);
    const balancer = priority.make({ inner: 'maglev' }, { rng: testRng(1) });
    set.bind(balancer, 0);
    const pick = (key: number): number =>
      balancer.pick({ ...context, hasHash: true, hashHigh: key * 7919, hashLow: key * 104_729 });
    const picked = Array.from({ length: 50 }, (_, key) => pick(key));
    expect(Array.from({ length: 50 }, (_, key) => pick(key))).toEqual(picked);
    expect(new Set(picked.map((slot) => set.table.priority[slot])).size).toBe(2);
  });

  it('refuse to be put around what they do not know', () => {
    expect(() => priority.make({ inner: 'priority' }, { rng: testRng(1) })).toThrow('no balancer named priority');
  });
});

describe('locality weights', () => {
  it('split by weight, and by what a zone lacks in health', () => {
    const set = setOf(
      ...repeat(2, { locality: 0 }),
      ...repeat(3, { locality: 0, health: unhealthy }),
      ...repeat(1, { locality: 1 }),
    );
    // 1 · 1.4 · 2/5 = 0.56 against 2.
    const split = shares(set, localityWeighted, { weights: '1, 2' }, zoneOf);
    expect(split['zone 0']).toBeCloseTo(0.56 / 2.56, 3);
  });

  it('do not starve requests where all weights are zero', () => {
    const set = setOf({ locality: 0 }, { locality: 1 });
    expect(shares(set, localityWeighted, { weights: '0, 0' }, zoneOf).nobody).toBeUndefined();
  });

  it('refuse weights that are not numbers', () => {
    expect(() => localityWeighted.make({ weights: '1, x' }, { rng: testRng(1) })).toThrow('weights: "x" is not a number from 0');
  });
});

describe('zone-aware routing', () => {
  const zones = (...counts: number[]): EndpointSet => setOf(...counts.flatMap((count, locality) => repeat(count, { locality })));

  it('keeps everything at home where home has its share of endpoints', () => {
    expect(shares(zones(4, 4), zoneAware, { zone: 1 }, zoneOf)).toEqual({ 'zone 1': expect.closeTo(1, 9) as number });
  });

  it('sends away what home has no room for, to zones with room to spare', () => {
    // Home has 1 endpoint of 8 for a half of the clients: a quarter stays, all else goes to the other zone.
    const split = shares(zones(1, 7), zoneAware, { zone: 0 }, zoneOf);
    expect(Math.abs(split['zone 0'] - 0.25)).toBeLessThan(close);
  });

  it('loads endpoints alike when every zone’s clients do it', () => {
    const perZone = [0, 1, 2].map((zone) => shares(zones(2, 3, 4), zoneAware, { zone, clients: '3, 3, 3' }, zoneOf));
    [2, 3, 4].forEach((count, zone) => {
      const load = perZone.reduce((sum, split) => sum + (split[`zone ${zone}`] ?? 0), 0) / 3;
      expect(Math.abs(load - count / 9)).toBeLessThan(close);
    });
  });

  it('steps aside in small clusters', () => {
    const split = shares(zones(2, 2), zoneAware, { zone: 0 }, zoneOf);
    expect(Math.abs(split['zone 0'] - 0.5)).toBeLessThan(close);
  });
});

describe('slow start', () => {
  /** Share of a newcomer among four, this long after it came. */
  function newcomersShare(elapsedMs: number, params: object = {}): number {
    const set = setOf(...repeat(3, {}));
    const balancer = slowStart.make({ window: 60_000, ...params }, { rng: testRng(8) });
    set.bind(balancer, 0);
    set.add('new', {}, 100_000);
    const nowMs = 100_000 + elapsedMs;
    while (balancer.nextTimerMs!() <= nowMs) balancer.onTimer!(balancer.nextTimerMs!());
    let picked = 0;
    for (let i = 0; i < 4000; i++) if (balancer.pick({ ...context, nowMs }) === 3) picked++;
    return picked / 4000;
  }

  it('raises a newcomer’s weight from the least part to the whole', () => {
    expect(newcomersShare(0)).toBeCloseTo(0.1 / 3.1, 2);
    expect(newcomersShare(30_000)).toBeCloseTo(0.5 / 3.5, 2);
    expect(newcomersShare(60_000)).toBeCloseTo(0.25, 2);
  });

  it('is faster at first with more aggression', () => {
    // (1/4)^(1/2) is a half.
    expect(newcomersShare(15_000, { aggression: 2 })).toBeCloseTo(0.5 / 3.5, 2);
  });

  it('tells balancers that take weights over, too', () => {
    expect(newcomersShare(30_000, { inner: 'weighted-round-robin' })).toBeCloseTo(0.5 / 3.5, 2);
  });

  it('grows in sixteenths with HAProxy', () => {
    expect(newcomersShare(0, { variant: 'haproxy' })).toBeCloseTo(1 / 16 / (3 + 1 / 16), 2);
    expect(newcomersShare(30_000, { variant: 'haproxy' })).toBeCloseTo(9 / 16 / (3 + 9 / 16), 2);
  });

  it('is over when nobody is warming up', () => {
    const balancer = slowStart.make({}, { rng: testRng(1) });
    setOf({}, {}).bind(balancer, 60_001);
    expect(balancer.nextTimerMs!()).toBe(Infinity);
  });
});

describe('subsets', () => {
  const subsetOf = (definition: BalancerDefinition, params: object, set: EndpointSet, seed = 1): string[] => {
    const balancer = definition.make(params, { rng: testRng(seed) });
    set.bind(balancer, 0);
    return [...new Set(Array.from({ length: 200 }, () => set.table.ids[balancer.pick(context)]))].sort();
  };

  it('at random are of the size asked for, and differ between clients', () => {
    const set = setOf(...repeat(30, {}));
    const first = subsetOf(randomSubset, { subsetSize: 5 }, set, 1);
    expect(first).toHaveLength(5);
    expect(subsetOf(randomSubset, { subsetSize: 5 }, set, 2)).not.toEqual(first);
  });

  it('at random change by one endpoint at most when one comes', () => {
    const set = setOf(...repeat(30, {}));
    const before = subsetOf(randomSubset, { subsetSize: 5 }, set);
    set.add('newcomer', {}, 0);
    const after = subsetOf(randomSubset, { subsetSize: 5 }, set);
    expect(before.filter((id) => !after.includes(id)).length).toBeLessThanOrEqual(1);
  });

  it('by number give every endpoint the same number of clients', () => {
    const set = setOf(...repeat(12, {}));
    const connections = Array.from({ length: 8 }, (_, clientId) =>
      subsetOf(deterministicSubset, { subsetSize: 3, clientId }, set),
    ).flat();
    // Eight clients of three are two rounds of four subsets.
    for (let i = 0; i < 12; i++) expect(connections.filter((id) => id === `e${i}`)).toHaveLength(2);
  });

  it('fall back on everybody when all of theirs are down', () => {
    const set = setOf(...repeat(10, {}));
    const own = subsetOf(randomSubset, { subsetSize: 2 }, set);
    for (const id of own) set.setHealth(set.find(id), unhealthy, 0);
    expect(subsetOf(randomSubset, { subsetSize: 2 }, set)).toHaveLength(8);
  });
});

describe('deterministic aperture', () => {
  it('covers every endpoint alike over all clients, by parts if need be', () => {
    for (const [clients, endpoints] of [
      [7, 30],
      [50, 13],
      [4, 18],
    ] as const) {
      const width = apertureWidth(clients, endpoints, Math.min(12, endpoints));
      const covered = Array.from({ length: endpoints }, () => 0);
      for (let client = 0; client < clients; client++) {
        const even = Array.from({ length: endpoints }, () => 1);
        apertureWeights(even, client / clients, width).forEach((weight, i) => (covered[i] += weight));
      }
      for (const part of covered) expect(part).toBeCloseTo(covered[0], 6);
    }
  });

  it('uses only its own stretch, and loads it by parts', () => {
    const set = setOf(...repeat(40, {}));
    const balancer = deterministicAperture.make({ instanceId: 3, totalInstances: 20 }, { rng: testRng(4) });
    set.bind(balancer, 0);
    const picked = new Set(Array.from({ length: 3000 }, () => balancer.pick(context)));
    expect(picked.size).toBeGreaterThanOrEqual(12);
    expect(picked.size).toBeLessThanOrEqual(14);
  });
});
