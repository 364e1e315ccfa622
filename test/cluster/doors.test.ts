/** What happens at an instance before the work: shedding at its door, and queueing policies behind it. Work of 10 ms on one slot unless said
 *  otherwise; times by hand. */
import { describe, expect, test } from 'vitest';
import { semaphore } from '../../src/policies/resilience/admission/index.ts';
import { adaptiveLifo, codel, controlledDelay, fifo, lifo, priorityQueue } from '../../src/policies/resilience/queueing/index.ts';
import type { ServiceMakers } from '../../src/scenario/makers.ts';
import { call, endsOn, playGraph, viewOf } from './graph-builder.ts';
import { crash, endings, errors, pause, play, rounded } from './world-builder.ts';

describe('a door', () => {
  /** Lets everybody in and writes down what it is told. */
  function watched() {
    const log: { admitted: number; waits: number[]; ends: [number, number, number][] } = { admitted: 0, waits: [], ends: [] };
    const shedding: ServiceMakers['shedding'] = () => ({
      admit: () => {
        log.admitted++;
        return true;
      },
      onStart: (waitMs) => void log.waits.push(rounded(waitMs)),
      onEnd: (result, rttMs, inFlight) => void log.ends.push([result, rounded(rttMs), inFlight]),
      limit: () => Infinity,
    });
    return { log, service: { shedding } };
  }

  test('hears of every wait and every end, with the number inside at admission', () => {
    const { log, service } = watched();
    play({ at: [0, 1, 2], service });
    expect(log).toEqual({
      admitted: 3,
      waits: [0, 9, 18],
      ends: [
        [0, 10, 1],
        [0, 19, 2],
        [0, 28, 3],
      ],
    });
  });

  test('is told of errors, refusals behind it, crashes and clients that gave up, each once', () => {
    const { log, service } = watched();
    // 0: error at 10. 20, 21: one at work, one refused for want of a place. 50: lost at 55. 100: frozen, given up at 130.
    play({
      at: [0, 20, 21, 50, 100],
      queueLimit: 0,
      timeoutMs: 30,
      cancelAbandoned: true,
      faults: [errors(0, 1, 0, 15), crash(0, 55, 5), pause(0, 101, 500)],
      service,
    });
    expect(log.admitted).toBe(5);
    expect(log.ends).toEqual([
      [1, 10, 1],
      [2, 0, 2],
      [0, 10, 1],
      [3, 5, 1],
      [3, 30, 1],
    ]);
  });

  test('lets in as many as its limit, counting those that wait for others', () => {
    const played = playGraph({
      at: [0, 0, 0],
      graph: [
        { slots: 5, holdsSlot: false, steps: [call(1)] },
        { work: 50, slots: 5 },
      ],
      calls: [{ from: 0, to: 1 }],
      services: { 0: { shedding: (deps) => semaphore.make({ maxConcurrentCalls: 2 }, deps) } },
      views: [viewOf({})],
    });
    expect(endsOn(played, 0)).toEqual({ ok: 2, shed: 1 });
  });

  test('balances after any mixture of ends: everybody let in has left', () => {
    const { log, service } = watched();
    const played = play({
      arrivals: { type: 'poisson', perSecond: 150 },
      work: { type: 'exponential', mean: 10 },
      queueLimit: 6,
      timeoutMs: 60,
      cancelAbandoned: true,
      faults: [errors(0, 0.2, 0, 9999), crash(0, 500, 50), crash(0, 900, 50), pause(0, 1300, 100)],
      durationMs: 2000,
      service,
    });
    expect(log.admitted).toBeGreaterThan(200);
    const present = played.instances[0].queued.at(-1)!;
    expect(log.admitted).toBe(log.ends.length + present);
  });
});

describe('a queueing policy', () => {
  const at = [0, 1, 2, 3];

  test('fifo and lifo order as their names say', () => {
    const of = (queueing: NonNullable<ServiceMakers['queueing']>) =>
      endings(play({ at, service: { queueing } })).map(([ms]) => ms);
    expect(of((deps) => fifo.make({}, deps))).toEqual([10, 20, 30, 40]);
    expect(of((deps) => lifo.make({}, deps))).toEqual([10, 40, 30, 20]);
  });

  test('is called for a service that is fifo only', () => {
    const played = play({ at, discipline: 'lifo', service: { queueing: (deps) => fifo.make({}, deps) } });
    expect(endings(played).map(([ms]) => ms)).toEqual([10, 40, 30, 20]);
  });

  test('serves important classes first, each in order', () => {
    const played = playGraph({
      arrivals: { type: 'batch', perSecond: 40, size: 40 },
      durationMs: 5000,
      classes: [
        { name: 'low', priority: 2, tenant: '' },
        { name: 'high', priority: 0, tenant: '' },
      ],
      mix: [
        { class: 0, share: 0.5 },
        { class: 1, share: 0.5 },
      ],
      graph: [{ work: 5 }],
      service: { queueing: (deps) => priorityQueue.make({}, deps) },
      views: [viewOf({ class: 0 }), viewOf({ class: 1 })],
    });
    const [low, high] = played.views;
    expect(high.ledger.ok).toBeGreaterThan(20);
    // Of a batch alone: those of the high class wait for each other only, those of the low class for all of the high.
    expect(high.metrics['wait.mean']).toBeLessThan(low.metrics['wait.mean'] / 2);
  });

  test('codel drops what waited too long once a whole interval did', () => {
    const setup = { arrivals: { type: 'constant', perSecond: 200 } as const, durationMs: 3000, windowMs: 3000 };
    const plain = play(setup);
    const judged = play({ ...setup, service: { queueing: (deps) => codel.make({ interval: 100, targetDelay: 5 }, deps) } });
    expect(plain.ledger.failed.shed).toBe(0);
    // Twice as much comes as can be served: half is dropped, and who is served has waited little.
    expect(judged.ledger.failed.shed / judged.ledger.offered).toBeGreaterThan(0.4);
    expect(judged.metrics['latency.p50']).toBeLessThan(60);
    expect(plain.metrics['latency.p50']).toBeGreaterThan(500);
    expect(judged.instances[0].utilization).toBeGreaterThan(0.95);
  });

  test('controlled delay bounds what those who are served have waited', () => {
    const played = play({
      arrivals: { type: 'constant', perSecond: 200 },
      durationMs: 3000,
      service: { queueing: (deps) => controlledDelay.make({ lifo: false }, deps) },
    });
    expect(played.ledger.failed.shed).toBeGreaterThan(100);
    // 100 ms while the queue is not standing, at most; and 10 of work.
    expect(played.metrics['latency.max']).toBeLessThanOrEqual(110 + 1e-6);
  });

  test('adaptive lifo turns the queue round when it stands', () => {
    const setup = { arrivals: { type: 'constant', perSecond: 200 } as const, timeoutMs: 150, durationMs: 3000 };
    const plain = play(setup);
    const adaptive = play({ ...setup, service: { queueing: (deps) => adaptiveLifo.make({}, deps) } });
    // Oldest first, everybody is served too late once the queue is longer than the timeout; newest first, half are in time.
    expect(plain.metrics['availability']).toBeLessThan(0.2);
    expect(adaptive.metrics['availability']).toBeGreaterThan(0.4);
  });

  test('whose drops are retried at once does not go round in circles', () => {
    const picky = () => ({
      byPriority: false,
      onEnqueue: () => {},
      takesNewest: () => false,
      onDequeue: (waitMs: number) => waitMs === 0,
    });
    const played = play({
      at,
      service: { queueing: picky },
      edge: { retry: () => ({ retries: 3, on: ['shed'], hostSelectionRetries: 0, delayMs: () => 0 }) },
      limits: { pending: 1000, atOneInstant: 1000 },
    });
    // At 10 three have waited and are dropped; tried again, one of them begins at once and two wait; and so on.
    expect(played.ledger.ok).toBe(4);
    expect(
      endings(played)
        .filter(([, outcome]) => outcome === 'ok')
        .map(([ms]) => ms),
    ).toEqual([10, 20, 30, 40]);
  });
});
