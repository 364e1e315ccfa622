/** Who asks: users in a closed loop, users who ask again, bursts, recordings, classes. Constant times, worked out by hand. */
import { describe, expect, test } from 'vitest';
import type { ReplayData } from '../../src/scenario/replay-data.ts';
import { onEdge, playGraph, viewOf } from './graph-builder.ts';
import { constant, crash, endings, errors, latencies, play, rounded } from './world-builder.ts';

const users = (count: number, thinkMs: number, more: object = {}) => ({
  type: 'users' as const,
  users: count,
  think: constant(thinkMs),
  requests: Infinity,
  gap: constant(0),
  ...more,
});

describe('users', () => {
  test('make one request after the other: throughput is N / (think + latency)', () => {
    // 5 users, 90 + 10 each, and slots for all: 50 per second.
    const played = play({ arrivals: users(5, 90), slots: 5, durationMs: 10_000, warmupMs: 1000 });
    expect(latencies(played).every((ms) => Math.abs(ms - 10) < 1e-6)).toBe(true);
    expect(Math.abs(played.metrics['goodput'] - 50)).toBeLessThanOrEqual(5 / 9 + 1e-9);
  });

  test('ask less of a system that is slow: with one slot, one per service time, and nobody has two requests out', () => {
    // N = 20, think 10, one slot of 10: saturated at 100 per second; latency N · 10 − 10 = 190 (interactive response time law).
    const played = play({ arrivals: users(20, 10), durationMs: 5000, warmupMs: 1000, windowMs: 100 });
    expect(Math.abs(played.metrics['goodput'] - 100)).toBeLessThan(1);
    expect(played.metrics['latency.p50']).toBeGreaterThan(185);
    expect(played.metrics['latency.p50']).toBeLessThan(195);
    expect(Math.max(...played.series.columns.inFlight)).toBeLessThanOrEqual(20);
  });

  test('begin in the middle of a think time, not all at once', () => {
    const played = play({ arrivals: users(50, 1000), slots: 50, durationMs: 1000 });
    const starts = onEdge(played, 0).map(([from]) => from);
    expect(starts.length).toBe(50);
    expect(starts[25]).toBeGreaterThan(300);
    expect(starts[25]).toBeLessThan(700);
  });

  test('pause after a session', () => {
    // Sessions of one request: the gap, not the think time, lies between requests.
    const played = play({ arrivals: users(1, 5, { requests: 1, gap: constant(100) }), durationMs: 1000 });
    const starts = onEdge(played, 0).map(([from]) => from);
    starts.slice(1).forEach((from, i) => expect(from - starts[i]).toBeCloseTo(110, 3));
  });

  test('are the same under every policy: the n-th request of a user has the same key and work', () => {
    const worksOf = (instances: number): number[] =>
      play({
        arrivals: users(3, 20),
        work: { type: 'exponential', mean: 10 },
        instances,
        slots: 9,
        durationMs: 2000,
      })
        .attempts.map(({ latencyMs }) => Math.round(latencyMs * 1e6))
        .toSorted((x, y) => x - y);
    expect(worksOf(1)).toEqual(worksOf(4));
  });
});

describe('users who ask again', () => {
  const after = constant(50);

  test('make new requests after failures, so many at most', () => {
    const played = play({ at: [0], faults: [errors(0, 1, 0, 9999)], userRetries: { max: 2, after } });
    expect(endings(played)).toEqual([
      [10, 'error'],
      [70, 'error'],
      [130, 'error'],
    ]);
    // Requests, not retries.
    expect(played.ledger).toMatchObject({ offered: 3, failed: { error: 3 } });
    expect(played.metrics['retries']).toBe(0);
  });

  test('are content with an answer', () => {
    const played = play({ at: [0], faults: [errors(0, 1, 0, 30)], userRetries: { max: 5, after } });
    expect(endings(played)).toEqual([
      [10, 'error'],
      [70, 'ok'],
    ]);
  });

  test('of a closed loop go on thinking once they have given up', () => {
    // Refused at t, again at t + 50, then think 100.
    const played = play({
      arrivals: users(1, 100),
      faults: [crash(0, 0, 9999)],
      userRetries: { max: 1, after },
      durationMs: 1000,
    });
    const starts = onEdge(played, 0).map(([from]) => from);
    const gaps = starts.slice(1).map((from, i) => Math.round(from - starts[i]));
    expect(gaps.slice(0, 4)).toEqual([50, 100, 50, 100]);
  });
});

test('bursts come by the clock, with their size', () => {
  const of = (spreadMs: number) =>
    onEdge(
      play({ arrivals: { type: 'bursts', everyMs: 200, size: 5, spreadMs, firstMs: 100 }, slots: 10, durationMs: 600 }),
      0,
    ).map(([from]) => from);
  expect(of(0).map(Math.round)).toEqual([100, 100, 100, 100, 100, 300, 300, 300, 300, 300, 500, 500, 500, 500, 500]);
  const spread = of(40);
  expect(spread.length).toBe(15);
  expect(spread.every((ms) => (ms - 100) % 200 <= 40)).toBe(true);
  expect(new Set(spread).size).toBe(15);
});

describe('a recording', () => {
  const data: ReplayData = {
    timesMs: Float64Array.of(0, 5, 30, 100),
    classes: Uint16Array.of(0, 0, 0, 0),
    classNames: ['default'],
    keys: undefined,
    sessions: Int32Array.of(0, 1, 0, 0),
    workMs: Float64Array.of(20, NaN, 3, 4),
  };

  test('played open comes at its instants with its work', () => {
    const played = play({ arrivals: { type: 'replay', data, closed: false }, slots: 4, work: 7 });
    expect(onEdge(played, 0)).toEqual([
      [0, 20, 'ok'],
      [5, 12, 'ok'],
      [30, 33, 'ok'],
      [100, 104, 'ok'],
    ]);
  });

  test('played closed keeps the think times of each session instead', () => {
    // Session 0: 0–20 recorded; think 10, then 3, think 67. Served twice as slowly: 0–40, 50–56, 123–131. Session 1 at 5: 5–19.
    const played = playGraph({
      arrivals: { type: 'replay', data, closed: true },
      graph: [{ work: 7, slots: 4 }],
      faults: [
        {
          type: 'slow',
          factor: 2,
          requests: 1,
          hit: 1,
          label: '',
          targets: [{ service: 0, instance: 0 }],
          schedule: { type: 'once', atMs: 0, forMs: 9999 },
        },
      ],
    });
    expect(onEdge(played, 0)).toEqual([
      [0, 40, 'ok'],
      [5, 19, 'ok'],
      [50, 56, 'ok'],
      [123, 131, 'ok'],
    ]);
  });
});

describe('classes', () => {
  test('have their shares of the traffic and their own work', () => {
    const played = playGraph({
      arrivals: { type: 'constant', perSecond: 2000 },
      classes: ['read', 'write'].map((name) => ({ name, priority: 0, tenant: '' })),
      mix: [
        { class: 0, share: 0.8 },
        { class: 1, share: 0.2 },
      ],
      graph: [{ work: 1, slots: 999, workByClass: [null, constant(7)] }],
      views: [0, 1].map((cls) => viewOf({ class: cls })),
    });
    const [read, write] = played.views;
    // n = 2000: standard error of the share 0.009; the bound is five of them, and the seed is fixed.
    expect(Math.abs(write.ledger.offered / played.ledger.offered - 0.2)).toBeLessThan(0.045);
    expect([read, write].map(({ metrics }) => rounded(metrics['latency.mean']))).toEqual([1, 7]);
    expect(read.ledger.ok + write.ledger.ok).toBe(played.ledger.ok);
  });
});
