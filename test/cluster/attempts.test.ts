/** Several attempts of one request, and the policies that decide about them: retries, hedges, timeouts of single attempts, breakers,
 *  budgets, admission at the client. Work of 10 ms on one slot unless said otherwise; times by hand. */
import { describe, expect, test } from 'vitest';
import { breakers } from '../../src/policies/resilience/breakers/index.ts';
import { retryBudgets } from '../../src/policies/resilience/budgets/index.ts';
import { delayHedge, quantileHedge } from '../../src/policies/resilience/hedging/index.ts';
import { semaphore, tokenBucket } from '../../src/policies/resilience/admission/index.ts';
import { constantRetry } from '../../src/policies/resilience/retries/index.ts';
import type { EdgeMakers } from '../../src/scenario/makers.ts';
import { call, endsOn, onEdge, playGraph, viewOf } from './graph-builder.ts';
import { constant, crash, errors, play, rounded, scripted, slow } from './world-builder.ts';

const retry = (delay: number, retries = 1): Partial<EdgeMakers> => ({
  retry: (deps) => constantRetry.make({ delay, retries, on: ['error', 'timeout', 'refused', 'lost', 'shed'] }, deps),
});
const hedge = (delay: number): Partial<EdgeMakers> => ({ hedge: (deps) => delayHedge.make({ delay }, deps) });

describe('a retry', () => {
  test('waits as long as it should, and is told from the first try', () => {
    // Refused at 0 by api/0, which is down; 25 later api/1: 25–35.
    const played = play({ at: [0], instances: 2, faults: [crash(0, 0, 1000)], edge: retry(25) });
    expect(onEdge(played, 0)).toEqual([
      [0, 0, 'refused'],
      [25, 35, 'ok'],
    ]);
    expect(played.metrics).toMatchObject({ attempts: 2, retries: 1, hedges: 0, amplification: 2 });
    expect(rounded(played.metrics['latency.mean'])).toBe(35);
  });

  test('is not begun when it would start at or after the deadline', () => {
    const of = (timeoutMs: number) => play({ at: [0], timeoutMs, faults: [errors(0, 1, 0, 1000)], edge: retry(20, 5) });
    // Errors at 10 and 40; the next try would start at 60.
    expect(of(60).ledger.failed).toMatchObject({ error: 1, timeout: 0 });
    expect(rounded(of(60).metrics['attempts'])).toBe(2);
    // At 61 it still has 1 left, and times out.
    expect(of(61).ledger.failed).toMatchObject({ error: 0, timeout: 1 });
    expect(of(61).metrics['attempts']).toBe(3);
  });

  test('has work of its own, the same under every policy', () => {
    const of = (delay: number) =>
      play({
        arrivals: { type: 'constant', perSecond: 20 },
        work: { type: 'exponential', mean: 5 },
        slots: 100,
        durationMs: 2000,
        faults: [errors(0, 1, 0, 3000)],
        edge: retry(delay),
      })
        .attempts.toSorted((x, y) => x.endedMs - y.endedMs)
        .map(({ latencyMs }) => rounded(latencyMs))
        .toSorted((x, y) => x - y);
    const short = of(0);
    expect(short.length).toBe(80);
    expect(of(10)).toEqual(short);
    expect(new Set(short).size).toBe(80);
  });
});

describe('an attempt’s own timeout', () => {
  test('sends the next, and a late answer of the first disturbs nobody', () => {
    // api/0 takes 50 and answers at 50, when the second attempt (20–30 at api/1) is long over.
    const played = play({ at: [0, 100], instances: 2, faults: [slow(0, 5, 0, 60)], attemptTimeoutMs: 20, edge: retry(0) });
    expect(onEdge(played, 0)).toEqual([
      [0, 20, 'timeout'],
      [20, 30, 'ok'],
      [100, 110, 'ok'],
    ]);
    // It was served all the same.
    expect(played.instances.map(({ served }) => served)).toEqual([2, 1]);
    expect(played.ledger).toMatchObject({ ok: 2 });
  });

  test('leaves the answer that comes while the next is out unheard', () => {
    // First at api/0: 25, timeout 20. Second at api/1, 15, from 20 on: 35. The first’s answer at 25 does not count.
    const played = play({
      at: [0],
      work: 15,
      instances: 2,
      faults: [slow(0, 25 / 15, 0, 60)],
      attemptTimeoutMs: 20,
      edge: retry(0),
    });
    expect(onEdge(played, 0)).toEqual([
      [0, 20, 'timeout'],
      [20, 35, 'ok'],
    ]);
  });

  test('takes the work back where the service cancels', () => {
    const played = play({
      at: [0],
      instances: 2,
      faults: [slow(0, 5, 0, 60)],
      attemptTimeoutMs: 20,
      cancelAbandoned: true,
      edge: retry(0),
    });
    expect(played.instances.map(({ utilization }) => rounded(utilization))).toEqual([0.02, 0.01]);
  });

  test('ends the request when nothing is tried again', () => {
    const played = play({ at: [0], work: 50, attemptTimeoutMs: 20 });
    expect(played.ledger.failed.timeout).toBe(1);
    expect(played.metrics['availability']).toBe(0);
  });

  test('leaves its flaws behind: a degraded first try does not degrade the one that wins', () => {
    // The first try lacks its optional part at 10 and is given up at 35, as the other call hardly moves until 30. The second, from 35 on, is
    // whole: 35–45, 45, 45–55.
    const played = playGraph({
      at: [0],
      attemptTimeoutMs: 35,
      graph: [{ slots: 2, steps: [call(1, { optional: true }), call(2)] }, { work: 0 }, { work: 10, slots: 2 }],
      calls: [
        { from: 0, to: 1 },
        { from: 0, to: 2 },
      ],
      faults: [
        { ...errors(0, 1, 0, 20), targets: [{ service: 1, instance: 0 }] },
        { ...slow(0, 100, 0, 30), targets: [{ service: 2, instance: 0 }] },
      ],
      edges: { 0: retry(0) },
    });
    expect(onEdge(played, 0)).toEqual([
      [0, 35, 'timeout'],
      [35, 55, 'ok'],
    ]);
    expect(played.ledger).toMatchObject({ ok: 1, degraded: 0 });
  });
});

describe('a hedge', () => {
  test('is sent when its time has come, and the loser is cancelled', () => {
    // api/0 takes 100. Hedge at 20 to api/1: 20–30.
    const played = play({ at: [0], instances: 2, faults: [slow(0, 10, 0, 500)], cancelAbandoned: true, edge: hedge(20) });
    expect(onEdge(played, 0)).toEqual([
      [0, 30, 'cancelled'],
      [20, 30, 'ok'],
    ]);
    expect(played.instances.map(({ utilization }) => rounded(utilization))).toEqual([0.03, 0.01]);
    expect(played.metrics).toMatchObject({ attempts: 2, retries: 0, hedges: 1 });
    expect(rounded(played.metrics['latency.mean'])).toBe(30);
  });

  test('is not sent when the answer comes first', () => {
    const played = play({ at: [0, 50], instances: 2, edge: hedge(20) });
    expect(played.metrics).toMatchObject({ attempts: 1, hedges: 0 });
  });

  test('may lose to the first: then the hedge is taken back', () => {
    // First: 0–25 at api/0. Hedge at 20 to api/1, which would take until 30.
    const played = play({ at: [0], instances: 2, faults: [slow(0, 2.5, 0, 500)], cancelAbandoned: true, edge: hedge(20) });
    expect(onEdge(played, 0)).toEqual([
      [0, 25, 'ok'],
      [20, 25, 'cancelled'],
    ]);
    expect(played.instances.map(({ served }) => served)).toEqual([1, 0]);
  });

  test('goes to an instance not tried before while the balancer offers one', () => {
    const played = play({
      at: [0],
      instances: 2,
      faults: [slow(0, 10, 0, 500)],
      balancer: scripted(0, 0, 0, 1),
      edge: hedge(20),
    });
    expect(played.attempts.map(({ slot }) => slot)).toEqual([0, 1]);
  });

  test('saves what one slow instance of two costs: the tail becomes the delay and the work', () => {
    const setup = {
      arrivals: { type: 'constant', perSecond: 20 } as const,
      instances: 2,
      slots: 50,
      faults: [slow(0, 10, 0, 9999)],
      durationMs: 5000,
    };
    const without = play(setup);
    const withIt = play({ ...setup, edge: hedge(20) });
    // Every second request takes 100; hedged, 20 + 10.
    expect(without.metrics['latency.max']).toBeCloseTo(100, 6);
    expect(withIt.metrics['latency.max']).toBeCloseTo(30, 6);
    expect(withIt.metrics['hedges']).toBeGreaterThan(0.4);
  });

  test('learns its delay from latencies, within its budget', () => {
    // A request and its hedge take turns at the instance that takes 100 and the one that takes 10. Whoever is hedged takes the delay learnt,
    // the 0.4-quantile of 10, and 10 more; a share of at most 60 % is.
    const played = play({
      arrivals: { type: 'constant', perSecond: 50 },
      instances: 2,
      slots: 50,
      faults: [slow(0, 10, 0, 99_999)],
      durationMs: 20_000,
      warmupMs: 10_000,
      edge: { hedge: (deps) => quantileHedge.make({ maxExtraLoad: 0.6 }, deps) },
    });
    expect(played.metrics['latency.p50']).toBeLessThan(25);
    expect(played.metrics['latency.max']).toBeCloseTo(100, 6);
    expect(played.metrics['hedges']).toBeGreaterThan(0.2);
    expect(played.metrics['hedges']).toBeLessThan(0.65);
  });
});

describe('a circuit breaker', () => {
  test('lets nothing through after the failures it counts, and tries again later', () => {
    const played = play({
      arrivals: { type: 'constant', perSecond: 100 },
      work: 1,
      faults: [errors(0, 1, 0, 500)],
      durationMs: 3000,
      edge: { breaker: (deps) => breakers['gobreaker'].make({}, deps) },
    });
    expect(played.ledger.failed.error).toBeGreaterThan(0);
    expect(played.ledger.failed.circuitOpen).toBeGreaterThan(100);
    // What it does not let through is not sent.
    expect(played.ledger.ok + played.ledger.failed.error).toBe(played.attempts.length);
    expect(played.metrics['attempts']).toBeLessThan(0.5);
  });

  test('settles each permit once: acquired = settled + released + still out', () => {
    let acquired = 0;
    let ended = 0;
    const breaker = () => ({
      acquire: () => acquired++,
      settle: () => void ended++,
      release: () => void ended++,
      state: () => 0 as const,
      retryAtMs: () => Infinity,
    });
    const played = play({
      arrivals: { type: 'poisson', perSecond: 100 },
      work: { type: 'exponential', mean: 15 },
      instances: 2,
      timeoutMs: 70,
      attemptTimeoutMs: 30,
      faults: [crash(0, 300, 200), errors(1, 0.3, 0, 2000)],
      durationMs: 1500,
      edge: { ...retry(5, 3), ...hedge(12), breaker },
    });
    expect(played.metrics['hedges']).toBeGreaterThan(0.1);
    expect(played.metrics['retries']).toBeGreaterThan(0.1);
    expect(ended).toBe(played.attempts.length);
    expect(acquired - ended).toBeLessThanOrEqual(4 * played.ledger.inFlight);
  });
});

describe('a retry budget', () => {
  test('keeps retries to its share of the requests when everything fails', () => {
    const of = (budget: Partial<EdgeMakers>) =>
      play({
        arrivals: { type: 'constant', perSecond: 200 },
        work: 1,
        faults: [errors(0, 1, 0, 99_999)],
        durationMs: 10_000,
        edge: { ...retry(0, 3), ...budget },
      }).metrics['retries'];
    expect(of({})).toBeCloseTo(3, 2);
    // A fifth, besides what it may start with.
    expect(of({ budget: () => retryBudgets['request-ratio'].make({}, {}) })).toBeLessThan(0.35);
  });

  test('is asked once per retry and told of the end of each', () => {
    const log = { requests: 0, asked: 0, over: 0, failures: 0 };
    const budget = () => ({
      onRequest: () => void log.requests++,
      onSuccess: () => {},
      onFailure: () => void log.failures++,
      tryWithdraw: () => ++log.asked % 2 === 1,
      onRetryEnd: () => void log.over++,
      balance: () => 0,
    });
    // Three requests, each failing: one retry granted and failing, the second refused.
    const played = play({ at: [0, 100, 200], faults: [errors(0, 1, 0, 1000)], edge: { ...retry(0, 3), budget } });
    expect(played.attempts.length).toBe(6);
    expect(log).toEqual({ requests: 3, asked: 6, over: 3, failures: 6 });
  });
});

describe('admission at the client', () => {
  test('turns away what goes beyond its limit, at no cost to anybody', () => {
    // Two at a time, 10 each on two slots: of five at once three are shed.
    const played = play({
      at: [0, 0, 0, 0, 0, 50],
      slots: 2,
      edge: { admission: (deps) => semaphore.make({ maxConcurrentCalls: 2 }, deps) },
    });
    expect(played.ledger).toMatchObject({ ok: 3, failed: { shed: 3 } });
    expect(played.attempts.length).toBe(3);
  });

  test('hears of the end of each request it let in, with the number in flight then', () => {
    const log: [number, number, number][] = [];
    const admission = () => ({
      admit: () => true,
      onEnd: (result: number, rttMs: number, inFlight: number) => void log.push([result, rounded(rttMs), inFlight]),
      limit: () => Infinity,
    });
    play({ at: [0, 1, 40], timeoutMs: 15, edge: { admission } });
    // ok 0–10; the second waits and times out; ok.
    expect(log).toEqual([
      [0, 10, 1],
      [2, 15, 2],
      [0, 10, 1],
    ]);
  });

  test('as a rate limit lets through what its rate gives', () => {
    const played = play({
      arrivals: { type: 'constant', perSecond: 1000 },
      work: 0,
      durationMs: 5000,
      edge: { admission: (deps) => tokenBucket.make({}, deps) },
    });
    expect(played.ledger.ok + played.ledger.failed.shed).toBe(played.ledger.offered);
  });

  test('may be tried again elsewhere: at the door of an instance', () => {
    const played = playGraph({
      at: [0],
      graph: [{ instances: 2 }],
      service: { shedding: () => ({ admit: () => doors++ > 0, onEnd: () => {}, limit: () => 1 }) },
      edges: { 0: retry(5) },
      views: [viewOf({})],
    });
    expect(onEdge(played, 0)).toEqual([
      [0, 0, 'shed'],
      [5, 15, 'ok'],
    ]);
    expect(endsOn(played, 0)).toEqual({ ok: 1 });
  });
});

let doors = 0;

describe('a fallback', () => {
  test('stands in for the failures it is for, after its time, and counts as degraded', () => {
    const played = play({
      at: [0, 50],
      work: constant(10),
      faults: [errors(0, 1, 0, 30)],
      fallback: { on: ['error'], takesMs: 3 },
    });
    expect(played.ledger).toMatchObject({ ok: 2, degraded: 1, failed: { error: 0 } });
    expect(rounded(played.metrics['latency.max'])).toBe(13);
  });

  test('does not stand in for others', () => {
    const played = play({ at: [0], faults: [crash(0, 0, 30)], fallback: { on: ['error'], takesMs: 3 } });
    expect(played.ledger).toMatchObject({ ok: 0, failed: { refused: 1 } });
  });
});
