/** Spans of the slowest requests: what they waited for, where, how long. */
import { describe, expect, test } from 'vitest';
import { delayHedge } from '../../src/policies/resilience/hedging/index.ts';
import { constantRetry } from '../../src/policies/resilience/retries/index.ts';
import type { CacheSpec } from '../../src/scenario/spec.ts';
import type { Span, Waterfall } from '../../src/stats/result.ts';
import { call, callOf, playGraph, together, work } from './graph-builder.ts';
import { constant, errors, rounded, slow } from './world-builder.ts';

/** As [depth, kind, what, from, to, outcome], depth first in order of time. */
function outline({ spans }: Waterfall): string[] {
  const depth = (span: Span): number => (span.parent < 0 ? 0 : 1 + depth(spans[span.parent]));
  return spans.map((span) => {
    const text = `${'  '.repeat(depth(span))}${span.kind} ${span.what} ${rounded(span.fromMs)}–${rounded(span.toMs)} ${span.outcome}`;
    return text.replaceAll(/ +$/g, '').replaceAll(/(\S) {2,}/g, '$1 ');
  });
}

const chain = [
  { from: 0, to: 1 },
  { from: 0, to: 2 },
];

describe('the spans of a request', () => {
  test('tell where its time went', () => {
    const played = playGraph({
      at: [0, 4],
      network: { sameZone: constant(1) },
      graph: [{ steps: [call(1), work(3)] }, { work: 5 }],
      calls: [{ from: 0, to: 1 }],
      waterfall: 1,
    });
    const [waterfall] = played.waterfalls;
    // The second: at the door at 5, waits until the first is through: 1–11 at work, 18 back from db, 21; then 21–31, 31–38, 38–41.
    expect(waterfall).toMatchObject({ edge: 'web', request: 1, class: 'default', result: 'ok' });
    expect(outline(waterfall)).toEqual(
      [
        'request web 4–42 ok',
        '  attempt s0/0 4–42 ok',
        '    network 4–5',
        '    queue s0/0 5–21',
        '    work s0/0 21–31',
        '    downstream s0/0 31–38',
        '      request e1 31–38 ok',
        '      attempt s1/0 31–38 ok',
        '        network 31–32',
        '        work s1/0 32–37',
        '        network 37–38',
        '    work s0/0 38–41',
        '    network 41–42',
      ].map((line) => line.replace('      request e1', '    request e1')),
    );
  });

  test('of a request whose steps come one after the other sum to its latency, without gaps', () => {
    const played = playGraph({
      arrivals: { type: 'poisson', perSecond: 60 },
      network: { sameZone: { type: 'exponential', mean: 1 }, betweenZones: constant(0) },
      proxyLatency: constant(1),
      pool: { connections: 2, streams: 1, pending: 99, roundTrips: 1, handshake: constant(1), keepAliveMs: 50, reuse: 'newest' },
      graph: [{ work: 8, steps: [call(1), work(3), call(2)] }, { work: 5 }, { work: 2 }],
      calls: chain,
      durationMs: 2000,
      waterfall: 10,
    });
    expect(played.waterfalls.length).toBe(10);
    for (const { spans, latencyMs } of played.waterfalls) {
      const [root] = spans;
      expect(root.toMs - root.fromMs).toBeCloseTo(latencyMs, 9);
      const attempts = spans.flatMap((span, place) => (span.kind === 'attempt' ? [place] : []));
      for (const attempt of attempts) {
        const phases = spans.filter(({ parent, kind }) => parent === attempt && kind !== 'request');
        expect(phases[0].fromMs).toBe(spans[attempt].fromMs);
        phases.slice(1).forEach((phase, i) => expect(phase.fromMs).toBe(phases[i].toMs));
        expect(phases.at(-1)!.toMs).toBe(spans[attempt].toMs);
        const total = phases.reduce((sum, phase) => sum + phase.toMs - phase.fromMs, 0);
        expect(total).toBeCloseTo(spans[attempt].toMs - spans[attempt].fromMs, 9);
      }
    }
  });

  test('show tries that failed, and the wait before the next', () => {
    const played = playGraph({
      at: [0],
      graph: [{}],
      faults: [errors(0, 1, 0, 20)],
      edges: { 0: { retry: (deps) => constantRetry.make({ delay: 25 }, deps) } },
      waterfall: 1,
    });
    expect(outline(played.waterfalls[0])).toEqual([
      'request web 0–45 ok',
      '  attempt s0/0 0–10 error',
      '    work s0/0 0–10',
      '  backoff 10–35',
      '  attempt s0/0 35–45 ok',
      '    work s0/0 35–45',
    ]);
  });

  test('show a hedge beside the first try, and what is done for who has been given up', () => {
    const played = playGraph({
      at: [0],
      graph: [{ instances: 2 }],
      faults: [slow(0, 5, 0, 999)],
      edges: { 0: { hedge: (deps) => delayHedge.make({ delay: 20 }, deps) } },
      waterfall: 1,
    });
    expect(outline(played.waterfalls[0])).toEqual([
      'request web 0–30 ok',
      '  attempt s0/0 0–30 given up',
      '    work s0/0 0–50',
      '  attempt s0/1 20–30 ok',
      '    work s0/1 20–30',
    ]);
  });

  test('show a cache instead of a call, for who hits and for who waits for another’s fetch', () => {
    const cache: CacheSpec = {
      type: 'keys',
      entries: 9,
      ttlMs: Infinity,
      coalesces: true,
      earlyRefresh: 0,
      shared: true,
      startsCold: true,
      hitTime: constant(2),
    };
    const played = playGraph({
      at: [0, 20, 200],
      keys: { count: 1, exponent: 1 },
      graph: [{ slots: 9, steps: [call(1, { cache })] }, { work: 50 }],
      calls: [{ from: 0, to: 1 }],
      waterfall: 3,
    });
    const texts = played.waterfalls.map(outline);
    expect(texts.map(([root]) => root)).toEqual(['request web 0–60 ok', 'request web 20–60 ok', 'request web 200–212 ok']);
    expect(texts[1]).toContain('    cache 30–60 ok');
    expect(texts[2]).toContain('    cache 210–212 ok');
  });

  test('of calls at once lie beside each other', () => {
    const played = playGraph({
      at: [0],
      graph: [{ steps: [together([callOf(1), callOf(2)])] }, { work: 5 }, { work: 7 }],
      calls: chain,
      waterfall: 1,
    });
    const requests = played.waterfalls[0].spans.filter(({ kind }) => kind === 'request');
    expect(requests.map(({ what, fromMs, toMs }) => [what, rounded(fromMs), rounded(toMs)])).toEqual([
      ['web', 0, 17],
      ['e1', 10, 15],
      ['e2', 10, 17],
    ]);
  });
});

test('the slowest come first, of those that arrived after warm-up', () => {
  const played = playGraph({ at: [0, 1, 2, 100, 150, 151], warmupMs: 50, graph: [{}], waterfall: 2 });
  expect(played.waterfalls.map(({ request, latencyMs }) => [request, rounded(latencyMs)])).toEqual([
    [5, 19],
    [3, 10],
  ]);
});
