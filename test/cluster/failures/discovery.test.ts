/** What clients know of who there is: instances renew every 20 at their own phases, a lease holds 60, the registry answers at once. Times in
 *  ms. */
import { describe, expect, test } from 'vitest';
import type { DiscoveryDeps } from '../../../src/policies/discovery/discovery-client.ts';
import { discoveryClients } from '../../../src/policies/discovery/index.ts';
import type { RegistryDeps } from '../../../src/policies/discovery/registries/registry.ts';
import { registries } from '../../../src/policies/discovery/registries/index.ts';
import { constant, crash, inTurn, play, type Played, type PlaySetup, rounded } from '../world-builder.ts';
import { around, fault, firstFrom, lastBefore, once, phasesOf } from './setup.ts';

const service = { registry: (deps: RegistryDeps) => registries.consul.make({ ttl: 60, renewEvery: 20 }, deps) };
const watch = (deps: DiscoveryDeps) => discoveryClients['registry-watch'].make({ retryInterval: 30, maxBackoffTime: 30 }, deps);
const dns = (dnsRefreshRate: number) => (deps: DiscoveryDeps) => discoveryClients.dns.make({ dnsRefreshRate }, deps);
const phases = phasesOf('discovery/phase', 40);
const world: PlaySetup = { at: [], instances: 2, edge: { discovery: watch }, service, durationMs: 3000 };
const changes = (played: Played): [string, number, boolean][] =>
  played.beliefs.map(({ instance, atMs, alive }) => [instance, rounded(atMs), alive]);

const expiresMs = (instance: number, crashMs: number): number => lastBefore(crashMs, 20, phases[instance]) + 60;

describe('an instance that crashes', () => {
  test('disappears when its lease is out, and is back with its first renewal after start-up', () => {
    expect(changes(play({ ...world, startupMs: 30, faults: [crash(1, 1000, 500)] }))).toEqual([
      ['api/1', rounded(expiresMs(1, 1000)), false],
      ['api/1', rounded(firstFrom(1530, 20, phases[1])), true],
    ]);
  });

  test('for less than its lease is never missed', () => {
    expect(changes(play({ ...world, faults: [crash(1, 1000, 30)] }))).toEqual([]);
  });

  test('is told of by the time messages take: one hop', () => {
    // To the client with the watch that is open: 7.
    const played = play({ ...world, network: { sameZone: constant(7) }, faults: [crash(1, 1000, 1e6)] });
    expect(changes(played)).toEqual([['api/1', rounded(expiresMs(1, 1000) + 7), false]]);
  });

  test('falls silent behind a partition as well, also for the registry', () => {
    const faults = [fault({ type: 'partition', link: around('out') }, [1], once(1000, 500))];
    expect(changes(play({ ...world, faults }))).toEqual([
      ['api/1', rounded(expiresMs(1, 1000)), false],
      ['api/1', rounded(firstFrom(1500, 20, phases[1])), true],
    ]);
  });

  test('and a clock that is four times too slow: its lease runs out again and again', () => {
    // Renewed every 80, it is gone for 20 of each.
    const faults = [fault({ type: 'clock-drift', rate: 4 }, [1], once(1000, 800))];
    const seen = changes(play({ ...world, faults }));
    expect(seen.length).toBe(20);
    const firstMs = firstFrom(1000, 20, phases[1]);
    expect(seen.slice(0, 4).map(([, atMs]) => atMs)).toEqual([60, 80, 140, 160].map((ms) => rounded(firstMs + ms)));
  });
});

describe('while discovery is out', () => {
  const outage = (atMs: number, forMs: number) => fault({ type: 'discovery-outage' }, [], once(atMs, forMs));

  test('clients keep the view they had, and learn of a crash when it is over', () => {
    const played = play({ ...world, faults: [outage(900, 600), crash(1, 1000, 1e6)] });
    const [[instance, atMs, alive]] = changes(played);
    expect([instance, alive]).toEqual(['api/1', false]);
    // They ask every 30 while nobody answers.
    expect(atMs).toBeGreaterThanOrEqual(1500);
    expect(atMs).toBeLessThanOrEqual(1530);
  });

  test('those that are well keep getting requests, although no lease is renewed', () => {
    const arrivals = { type: 'constant', perSecond: 100 } as const;
    const { at: _, ...busy } = world;
    const played = play({ ...busy, arrivals, work: 1, faults: [outage(1000, 500)], durationMs: 1500 });
    expect(played.beliefs).toEqual([]);
    expect(played.ledger.ok).toBe(150);
  });

  test('afterwards leases that ran out meanwhile come back with the next renewals: the last view is kept until somebody is known', () => {
    // All are critical at 1500; an answer without anybody is not believed.
    const seen = changes(play({ ...world, faults: [outage(1000, 500)] }));
    const firstMs = [0, 1].map((instance) => firstFrom(1500, 20, phases[instance]));
    for (const [, atMs] of seen) expect(atMs).toBeLessThanOrEqual(rounded(Math.max(...firstMs) + 30));
    expect(seen.filter(([, , alive]) => !alive).length).toBe(seen.filter(([, , alive]) => alive).length);
  });

  test('two outages that overlap end with the later', () => {
    const played = play({ ...world, faults: [outage(900, 300), outage(1100, 600), crash(1, 1000, 1e6)] });
    const [[, atMs]] = changes(played);
    expect(atMs).toBeGreaterThanOrEqual(1700);
  });
});

describe('names with a time to live', () => {
  const rate = 200;
  const busy: PlaySetup = {
    arrivals: { type: 'constant', perSecond: rate },
    work: 0.1,
    instances: 4,
    edge: { discovery: dns(1000) },
    service,
    durationMs: 6000,
    balancer: inTurn,
  };

  test('are looked up every second: a dead instance is used until the first look-up after its lease is out', () => {
    const crashMs = 2100;
    const played = play({ ...busy, faults: [crash(1, crashMs, 1e6)] });
    expect(expiresMs(1, crashMs)).toBeLessThan(3000);
    expect(changes(played)).toEqual([['api/1', 3000, false]]);
    // One request in four goes there: rate · staleness / n, give or take one.
    const failed = played.ledger.failed.refused;
    expect(Math.abs(failed - (rate * (3000 - crashMs)) / 1000 / 4)).toBeLessThanOrEqual(1);
    expect(played.metrics['detection.time']).toBe(3000 - crashMs);
  });

  test('are stale for what is left of the lease and half a time to live on average', () => {
    // 40 instances crash for good at 40 instants spread over a second: what is left of a lease is 50 on average, then up to a second until
    // the next look-up, evenly: 500. Standard error 289 / √40 = 46, and evenly spread instants scatter less; the bound is 100.
    const faults = Array.from({ length: 40 }, (_, n) => crash(n, 2000 + 25 * n, 1e6));
    const played = play({ ...busy, instances: 41, faults });
    expect(played.metrics['detection.missed']).toBe(0);
    expect(Math.abs(played.metrics['detection.time'] - 550)).toBeLessThan(100);
  });
});

// Ten of them: Eureka doubts itself where more than 15 % fall silent.
test.each(Object.keys(registries))('a watch of %s hears of every change, and of nothing else', (name) => {
  const registry = (deps: RegistryDeps) => registries[name].make({}, deps);
  const played = play({
    ...world,
    instances: 10,
    service: { registry },
    durationMs: 600_000,
    faults: [crash(1, 50_000, 300_000)],
  });
  expect(played.beliefs.map(({ instance, alive }) => [instance, alive])).toEqual([
    ['api/1', false],
    ['api/1', true],
  ]);
});

test('a static list never changes', () => {
  const fixed = (deps: DiscoveryDeps) => discoveryClients.static.make({}, deps);
  expect(play({ ...world, edge: { discovery: fixed }, faults: [crash(1, 1000, 1000)] }).beliefs).toEqual([]);
});
