/** Parts of the requests, looked at by themselves: edges, classes, stretches of time. */
import { describe, expect, test } from 'vitest';
import { failureBuckets, type Ledger } from '../../src/stats/result.ts';
import { call, callOf, playGraph, together, viewOf } from './graph-builder.ts';
import { errors, play, rounded } from './world-builder.ts';

const classes = ['read', 'write'].map((name) => ({ name, priority: 0, tenant: '' }));
const mix = [
  { class: 0, share: 0.5 },
  { class: 1, share: 0.5 },
];

const counts = ({ offered, ok, degraded, cancelled, inFlight, failed }: Ledger): number[] => [
  offered,
  ok,
  degraded,
  cancelled,
  inFlight,
  ...failureBuckets.map((bucket) => failed[bucket]),
];
const sum = (ledgers: readonly Ledger[]): number[] =>
  ledgers.map(counts).reduce((total, own) => total.map((count, i) => count + own[i]));

describe('a view', () => {
  test('of all the traffic is the run’s own ledger, latencies and rates', () => {
    const setup = { arrivals: { type: 'poisson' as const, perSecond: 80 }, timeoutMs: 60, durationMs: 3000, warmupMs: 500 };
    const played = playGraph({ ...setup, graph: [{}], views: [viewOf({ fromMs: 500, toMs: 3000 })] });
    const [{ ledger, metrics, latency }] = played.views;
    expect(ledger).toEqual(played.ledger);
    expect(latency).toEqual(played.latency);
    for (const name of ['latency.p99', 'wait.mean', 'wait.share', 'availability', 'goodput', 'offered', 'failures.timeout']) {
      expect(metrics[name], name).toBe(played.metrics[name]);
    }
  });

  test('of every edge, every class and every window each add up to the whole', () => {
    const cuts = [0, 700, 1100, 2000];
    const played = playGraph({
      arrivals: { type: 'poisson', perSecond: 100 },
      timeoutMs: 80,
      durationMs: 2000,
      classes,
      mix,
      graph: [
        { work: 4, slots: 2, steps: [call(1), together([callOf(2), callOf(2, { optional: true })], 1)] },
        { work: 6 },
        { work: 5, slots: 2 },
      ],
      calls: [
        { from: 0, to: 1, timeoutMs: 30 },
        { from: 0, to: 2 },
      ],
      faults: [{ ...errors(0, 0.2, 0, 9999), targets: [{ service: 2, instance: 0 }] }],
      views: [
        viewOf({}),
        ...[0, 1].map((cls) => viewOf({ class: cls })),
        ...[0, 1, 2].map((i) => viewOf({ fromMs: cuts[i], toMs: cuts[i + 1] })),
        viewOf({ edges: [1, 2] }),
        ...[1, 2].map((edge) => viewOf({ edges: [edge] })),
        ...[0, 1].map((cls) => viewOf({ edges: [1, 2], class: cls })),
      ],
    });
    const ledgers = played.views.map(({ ledger }) => ledger);
    const [whole, read, write, early, middle, late, inner, one, two, innerRead, innerWrite] = ledgers;
    expect(counts(whole)).toEqual(counts(played.ledger));
    expect(whole.failed.timeout + whole.failed.error).toBeGreaterThan(5);
    expect(sum([read, write])).toEqual(counts(whole));
    expect(sum([early, middle, late])).toEqual(counts(whole));
    expect(sum([one, two])).toEqual(counts(inner));
    expect(sum([innerRead, innerWrite])).toEqual(counts(inner));
    expect(inner.cancelled).toBeGreaterThan(0);
    for (const ledger of ledgers)
      expect(ledger.offered).toBe(
        counts(ledger)
          .slice(1)
          .reduce((a, b) => a + b, 0) - ledger.degraded,
      );
  });

  test('of a window counts who arrives in it, and as throughput what ends in it', () => {
    // Work 30: 5–35, 45–75, 80–110.
    const played = playGraph({ at: [5, 45, 80], graph: [{ work: 30, slots: 3 }], views: [viewOf({ fromMs: 40, toMs: 80 })] });
    const [{ ledger, metrics }] = played.views;
    expect(ledger).toMatchObject({ offered: 1, ok: 1 });
    // One ends in 40 ms.
    expect(rounded(metrics['goodput'])).toBe(25);
  });

  test('of a service knows its instances', () => {
    const played = playGraph({
      at: [0, 100],
      durationMs: 1000,
      graph: [{ steps: [call(1)] }, { work: 50 }],
      calls: [{ from: 0, to: 1 }],
      views: [0, 1].map((service) => viewOf({ edges: [service], service })),
    });
    expect(played.views.map(({ metrics }) => rounded(metrics['utilization.mean']))).toEqual([0.12, 0.1]);
  });

  test('changes nothing', () => {
    const setup = { arrivals: { type: 'poisson' as const, perSecond: 80 }, durationMs: 1000, graph: [{}] };
    const without = playGraph({ ...setup, views: [] });
    const withOne = playGraph({ ...setup, views: [viewOf({})] });
    expect(withOne.metrics).toEqual(without.metrics);
    expect(play({ ...setup }).metrics).toEqual(without.metrics);
  });
});
