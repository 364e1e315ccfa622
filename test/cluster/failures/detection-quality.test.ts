/** How well clients judge instances. Heartbeats every 100, suspicion after 300 of silence; times in ms. */
import { describe, expect, test } from 'vitest';
import type { DetectorDeps } from '../../../src/policies/detection/detector.ts';
import { heartbeat } from '../../../src/policies/detection/heartbeat.ts';
import { type DetectorQos, detectorQos } from '../../../src/stats/detector-qos.ts';
import { constant, crash, errors, pause, play, type Played, randomly, rounded, slow } from '../world-builder.ts';
import { around, badTimes, fault, firstFrom, lastBefore, once, phasesOf } from './setup.ts';

const detector = (deps: DetectorDeps) => heartbeat.make({ every: 100, misses: 3 }, deps);
const phases = phasesOf('heartbeat/phase', 4);
const world = { at: [], instances: 2, detector, durationMs: 3000 };
const quality = ({ metrics }: Played): Record<string, number> =>
  Object.fromEntries(
    Object.entries(metrics).flatMap(([name, value]) => (name.startsWith('detection.') ? [[name.slice(10), rounded(value)]] : [])),
  );
const noticedMs = lastBefore(1000, 100, phases[1]) + 300;
const trustedMs = firstFrom(1700, 100, phases[1]);

describe('an outage', () => {
  test('that is noticed: how late, and how late its end', () => {
    expect(quality(play({ ...world, faults: [crash(1, 1000, 700)] }))).toEqual({
      time: rounded(noticedMs - 1000),
      missed: 0,
      recovery: rounded(trustedMs - 1700),
      mistakes: 0,
      mistakeTime: NaN,
      // Not used for a moment after it is well: of 6000 − 700.
      accuracy: rounded(1 - (trustedMs - 1700) / 5300),
      // 20 a second but for 7 in 3 s.
      messages: rounded(20 - 7 / 3),
    });
  });

  test('that is too short to be noticed is missed', () => {
    const { time, missed, recovery, accuracy } = quality(play({ ...world, faults: [crash(1, 1000, 90)] }));
    expect([time, missed, recovery, accuracy]).toEqual([NaN, 1, NaN, 1]);
  });

  test('that outlasts the run without being noticed is missed', () => {
    expect(quality(play({ ...world, faults: [fault({ type: 'hang', heartbeats: true }, [1], once(1000))] })).missed).toBe(1);
    expect(quality(play({ ...world, faults: [crash(1, 1000, Infinity)] })).missed).toBe(0);
  });

  test('is one, whatever its causes: from the first of them to the end of start-up', () => {
    const played = play({
      ...world,
      faults: [pause(1, 900, 200), crash(1, 1000, 200), errors(1, 0.5, 1150, 300)],
      startupMs: 400,
    });
    expect(badTimes(played)).toEqual([['api/1', 900, 1600]]);
    expect(played.truth[0].what).toBe('pause+crash+errors');
  });

  test('is seen by each client in its own time', () => {
    const network = { sameZone: constant(0), betweenZones: constant(40) };
    const played = play({ ...world, balancers: 2, balancerZones: ['a', 'b'], network, faults: [crash(1, 1000, 700)] });
    expect(quality(played).time).toBe(rounded(noticedMs - 1000 + 20));
  });

  test('in warm-up does not count, and neither does its end', () => {
    const { time, missed, recovery } = quality(play({ ...world, faults: [crash(1, 1000, 700)], warmupMs: 1001 }));
    expect([time, missed]).toEqual([NaN, NaN]);
    expect(recovery).toBe(rounded(trustedMs - 1700));
    expect(quality(play({ ...world, faults: [crash(1, 1000, 700)], warmupMs: 2500 })).accuracy).toBe(1);
  });
});

describe('what counts as bad', () => {
  const bad = (faults: Parameters<typeof play>[0]['faults'] & object) => play({ ...world, faults }).truth.length === 1;

  test.each([
    ['slow by 2', slow(1, 2, 1000, 100), true],
    ['slow by 1.9', slow(1, 1.9, 1000, 100), false],
    ['slow for some', fault({ type: 'slow', factor: 9, requests: 0.9 }, [1], once(1000, 100)), false],
    ['a fifth of errors', errors(1, 0.2, 1000, 100), true],
    ['a tenth of errors', errors(1, 0.1, 1000, 100), false],
    ['a hang', fault({ type: 'hang', heartbeats: true }, [1], once(1000, 100)), true],
    ['dropped responses', fault({ type: 'drop-responses', share: 0.1 }, [1], once(1000, 100)), true],
    ['a partition', fault({ type: 'partition', link: around('in') }, [1], once(1000, 100)), true],
    ['packet loss', fault({ type: 'packet-loss', link: around('in'), share: 0.5 }, [1], once(1000, 100)), false],
    ['latency', fault({ type: 'latency', link: around('in'), adds: constant(1) }, [1], once(1000, 100)), false],
    ['drift', fault({ type: 'clock-drift', rate: 2 }, [1], once(1000, 100)), false],
  ] as const)('%s', (_, each, expected) => {
    expect(bad([each])).toBe(expected);
  });
});

test('a mistake: doubted while it is well', () => {
  // Heartbeats that leave from 1000 on arrive 1000 later: silence from the last one before until the first of those.
  const late = fault({ type: 'latency', link: around('out'), adds: constant(1000) }, [1], once(1000));
  const { mistakes, mistakeTime, accuracy, missed } = quality(play({ ...world, faults: [late] }));
  const wrongMs = firstFrom(1000, 100, phases[1]) + 1000 - noticedMs;
  expect(mistakes).toBe((1 * 3_600_000) / 6000);
  expect(mistakeTime).toBe(rounded(wrongMs));
  expect(accuracy).toBe(rounded(1 - wrongMs / 6000));
  expect(missed).toBeNaN();
});

test('where nobody judges there is nothing to measure, but truth is still told', () => {
  const played = play({ at: [], instances: 2, faults: [crash(1, 100, 100)] });
  expect(Object.values(quality(played))).toEqual(Array(7).fill(NaN));
  expect(badTimes(played)).toEqual([['api/1', 100, 200]]);
});

test('no more than 2000 spans of truth are kept', () => {
  const faults = [randomly({ type: 'pause' }, [0], constant(1), constant(1))];
  expect(play({ at: [], faults, durationMs: 10_000 }).truth.length).toBe(2000);
});

test('agrees with the measures of Chen, Toueg and Aguilera, computed afterwards from beliefs and truth', () => {
  // Outages of 0 to some 1500; losses that make mistakes. All numbers but one are the same by definition; a recovery counts there as 0 where
  // the outage was not noticed, and not at all here.
  const up = { type: 'exponential', mean: 4000 } as const;
  const down = { type: 'exponential', mean: 600 } as const;
  const loss = fault({ type: 'packet-loss', link: around('out'), share: 0.3 }, [0, 1, 2], once(0));
  const faults = [randomly({ type: 'pause' }, [0, 1, 2], up, down), loss];
  const played = play({ at: [], instances: 3, detector, faults, durationMs: 100_000 });
  const all = [0, 1, 2].map((n): DetectorQos => {
    const isOf = ({ instance }: { instance: string }): boolean => instance === `api/${n}`;
    const outages = played.truth.filter(isOf).map(({ fromMs, toMs }) => (toMs === Infinity ? { fromMs } : { fromMs, toMs }));
    return detectorQos({ startMs: 0, endMs: 100_000, beliefs: played.beliefs.filter(isOf), outages });
  });
  const found = all.flatMap(({ detectionTimesMs }) => detectionTimesMs);
  const durations = all.flatMap(({ mistakeDurationsMs }) => mistakeDurationsMs);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const sum = (of: (qos: DetectorQos) => number): number => all.reduce((total, qos) => total + of(qos), 0);
  expect(found.length).toBeGreaterThan(40);
  expect(durations.length).toBeGreaterThan(20);
  const { metrics } = played;
  expect(metrics['detection.missed']).toBeCloseTo(found.filter((ms) => ms === Infinity).length / found.length, 9);
  expect(metrics['detection.mistakeTime']).toBeCloseTo(mean(durations), 6);
  const aliveMs = 300_000 - played.truth.reduce((total, { fromMs, toMs }) => total + Math.min(toMs, 100_000) - fromMs, 0);
  expect(metrics['detection.mistakes']).toBeCloseTo((sum(({ mistakes }) => mistakes) * 3_600_000) / aliveMs, 6);
  expect(metrics['detection.time']).toBeCloseTo(mean(found.filter((ms) => ms < Infinity)), 6);
});
