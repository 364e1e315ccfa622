/** Memory: a world keeps rows for the requests that are alive, and for nobody else. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import fc from 'fast-check';
import { delayHedge } from '../../src/policies/resilience/hedging/index.ts';
import { constantRetry } from '../../src/policies/resilience/retries/index.ts';
import { RequestTable } from '../../src/cluster/request-table.ts';
import { call, callOf, type GraphSetup, buildGraph, together } from './graph-builder.ts';
import { randomWorld } from './random-world.ts';
import { constant, errors, inTurn, playWorld, type World } from './world-builder.ts';
import { simulate } from '../../src/cluster/index.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

afterEach(() => vi.restoreAllMocks());

/** The request tables of the worlds made from now on. */
function tablesMade(): RequestTable[] {
  const tables = new Set<RequestTable>();
  const original = RequestTable.prototype.allocate;
  const made: RequestTable[] = [];
  vi.spyOn(RequestTable.prototype, 'allocate').mockImplementation(function (this: RequestTable) {
    if (!tables.has(this)) {
      tables.add(this);
      made.push(this);
    }
    return original.call(this);
  });
  return made;
}

/** Retries, hedges, timeouts, parallel and optional calls, a connection pool: rows of every kind. */
const setup: GraphSetup = {
  arrivals: { type: 'poisson', perSecond: 200 },
  timeoutMs: 60,
  attemptTimeoutMs: 35,
  propagatesDeadline: true,
  graph: [
    { work: 2, slots: 4, steps: [call(1), together([callOf(2), callOf(2)], 1)] },
    { work: 3, slots: 2, cancelAbandoned: true },
    { work: 4, slots: 3, queueLimit: 6, dropsExpired: true },
  ],
  calls: [
    {
      from: 0,
      to: 1,
      pool: { connections: 3, streams: 1, pending: 9, roundTrips: 0, handshake: constant(1), keepAliveMs: 50, reuse: 'newest' },
    },
    { from: 0, to: 2, timeoutMs: 25, propagatesDeadline: true },
  ],
};
const edge = {
  balancerName: 'test',
  isUserPolicy: false,
  balancer: inTurn,
  retry: (deps: Parameters<typeof constantRetry.make>[1]) => constantRetry.make({ delay: 2, retries: 2 }, deps),
  hedge: (deps: Parameters<typeof delayHedge.make>[1]) => delayHedge.make({ delay: 6 }, deps),
};

/** Without the builder's record of every attempt, which grows. */
function run(world: World, onWindow?: () => void): void {
  const makers = {
    balancerName: 'test',
    isUserPolicy: false,
    userFiles: [],
    edges: world.edges.map(() => edge),
    services: world.services.map(() => ({})),
    cluster: {},
  };
  simulate({ scenario: world, variant: 0, seed: 'memory:1', makers, ...(onWindow === undefined ? {} : { onWindow }) });
}

describe('a call graph with retries, hedges and timeouts', () => {
  const world = (seconds: number): World =>
    buildGraph({
      ...setup,
      durationMs: seconds * 1000,
      windowMs: seconds * 1000,
      faults: [{ ...errors(0, 0.1, 0, Infinity), targets: [{ service: 2, instance: 0 }] }],
    });

  test('needs no more rows for ten times the requests', () => {
    const tables = tablesMade();
    run(world(3));
    run(world(30));
    const [short, long] = tables;
    expect(short.rows).toBeGreaterThan(20);
    // The most that are alive at once grows with the logarithm of the time; 6000 requests and their 30 000 attempts are far more.
    expect(long.rows).toBeLessThan(4 * short.rows);
    expect(long.rows).toBeLessThan(600);
  });

  test('keeps nothing of a request that is over, in any table', () => {
    // What is alive on the heap after one sixth of the run and at its end: 5000 requests and some 25 000 attempts lie between.
    const heap: number[] = [];
    const sampled = { ...world(30), run: { ...world(30).run, windowMs: 5000 } };
    run(sampled, () => {
      collectGarbage();
      heap.push(process.memoryUsage().heapUsed);
    });
    expect(heap.length).toBe(6);
    // Tables that double hold less than 100 kB here; one byte per attempt and thing kept would be 25 kB, an object a megabyte.
    expect(heap.at(-1)! - heap[0]).toBeLessThan(300_000);
  });
});

test('when everybody is gone no row is in use', () => {
  // The traffic of the first 300 ms, and then time for all of it to end: nothing waits for ever, as everything has a timeout.
  const tables = tablesMade();
  const ends = { timesMs: Float64Array.of(0, 300, 300), factors: Float64Array.of(1, 1, 0), periodMs: Infinity };
  let rows = 0;
  const property = fc.property(randomWorld, ({ world, setup: policies }) => {
    const drained: World = {
      ...world,
      run: { ...world.run, durationMs: 100_000, windowMs: 20_000, warmupMs: 0 },
      edges: world.edges.map((own) => (own.queue >= 0 ? own : { ...own, timeoutMs: Math.min(own.timeoutMs, 200) })),
      queues: world.queues.map((queue) => ({ ...queue, visibilityMs: 50 })),
      faults: world.faults.flatMap((fault) =>
        fault.schedule.type === 'once'
          ? [{ ...fault, schedule: { ...fault.schedule, forMs: Math.min(200, fault.schedule.forMs) } }]
          : [],
      ),
      traffic: world.traffic.map((traffic) => ({
        ...traffic,
        profile: ends,
        arrivals: /users|bursts/.test(traffic.arrivals.type) ? { type: 'poisson', perSecond: 200 } : traffic.arrivals,
      })),
    };
    playWorld(drained, { ...policies, edges: withoutHeartbeats(policies.edges) });
    const table = tables.at(-1)!;
    rows += table.rows;
    expect(table.live).toBe(0);
  });
  fc.assert(property, { numRuns: 40, seed: 3, endOnFailure: true });
  expect(rows).toBeGreaterThan(300);
});

/** A detector beats for ever: most of a long run's events. */
function withoutHeartbeats(edges: GraphSetup['edges'] = {}): NonNullable<GraphSetup['edges']> {
  const without = Object.entries(edges).map(([number, own]) => [
    number,
    Object.fromEntries(Object.entries(own).filter(([role]) => role !== 'detector')),
  ]);
  return Object.fromEntries(without) as NonNullable<GraphSetup['edges']>;
}
