/** What goes wrong between clients and instances. Work of 10 ms unless said otherwise; times in ms. */
import { describe, expect, test } from 'vitest';
import { heartbeat } from '../../../src/policies/detection/heartbeat.ts';
import type { DetectorDeps } from '../../../src/policies/detection/detector.ts';
import { constant, endings, latencies, play, rounded, scripted } from '../world-builder.ts';
import { around, between, fault, firstFrom, lastBefore, listener, once, phasesOf } from './setup.ts';

const network = { sameZone: constant(2), betweenZones: constant(5) };
const detector = (deps: DetectorDeps) => heartbeat.make({ every: 100, misses: 3 }, deps);
const many = { arrivals: { type: 'constant', perSecond: 200 } as const, work: 0, slots: 1000, durationMs: 20_000 };

describe('a partition around an instance', () => {
  test.each([
    ['in', 0],
    ['out', 1],
    ['both', 0],
  ] as const)('of messages %s: requests time out, and %d are worked on', (direction, served) => {
    const faults = [fault({ type: 'partition', link: around(direction) }, [0], once(20, 50))];
    const played = play({ at: [0, 30, 80], network, faults, timeoutMs: 30 });
    expect(endings(played)).toEqual([
      [14, 'ok'],
      [60, 'timeout'],
      [94, 'ok'],
    ]);
    expect(played.instances[0].served).toBe(2 + served);
  });

  test('loses answers of what was under way, and nothing of what has left already', () => {
    // Both leave the client before; the first is answered at 12, on its way until 14; the second would be at 22.
    const faults = [fault({ type: 'partition', link: around('both') }, [0], once(13, 100))];
    expect(endings(play({ at: [0, 0], network, faults, timeoutMs: 50 }))).toEqual([
      [14, 'ok'],
      [50, 'timeout'],
    ]);
  });

  test('leaves other instances alone', () => {
    const faults = [fault({ type: 'partition', link: around('both') }, [1], once(0))];
    const played = play({ at: [0, 20, 40, 60], instances: 2, network, faults, timeoutMs: 15 });
    expect(endings(played).map(([, outcome]) => outcome)).toEqual(['ok', 'timeout', 'ok', 'timeout']);
  });

  test('of a share of the targets cuts off exactly that many, for as long as it lasts', () => {
    // Whichever two they are: which of them is first does not decide whether the fault comes at all.
    for (const seed of ['test:1', 'test:2', 'test:3', 'test:4', 'test:5']) {
      const faults = [fault({ type: 'partition', link: around('both') }, [0, 1, 2, 3], once(0, 1000), { hit: 0.5 })];
      const played = play({
        seed,
        at: [10, 20, 30, 40, 1010, 1020, 1030, 1040],
        instances: 4,
        faults,
        timeoutMs: 15,
        durationMs: 2000,
      });
      const lost = played.attempts.map(({ outcome }) => outcome === 'timeout');
      expect(lost.slice(0, 4).filter(Boolean).length).toBe(2);
      expect(lost.slice(4)).toEqual([false, false, false, false]);
      expect(played.truth.map(({ toMs }) => toMs)).toEqual([1000, 1000]);
    }
  });

  test('out of it silences heartbeats, into it does not', () => {
    const beliefs = (direction: 'in' | 'out') => {
      const faults = [fault({ type: 'partition', link: around(direction) }, [1], once(1000, 700))];
      const played = play({ at: [], instances: 2, detector, network, faults, durationMs: 3000 });
      return played.beliefs.map(({ atMs, alive }) => [rounded(atMs), alive]);
    };
    const phase = phasesOf('heartbeat/phase', 2)[1];
    expect(beliefs('out')).toEqual([
      [rounded(lastBefore(1000, 100, phase) + 2 + 300), false],
      [rounded(firstFrom(1700, 100, phase) + 2), true],
    ]);
    expect(beliefs('in')).toEqual([]);
  });
});

describe('a partition between zones', () => {
  const instances = [{ zone: 'a' }, { zone: 'b' }];
  const play4 = (link: ReturnType<typeof between>) =>
    play({ at: [0, 20, 40, 60], instances, network, faults: [fault({ type: 'partition', link }, [], once(0))], timeoutMs: 25 });

  test('cuts one zone off from the other, in both directions', () => {
    // The client is in a; every other request goes to b.
    expect(endings(play4(between('b', 'a'))).map(([, outcome]) => outcome)).toEqual(['ok', 'timeout', 'ok', 'timeout']);
    expect(play4(between('b', 'a')).instances[1].served).toBe(0);
  });

  test('one way: requests do not arrive, or answers do not', () => {
    expect(play4(between('a', 'b', true)).instances[1].served).toBe(0);
    expect(play4(between('b', 'a', true)).instances[1].served).toBe(2);
    for (const link of [between('a', 'b', true), between('b', 'a', true)]) {
      expect(endings(play4(link)).map(([, outcome]) => outcome)).toEqual(['ok', 'timeout', 'ok', 'timeout']);
    }
  });

  test('of a zone from itself', () => {
    expect(endings(play4(between('a', 'a'))).map(([, outcome]) => outcome)).toEqual(['timeout', 'ok', 'timeout', 'ok']);
  });
});

describe('packet loss', () => {
  test('delays requests by the times after which packets are sent again: 200, then twice as long', () => {
    // n = 4000 and one lossy hop: half of them at once, a quarter 200 later, an eighth 600 later. Standard errors up to 0.008.
    const faults = [fault({ type: 'packet-loss', link: around('in'), share: 0.5 }, [0], once(0))];
    const all = latencies(play({ ...many, faults }));
    const shareOf = (ms: number): number => all.filter((each) => each === ms).length / 4000;
    expect(new Set(all)).toEqual(new Set([0, 200, 600, 1400, 3000, 6200]));
    expect(Math.abs(shareOf(0) - 1 / 2)).toBeLessThan(0.04);
    expect(Math.abs(shareOf(200) - 1 / 4)).toBeLessThan(0.035);
    expect(Math.abs(shareOf(600) - 1 / 8)).toBeLessThan(0.027);
  });

  test('of everything is a partition', () => {
    const faults = [fault({ type: 'packet-loss', link: around('in'), share: 1 }, [0], once(0))];
    expect(endings(play({ at: [0], faults, timeoutMs: 500_000, durationMs: 600_000 }))).toEqual([[500_000, 'timeout']]);
  });

  test('loses heartbeats for good', () => {
    // n = 1000, 0.3: standard error 0.0145.
    const { detector: listening, heard } = listener(10);
    const faults = [fault({ type: 'packet-loss', link: around('both'), share: 0.3 }, [0], once(0))];
    play({ at: [], detector: listening, faults, durationMs: 10_000 });
    expect(Math.abs(heard.length / 1000 - 0.7)).toBeLessThan(0.075);
    expect(new Set(heard.map(({ ms }) => rounded(ms % 10))).size).toBe(1);
  });

  test('hits the same requests under every policy', () => {
    const faults = [fault({ type: 'packet-loss', link: around('both'), share: 0.3 }, [0, 1], once(0))];
    const of = (slot: number): number[] =>
      latencies(play({ ...many, durationMs: 2000, instances: 2, faults, balancer: scripted(slot) }));
    expect(of(0)).toEqual(of(1));
  });
});

describe('added latency', () => {
  const adds = (ms: number, direction: 'in' | 'out' | 'both') =>
    fault({ type: 'latency', link: around(direction), adds: constant(ms) }, [0], once(0, 1000));

  test('is added on each hop that it meets', () => {
    expect(latencies(play({ at: [0], network, faults: [adds(30, 'out')] }))).toEqual([44]);
    expect(latencies(play({ at: [0], network, faults: [adds(30, 'both')] }))).toEqual([74]);
  });

  test('of several faults adds up', () => {
    expect(latencies(play({ at: [0], network, faults: [adds(30, 'in'), adds(7, 'both')] }))).toEqual([14 + 30 + 7 + 7]);
  });

  test('delays heartbeats by as much', () => {
    const { detector: listening, heard } = listener(100);
    play({ at: [], detector: listening, network, faults: [adds(30, 'out')], durationMs: 2000 });
    const [phase] = phasesOf('heartbeat/phase', 1);
    expect(heard.slice(0, 10).map(({ ms, beat }) => [ms, beat])).toEqual(
      Array.from({ length: 10 }, (_, k) => [rounded((k + phase) * 100 + 32), k]),
    );
    expect(heard.at(-1)!.ms).toBe(rounded((19 + phase) * 100 + 2));
  });

  test('by a law is random, and not what the network would have taken anyway is drawn anew', () => {
    const random = { sameZone: { type: 'exponential', mean: 3 } as const };
    const setup = { ...many, durationMs: 2000, network: random };
    const without = latencies(play(setup));
    const withFault = latencies(
      play({ ...setup, faults: [fault({ type: 'latency', link: around('in'), adds: constant(40) }, [0], once(0))] }),
    );
    // Those still under way at the end are missing; the others took 40 longer, each of them.
    const byValue = new Set(without.map(rounded));
    expect(withFault.length).toBeGreaterThan(380);
    expect(withFault.every((ms) => byValue.has(rounded(ms - 40)))).toBe(true);
  });
});

test('a fault that is yet to come changes nothing', () => {
  const setup = { ...many, durationMs: 2000, instances: 3, network: { sameZone: { type: 'exponential', mean: 3 } as const } };
  const faults = [fault({ type: 'packet-loss', link: around('both'), share: 0.5 }, [0], once(1999))];
  expect(latencies(play({ ...setup, faults }))).toEqual(latencies(play(setup)));
});
