/** Common random numbers: what one policy meets, every policy meets. And determinism: the same seed makes the same run. */
import { describe, expect, test } from 'vitest';
import type { Balancer, PickContext } from '../../src/policies/balancing/balancer.ts';
import { balancers } from '../../src/policies/balancing/index.ts';
import { heartbeat } from '../../src/policies/detection/heartbeat.ts';
import type { EdgeSpec, TrafficSpec } from '../../src/scenario/spec.ts';
import { call, callOf, type GraphSetup, playGraph, together } from './graph-builder.ts';
import {
  buildWorld,
  constant,
  crash,
  inTurn,
  type Played,
  play,
  playWorld,
  type PlaySetup,
  randomly,
  scripted,
  slow,
  steady,
  type World,
} from './world-builder.ts';

const traffic: TrafficSpec = {
  name: 'web',
  edge: 0,
  arrivals: { type: 'poisson', perSecond: 300 },
  profile: steady,
  mix: [{ class: 0, share: 1 }],
  keys: { count: 100, exponent: 1 },
};

const base: World = {
  ...buildWorld({
    instances: [{ zone: 'a' }, { zone: 'b' }, { zone: 'a' }, { zone: 'b' }],
    work: { type: 'exponential', mean: 10 },
    network: { sameZone: { type: 'exponential', mean: 0.5 }, betweenZones: { type: 'exponential', mean: 2 } },
    balancers: 3,
    balancerZones: ['a', 'b'],
    timeoutMs: 200,
    durationMs: 5000,
  }),
  traffic: [traffic],
};
const [edge] = base.edges;
/** The same with another edge, or several. */
const withEdges = (...edges: readonly EdgeSpec[]): World => ({ ...base, edges });

/** Sees each pick's context: instant, key, proxy. */
interface Seen {
  readonly nowMs: number;
  readonly client: number;
  readonly key: string;
}

function seenBy(world: World, make: () => Balancer, setup: PlaySetup = {}): { seen: Seen[]; played: Played } {
  const seen: Seen[] = [];
  let clients = 0;
  const balancer = (): Balancer => {
    const client = clients++;
    const inner = make();
    return {
      update: (view, nowMs) => inner.update(view, nowMs),
      pick: (context: PickContext) => {
        seen.push({ nowMs: context.nowMs, client, key: `${context.hashHigh}.${context.hashLow}` });
        return inner.pick(context);
      },
    };
  };
  return { seen, played: playWorld(world, { ...setup, balancer }) };
}

const reference = seenBy(base, inTurn);

describe('the n-th request is the same request', () => {
  test('under another balancer: instant, proxy and key', () => {
    expect(reference.seen.length).toBeGreaterThan(1400);
    expect(seenBy(base, scripted(0)).seen).toEqual(reference.seen);
    expect(seenBy(base, scripted(-1)).seen).toEqual(reference.seen);
  });

  test('with faults, a detector, other services’ limits, timeouts and networks', () => {
    const faults = [
      slow(0, 5, 100, 3000),
      randomly({ type: 'crash' }, [0, 1, 2], { type: 'exponential', mean: 300 }, constant(100)),
    ];
    const detector = (deps: Parameters<typeof heartbeat.make>[1]) => heartbeat.make({ every: 50 }, deps);
    expect(seenBy({ ...base, faults }, inTurn, { detector }).seen).toEqual(reference.seen);
    expect(seenBy(withEdges({ ...edge, timeoutMs: 5 }), inTurn).seen).toEqual(reference.seen);
    expect(seenBy({ ...base, network: buildWorld({}).network }, inTurn).seen).toEqual(reference.seen);
    const [service] = base.services;
    const services = [{ ...service, slots: 3, queueLimit: 0, discipline: 'processor-sharing' as const }];
    expect(seenBy({ ...base, services }, inTurn).seen).toEqual(reference.seen);
  });

  test('beside another source, before or after it in the list', () => {
    const other: TrafficSpec = { ...traffic, name: 'batch jobs', arrivals: { type: 'constant', perSecond: 50 } };
    const otherEdge = { ...edge, name: 'batch jobs', balancers: 1 };
    for (const isFirst of [true, false]) {
      const world = isFirst ? withEdges(edge, otherEdge) : withEdges(otherEdge, edge);
      const both = isFirst ? [traffic, { ...other, edge: 1 }] : [other, { ...traffic, edge: 1 }];
      const { seen } = seenBy({ ...world, traffic: both }, inTurn);
      const own = isFirst ? (client: number) => client < 3 : (client: number) => client > 0;
      const offset = isFirst ? 0 : 1;
      const kept = seen.filter(({ client }) => own(client)).map((pick) => ({ ...pick, client: pick.client - offset }));
      expect(kept).toEqual(reference.seen);
    }
  });

  test('with more or fewer proxies: instants, keys and work', () => {
    const of = (balancers: number) => {
      const world = { ...withEdges({ ...edge, balancers, timeoutMs: Infinity }), network: buildWorld({}).network };
      const [service] = world.services;
      const { seen, played } = seenBy({ ...world, services: [{ ...service, slots: 10_000 }] }, scripted(0));
      // With a place for everybody, a latency is a service time.
      const works = played.attempts.map(({ latencyMs }) => Math.round(latencyMs * 1e6));
      return { arrivals: seen.map(({ nowMs, key }) => [nowMs, key]), works };
    };
    expect(of(1)).toEqual(of(7));
  });

  test('has the same work: with a place for everybody and no network, latencies are equal one by one', () => {
    const setup = {
      work: { type: 'exponential', mean: 10 } as const,
      slots: 10_000,
      arrivals: { type: 'poisson', perSecond: 300 } as const,
    };
    const workOf = (balancer: () => Balancer): number[] =>
      play({ ...setup, instances: 3, durationMs: 5000, balancer }).attempts.map(({ sentMs, endedMs }) =>
        Math.round((endedMs - sentMs) * 1e6),
      );
    const byNumber = (list: number[]): number[] => list.toSorted((x, y) => x - y);
    // As a whole; those under way at the end differ by nothing either, as they are the same requests.
    expect(byNumber(workOf(scripted(1)))).toEqual(byNumber(workOf(inTurn)));
  });

  test('random faults come at the same instants whatever the policy', () => {
    const faults = [
      randomly({ type: 'crash' }, [0, 1, 2, 3], { type: 'exponential', mean: 300 }, { type: 'exponential', mean: 100 }),
    ];
    const upOf = (make: () => Balancer): readonly number[] => playWorld({ ...base, faults }, { balancer: make }).upShares;
    expect(upOf(scripted(2))).toEqual(upOf(inTurn));
    expect(upOf(inTurn)[4]).toBeLessThan(0.9);
  });

  test('heartbeats beat alike: two detectors of one period disagree only where their rules do', () => {
    const detector = (misses: number) => (deps: Parameters<typeof heartbeat.make>[1]) =>
      heartbeat.make({ every: 50, misses }, deps);
    const world = { ...base, faults: [crash(1, 1000, 2000)] };
    const beliefsOf = (misses: number) => playWorld(world, { detector: detector(misses) }).beliefs;
    const deathOf = (misses: number): number[] =>
      beliefsOf(misses)
        .filter(({ alive, atMs }) => !alive && atMs > 1000)
        .toSorted((x, y) => x.balancer - y.balancer)
        .map(({ atMs }) => atMs);
    const early = deathOf(4);
    const late = deathOf(10);
    expect(early.length).toBe(3);
    // Same last heartbeats, at the same moments: exactly six periods apart.
    late.forEach((atMs, i) => expect(atMs - early[i]).toBeCloseTo(300, 6));
  });
});

describe('the calls of the n-th request are the same calls', () => {
  // Room for everybody and no network: then a time is a sum of works. All instances err alike, so that the same tries fail.
  const law = (mean: number) => ({ type: 'exponential' as const, mean });
  const graph = (more: Partial<GraphSetup> = {}): number[][] => {
    const played = playGraph({
      arrivals: { type: 'poisson', perSecond: 200 },
      keys: { count: 20, exponent: 1 },
      classes: ['read', 'write'].map((name) => ({ name, priority: 0, tenant: '' })),
      mix: [
        { class: 0, share: 0.6 },
        { class: 1, share: 0.4 },
      ],
      retry: { retries: 2, hostSelectionRetries: 0 },
      faults: [
        { type: 'errors', share: 0.3, hit: 1, label: '', targets: all(2), schedule: { type: 'once', atMs: 400, forMs: 200 } },
      ],
      durationMs: 1500,
      graph: [
        {
          slots: 9999,
          instances: 3,
          workByClass: [law(3), law(9)],
          steps: [call(1), together([callOf(2), callOf(1, { copies: 2, classes: [1] })])],
        },
        {
          slots: 9999,
          instances: 3,
          workByClass: [law(2), law(2)],
          steps: [{ type: 'branch', branches: [{ share: 0.5, steps: [call(3)] }] }],
        },
        { slots: 9999, instances: 3, workByClass: [law(4), law(1)] },
      ],
      calls: [
        { from: 0, to: 1 },
        { from: 0, to: 2 },
        { from: 1, to: 2, balancers: 2 },
      ],
      ...more,
    });
    return played.attempts
      .map(({ edge: on, sentMs, endedMs }) => [on, sentMs, endedMs].map((number) => Math.round(number * 1e6)))
      .toSorted((x, y) => x[0] - y[0] || x[1] - y[1] || x[2] - y[2]);
  };
  const all = (service: number) => [0, 1, 2].map((instance) => ({ service, instance }));
  const same = graph();

  test('under another balancer: instant, work, branch and copies, and those of every retry', () => {
    expect(same.length).toBeGreaterThan(900);
    expect(graph({ balancer: scripted(0) })).toEqual(same);
    expect(graph({ balancer: scripted(2, 1, 1, 0, 2) })).toEqual(same);
  });

  test('with other proxies, deadlines that are never met, and nobody looking', () => {
    expect(graph({ calls: [1, 2, 2].map((to, i) => ({ from: i === 2 ? 1 : 0, to, balancers: 3 })) })).toEqual(same);
    expect(graph({ timeoutMs: 100_000, propagatesDeadline: true })).toEqual(same);
    expect(graph({ views: [] })).toEqual(same);
  });
});

describe('a run is a function of its seed', () => {
  const whole: World = {
    ...base,
    faults: [
      slow(0, 5, 100, 3000),
      randomly({ type: 'crash' }, [1, 2], { type: 'exponential', mean: 300 }, { type: 'exponential', mean: 100 }),
      randomly({ type: 'errors', share: 0.2 }, [3], { type: 'exponential', mean: 300 }, { type: 'exponential', mean: 100 }),
    ],
  };
  const detector = (deps: Parameters<typeof heartbeat.make>[1]) => heartbeat.make({ every: 50 }, deps);

  test('the same seed gives the same bytes, another seed others', () => {
    const one = JSON.stringify(playWorld(whole, { seed: 'x:1', detector }));
    expect(JSON.stringify(playWorld(whole, { seed: 'x:1', detector }))).toBe(one);
    const digests = ['x:1', 'x:2', 'x:11', 'y:1', '1', '11'].map((seed) => playWorld(whole, { seed, detector }).digest);
    expect(new Set(digests).size).toBe(6);
    expect(digests[0]).toMatch(/^[0-9a-f]{16}$/);
  });

  test.each(Object.keys(balancers))('%s is repeatable, with its own randomness', (name) => {
    const balancer = (deps: Parameters<(typeof balancers)[string]['make']>[1]) => balancers[name].make({}, deps);
    const short = { ...whole, run: { ...whole.run, durationMs: 1500 } };
    const digest = playWorld(short, { detector, balancer }).digest;
    expect(playWorld(short, { detector, balancer }).digest).toBe(digest);
  });

  test('recording decisions changes nothing', () => {
    expect(playWorld(whole, { detector, explain: 100 }).digest).toBe(playWorld(whole, { detector }).digest);
  });

  test('a digest tells runs apart that differ in one request', () => {
    const at = Array.from({ length: 20 }, (_, i) => 40 * i);
    const digestOf = (arrivals: readonly number[]): string => play({ at: arrivals }).digest;
    const digests = [at, at.slice(1), at.with(7, 281), [...at, 900]].map(digestOf);
    expect(new Set(digests).size).toBe(4);
    expect(digestOf(at)).toBe(digests[0]);
  });
});
