/** A proxy's numbers, and alarms that watch them. */
import { afterEach, describe, expect, test } from 'vitest';
import { createProxy, ProxyMetrics, watchMetric } from '../../src/live/index.ts';
import { alarms } from '../../src/policies/detection/alarms/index.ts';
import { inTurn } from '../policies/pipeline/world.ts';
import { ask, Backends } from './backends.ts';
import { ManualTime } from './manual-time.ts';

const backends = new Backends();
afterEach(() => backends.close());

describe('metrics', () => {
  test('count what a proxy decides, and tell each reader what is new to it', async () => {
    const backend = await backends.serve('ok', 'error', 'ok', 'error', 'error');
    const metrics = new ProxyMetrics();
    const time = new ManualTime();
    const proxy = backends.keep(
      createProxy({
        endpoints: [backend.url],
        balancer: inTurn,
        retry: { use: 'immediate', retries: 1, on: ['error'] },
        clock: time,
        onDecision: metrics.observe,
      }),
    );
    const [failed, retries, latency] = [metrics.failedShare(), metrics.retriesPerRequest(), metrics.meanLatencyMs()];
    expect([failed(), retries(), latency()]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    const port = await proxy.listen(0);
    await ask(port);
    await ask(port);
    expect([failed(), retries(), latency()]).toEqual([0, 0.5, 0]);
    await ask(port);
    expect([failed(), retries(), metrics.failedShare()()]).toEqual([1, 1, Number.NaN]);
    expect(metrics.counts).toEqual({ requests: 3, failed: 1, attempts: 5, retries: 2, hedges: 0, results: { ok: 2, error: 1 } });
  });

  test('measure latency from the first attempt, and take a caller that leaves for no failure', () => {
    const metrics = new ProxyMetrics();
    const latency = metrics.meanLatencyMs();
    const sent = (request: number, atMs: number, why: 'first' | 'hedge') =>
      metrics.observe({ kind: 'sent', request, attempt: why === 'first' ? 0 : 1, endpoint: 'a', atMs, why });
    const finished = (request: number, atMs: number, result: string) =>
      metrics.observe({ kind: 'finished', request, result, isDegraded: false, atMs });
    sent(0, 10, 'first');
    sent(1, 20, 'first');
    sent(0, 30, 'hedge');
    finished(1, 120, 'cancelled');
    finished(0, 40, 'ok');
    finished(2, 50, 'shed');
    expect(latency()).toBe(65);
    expect(metrics.counts).toMatchObject({ requests: 3, failed: 1, attempts: 3, hedges: 1 });
  });
});

describe('a watched metric', () => {
  test('fires and ceases as the alarm does that hears the same values', async () => {
    // Steady but for a little; five times as high for a while; now and then nothing to read.
    const values = Array.from({ length: 400 }, (_, i) => {
      if (i % 50 === 7) return Number.NaN;
      return 0.02 + 0.001 * ((7 * i) % 5) + (i >= 200 && i < 280 ? 0.08 : 0);
    });
    let rung = 0;
    for (const use of Object.keys(alarms)) {
      const virtual: (readonly [boolean, number])[] = [];
      const alarm = alarms[use].make({}, {});
      let fires = false;
      values.forEach((value, i) => {
        if (Number.isNaN(value)) return;
        const now = alarm.update(value, 1000 * (i + 1));
        if (now !== fires) virtual.push([now, 1000 * (i + 1)]);
        fires = now;
      });
      const time = new ManualTime();
      const live: (readonly [boolean, number])[] = [];
      let read = 0;
      const watch = watchMetric({
        alarm: use,
        read: () => values[read++],
        everyMs: 1000,
        onChange: (isFiring, _value, atMs) => live.push([isFiring, atMs]),
        clock: time,
        timers: time,
      });
      await time.passTo(1000 * values.length);
      expect(live, use).toEqual(virtual);
      expect(watch.isFiring).toBe(fires);
      rung += live.length;
      watch.close();
      expect(time.pending).toBe(0);
    }
    // Each rings at least once.
    expect(rung).toBeGreaterThanOrEqual(Object.keys(alarms).length);
  });

  test('rings when a proxy’s requests begin to fail', async () => {
    const backend = await backends.serve('ok', 'ok', 'ok', 'error', 'error', 'error', 'ok');
    const metrics = new ProxyMetrics();
    const time = new ManualTime();
    const proxy = backends.keep(createProxy({ endpoints: [backend.url], balancer: inTurn, onDecision: metrics.observe }));
    const changes: string[] = [];
    const watch = watchMetric({
      alarm: { use: 'threshold', threshold: 0.5, for: 60_000 },
      read: metrics.failedShare(),
      everyMs: 60_000,
      onChange: (fires, value, atMs) => changes.push(`${atMs} ${fires} ${value}`),
      clock: time,
      timers: time,
    });
    const port = await proxy.listen(0);
    for (let minute = 1; minute <= 8; minute++) {
      await ask(port);
      await time.passTo(minute * 60_000);
    }
    expect(changes).toEqual(['300000 true 1', '420000 false 0']);
    watch.close();
    expect(() => watchMetric({ alarm: 'ewma', read: () => 0, everyMs: 0, onChange: () => undefined })).toThrow('every 0 ms');
  });
});
