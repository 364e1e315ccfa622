/** Messages between services, in a world: who publishes, who takes them, what is counted where. Work of 10 ms unless said otherwise;
 *  times by hand. */
import { describe, expect, test } from 'vitest';
import type { FaultSpec, QueueSpec } from '../../src/scenario/spec.ts';
import { endsOn, onEdge, playGraph, type GraphSetup, work } from './graph-builder.ts';
import { crash, errors, rounded } from './world-builder.ts';

/** Edge 1 publishes from service 0, edge 2 delivers to service 1. */
const world = (more: Partial<GraphSetup> = {}, queue: Partial<QueueSpec> = {}, consumer: GraphSetup['graph'][number] = {}) =>
  playGraph({
    ...(more.arrivals === undefined ? { at: [0] } : {}),
    graph: [
      { slots: 9, steps: [{ type: 'publish', edge: 1 }, work(2)] },
      { work: 30, ...consumer },
    ],
    calls: [
      { from: 0, to: 1, queue: 0, balancers: 1 },
      { from: -2, to: 1, queue: 0, balancers: 1 },
    ],
    queues: [{ name: 'jobs', service: 1, edge: 2, visibilityMs: 100, maxReceives: 3, capacity: Infinity, ...queue }],
    ...more,
  });
const hurt = (fault: FaultSpec): FaultSpec => ({ ...fault, targets: [{ service: 1, instance: 0 }] });

describe('a message', () => {
  test('is left and not waited for; its own latency ends when it has been done', () => {
    const played = world();
    expect(onEdge(played, 0)).toEqual([[0, 12, 'ok']]);
    // Published at 10, done at 40.
    expect(endsOn(played, 1)).toEqual({ ok: 1 });
    expect(rounded(played.views[1].metrics['latency.mean'])).toBe(30);
    expect(endsOn(played, 2)).toEqual({ ok: 1 });
    expect(played.queues[0]).toMatchObject({ published: 1, done: 1, redelivered: 0, dead: 0 });
  });

  test('waits for a free slot of a consumer, which takes one per slot', () => {
    const played = world({ at: [0, 0, 0], windowMs: 50 });
    // 10–40, 40–70, 70–100: latencies 30, 60, 90.
    expect(rounded(played.views[1].metrics['latency.mean'])).toBe(60);
    expect(rounded(played.views[1].metrics['latency.max'])).toBe(90);
    // At 50 two are left, of which one is at work; at 100, which belongs to the next window, the last is not yet done.
    expect(played.queues[0].depth.slice(0, 3)).toEqual([2, 1, 0]);
    expect(played.queues[0].oldestMs.map(rounded).slice(0, 3)).toEqual([40, 90, 0]);
    expect(played.instances[1].queued.every((present) => present <= 1)).toBe(true);
  });

  test('whose consumer crashes is given to somebody else when its time is up', () => {
    // 10, lost at 20; visible again at 110: 110–140 at the other instance, or the same, which is up by then.
    const played = world({ faults: [hurt(crash(0, 20, 10))] });
    expect(endsOn(played, 1)).toEqual({ ok: 1 });
    expect(rounded(played.views[1].metrics['latency.mean'])).toBe(130);
    expect(endsOn(played, 2)).toEqual({ ok: 1, connectionLost: 1 });
    expect(played.queues[0]).toMatchObject({ redelivered: 1, done: 1 });
  });

  test('that fails every time is dead after so many deliveries', () => {
    const played = world({ faults: [hurt(errors(0, 1, 0, 9999))], durationMs: 1000 });
    // Delivered at 10, 110, 210; dead at 310.
    expect(played.queues[0]).toMatchObject({ done: 0, redelivered: 2, dead: 1 });
    expect(endsOn(played, 1)).toEqual({ error: 1 });
    expect(endsOn(played, 2)).toEqual({ error: 3 });
  });

  test('delivered again has luck of its own: half fail each time, and few fail always', () => {
    // n = 400 messages, each dead with probability 1/2^6 = 0.016: 6.25 expected, standard deviation 2.5; the bound is six of them.
    const played = world(
      {
        arrivals: { type: 'constant', perSecond: 100 },
        durationMs: 4000,
        faults: [hurt(errors(0, 0.5, 0, 9999))],
      },
      { visibilityMs: 20, maxReceives: 6 },
      { work: 0, slots: 50 },
    );
    const { dead, done, redelivered } = played.queues[0];
    expect(done).toBeGreaterThan(350);
    expect(dead).toBeLessThan(22);
    // One further delivery on average (1/2 + 1/4 + …), n = 400: standard deviation of the mean 0.07.
    expect(Math.abs(redelivered / (done + dead) - 1)).toBeLessThan(0.35);
  });

  test('is done twice by a consumer slower than its time: work for nothing', () => {
    const played = world({}, { visibilityMs: 15 }, { slots: 2 });
    // Again at 25 to the second slot; the first is done at 40 and deletes it; the second ends at 55.
    expect(endsOn(played, 1)).toEqual({ ok: 1 });
    expect(rounded(played.views[1].metrics['latency.mean'])).toBe(30);
    expect(endsOn(played, 2)).toEqual({ ok: 2 });
    expect(played.instances[1].served).toBe(2);
  });

  test('for which a full queue has no place fails its publisher', () => {
    const played = world({ at: [0, 1, 2] }, { capacity: 1 });
    // The first is published at 10 and in the queue until 40; the others find it full at 11 and 12.
    expect(onEdge(played, 0).map(([, to, outcome]) => [to, outcome])).toEqual([
      [12, 'ok'],
      [11, 'error'],
      [12, 'error'],
    ]);
    expect(endsOn(played, 1)).toEqual({ ok: 1, refused: 2 });
  });

  test('can come from the traffic itself: then a request is over when its message is done', () => {
    const played = playGraph({
      at: [0, 0],
      web: { queue: 0 },
      graph: [{ work: 30 }],
      calls: [{ from: -2, to: 0, queue: 0, balancers: 1 }],
      queues: [{ name: 'jobs', service: 0, edge: 1, visibilityMs: 100, maxReceives: 3, capacity: Infinity }],
    });
    expect(played.ledger).toMatchObject({ offered: 2, ok: 2 });
    expect(rounded(played.metrics['latency.mean'])).toBe(45);
    expect(endsOn(played, 1)).toEqual({ ok: 2 });
  });
});
