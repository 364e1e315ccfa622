/** Who learns what, and when. Heartbeats every 100 ms from each instance at its own phase; suspected after three times that. */
import { describe, expect, test } from 'vitest';
import { PolicyFault, ResourceLimit } from '../../src/core/errors.ts';
import { Streams } from '../../src/core/streams.ts';
import { defaultLimits } from '../../src/engine/index.ts';
import type { Balancer, EndpointView } from '../../src/policies/balancing/balancer.ts';
import type { Detector, DetectorDeps } from '../../src/policies/detection/detector.ts';
import { heartbeat } from '../../src/policies/detection/heartbeat.ts';
import { constant, crash, inTurn, pause, play, rounded } from './world-builder.ts';

const everyMs = 100;
const timeoutMs = 300;
const seed = 'test:1';
const detector = (deps: DetectorDeps): Detector => heartbeat.make({ every: everyMs, misses: 3 }, deps);

/** Each instance beats at (k + its phase) · 100; the phases are the stream's numbers in the order of the instances. */
const phases = ((rng) => Array.from({ length: 8 }, () => rng.next()))(new Streams(seed).stream('heartbeat/phase'));
const lastBeatBefore = (instance: number, ms: number): number =>
  (Math.ceil(ms / everyMs - phases[instance]) - 1 + phases[instance]) * everyMs;
const firstBeatFrom = (instance: number, ms: number): number =>
  (Math.ceil(ms / everyMs - phases[instance]) + phases[instance]) * everyMs;

describe('a crash is noticed', () => {
  test('one timeout after the last heartbeat that got through, and recovery with the first heartbeat', () => {
    const played = play({ instances: 2, detector, faults: [crash(1, 1000, 700)], startupMs: 50, durationMs: 3000 });
    expect(played.beliefs.map(({ atMs, ...what }) => ({ atMs: rounded(atMs), ...what }))).toEqual([
      { atMs: rounded(lastBeatBefore(1, 1000) + timeoutMs), balancer: 0, instance: 'api/1', alive: false },
      // Starting for 50 after the crash is over.
      { atMs: rounded(firstBeatFrom(1, 1750)), balancer: 0, instance: 'api/1', alive: true },
    ]);
  });

  test('by each balancer by itself: those farther away later', () => {
    const played = play({
      instances: [{ zone: 'a' }],
      balancers: 3,
      balancerZones: ['a', 'b', 'c'],
      network: { sameZone: constant(1), betweenZones: constant(7), pairs: [{ zones: ['c', 'a'], latency: constant(30) }] },
      detector,
      faults: [crash(0, 1000, 700)],
      durationMs: 3000,
    });
    const last = lastBeatBefore(0, 1000) + timeoutMs;
    const first = firstBeatFrom(0, 1700);
    expect(played.beliefs.map(({ atMs, balancer, alive }) => [rounded(atMs), balancer, alive])).toEqual([
      [rounded(last + 1), 0, false],
      [rounded(last + 7), 1, false],
      [rounded(last + 30), 2, false],
      [rounded(first + 1), 0, true],
      [rounded(first + 7), 1, true],
      [rounded(first + 30), 2, true],
    ]);
  });

  test('not at all when it is over before the timeout', () => {
    const played = play({ instances: 2, detector, faults: [crash(1, 1000, 90)], durationMs: 3000 });
    expect(played.beliefs).toEqual([]);
  });

  test('in the case of a freeze as well: a frozen instance sends nothing', () => {
    const played = play({ instances: 2, detector, faults: [pause(0, 1000, 700)], durationMs: 3000 });
    expect(played.beliefs.map(({ atMs, alive }) => [rounded(atMs), alive])).toEqual([
      [rounded(lastBeatBefore(0, 1000) + timeoutMs), false],
      [rounded(firstBeatFrom(0, 1700)), true],
    ]);
  });

  test('of one that is dead from the start: one timeout after the start', () => {
    const played = play({ instances: 2, detector, faults: [crash(0, 0, Infinity)], durationMs: 3000 });
    expect(played.beliefs.map(({ atMs, instance }) => [atMs, instance])).toEqual([[timeoutMs, 'api/0']]);
  });

  test('is not noticed without a detector', () => {
    expect(play({ instances: 2, faults: [crash(0, 1000, 700)], durationMs: 3000 }).beliefs).toEqual([]);
  });
});

describe('until a crash is noticed', () => {
  const setup = { arrivals: { type: 'constant', perSecond: 100 } as const, work: 1, instances: 2, durationMs: 3000 };

  test('every other request goes to the dead instance and is refused; then none', () => {
    const played = play({ ...setup, detector, faults: [crash(0, 1000, Infinity)] });
    const noticedMs = lastBeatBefore(0, 1000) + timeoutMs;
    const lost = played.attempts.filter(({ outcome }) => outcome !== 'ok');
    expect(lost.every(({ sentMs, slot }) => slot === 0 && sentMs >= 999 && sentMs <= noticedMs)).toBe(true);
    // One in 20 ms from 1000 on: the whole part, or one more.
    expect(Math.abs(lost.length - (noticedMs - 1000) / 20)).toBeLessThanOrEqual(1);
    const after = played.attempts.filter(({ sentMs }) => sentMs > noticedMs);
    expect(after.length).toBeGreaterThan(150);
    expect(after.every(({ slot, outcome }) => slot === 1 && outcome === 'ok')).toBe(true);
  });

  test('without a detector it goes on for ever', () => {
    const played = play({ ...setup, faults: [crash(0, 1000, Infinity)] });
    const late = played.attempts.filter(({ sentMs }) => sentMs > 2000);
    expect(late.filter(({ outcome }) => outcome === 'refused').length).toBe(late.length / 2);
  });

  test('with nobody left, requests end without an endpoint', () => {
    const played = play({ ...setup, instances: 1, detector, faults: [crash(0, 1000, Infinity)] });
    const noticedMs = lastBeatBefore(0, 1000) + timeoutMs;
    const none = played.picks.filter((slot) => slot === -1).length;
    expect(none).toBe(played.ledger.failed.noEndpoint);
    expect(Math.abs(none - (3000 - noticedMs) / 10)).toBeLessThanOrEqual(1);
    expect(played.ledger.failed.refused).toBeGreaterThan(0);
  });

  test('what has failed is told to the balancer once per request, also when the endpoint has left its view', () => {
    const played = play({ ...setup, work: 2000, slots: 500, detector, faults: [crash(0, 1000, Infinity)] });
    const started = played.picks.filter((slot) => slot >= 0).length;
    expect(played.attempts.length).toBe(started - played.ledger.inFlight);
    expect(played.attempts.filter(({ outcome }) => outcome === 'lost').length).toBe(50);
  });
});

describe('timers of a detector', () => {
  test('may come to be earlier with a heartbeat: the earlier one counts, and the later one is not called twice', () => {
    // At first willing to wait for 10 s; after the first heartbeat, 5 ms after each.
    const calls: number[] = [];
    const beats: number[] = [];
    const nervous = (): Detector => {
      let wantedMs = 10_000;
      return {
        heartbeatEveryMs: everyMs,
        watch: () => {},
        unwatch: () => {},
        onHeartbeat: (_, nowMs) => {
          beats.push(nowMs);
          wantedMs = nowMs + 5;
        },
        nextTimerMs: () => wantedMs,
        onTimer: (nowMs) => {
          calls.push(nowMs);
          wantedMs = nowMs < 10_000 ? 10_000 : Infinity;
        },
      };
    };
    play({ detector: nervous, durationMs: 12_000 });
    const before = beats.filter((ms) => ms < 9990);
    expect(calls.slice(0, before.length)).toEqual(before.map((ms) => ms + 5));
    // Once at 10,000, not once for each of the hundred times it was asked for.
    expect(calls.filter((ms) => ms === 10_000).length).toBe(1);
  });

  test('that never advance are found as an endless loop', () => {
    const stuck = (deps: DetectorDeps): Detector => ({ ...stub(deps), nextTimerMs: () => 500 });
    expect(() => play({ detector: stuck, limits: { ...defaultLimits, atOneInstant: 1000 } })).toThrow(ResourceLimit);
  });

  test('that are no time at all are the policy’s fault', () => {
    const broken = (deps: DetectorDeps): Detector => ({ ...stub(deps), nextTimerMs: () => NaN });
    expect(() => play({ detector: broken })).toThrow(PolicyFault);
    expect(() => play({ detector: broken })).toThrow(/nextTimerMs\(\) of the detector returned NaN at 0 ms/);
  });

  test.each([0, -5, NaN])('a heartbeat every %d ms is the policy’s fault', (every) => {
    expect(() => play({ detector: (deps) => ({ ...stub(deps), heartbeatEveryMs: every }) })).toThrow(PolicyFault);
  });

  test('heartbeats are not sent when nobody wants them', () => {
    const quiet = play({ at: [], detector: (deps) => ({ ...stub(deps), heartbeatEveryMs: Infinity }) });
    const loud = play({ at: [], detector: stub });
    // The end of warm-up only; and ten beats in a second.
    expect([quiet.events, loud.events]).toEqual([1, 11]);
  });
});

describe('timers of a balancer', () => {
  test('are called when it asked to be', () => {
    const { balancer, calls } = ticking((lastMs) => lastMs + 30);
    play({ at: [], balancer, durationMs: 100 });
    expect(calls).toEqual([30, 60, 90]);
  });

  test('are asked for after a change of belief, both ways', () => {
    // Wants to be woken 5 ms after every update of its view, and never else.
    const updates: number[] = [];
    const calls: number[] = [];
    let wantedMs = Infinity;
    const balancer = (): Balancer => ({
      ...inTurn(),
      update: (_view: EndpointView, nowMs) => {
        updates.push(nowMs);
        wantedMs = nowMs + 5;
      },
      nextTimerMs: () => wantedMs,
      onTimer: (nowMs) => {
        calls.push(nowMs);
        wantedMs = Infinity;
      },
    });
    play({ at: [], instances: 2, balancer, detector, faults: [crash(1, 1000, 700)], durationMs: 3000 });
    expect(updates.length).toBe(3);
    expect(calls).toEqual(updates.map((ms) => ms + 5));
  });

  test('that are no time at all are the policy’s fault', () => {
    const { balancer } = ticking(() => NaN);
    expect(() => play({ balancer })).toThrow(/nextTimerMs\(\) of the balancer returned NaN/);
  });

  test('of several proxies are their own', () => {
    const all: number[][] = [];
    const balancer = (): Balancer => {
      const periodMs = 30 + 10 * all.length;
      const { balancer: make, calls } = ticking((lastMs) => lastMs + periodMs);
      all.push(calls);
      return make();
    };
    play({ at: [], balancer, balancers: 2, durationMs: 100 });
    expect(all).toEqual([
      [30, 60, 90],
      [40, 80],
    ]);
  });
});

function stub(_deps: DetectorDeps): Detector {
  const nothing = (): void => {};
  return {
    heartbeatEveryMs: everyMs,
    watch: nothing,
    unwatch: nothing,
    onHeartbeat: nothing,
    nextTimerMs: () => Infinity,
    onTimer: nothing,
  };
}

function ticking(next: (lastMs: number) => number): { balancer: () => Balancer; calls: number[] } {
  const calls: number[] = [];
  let lastMs = 0;
  const balancer = (): Balancer => ({
    ...inTurn(),
    nextTimerMs: () => next(lastMs),
    onTimer: (nowMs) => {
      lastMs = nowMs;
      calls.push(nowMs);
    },
  });
  return { balancer, calls };
}
