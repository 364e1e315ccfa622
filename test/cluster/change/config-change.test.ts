/** Configuration that is rolled out: hosts are told which version to use, instances or the clients of those who call. Times in ms; work
 *  takes 10. */
import { describe, expect, test } from 'vitest';
import { pushAgent } from '../../../src/policies/rollout/propagation/index.ts';
import type { FaultEffect, FaultSpec, VersionSpec } from '../../../src/scenario/spec.ts';
import { constant, crash, endings, latencies, scripted } from '../world-builder.ts';
import { firstFitting, kept, nodeGroup, scripted as scaledBy } from '../elastic/setup.ts';
import { fault, once } from '../failures/setup.ts';
import {
  type ChangeSetup,
  config,
  each,
  moves,
  phases,
  playChange,
  type PlayedChange,
  release,
  rolloutOf,
  strategy,
  trafficOf,
  version,
} from './setup.ts';

const SECOND = 1000;
const doubling = version('v2', [{ type: 'slow', factor: 2 }]);
const asking = (name: string, clients: VersionSpec['clients']): VersionSpec => version(name, [], { ...(clients && { clients }) });
const outage = (effect: FaultEffect, atMs: number, forMs: number): FaultSpec => fault(effect, [], once(atMs, forMs));
/** Makes a balancer that knows one place only. */
const only = (
  slot: number,
): {
  readonly balancerName: string;
  readonly isUserPolicy: boolean;
  readonly balancer: () => ReturnType<ReturnType<typeof scripted>>;
} => ({
  ...{ balancerName: 'test', isUserPolicy: false },
  balancer: scripted(slot),
});
const hostsAtFirst = ({ change }: PlayedChange): string[] =>
  change.hosts.flatMap(({ atMs, host, kind }) => (atMs === 0 && kind === 'config' ? [host] : []));

describe('hosts', () => {
  const of = (versions: readonly VersionSpec[], rest: Partial<ChangeSetup> = {}): string[] =>
    hostsAtFirst(playChange({ versions, changes: [config('v2', 500)], instances: 2, balancers: 3, at: [], ...rest }));
  const telling = { edge: { versions: { v2: only(0) } } };

  test('are instances, where a version does something to them', () => {
    expect(of([version('v1'), doubling])).toEqual(['api/0', 'api/1']);
    expect(of([version('v1', [{ type: 'slow', factor: 2 }]), version('v2')])).toEqual(['api/0', 'api/1']);
  });

  test('are clients, where a version sets something for them, or does nothing at all', () => {
    expect(of([version('v1'), asking('v2', { timeoutMs: 5, policies: {} })], telling)).toEqual(['web#0', 'web#1', 'web#2']);
    expect(of([version('v1'), version('v2')])).toEqual(['web#0', 'web#1', 'web#2']);
  });

  test('are both, where one does both', () => {
    const both: VersionSpec = { ...doubling, clients: { timeoutMs: 5, policies: {} } };
    expect(of([version('v1'), both], telling)).toEqual(['api/0', 'api/1', 'web#0', 'web#1', 'web#2']);
  });

  test('versions that nobody asks for do not count', () => {
    expect(of([version('v1'), version('v2'), version('v3', [{ type: 'slow', factor: 2 }])])).toEqual(['web#0', 'web#1', 'web#2']);
  });
});

describe('what clients are told', () => {
  const clients = (settings: VersionSpec['clients'], rest: Partial<ChangeSetup> = {}): PlayedChange =>
    playChange({
      ...{ versions: [version('v1'), asking('v2', settings)], changes: [config('v2', 200)], work: 50, slots: 10 },
      edges: { 0: { versions: { v2: only(0) } } },
      ...rest,
    });

  test('holds for requests that begin from then on', () => {
    const played = clients({ timeoutMs: 30, policies: {} }, { at: [100, 190, 210] });
    expect(endings(played)).toEqual([
      [150, 'ok'],
      [240, 'ok'],
      [240, 'timeout'],
    ]);
  });

  test('also of single attempts; what it does not say is as the edge has it', () => {
    const played = clients({ attemptTimeoutMs: 20, policies: {} }, { at: [100, 210], timeoutMs: 45 });
    expect(endings(played)).toEqual([
      [145, 'timeout'],
      [230, 'timeout'],
    ]);
  });

  test('may be other policies', () => {
    const versions = { v2: only(1) };
    const played = clients({ policies: {} }, { at: [100, 110, 120, 210, 220, 230], instances: 3, edges: { 0: { versions } } });
    expect(played.attempts.map(({ slot }) => slot)).toEqual([0, 1, 2, 1, 1, 1]);
  });

  test('ends with the version after it', () => {
    const versions = [version('v1'), asking('v2', { timeoutMs: 30, policies: {} })];
    const changes = [config('v2', 200), config('v1', 400)];
    const played = clients(undefined, { versions, changes, at: [100, 300, 500] });
    expect(endings(played).map(([, outcome]) => outcome)).toEqual(['ok', 'timeout', 'ok']);
    expect(moves(played)).toEqual([
      [200, 'web#0', 'v2'],
      [400, 'web#0', 'v1'],
    ]);
  });

  test('exposes the requests of those who were told, wherever they go', () => {
    const played = clients(
      { timeoutMs: 30, policies: {} },
      {
        ...{ balancers: 4, at: each(1, 1, 1001), durationMs: 1200, slots: 1000, instances: 2 },
        // Two are told, and there it stays.
        rollout: strategy('staged-waves', { stages: [{ count: 2, soak: 1e6 }], oneDomainAtATime: false }),
      },
    );
    const { exposed, failed, offered, outcome } = rolloutOf(played);
    expect(moves(played).map(([, host]) => host)).toEqual(['web#0', 'web#1']);
    expect(outcome).toBe('paused');
    expect([exposed, offered]).toEqual([failed, expect.closeTo(800, -1)]);
    // Half of the requests come to the two: four standard deviations.
    expect(Math.abs(exposed / offered - 0.5)).toBeLessThan(0.071);
    expect(played.ledger.failed.timeout).toBe(failed);
    const { hosts, requests } = trafficOf(played);
    expect(hosts).toEqual([[2], [2]]);
    // What was under way when a client was told ends with what the client has by then.
    expect(requests[1][0]).toBeGreaterThanOrEqual(exposed);
    expect(requests[1][0]).toBeLessThan(exposed + 50);
    expect(requests[0][0] + requests[1][0]).toBe(1000);
  });
});

describe('on its way', () => {
  const versions = [version('v1'), doubling];
  const told = (rest: Partial<ChangeSetup> = {}): PlayedChange =>
    playChange({ versions, changes: [config('v2', 200)], instances: 2, at: [], durationMs: 20 * SECOND, ...rest });

  test('a message to the store, and one to each host', () => {
    const played = told({ delivery: { latency: constant(30) } });
    expect(moves(played)).toEqual([
      [260, 'api/0', 'v2'],
      [260, 'api/1', 'v2'],
    ]);
    expect(played.metrics).toMatchObject({ 'config.lag': 30, 'config.lagMax': 30, 'config.skew': 0, 'config.refused': 0 });
    // The first word of what hosts did is there at once; telling what that means takes one more message.
    expect(rolloutOf(played)).toMatchObject({ outcome: 'succeeded', decidedMs: 290, endedMs: 290 });
  });

  test('by one more message per level of distributors', () => {
    expect(moves(told({ delivery: { latency: constant(30), distributors: [1, 2] } }))[0][0]).toBe(320);
  });

  test('a host after the other, where only so many can be told per second', () => {
    expect(moves(told({ delivery: { pushesPerSecond: 4 } })).map(([atMs]) => atMs)).toEqual([200, 450]);
    const played = told({ delivery: { pushesPerSecond: 4 }, durationMs: 1000 });
    expect(played.metrics['config.skew']).toBeCloseTo(0.25, 9);
    expect(played.metrics['config.lag']).toBeCloseTo(125, 9);
  });

  test('nothing gets through while no distributor works; then it does', () => {
    const played = told({ faults: [outage({ type: 'distributor-outage' }, 100, 5 * SECOND)] });
    expect(moves(played).map(([, host]) => host)).toEqual(['api/0', 'api/1']);
    expect(moves(played)[0][0]).toBeGreaterThanOrEqual(5100);
    expect(rolloutOf(played).outcome).toBe('succeeded');
  });

  test('nothing is decided while the store is out', () => {
    const played = told({ faults: [outage({ type: 'store-outage' }, 100, SECOND)] });
    // What is not answered for 5 seconds is decided again.
    expect(moves(played).map(([atMs]) => atMs)).toEqual([5200, 5200]);
  });

  test('what hosts cannot use they refuse, and it is taken back', () => {
    const malformed = version('v2', [{ type: 'slow', factor: 2 }], { isMalformed: true, isBad: true });
    const rollout = strategy('staged-waves', { stages: [{ count: 1, soak: 0 }], stageDeadline: 2 * SECOND });
    const played = told({ versions: [version('v1'), malformed], rollout, at: [300, 400] });
    expect(moves(played)).toEqual([]);
    expect(played.metrics['config.refused']).toBe(1);
    expect(latencies(played)).toEqual([10, 10]);
    expect(rolloutOf(played)).toMatchObject({ outcome: 'aborted', exposed: 0, exposedMs: NaN });
    expect(played.metrics['rollout.missed']).toBe(0);
  });
});

describe('in waves', () => {
  const zones = ['b', 'a', 'b', 'a'].map((zone) => ({ zone }));
  const waves = (rest: Partial<ChangeSetup> = {}, params: object = {}): PlayedChange =>
    playChange({
      ...{
        versions: [version('v1'), doubling],
        changes: [config('v2', 1000)],
        instances: zones,
        at: [],
        durationMs: 60 * SECOND,
      },
      rollout: strategy('staged-waves', { stages: [{ fraction: 1, soak: 5 * SECOND }], ...params }),
      ...rest,
    });

  test('one zone after the other', () => {
    const played = waves();
    expect(moves(played)).toEqual([
      [1000, 'api/1', 'v2'],
      [1000, 'api/3', 'v2'],
      [6001, 'api/0', 'v2'],
      [6001, 'api/2', 'v2'],
    ]);
    expect(phases(played).at(-1)).toEqual([11_002, 'succeeded']);
    expect(played.metrics['config.skew']).toBeCloseTo(5001 / 60_000, 9);
  });

  test('of nodes, where instances run on those', () => {
    // Of two nodes, each with room for two: as they are written, all would be in one zone.
    const played = waves({
      ...{ instances: 4, nodes: [nodeGroup({ count: 2, max: 2, zones: ['x', 'y'] })], cluster: firstFitting, service: kept },
    });
    const times = moves(played).map(([atMs]) => atMs);
    expect(times).toEqual([1000, 1000, 6001, 6001]);
  });

  test('back from where they do badly', () => {
    const bad = version('v2', [{ type: 'crash', onStart: 0, every: constant(1000) }], { isBad: true });
    const played = waves({ versions: [version('v1'), bad], startupMs: 5000 });
    expect(rolloutOf(played)).toMatchObject({ outcome: 'aborted', to: 'v2' });
    expect(new Set(moves(played).map(([, host]) => host))).toEqual(new Set(['api/1', 'api/3']));
    expect(trafficOf(played).hosts).toEqual([[4], [0]]);
  });
});

describe('instances that come and go', () => {
  const versions = [version('v1'), doubling];

  const crashing = (cacheOnDisk: boolean): PlayedChange =>
    playChange({
      ...{ versions, changes: [config('v2', 200)], at: [300, 500], faults: [crash(0, 400, 20)] },
      cluster: { propagation: (deps) => pushAgent.make({ cacheOnDisk }, deps) },
    });

  test('one that crashes has what is on its disk', () => {
    const played = crashing(true);
    expect(latencies(played)).toEqual([20, 20]);
    expect(moves(played).map(([atMs, , name]) => [atMs, name])).toEqual([[200, 'v2']]);
  });

  test('one without that has the first version until it hears', () => {
    expect(moves(crashing(false)).map(([atMs, , name]) => [atMs, name])).toEqual([
      [200, 'v2'],
      [420, 'v1'],
      [420, 'v2'],
    ]);
  });

  test('newcomers begin with the first version until they hear', () => {
    const played = playChange({
      ...{ versions, changes: [config('v2', 200)], at: [], delivery: { latency: constant(5) } },
      service: scaledBy({ counts: [[500, 2]] }),
    });
    const [first, ...later] = moves(played);
    expect(first).toEqual([210, 'api/0', 'v2']);
    expect(later[0]).toEqual([500, 'api/1', 'v1']);
    expect(later[1].slice(1)).toEqual(['api/1', 'v2']);
    expect(later).toHaveLength(2);
    expect(trafficOf(played).hosts).toEqual([[0], [2]]);
    expect(played.change.hosts.filter(({ kind }) => kind === 'release')).toEqual([]);
  });

  test('those that go are no hosts any more', () => {
    const played = playChange({
      ...{ versions, changes: [config('v2', 200)], at: [], instances: 3 },
      service: scaledBy({ counts: [[500, 1]] }),
    });
    expect(trafficOf(played).hosts).toEqual([[0], [1]]);
    expect(moves(played).filter(([, , name]) => name === '')).toHaveLength(2);
  });
});

test('code and configuration of one service are told apart', () => {
  const versions = [version('v1'), doubling, version('c2', [{ type: 'errors', share: 1 }])];
  const played = playChange({
    ...{ versions, changes: [release('v2', 200), config('c2', 400)], at: [100, 300, 500, 600] },
    ...{ windowMs: 1000, service: kept },
  });
  expect(endings(played)).toEqual([
    [110, 'ok'],
    [320, 'ok'],
    [520, 'error'],
    [620, 'error'],
  ]);
  const [code, configuration] = played.change.traffic;
  expect(code).toMatchObject({ kind: 'release', requests: [[1], [3], [0]], failed: [[0], [2], [0]], hosts: [[0], [1], [0]] });
  expect(configuration).toMatchObject({
    kind: 'config',
    requests: [[2], [0], [2]],
    failed: [[0], [0], [2]],
    hosts: [[0], [0], [1]],
  });
  expect(played.change.rollouts.map(({ kind, exposed, failed, from }) => [kind, exposed, failed, from])).toEqual([
    ['release', 0, 0, 'v1'],
    ['config', 0, 0, 'v1'],
  ]);
});
