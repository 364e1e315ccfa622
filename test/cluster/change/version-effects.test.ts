/** What versions do to the instances that have them, by arithmetic. Times in ms; work takes 10 unless said otherwise. */
import { describe, expect, test } from 'vitest';
import type { FaultSpec, ServiceSpec, StepSpec, VersionSpec } from '../../../src/scenario/spec.ts';
import { buildGraph, call, onEdge } from '../graph-builder.ts';
import { crash, endings, errors, latencies, type Played, slow } from '../world-builder.ts';
import { badTimes } from '../failures/setup.ts';
import { type ChangeSetup, config, each, moves, playChange, playChanges, type PlayedChange, release, version } from './setup.ts';

/** A service whose first version does this. */
type Effects = Parameters<typeof version>[1];
const having = (effects: Effects, rest: Partial<ChangeSetup> = {}): PlayedChange =>
  playChange({ versions: [version('v1', effects)], ...rest });
const outcomesOf = (played: Played): string[] => played.attempts.map(({ outcome }) => outcome);
const failedShare = (played: Played): number => {
  const all = outcomesOf(played);
  return all.filter((outcome) => outcome === 'error').length / all.length;
};

describe('slow', () => {
  test('makes everything so many times longer', () => {
    expect(latencies(having([{ type: 'slow', factor: 2 }], { at: [100, 200, 205] }))).toEqual([20, 20, 35]);
  });

  test('several multiply, also with faults and with the speed of the instance', () => {
    const twice: Effects = [
      { type: 'slow', factor: 2 },
      { type: 'slow', factor: 1.5 },
    ];
    const setup = { at: [100, 300], instances: [{ speed: 0.5 }], faults: [slow(0, 4, 250, 400)] };
    expect(latencies(having(twice, setup))).toEqual([60, 240]);
  });

  test('only for those who meet it', () => {
    const played = having([{ type: 'slow', factor: 3, zones: ['b'] }], {
      at: [100, 200, 300, 400],
      instances: [{ zone: 'a' }, { zone: 'b' }],
    });
    expect(latencies(played)).toEqual([10, 30, 10, 30]);
  });

  test('only some time after the instance came up, again after each start', () => {
    const played = having([{ type: 'slow', factor: 2, afterMs: 150 }], {
      at: [100, 140, 200, 310, 400, 470],
      faults: [crash(0, 300, 5)],
    });
    // The work that is under way when it begins to show goes on at half the speed: 10 of it are done by 150.
    expect(latencies(played)).toEqual([10, 10, 20, 10, 10, 20]);
  });

  test('shows in the middle of a request', () => {
    expect(latencies(having([{ type: 'slow', factor: 2, afterMs: 104 }], { at: [100] }))).toEqual([4 + 6 * 2]);
  });

  test('only while there is so much load: the request itself does not count yet', () => {
    const played = having([{ type: 'slow', factor: 2, load: 0.5 }], { at: [100, 101, 102, 200], slots: 4 });
    // 0, 1 and 2 of 4 slots are taken when they come.
    expect(latencies(played)).toEqual([10, 10, 20, 10]);
  });

  test('under load begins, too, only after its time and in its zones', () => {
    const loaded = { type: 'slow', factor: 2, load: 0.25, slots: 4 } as const;
    const at = [100, 101, 500, 501];
    expect(latencies(having([{ ...loaded, afterMs: 300 }], { at, slots: 4 }))).toEqual([10, 10, 10, 20]);
    expect(latencies(having([{ ...loaded, zones: ['b'] }], { at, slots: 4 }))).toEqual([10, 10, 10, 10]);
  });
});

describe('errors', () => {
  const many = { at: each(1, 1, 4001), work: 0.1, slots: 100, durationMs: 5000 };

  test('a share of the answers, after their work', () => {
    const played = having([{ type: 'errors', share: 0.3 }], many);
    // Four standard deviations of a share of 4000.
    expect(Math.abs(failedShare(played) - 0.3)).toBeLessThan(0.03);
    expect(new Set(latencies(played))).toEqual(new Set([0.1]));
  });

  test('all or none of them', () => {
    expect(outcomesOf(having([{ type: 'errors', share: 1 }], { at: [100, 200] }))).toEqual(['error', 'error']);
    expect(outcomesOf(having([{ type: 'errors', share: 0 }], { at: [100, 200] }))).toEqual(['ok', 'ok']);
  });

  test('independent causes: versions and faults do not add up to more than all', () => {
    const played = having(
      [
        { type: 'errors', share: 0.5 },
        { type: 'errors', share: 0.5 },
      ],
      { ...many, faults: [errors(0, 0.5, 0, Infinity)] },
    );
    expect(Math.abs(failedShare(played) - 0.875)).toBeLessThan(0.021);
  });

  test('only under load, by the others that are there when the work is done', () => {
    const played = having([{ type: 'errors', share: 1, load: 0.5 }], { at: [100, 101, 200], slots: 2 });
    expect(outcomesOf(played)).toEqual(['error', 'ok', 'ok']);
    const roomy = having([{ type: 'errors', share: 1, load: 0.5 }], { at: [100, 101, 200], slots: 3 });
    expect(outcomesOf(roomy)).toEqual(['ok', 'ok', 'ok']);
  });

  test('only after a time, and only in some zones', () => {
    const zones = [{ zone: 'a' }, { zone: 'b' }];
    const later = having([{ type: 'errors', share: 1, afterMs: 250, zones: ['b'] }], {
      at: [100, 200, 300, 400],
      instances: zones,
    });
    expect(outcomesOf(later)).toEqual(['ok', 'ok', 'ok', 'error']);
  });
});

describe('crash', () => {
  test('again and again after such a time, from each start on', () => {
    const played = having([{ type: 'crash', onStart: 0, every: { type: 'constant', value: 300 } }], {
      at: [],
      startupMs: 20,
      durationMs: 1000,
    });
    expect(badTimes(played)).toEqual([
      ['api/0', 300, 320],
      ['api/0', 620, 640],
      ['api/0', 940, 960],
    ]);
  });

  test('takes what is under way with it', () => {
    const played = having([{ type: 'crash', onStart: 0, every: { type: 'constant', value: 105 } }], {
      at: [100, 106, 130],
      startupMs: 20,
    });
    expect(endings(played)).toEqual([
      [105, 'lost'],
      [106, 'refused'],
      [140, 'ok'],
    ]);
  });

  test('on start: it is up for a second, and nobody is told', () => {
    const played = having([{ type: 'crash', onStart: 1 }], {
      at: [],
      startupMs: 50,
      faults: [crash(0, 100, 10)],
      durationMs: 4000,
    });
    // What was there before the first moment runs. It starts until 160, and from there on it starts in vain every 1050.
    expect(played.attempts).toEqual([]);
    expect(badTimes(played)).toEqual([['api/0', 100, Infinity]]);
  });

  test('on start, by a chance each time', () => {
    const played = having([{ type: 'crash', onStart: 0.5 }], {
      at: [],
      instances: 40,
      faults: [{ ...crash(0, 100, 10), targets: Array.from({ length: 40 }, (_, instance) => ({ service: 0, instance })) }],
      durationMs: 60_000,
    });
    const starts = badTimes(played).map(([, fromMs, toMs]) => Math.round((Number(toMs) - Number(fromMs) - 10) / 1000));
    expect(starts).toHaveLength(40);
    expect(starts.every((failures) => failures >= 0)).toBe(true);
    // Each failed start costs a second; half of the starts fail, so one failure per instance on average.
    const mean = starts.reduce((sum, failures) => sum + failures, 0) / 40;
    expect(mean).toBeGreaterThan(0.4);
    expect(mean).toBeLessThan(1.8);
    expect(starts.filter((failures) => failures === 0).length).toBeGreaterThan(10);
  });

  test('only under load, where it takes that', () => {
    const crashes = (at: number[]): number =>
      badTimes(having([{ type: 'crash', onStart: 0, every: { type: 'constant', value: 100 }, load: 1 }], { at, durationMs: 450 }))
        .length;
    expect(crashes([])).toBe(0);
    expect(crashes([195])).toBe(1);
    expect(crashes([195, 295, 395])).toBe(3);
  });
});

test('a memory leak makes it slower by tenths of the way, crashes it when full, and begins anew', () => {
  const played = having([{ type: 'memory-leak', fillsMs: 1000, factor: 3 }], {
    at: [50, 150, 550, 920, 960, 1050, 1150],
    startupMs: 0,
    durationMs: 1900,
  });
  // Full at 1000: the instance starts anew with empty memory.
  expect(latencies(played)).toEqual([10, 12, 20, 28, 28, 10, 12]);
  const slowly = having([{ type: 'memory-leak', fillsMs: 1000, factor: 3 }], { at: [], startupMs: 30, durationMs: 2100 });
  expect(badTimes(slowly)).toEqual([
    ['api/0', 1000, 1030],
    ['api/0', 2030, 2060],
  ]);
});

test('a memory leak under load fills only while there is load', () => {
  const leak: Effects = [{ type: 'memory-leak', fillsMs: 1000, factor: 2, load: 1 }];
  // Looked at every 100: at five of these moments a request is there.
  const played = having(leak, { at: [95, 195, 295, 395, 495, 1150], durationMs: 2000 });
  expect(latencies(played).at(-1)).toBe(15);
  expect(badTimes(having(leak, { at: each(100, 95, 1900), durationMs: 2000, startupMs: 7 }))[0]).toEqual(['api/0', 1000, 1007]);
});

test("a cold start takes the place of the service's, where the version has one", () => {
  const setup = {
    at: [120, 175, 320],
    coldStart: { forMs: 100, factor: 2 },
    faults: [crash(0, 100, 10)],
  };
  // From 110 on: twice as long, a tenth less of that every 10.
  const own = latencies(having([], setup));
  const versions = latencies(having([{ type: 'cold-start', forMs: 1000, factor: 5 }], setup));
  expect(own.at(-1)).toBe(10);
  expect(own[0]).toBeLessThan(20);
  expect(versions[0]).toBe(50);
  expect(versions.at(-1)).toBeGreaterThan(40);
  // Elsewhere the service's own holds.
  expect(latencies(having([{ type: 'cold-start', forMs: 1000, factor: 5, zones: ['b'] }], setup))).toEqual(own);
});

describe('between services', () => {
  const zero = { type: 'constant', value: 0 } as const;
  const cached: StepSpec = call(1, {
    cache: { type: 'ratio', shared: false, hit: 1, fills: 1, startsCold: false, hitTime: zero },
  });
  const withVersions = (services: readonly ServiceSpec[], own: readonly (readonly VersionSpec[] | undefined)[]): ServiceSpec[] =>
    services.map((service, number) => ({ ...service, ...(own[number] === undefined ? {} : { versions: own[number] }) }));
  const playGraph = (
    own: readonly (readonly VersionSpec[] | undefined)[],
    step: StepSpec,
    setup: Partial<ChangeSetup> = {},
    graph: readonly object[] = [{ slots: 10, steps: [step] }, { slots: 10 }],
  ): PlayedChange => {
    const world = buildGraph({ ...setup, graph, calls: [{ from: 0, to: 1 }] });
    return playChanges({ ...world, services: withVersions(world.services, own) }, setup);
  };

  test('cold caches are empty when an instance comes up, as those at first', () => {
    const faults: FaultSpec[] = [crash(0, 500, 10)];
    const calls = (effects: Effects): number[] =>
      onEdge(playGraph([[version('v1', effects)]], cached, { at: [100, 200, 600, 700], faults }), 1).map(([atMs]) => atMs);
    // A crash empties no cache of its own here; a version that is cold does.
    expect(calls([])).toEqual([]);
    expect(calls([{ type: 'cold-caches' }])).toEqual([110, 610]);
    expect(calls([{ type: 'cold-caches', afterMs: 150 }])).toEqual([210, 710]);
  });

  const atOdds = (service: number, share = 1): Sometimes => ({ type: 'incompatible', service, versions: ['v1'], share });
  type Sometimes = NonNullable<Effects>[number];

  test.each([
    ['the caller', [version('v1', [atOdds(1)])], [version('v1')]],
    ['the callee', [version('v1')], [version('v1', [atOdds(0)])]],
  ] as const)('incompatible by %s: calls fail', (_, caller, callee) => {
    const played = playGraph([caller, callee], call(1), { at: [100, 200] });
    expect(onEdge(played, 1).map(([, , outcome]) => outcome)).toEqual(['error', 'error']);
    // Whoever is called by nobody of that service is not met by it.
    expect(onEdge(played, 0)[0][2]).toBe('error');
  });

  test('incompatible with another version, or another service, harms nobody', () => {
    const other = playGraph([[version('v1', [atOdds(1)])], [version('v0')]], call(1), { at: [100] });
    expect(onEdge(other, 1).map(([, , outcome]) => outcome)).toEqual(['ok']);
    const itself = playGraph([[version('v1', [atOdds(0)])], [version('v1')]], call(1), { at: [100] });
    expect(onEdge(itself, 1).map(([, , outcome]) => outcome)).toEqual(['ok']);
  });

  test('incompatible either way: what survives one must survive the other', () => {
    const own = [[version('v1', [atOdds(1, 0.5)])], [version('v1', [atOdds(0, 0.5)])]];
    const graph = [
      { slots: 100, steps: [call(1)], work: 0.1 },
      { slots: 100, work: 0.1 },
    ];
    const played = playGraph(own, call(1), { at: each(1, 1, 4001), durationMs: 5000 }, graph);
    const ends = onEdge(played, 1).map(([, , outcome]) => outcome);
    expect(ends).toHaveLength(4000);
    expect(Math.abs(ends.filter((outcome) => outcome === 'error').length / 4000 - 0.75)).toBeLessThan(0.028);
  });

  test('instances with a configuration are at odds by that, and no longer by the one before', () => {
    const versions = [version('v1'), version('v2', [{ type: 'slow', factor: 1 }])];
    const played = playGraph([[version('v1', [atOdds(1)])], versions], call(1), {
      at: [100, 300],
      changes: [config('v2', 200, { service: 1 })],
    });
    expect(onEdge(played, 1).map(([, , outcome]) => outcome)).toEqual(['error', 'ok']);
  });
});

describe('code and configuration', () => {
  const doubling = (name: string, factor = 2): VersionSpec => version(name, [{ type: 'slow', factor }]);
  test('a version as configuration begins when the instance has it', () => {
    const played = playChange({ versions: [version('v1'), doubling('v2')], changes: [config('v2', 200)], at: [100, 300] });
    expect(latencies(played)).toEqual([10, 20]);
    expect(moves(played)).toEqual([[200, 'api/0', 'v2']]);
  });

  test('takes the place of the configuration before', () => {
    const versions = [doubling('v1', 3), doubling('v2'), version('v3', [{ type: 'errors', share: 0 }])];
    const changes = [config('v2', 200), config('v3', 400), config('v1', 600)];
    expect(latencies(playChange({ versions, changes, at: [100, 300, 500, 700] }))).toEqual([30, 20, 10, 30]);
  });

  test('ends what the first version does although it does nothing itself', () => {
    const versions = [doubling('v1'), version('v2')];
    expect(latencies(playChange({ versions, changes: [config('v2', 200)], at: [100, 300] }))).toEqual([20, 10]);
  });

  test('the first version is there once, as code, where both are rolled out', () => {
    const changes = [config('v2', 200), config('v1', 400), release('v3', 600)];
    const versions = [doubling('v1', 3), doubling('v2'), version('v3')];
    expect(latencies(playChange({ versions, changes, at: [100, 300, 500, 700] }))).toEqual([30, 60, 30, 10]);
  });

  test('adds up with the version as code', () => {
    const played = playChange({
      versions: [version('v1'), doubling('v2'), doubling('c2', 3)],
      changes: [release('v2', 200), config('c2', 400)],
      at: [100, 300, 500],
    });
    expect(latencies(played)).toEqual([10, 20, 60]);
  });

  test('what a version would have begun later, it does not begin once another is there', () => {
    const versions: VersionSpec[] = [version('v1'), version('v2', [{ type: 'slow', factor: 2, afterMs: 150 }])];
    const played = playChange({ versions, changes: [config('v2', 200), config('v1', 300)], at: [400, 500] });
    expect(latencies(played)).toEqual([10, 10]);
  });
});
