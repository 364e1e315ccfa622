/** The router: every client hears of new shares after a time of its own, and users stay with their version. Times in ms. */
import { describe, expect, test } from 'vitest';
import { Router } from '../../../src/cluster/change/router.ts';
import type { Client } from '../../../src/cluster/client.ts';
import type { DistributionSpec } from '../../../src/core/distribution-spec.ts';
import { flagHashes, flagHashNames } from '../../../src/policies/rollout/flags/index.ts';
import { buildWorld, constant } from '../world-builder.ts';
import { Bench } from './harness.ts';
import { contextOf, SplitClient } from './split-bench.ts';

class RouterBench extends Bench {
  readonly clients: readonly SplitClient[];
  readonly router: Router;
  /** Who was told that its balancer may want to be woken, and when. */
  readonly woken: [number, number][];

  constructor(endpointDelay: DistributionSpec = constant(0), clients = 2) {
    super('router');
    this.woken = [];
    const clock = { time: 0 };
    this.clients = Array.from({ length: clients }, (_, number) => new SplitClient(clock, this.streams, number));
    const [service] = buildWorld({ elastic: { endpointDelay } }).services;
    this.router = new Router(
      {
        ...{ errands: this.errands, streams: this.streams, service },
        clients: this.clients.map(({ splits }, number) => ({ client: { number } as Client, splits })),
        changed: ({ number }) => this.woken.push([number, this.nowMs]),
      },
      { v1: 100 },
    );
  }

  /** Who sends which share of its requests to v2. */
  shares(): number[] {
    return this.clients.map((client) => Math.round(client.share(500) * 10) / 10);
  }
}

test('all have known the first weights for long', () => {
  const bench = new RouterBench(constant(50));
  expect(bench.shares()).toEqual([0, 0]);
  expect(bench.router.weights).toEqual({ v1: 100 });
});

test('what is decided is known here at once, and to each client after its time', () => {
  const bench = new RouterBench(constant(50));
  bench.at(100, () => bench.router.divide({ v2: 100 }, undefined));
  bench.run(101);
  expect(bench.router.weights).toEqual({ v2: 100 });
  expect(bench.shares()).toEqual([0, 0]);
  bench.run(149);
  expect(bench.shares()).toEqual([0, 0]);
  bench.run(151);
  expect(bench.shares()).toEqual([1, 1]);
  expect(bench.woken).toEqual([
    [0, 150],
    [1, 150],
  ]);
});

test('each has a delay of its own', () => {
  const bench = new RouterBench({ type: 'uniform', min: 0, max: 100 }, 8);
  bench.at(0, () => bench.router.divide({ v2: 100 }, undefined));
  bench.run(200);
  expect(new Set(bench.woken.map(([, atMs]) => atMs)).size).toBe(8);
});

test('late news does not undo later news', () => {
  const bench = new RouterBench({ type: 'uniform', min: 0, max: 100 }, 20);
  for (let percent = 1; percent <= 10; percent++)
    bench.at(5 * percent, () => bench.router.divide({ v1: 100 - 10 * percent, v2: 10 * percent }, undefined));
  bench.run(500);
  expect(bench.shares()).toEqual(Array<number>(20).fill(1));
  // Some were overtaken, or this shows nothing.
  expect(bench.woken.length).toBeLessThan(20 * 10);
});

const isWithin = (part: ReadonlySet<number>, whole: ReadonlySet<number>): boolean => [...part].every((each) => whole.has(each));

describe('by the hash of the user', () => {
  const keys = Array.from({ length: 400 }, (_, key) => key);
  const divided = (
    bench: RouterBench,
    percent: number,
    hash: (typeof flagHashNames)[number] = 'launch-darkly',
  ): Set<number>[] => {
    bench.router.divide({ v1: 100 - percent, v2: percent }, { name: hash, flag: 'checkout', salt: 'pepper' });
    bench.run(bench.nowMs + 1);
    return bench.clients.map((client) => new Set(keys.filter((key) => client.version(key) === 'v2')));
  };

  test.each(flagHashNames)(
    'of %s: a user has the same version everywhere and each time, and keeps the new one while it grows',
    (name) => {
      const bench = new RouterBench();
      let before = new Set<number>();
      for (const percent of [2, 10, 11, 50, 90]) {
        const [first, second] = divided(bench, percent, name);
        expect(second).toEqual(first);
        expect(isWithin(before, first)).toBe(true);
        // Four standard deviations.
        const spread = 4 * Math.sqrt((percent / 100) * (1 - percent / 100) * keys.length);
        expect(Math.abs(first.size - (percent / 100) * keys.length)).toBeLessThan(spread + 1);
        before = first;
      }
      const back = divided(bench, 10, name)[0];
      expect(isWithin(back, before)).toBe(true);
      expect(isWithin(back, divided(bench, 50, name)[0])).toBe(true);
    },
  );

  test.each(flagHashNames)('of %s itself: those for whom it says so', (name) => {
    const bench = new RouterBench();
    const [those] = divided(bench, 30, name);
    const says = keys.filter((key) => {
      const { hashHigh, hashLow } = contextOf(key);
      return flagHashes[name].isOn('checkout', 'pepper', `${hashHigh.toString(16)}-${hashLow.toString(16)}`, 30);
    });
    expect(those).toEqual(new Set(says));
  });

  test('another salt, other users', () => {
    const bench = new RouterBench();
    const [those] = divided(bench, 30);
    bench.router.divide({ v1: 70, v2: 30 }, { name: 'launch-darkly', flag: 'checkout', salt: 'paprika' });
    bench.run(bench.nowMs + 1);
    const others = new Set(keys.filter((key) => bench.clients[0].version(key) === 'v2'));
    expect([...those].filter((key) => others.has(key)).length).toBeLessThan(0.7 * others.size);
  });

  test('whoever has no key goes by chance', () => {
    const bench = new RouterBench();
    divided(bench, 50);
    expect(Math.abs(bench.clients[0].share() - 0.5)).toBeLessThan(0.032);
  });

  test('and by chance again, once no hash is given', () => {
    const bench = new RouterBench();
    divided(bench, 50);
    bench.router.divide({ v1: 50, v2: 50 }, undefined);
    bench.run(bench.nowMs + 1);
    const [client] = bench.clients;
    expect(new Set(Array.from({ length: 40 }, () => client.version(3))).size).toBe(2);
  });
});
