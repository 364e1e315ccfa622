/** The traffic split: the contract of balancers with several balancers within, shares, keys, and who hears of what. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Balancer,
  type BalancerDefinition,
  type EndpointView,
  healthStates,
  NO_ENDPOINT,
  outcomes,
  type Slot,
} from '../../../src/policies/balancing/balancer.ts';
import { BalancerTrial } from '../../../src/policies/balancing/contract.ts';
import { EndpointSet } from '../../../src/policies/balancing/endpoint-set.ts';
import { balancers } from '../../../src/policies/balancing/index.ts';
import { type BucketOf, TrafficSplit } from '../../../src/policies/balancing/traffic-split.ts';
import type { Rng } from '../../../src/core/rng.ts';
import { balancerContract } from '../../contracts/balancer.contract.ts';
import { testRng, unusedRng } from '../fixtures.ts';

/** Smaller tables than in production: they are made anew at every change. */
const parameters: Readonly<Record<string, object>> = { maglev: { tableSize: 251 }, 'ring-hash': { minimumRingSize: 64 } };
const make = (definition: BalancerDefinition, rng: Rng): Balancer => definition.make(parameters[definition.name] ?? {}, { rng });

/** Divides endpoints by their names, and requests among the groups that have somebody to pick. */
class Grouped extends TrafficSplit {
  readonly bucketOf: BucketOf | undefined;

  constructor(definition: BalancerDefinition, rng: Rng, bucketOf?: BucketOf) {
    super({ rng, makeBalancer: () => make(definition, rng) });
    this.bucketOf = bucketOf;
  }

  override update(view: EndpointView, nowMs: number): void {
    for (let i = 0; i < view.everyoneCount; i++) this.setGroup(view.everyone[i], groupOf(view, view.everyone[i]), nowMs);
    const shares: Record<string, number> = {};
    for (let i = 0; i < view.count; i++) {
      const group = groupOf(view, view.members[i]);
      shares[group] = group === 'stable' ? 70 : 30;
    }
    super.update(view, nowMs);
    this.setShares(shares, nowMs, this.bucketOf);
  }
}

const groupOf = ({ table }: EndpointView, slot: Slot): string => (/[02468]$/.test(table.ids[slot]) ? 'stable' : 'canary');
const bucketOf: BucketOf = (_, low) => ((Math.imul(low, 0x9e3779b1) >>> 8) & 0xffff) / 0x10000;

for (const name of [
  'round-robin',
  'least-request',
  'peak-ewma',
  'maglev',
  'prequal',
  'client-side-weighted-round-robin',
  'priority',
]) {
  balancerContract({ name: `a traffic split around ${name}`, make: (rng) => new Grouped(balancers[name], rng) });
}
balancerContract({
  name: 'a traffic split by key around p2c',
  make: (rng) => new Grouped(balancers.p2c, rng, bucketOf),
});

describe('a split that divides nothing picks as the balancer within would: it', () => {
  const compare = (definition: BalancerDefinition, split: (rng: Rng) => TrafficSplit): void => {
    const bare = new BalancerTrial((rng) => make(definition, rng), 5, 3);
    const divided = new BalancerTrial(split, 5, 3);
    for (let i = 0; i < 300; i++) {
      bare.step(12);
      divided.step(12);
    }
    expect(divided.picks).toEqual(bare.picks);
    expect(new Set(bare.picks).size).toBeGreaterThan(3);
  };

  it.each(Object.keys(balancers))('has no shares, around %s', (name) => {
    compare(balancers[name], (rng) => new TrafficSplit({ rng: unusedRng, makeBalancer: () => make(balancers[name], rng) }));
  });

  it.each(Object.keys(balancers))('has one group, around %s', (name) => {
    compare(balancers[name], (rng) => {
      const makeBalancer = (group: string | undefined): Balancer => make(balancers[name], group === undefined ? testRng(1) : rng);
      const split = new TrafficSplit({ rng: unusedRng, makeBalancer });
      for (let slot = 0; slot < 1000; slot++) split.setGroup(slot, 'v1', 0);
      split.setShares({ v1: 100 }, 0);
      return split;
    });
  });
});

describe('shares', () => {
  it('are met by chance, and evenly within a group', () => {
    const { pick } = stage({ v1: 95, v2: 5 });
    const counts = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 10_000; i++) counts[pick()]++;
    // 10,000 draws at 5 %: 500, standard deviation 22; 100 is 4.6 of them, and the seed is fixed.
    expect(Math.abs(counts[4] + counts[5] - 500)).toBeLessThan(100);
    expect(Math.abs(counts[4] - counts[5])).toBeLessThanOrEqual(1);
    expect(Math.max(...counts.slice(0, 4)) - Math.min(...counts.slice(0, 4))).toBeLessThanOrEqual(1);
  });

  it('count as parts of their sum', () => {
    const { groups } = stage({ v1: 1, v2: 1 });
    // 1,000 draws at 50 %: standard deviation 16; 70 is 4.4 of them.
    expect(Math.abs(groups(1000).filter((group) => group === 'v2').length - 500)).toBeLessThan(70);
  });

  it('move exactly the requests between the old and the new border when they change', () => {
    const draws: number[] = [];
    const source = testRng(5);
    const rng: Rng = {
      ...source,
      below: (n) => {
        const drawn = source.below(n);
        draws.push(drawn / n);
        return drawn;
      },
    };
    const { split, groups } = stage({ v1: 90, v2: 10 }, { rng });
    const before = groups(500);
    split.setShares({ v1: 75, v2: 25 }, 0);
    const after = groups(500);
    expect(before).toEqual(draws.slice(0, 500).map((draw) => (draw < 0.9 ? 'v1' : 'v2')));
    expect(after).toEqual(draws.slice(500).map((draw) => (draw < 0.75 ? 'v1' : 'v2')));
    expect(draws).toHaveLength(1000);
  });

  it('that are not named, or nought, get nothing, and without any nobody is picked', () => {
    const { split, groups, pick } = stage({ v2: 5 }, { rng: unusedRng });
    expect(new Set(groups(50))).toEqual(new Set(['v2']));
    split.setShares({ v1: 100, v2: 0 }, 0);
    expect(new Set(groups(50))).toEqual(new Set(['v1']));
    split.setShares({}, 0);
    expect(pick()).toBe(NO_ENDPOINT);
    split.setShares(undefined, 0);
    expect(new Set(groups(50))).toEqual(new Set(['v1', 'v2']));
  });

  it('do not spill over from a group in which nobody can be used', () => {
    const { set, groups } = stage({ v1: 50, v2: 50 });
    for (const slot of [4, 5]) set.setHealth(slot, healthStates.unhealthy, 0);
    // 200 draws at 50 %: both happen, but for a chance of 2^-199.
    expect(new Set(groups(200))).toEqual(new Set(['v1', 'nobody']));
  });

  it('cannot be negative', () => {
    const { split } = stage({ v1: 1 });
    expect(() => split.setShares({ v1: -1 }, 0)).toThrow('group v1 cannot have a share of -1');
  });
});

describe('groups', () => {
  it('gain and lose endpoints while they serve', () => {
    const { split, pick, groups } = stage({ v2: 100 });
    split.setGroup(0, 'v2', 0);
    expect(new Set(Array.from({ length: 30 }, pick))).toEqual(new Set([0, 4, 5]));
    for (const slot of [0, 4, 5]) split.setGroup(slot, 'v3', 0);
    expect(groups(3)).toEqual(['nobody', 'nobody', 'nobody']);
  });

  it('have no part in endpoints whose group is not known', () => {
    const { set, pick } = stage({ v1: 50, v2: 50 });
    const stranger = set.add('stranger', {}, 0);
    expect(Array.from({ length: 100 }, pick)).not.toContain(stranger);
  });

  it('are forgotten with their balancers when they have neither share nor endpoints nor attempts', () => {
    const inner: Recorder[] = [];
    const { split, set, pick } = stage({ v1: 50, v2: 50 }, { makeBalancer: recorders(inner) });
    const [, , canary] = inner;
    expect(inner.map(({ name }) => name)).toEqual([undefined, 'v1', 'v2']);
    split.setShares({ v2: 100 }, 1);
    const slot = pick();
    set.begin(slot);
    split.onStart!(slot, 2);
    split.setShares({ v1: 100 }, 3);
    for (const gone of [4, 5]) set.remove(gone, 3);
    const updates = canary.updates;
    set.setWeight(0, 2, 4);
    expect(canary.updates).toBe(updates + 1);
    split.onEnd!(slot, 5, 3, outcomes.ok);
    expect(canary.ends).toEqual([slot]);
    set.setWeight(0, 3, 6);
    set.setWeight(0, 4, 7);
    expect(canary.updates).toBe(updates + 2);
    // Somebody else of this name begins anew.
    split.setShares({ v1: 50, v2: 50 }, 8);
    expect(inner.map(({ name }) => name)).toEqual([undefined, 'v1', 'v2', 'v2']);
  });
});

describe('keys', () => {
  const groupOfKey = ({ split }: Staged, key: number): string => {
    const slot = split.pick({ nowMs: 0, attempt: 0, previous: NO_ENDPOINT, hasHash: true, hashHigh: key * 7, hashLow: key });
    return slot < 4 ? 'v1' : 'v2';
  };
  const users = Array.from({ length: 3000 }, (_, i) => i);

  it('stay with their group, and only ever move to the one whose share rises', () => {
    const staged = stage(undefined, { rng: unusedRng });
    let before = users.map(() => 'v1');
    for (const percent of [1, 5, 20, 50, 90, 100]) {
      staged.split.setShares({ v1: 100 - percent, v2: percent }, 0, bucketOf);
      const now = users.map((user) => groupOfKey(staged, user));
      expect(users.map((user) => groupOfKey(staged, user))).toEqual(now);
      expect(users.filter((user) => before[user] === 'v2' && now[user] === 'v1')).toEqual([]);
      // The buckets of consecutive keys are spread evenly: within 1 % of all.
      expect(Math.abs(now.filter((group) => group === 'v2').length / users.length - percent / 100)).toBeLessThan(0.01);
      before = now;
    }
  });

  it('are asked for once, until there is another function', () => {
    const asked: number[] = [];
    const counted: BucketOf = (high, low) => {
      asked.push(low);
      return bucketOf(high, low);
    };
    const staged = stage(undefined, { rng: unusedRng });
    staged.split.setShares({ v1: 50, v2: 50 }, 0, counted);
    for (let i = 0; i < 5; i++) for (const user of users.slice(0, 100)) groupOfKey(staged, user);
    expect(asked).toHaveLength(100);
    staged.split.setShares({ v1: 40, v2: 60 }, 0, counted);
    groupOfKey(staged, 1);
    expect(asked).toHaveLength(100);
    const other: BucketOf = (high, low) => counted(high, low);
    staged.split.setShares({ v1: 40, v2: 60 }, 0, other);
    groupOfKey(staged, 1);
    expect(asked).toHaveLength(101);
  });

  it('that are not there leave the choice to chance', () => {
    const { groups } = stage({ v1: 50, v2: 50 }, { bucketOf: () => 0 });
    expect(new Set(groups(100))).toEqual(new Set(['v1', 'v2']));
  });
});

describe('a retry', () => {
  it('stays with the group of the attempt before, whatever the shares are by now', () => {
    const { split } = stage({ v1: 50, v2: 50 });
    const context = { nowMs: 0, attempt: 1, previous: 5, hasHash: false, hashHigh: 0, hashLow: 0 };
    const retries = (): Set<Slot> => new Set(Array.from({ length: 50 }, () => split.pick(context)));
    expect(retries()).toEqual(new Set([4, 5]));
    split.setShares({ v1: 100 }, 0);
    expect(retries()).toEqual(new Set([4, 5]));
    context.previous = 0;
    expect(retries()).toEqual(new Set([0, 1, 2, 3]));
    context.previous = NO_ENDPOINT;
    expect(retries()).toEqual(new Set([0, 1, 2, 3]));
  });
});

describe('whoever picked', () => {
  it('hears of the end, once per beginning, whatever has become of shares, groups and endpoints since', () => {
    const event = fc.record({ kind: fc.nat(6), choice: fc.nat(1000) });
    let handedOver = 0;
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const inner: Recorder[] = [];
        const { split, set, pick } = stage({ v1: 50, v2: 50 }, { makeBalancer: recorders(inner) });
        const out: { slot: Slot; by: Recorder; atMs: number }[] = [];
        let nowMs = 0;
        let born = 0;
        const end = (index: number): void => {
          const [{ slot, by, atMs }] = out.splice(index, 1);
          set.end(slot);
          const before = by.ends.length;
          split.onEnd!(slot, nowMs, nowMs - atMs, outcomes.ok);
          expect(by.ends.slice(before)).toEqual([slot]);
          if (by !== inner.findLast(({ lastPick }) => lastPick === slot)) handedOver++;
        };
        for (const { kind, choice } of events) {
          nowMs += 0.1 + (choice % 7) / 3;
          const slot = choice % 6;
          if (kind <= 1) {
            const picked = pick();
            if (picked === NO_ENDPOINT) continue;
            set.begin(picked);
            split.onStart!(picked, nowMs);
            out.push({ slot: picked, by: inner.find(({ starts }) => starts.at(-1) === nowMs)!, atMs: nowMs });
          } else if (kind === 2) {
            if (out.length > 0) end(choice % out.length);
          } else if (kind === 3) {
            split.setShares([undefined, { v1: 90, v2: 10 }, { v2: 100 }, { v1: 100 }, { v3: 50, v1: 50 }][choice % 5], nowMs);
          } else if (kind === 4) {
            split.setGroup(slot, ['v1', 'v2', 'v3'][choice % 3], nowMs);
          } else if (kind === 5) {
            // The slot passes to somebody else, with work of the one before still in flight.
            set.remove(slot, nowMs);
            split.setGroup(slot, ['v1', 'v2', 'v3'][choice % 3], nowMs);
            set.addAt(slot, `late-${born++}`, {}, nowMs);
          } else set.setWeight(slot, 1 + (choice % 2), nowMs);
        }
        nowMs += 1;
        while (out.length > 0) end(0);
        for (const { starts, ends } of inner) expect(ends).toHaveLength(starts.length);
      }),
      { numRuns: 300, seed: 20_261_121 },
    );
    expect(handedOver).toBeGreaterThan(100);
  });

  it('is asked for probes, and reports go to whoever has the endpoint now', () => {
    const inner: Recorder[] = [];
    const { split, pick } = stage({ v2: 100 }, { makeBalancer: recorders(inner) });
    const out = new Int32Array(4);
    pick();
    expect(split.probes!(out, 0)).toBe(1);
    expect(out[0]).toBeGreaterThanOrEqual(4);
    split.onReport!(5, 0, emptyReport);
    expect(inner.map(({ name, reports }) => [name, reports])).toEqual([
      [undefined, 0],
      ['v2', 1],
    ]);
  });

  it('is woken when it wants to be, and nobody else is', () => {
    const inner: Recorder[] = [];
    const { split } = stage({ v1: 50, v2: 50 }, { makeBalancer: recorders(inner) });
    inner.forEach((each, i) => (each.timerMs = 100 * (i + 1)));
    expect(split.nextTimerMs!()).toBe(100);
    split.onTimer!(200);
    expect(inner.map(({ wakes }) => wakes)).toEqual([1, 1, 0]);
  });
});

it('a split has the methods that the balancers within have, and no others', () => {
  const methodsOf = (name: string): readonly string[] => {
    const split = new TrafficSplit({ rng: unusedRng, makeBalancer: () => make(balancers[name], testRng(1)) });
    return (['judgesHealth', 'onStart', 'onEnd', 'onReport', 'probes', 'nextTimerMs', 'onTimer'] as const).filter(
      (method) => split[method] !== undefined,
    );
  };
  expect(methodsOf('random')).toEqual([]);
  expect(methodsOf('peak-ewma')).toEqual(expect.arrayContaining(['onEnd']));
  expect(methodsOf('prequal')).toEqual(expect.arrayContaining(['onReport', 'probes']));
  expect(methodsOf('priority')).toContain('judgesHealth');
});

interface Staged {
  readonly split: TrafficSplit;
  readonly set: EndpointSet;
  pick(): Slot;
  /** Groups of so many picks. */
  groups(count: number): string[];
}

/** Slots 0 to 3 have v1, 4 and 5 have v2. */
function stage(
  shares: Readonly<Record<string, number>> | undefined,
  setup: { rng?: Rng; makeBalancer?: (group: string | undefined) => Balancer; bucketOf?: BucketOf } = {},
): Staged {
  const { rng = testRng(11), makeBalancer = () => make(balancers['round-robin'], testRng(2)) } = setup;
  const split = new TrafficSplit({ rng, makeBalancer });
  const set = new EndpointSet(6);
  for (let i = 0; i < 6; i++) split.setGroup(set.add(`e${i}`, {}, 0), i < 4 ? 'v1' : 'v2', 0);
  split.setShares(shares, 0, setup.bucketOf);
  set.bind(split, 0);
  const context = { nowMs: 0, attempt: 0, previous: NO_ENDPOINT, hasHash: false, hashHigh: 0, hashLow: 0 };
  const pick = (): Slot => split.pick(context);
  const groupOfSlot = (slot: Slot): string => (slot === NO_ENDPOINT ? 'nobody' : slot < 4 ? 'v1' : 'v2');
  return { split, set, pick, groups: (count) => Array.from({ length: count }, () => groupOfSlot(pick())) };
}

/** Endpoints in turn, and a note of all that it is told. */
class Recorder implements Balancer {
  readonly name: string | undefined;
  updates = 0;
  reports = 0;
  wakes = 0;
  timerMs = Infinity;
  lastPick: Slot = NO_ENDPOINT;
  readonly starts: number[] = [];
  readonly ends: Slot[] = [];
  private view!: EndpointView;
  private turn = 0;

  constructor(name: string | undefined) {
    this.name = name;
  }
  update(view: EndpointView): void {
    this.view = view;
    this.updates++;
  }
  pick(): Slot {
    this.lastPick = this.view.count === 0 ? NO_ENDPOINT : this.view.members[this.turn++ % this.view.count];
    return this.lastPick;
  }
  onStart(_slot: Slot, nowMs: number): void {
    this.starts.push(nowMs);
  }
  onEnd(slot: Slot): void {
    this.ends.push(slot);
  }
  onReport(): void {
    this.reports++;
  }
  probes(out: Int32Array): number {
    out[0] = this.view.members[0];
    return 1;
  }
  nextTimerMs(): number {
    return this.timerMs;
  }
  onTimer(): void {
    this.wakes++;
    this.timerMs = Infinity;
  }
}

const recorders =
  (made: Recorder[]) =>
  (group: string | undefined): Balancer => {
    const recorder = new Recorder(group);
    made.push(recorder);
    return recorder;
  };

const emptyReport = {
  queriesPerSecond: 0,
  errorsPerSecond: 0,
  utilization: 0,
  inFlight: 0,
  queueLength: 0,
  latencyMs: 0,
  isProbe: false,
};
