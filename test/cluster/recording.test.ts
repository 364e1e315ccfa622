/** What is counted, where and when. Times in ms. */
import { describe, expect, test } from 'vitest';
import { failureBuckets, type Ledger, seriesColumns } from '../../src/stats/result.ts';
import { constant, crash, latencies, pause, play, rounded, slow } from './world-builder.ts';

const failedIn = (ledger: Ledger): number => failureBuckets.reduce((sum, bucket) => sum + ledger.failed[bucket], 0);

describe('warm-up', () => {
  test('leaves out who arrived in it, also when it ends later; the series shows everybody', () => {
    // Work 10, one slot. Arrivals 0, 5 (both warm-up), 20, 25: latencies 10, 15, 10, 15.
    const played = play({ at: [0, 5, 20, 25], work: 10, warmupMs: 12, durationMs: 100, windowMs: 50 });
    expect(played.ledger).toMatchObject({ offered: 2, ok: 2, inFlight: 0 });
    expect(played.latency.count).toBe(2);
    // The second arrived at 5 and ended at 20.
    expect(rounded(played.metrics['latency.mean'])).toBe(12.5);
    expect(played.series.columns.offered).toEqual([4, 0]);
    expect(played.series.columns.ok).toEqual([4, 0]);
  });

  test('leaves out waits of those who arrived in it', () => {
    // The second (8) waits 0 … first ends at 10; the second from 10, wait 2; the third (13) from 20, wait 7.
    const played = play({ at: [0, 8, 13], work: 10, warmupMs: 12, durationMs: 100 });
    expect(played.wait.count).toBe(1);
    expect(rounded(played.metrics['wait.max'])).toBe(7);
    expect(played.metrics['wait.share']).toBe(1);
  });

  test('counts who arrives at the very instant it ends', () => {
    // Evenly spaced from 50·u on: the warm-up ends with the fourth arrival, exactly.
    const first = play({ arrivals: { type: 'constant', perSecond: 20 }, durationMs: 1000 });
    const fourthMs = first.attempts[3].sentMs;
    const played = play({ arrivals: { type: 'constant', perSecond: 20 }, durationMs: 1000, warmupMs: fourthMs });
    expect(played.ledger.offered).toBe(first.ledger.offered - 3);
  });

  test('starts utilization, work done, time up and requests in the system anew', () => {
    // At work 0–10, 10–20 … one request at 0 (0–100) and one at 150 (150–250); warm-up 60; run 260.
    const setup = { at: [0, 150], work: 100, warmupMs: 60, durationMs: 260, faults: [crash(0, 255, 100)] };
    const played = play(setup);
    // Measured 200: at work 60–100 and 150–250 = 140; one finished in it by the clock (two ends), served counts both.
    expect(rounded(played.instances[0].utilization)).toBe(0.7);
    expect(played.instances[0].served).toBe(2);
    expect(rounded(played.metrics['inSystem.mean'])).toBe(0.7);
    // Up all but the last 5.
    expect(rounded(played.metrics['instances.up'])).toBe(0.975);
    expect(played.upShares.map(rounded)).toEqual([0.025, 0.975]);
  });
});

describe('the ledger', () => {
  test('has each request in one place: all ways to end in one world', () => {
    // One slot, one place, timeout 25, work 10.
    const played = play({
      // 0: 0–10 ok. 1: 10–20 ok. 2: refused (full). 40: lost in the crash at 45. 47: refused (down). 60: frozen 61–200, timeout 85.
      // 95: in the queue behind it, timeout 120. 290: in flight at the end.
      at: [0, 1, 2, 40, 47, 60, 95, 290],
      work: 10,
      queueLimit: 1,
      timeoutMs: 25,
      durationMs: 295,
      faults: [crash(0, 45, 5), pause(0, 61, 139)],
    });
    expect(played.ledger).toEqual({
      offered: 8,
      ok: 2,
      degraded: 0,
      cancelled: 0,
      failed: { timeout: 2, refused: 2, noEndpoint: 0, error: 0, connectionLost: 1, shed: 0, circuitOpen: 0 },
      inFlight: 1,
    });
    // Of the seven that ended.
    expect(played.metrics['availability']).toBe(2 / 7);
    expect(played.metrics['failures.timeout']).toBe(2 / 7);
    expect(played.metrics['failures.connectionLost']).toBe(1 / 7);
    expect(rounded(played.metrics['goodput'])).toBe(rounded(2 / 0.295));
    expect(rounded(played.metrics['offered'])).toBe(rounded(8 / 0.295));
  });

  test('counts as in flight only who arrived after warm-up', () => {
    const played = play({ at: [0, 60], work: 1000, warmupMs: 50, durationMs: 100 });
    expect(played.ledger).toMatchObject({ offered: 1, ok: 0, inFlight: 1 });
  });

  test('with nothing offered has no availability, no percentiles, and no NaN in counts', () => {
    const played = play({ at: [], durationMs: 100, windowMs: 50 });
    expect(played.ledger.offered).toBe(0);
    expect(played.metrics['availability']).toBeNaN();
    expect(played.metrics['latency.p99']).toBeNaN();
    expect(played.metrics['goodput']).toBe(0);
    expect(played.series.columns).toMatchObject({ offered: [0, 0], ok: [0, 0], failed: [0, 0], inFlight: [0, 0] });
    expect(played.series.columns.availability).toEqual([NaN, NaN]);
  });
});

describe('the series', () => {
  test('counts arrivals where they arrive and ends where they end', () => {
    // Work 30: 5–35, 45–75 (in the second window), 80–110; windows of 40.
    const played = play({ at: [5, 45, 80], work: 30, durationMs: 120, windowMs: 40 });
    expect(played.series.columns).toMatchObject({
      offered: [1, 1, 1],
      ok: [1, 1, 1],
      failed: [0, 0, 0],
      inFlight: [0, 0, 0],
    });
    const longer = play({ at: [5, 35, 80], work: 30, durationMs: 120, windowMs: 40 });
    // 5–35, 35–65, 80–110.
    expect(longer.series.columns).toMatchObject({ offered: [2, 0, 1], ok: [1, 1, 1], inFlight: [1, 0, 0] });
  });

  test('has latencies of those that ended well in the window', () => {
    // Latencies 30 and then 30, 50 (waits 20).
    const played = play({ at: [5, 45, 55], work: 30, durationMs: 120, windowMs: 40 });
    const { latencyP50, latencyP99 } = played.series.columns;
    // Buckets of the windows are 3 % wide.
    expect(Math.abs(latencyP50[0] / 30 - 1)).toBeLessThan(0.032);
    expect(Math.abs(latencyP99[2] / 50 - 1)).toBeLessThan(0.032);
  });

  test('puts what happens at the very end of a window into the next: window k covers [k·w, (k+1)·w)', () => {
    // The crash at 40 takes two; they fail in the second window, in which the fault is.
    const played = play({ at: [5, 6, 90], work: 100, durationMs: 120, windowMs: 40, faults: [crash(0, 40, 10)] });
    expect(played.series.columns.failed).toEqual([0, 2, 0]);
    expect(played.series.columns.inFlight).toEqual([2, 0, 1]);
    // And arrivals: evenly spaced, with a window that ends exactly with the fourth of them.
    const even = play({ arrivals: { type: 'constant', perSecond: 20 }, work: 1, durationMs: 1000 });
    const windowMs = even.attempts[3].sentMs;
    const { offered } = play({ arrivals: { type: 'constant', perSecond: 20 }, work: 1, durationMs: 1000, windowMs }).series
      .columns;
    expect(offered[0]).toBe(3);
  });

  test('has a shorter last window where the run is no multiple', () => {
    // 100 / 40: the last covers 80–100. At work 10–30 and 85–100.
    const played = play({ at: [10, 85], work: 20, durationMs: 100, windowMs: 40 });
    expect(played.series.columns.offered).toEqual([1, 0, 1]);
    expect(played.series.columns.inFlight).toEqual([0, 0, 1]);
    expect(played.instances[0].busy.map(rounded)).toEqual([20 / 40, 0, 15 / 20]);
    expect(played.instances[0].queued).toEqual([0, 0, 1]);
  });

  test('of instances: share of slots at work, requests there at the end of the window', () => {
    // Two slots. 0–30, 10–40, 20 waits until 30: 30–60. Window of 25: (25 + 15) / 50; then (5 + 15 + 20) / 50; then 10 / 50.
    const played = play({ at: [0, 10, 20], work: 30, slots: 2, durationMs: 75, windowMs: 25 });
    expect(played.instances[0].busy.map(rounded)).toEqual([0.8, 0.8, 0.2]);
    expect(played.instances[0].queued).toEqual([3, 1, 0]);
  });

  test('every column has every window', () => {
    const played = play({ at: [0, 10, 20], work: 30, durationMs: 95, windowMs: 10 });
    expect(seriesColumns.map((column) => played.series.columns[column].length)).toEqual(seriesColumns.map(() => 10));
  });

  test('adds up to the ledger when there is no warm-up', () => {
    const played = play({
      arrivals: { type: 'poisson', perSecond: 200 },
      work: { type: 'exponential', mean: 9 },
      instances: 2,
      queueLimit: 5,
      timeoutMs: 40,
      durationMs: 5000,
      windowMs: 130,
      faults: [slow(0, 3, 1000, 1000), crash(1, 3000, 500)],
    });
    const total = (column: 'offered' | 'ok' | 'failed'): number =>
      played.series.columns[column].reduce((sum, value) => sum + value, 0);
    expect(total('offered')).toBe(played.ledger.offered);
    expect(total('ok')).toBe(played.ledger.ok);
    expect(total('failed')).toBe(failedIn(played.ledger));
    expect(played.ledger.offered).toBe(played.ledger.ok + failedIn(played.ledger) + played.ledger.inFlight);
    expect(failedIn(played.ledger)).toBeGreaterThan(50);
  });
});

describe('what the run knows of itself', () => {
  test('requests in the system and time in it agree (Little)', () => {
    // Latencies 10, 15, 25 … L = sum of the times in the system over the run.
    const played = play({ at: [0, 5, 10, 500], work: 10, durationMs: 1000 });
    expect(latencies(played)).toEqual([10, 15, 20, 10]);
    expect(rounded(played.metrics['inSystem.mean'])).toBe(0.055);
    expect(played.littleResidual).toBeLessThan(1e-9);
  });

  test('the network is part of the system, an instance’s utilization is not', () => {
    const played = play({ at: [0], work: 10, network: { sameZone: constant(20) }, durationMs: 1000 });
    expect(rounded(played.metrics['inSystem.mean'])).toBe(0.05);
    expect(rounded(played.metrics['utilization.mean'])).toBe(0.01);
  });

  test('utilization counts a frozen slot as taken', () => {
    // 0–4 at work, frozen 4–24, 24–30 at work: taken for 30.
    expect(rounded(play({ at: [0], work: 10, faults: [pause(0, 4, 20)] }).metrics['utilization.mean'])).toBe(0.03);
  });
});
