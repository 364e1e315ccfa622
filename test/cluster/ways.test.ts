/** What lies between a caller and an instance: proxies, connections, caches. Work of 10 ms unless said otherwise; times by hand. */
import { describe, expect, test } from 'vitest';
import type { CacheSpec, FaultSpec, PoolSpec } from '../../src/scenario/spec.ts';
import { call, callOf, endsOn, onEdge, playGraph, together } from './graph-builder.ts';
import { constant, crash, errors, latencies, play, rounded } from './world-builder.ts';

const pool = (more: Partial<PoolSpec> = {}): PoolSpec => ({
  connections: 10,
  streams: 1,
  pending: 100,
  roundTrips: 0,
  handshake: constant(3),
  keepAliveMs: Infinity,
  reuse: 'newest',
  ...more,
});

describe('a proxy', () => {
  test('takes its time each way, also when nobody is there', () => {
    expect(latencies(play({ at: [0], proxyLatency: constant(2) }))).toEqual([14]);
    // With the network 1 each way: 2 + 1 + 10 + 1 + 2. Refused: 2 + 1 + 1 + 2.
    const network = { sameZone: constant(1) };
    expect(latencies(play({ at: [0], proxyLatency: constant(2), network }))).toEqual([16]);
    expect(latencies(play({ at: [0], proxyLatency: constant(2), network, faults: [crash(0, 0, 100)] }))).toEqual([6]);
  });

  test('is left by who gives up in it: the instance hears nothing', () => {
    const played = play({ at: [0], proxyLatency: constant(20), timeoutMs: 5 });
    expect(played.instances[0].served).toBe(0);
    // On the way back the work has been done.
    const late = play({ at: [0], proxyLatency: constant(20), timeoutMs: 35 });
    expect(late.instances[0].served).toBe(1);
    expect(late.ledger.failed.timeout).toBe(1);
  });

  test('beside every instance knows its own instance’s calls only; a shared one knows all', () => {
    const clientsOf = (balancers: number) => {
      const played = playGraph({
        arrivals: { type: 'constant', perSecond: 100 },
        graph: [
          { work: 0, instances: 3, steps: [call(1)] },
          { work: 0, instances: 2 },
        ],
        calls: [{ from: 0, to: 1, balancers }],
      });
      return new Set(played.attempts.filter(({ edge }) => edge === 1).map(({ client }) => client)).size;
    };
    expect(clientsOf(0)).toBe(3);
    expect(clientsOf(1)).toBe(1);
    expect(clientsOf(2)).toBe(2);
  });
});

describe('a pool of connections', () => {
  test('makes the first request wait for a handshake, and the next not', () => {
    const played = play({ at: [0, 50], pool: pool() });
    expect(latencies(played)).toEqual([13, 10]);
    expect(rounded(played.metrics['connections'])).toBe(1);
  });

  test('needs round trips on the network for it', () => {
    // Two round trips of 2 and 3 of key exchange, then 1 there, 10, 1 back.
    const played = play({ at: [0, 50], pool: pool({ roundTrips: 2 }), network: { sameZone: constant(1) } });
    expect(latencies(played)).toEqual([19, 12]);
  });

  test('opens one connection per request at once, and as many streams as they carry', () => {
    const setup = { at: [0, 0, 0, 0], slots: 4 };
    expect(play({ ...setup, pool: pool() }).metrics['connections']).toBe(4);
    expect(play({ ...setup, pool: pool({ streams: 4 }) }).metrics['connections']).toBe(1);
  });

  test('that is exhausted makes requests wait at the client while the server is idle, and refuses those beyond', () => {
    // One connection, two slots: 3–13, 13–23; the third finds no place to wait.
    const played = play({ at: [0, 1, 2], slots: 2, pool: pool({ connections: 1, pending: 1 }) });
    expect(latencies(played)).toEqual([13, 22, 0]);
    expect(played.attempts[2].outcome).toBe('refused');
    expect(played.instances[0].utilization).toBeCloseTo(0.01, 9);
  });

  test('of HTTP/1.1 closes the connection of a request that is given up; of HTTP/2 it stays', () => {
    const of = (streams: number) =>
      play({ at: [0, 60], work: 40, timeoutMs: 20, slots: 3, pool: pool({ streams }) }).metrics['connections'];
    expect(of(1)).toBe(2);
    expect(of(2)).toBe(1);
  });

  test('closes what is idle for too long', () => {
    expect(play({ at: [0, 50], pool: pool({ keepAliveMs: 30 }) }).metrics['connections']).toBe(2);
    expect(play({ at: [0, 50], pool: pool({ keepAliveMs: 40 }) }).metrics['connections']).toBe(1);
  });

  test('loses its connections with the instance, and opens them again', () => {
    const played = play({ at: [0, 50], pool: pool(), faults: [crash(0, 30, 10)] });
    expect(latencies(played)).toEqual([13, 13]);
  });

  test('gives a request up that waits for a connection, without a trace at the instance', () => {
    const played = play({ at: [0, 1], work: 30, timeoutMs: 40, pool: pool({ connections: 1 }), faults: [] });
    // First: 3–33. Second: 33–63, given up at 41 while at work; the third would wait.
    expect(played.attempts.map(({ outcome }) => outcome)).toEqual(['ok', 'timeout']);
    const early = play({ at: [0, 1], work: 30, timeoutMs: 34, pool: pool({ connections: 1 }) });
    expect(early.attempts.map(({ outcome }) => outcome)).toEqual(['ok', 'timeout']);
    const never = play({ at: [0, 1], work: 30, timeoutMs: 20, pool: pool({ connections: 1 }) });
    // The first is given up at 20, its connection closed and another opened: 20–23; the second, given up at 21, never gets it.
    expect(never.instances[0].served).toBe(1);
  });
});

describe('a cache before a call', () => {
  const ratio = (hit: number, more: object = {}): CacheSpec => ({
    type: 'ratio',
    hit,
    fills: 0,
    shared: true,
    startsCold: true,
    hitTime: constant(2),
    ...more,
  });
  const keys = (more: object = {}): CacheSpec => ({
    type: 'keys',
    entries: 10,
    ttlMs: Infinity,
    coalesces: false,
    earlyRefresh: 0,
    shared: true,
    startsCold: true,
    hitTime: constant(2),
    ...more,
  });
  const world = (cache: CacheSpec, more: object = {}) =>
    playGraph({
      at: [0, 100, 200],
      keys: { count: 1, exponent: 1 },
      graph: [
        { slots: 9, instances: 1, steps: [call(1, { cache })] },
        { work: 50, slots: 9 },
      ],
      calls: [{ from: 0, to: 1 }],
      ...more,
    });

  test('that always hits spares the call, for the time of a hit', () => {
    const played = world(ratio(1));
    expect(onEdge(played, 0).map(([from, to]) => rounded(to - from))).toEqual([12, 12, 12]);
    expect(played.views[1].ledger.offered).toBe(0);
    expect(played.metrics['cacheHits']).toBe(1);
    expect(played.views[1].metrics['cacheHits']).toBe(1);
  });

  test('that never hits costs nothing but the call', () => {
    expect(onEdge(world(ratio(0)), 0).map(([from, to]) => rounded(to - from))).toEqual([60, 60, 60]);
  });

  test('of keys has what was fetched', () => {
    const played = world(keys());
    expect(onEdge(played, 0).map(([from, to]) => rounded(to - from))).toEqual([60, 12, 12]);
    expect(played.metrics['cacheHits']).toBeCloseTo(2 / 3, 12);
  });

  test('of keys forgets after its time to live', () => {
    // Filled at 60, expired at 160: hit at 110, miss at 210.
    expect(onEdge(world(keys({ ttlMs: 100 })), 0).map(([from, to]) => rounded(to - from))).toEqual([60, 12, 60]);
  });

  test('keeps nothing of a failure', () => {
    const faults: FaultSpec[] = [{ ...errors(0, 1, 0, 80), targets: [{ service: 1, instance: 0 }] }];
    expect(onEdge(world(keys(), { faults }), 0).map(([from, to, outcome]) => [rounded(to - from), outcome])).toEqual([
      [60, 'error'],
      [60, 'ok'],
      [12, 'ok'],
    ]);
  });

  test('that is flushed misses again', () => {
    const faults: FaultSpec[] = [
      {
        type: 'cache-flush',
        hit: 1,
        label: '',
        targets: [{ service: 0, instance: 0 }],
        schedule: { type: 'once', atMs: 150, forMs: 0 },
      },
    ];
    expect(onEdge(world(keys(), { faults }), 0).map(([from, to]) => rounded(to - from))).toEqual([60, 12, 60]);
  });

  test('per instance is learnt by each; a shared one by one for all', () => {
    const graph = (cache: CacheSpec) => [{ instances: 3, steps: [call(1, { cache })] }, { work: 50 }];
    expect(world(keys(), { graph: graph(keys()) }).views[1].ledger.offered).toBe(1);
    expect(world(keys(), { graph: graph(keys({ shared: false })) }).views[1].ledger.offered).toBe(3);
  });

  test('that coalesces fetches once for all who ask meanwhile, and all are answered then', () => {
    const of = (coalesces: boolean) => world(keys({ coalesces }), { at: [0, 10, 20, 100] });
    const alone = of(false);
    expect(endsOn(alone, 1)).toEqual({ ok: 3 });
    expect(onEdge(alone, 0).map(([, to]) => to)).toEqual([60, 70, 80, 112]);
    const together = of(true);
    expect(endsOn(together, 1)).toEqual({ ok: 1 });
    expect(onEdge(together, 0).map(([, to]) => to)).toEqual([60, 60, 60, 112]);
  });

  test('that coalesces lets a failure fail all who waited', () => {
    const faults: FaultSpec[] = [{ ...errors(0, 1, 0, 80), targets: [{ service: 1, instance: 0 }] }];
    const played = world(keys({ coalesces: true }), { at: [0, 10, 20], faults });
    expect(onEdge(played, 0).map(([, to, outcome]) => [to, outcome])).toEqual([
      [60, 'error'],
      [60, 'error'],
      [60, 'error'],
    ]);
    expect(endsOn(played, 1)).toEqual({ error: 1 });
  });

  test('whose fetcher gives up makes the next in line fetch', () => {
    // The first is given up at 30 (deadline passed on) and its fetch with it; the second, with 30 of its own, fetches from 30 on: in vain,
    // at 40. The third from 40 on.
    const played = world(keys({ coalesces: true }), {
      at: [0, 10, 20],
      timeoutMs: 30,
      graph: [
        { work: 0, slots: 9, cancelAbandoned: true, steps: [call(1, { cache: keys({ coalesces: true }) })] },
        { work: 15, slots: 9 },
      ],
      faults: [
        {
          type: 'slow',
          factor: 5,
          requests: 1,
          hit: 1,
          label: '',
          targets: [{ service: 1, instance: 0 }],
          schedule: { type: 'once', atMs: 0, forMs: 31 },
        },
      ],
    });
    // First: 15 of work at a fifth of the speed, from 0. At 30 the second begins: 0.2 by 31, then 14.8 alone: 45.8, after its 40.
    expect(onEdge(played, 1).map(([from, to, outcome]) => [from, to, outcome])).toEqual([
      [0, 30, 'cancelled'],
      [30, 40, 'cancelled'],
      [40, 50, 'cancelled'],
    ]);
    expect(onEdge(played, 0).map(([, to, outcome]) => [to, outcome])).toEqual([
      [30, 'timeout'],
      [40, 'timeout'],
      [50, 'timeout'],
    ]);
  });

  test('two calls of one request that share a fetch end it once when it fails', () => {
    // Two copies of a service call a third through one coalescing cache; the fetch fails, so does the fetcher, so does the caller, which
    // takes the other copy back: it must not be told of the failure after that.
    const cache = keys({ coalesces: true });
    const played = playGraph({
      at: [0],
      keys: { count: 1, exponent: 1 },
      graph: [
        { steps: [together([callOf(1), callOf(1)])] },
        { work: 1, slots: 2, cancelAbandoned: true, steps: [call(2, { cache })] },
        { work: 5 },
      ],
      calls: [
        { from: 0, to: 1 },
        { from: 1, to: 2 },
      ],
      faults: [{ ...errors(0, 1, 0, 80), targets: [{ service: 2, instance: 0 }] }],
    });
    expect(onEdge(played, 0)).toEqual([[0, 16, 'error']]);
    expect(endsOn(played, 1)).toEqual({ error: 1, cancelled: 1 });
    expect(endsOn(played, 2)).toEqual({ error: 1 });
  });

  test('starts warm where it does: nothing is fetched', () => {
    const played = world(keys({ startsCold: false }));
    expect(played.views[1].ledger.offered).toBe(0);
  });
});
