/** What requests do after their own work: calls in sequence, in parallel, by chance; what becomes of failures; slots meanwhile. One
 *  instance with one slot each, work of 10 ms unless said otherwise; times in ms, worked out by hand. */
import { describe, expect, test } from 'vitest';
import { call, callOf, endsOn, onEdge, playGraph, together, work } from './graph-builder.ts';
import { constant, crash, errors } from './world-builder.ts';
import type { FaultSpec } from '../../src/scenario/spec.ts';

/** The same fault on the instances of another service. */
const at = (service: number, fault: FaultSpec): FaultSpec => ({
  ...fault,
  targets: fault.targets.map(({ instance }) => ({ service, instance })),
});

describe('steps', () => {
  test('come one after the other, after the request’s own work', () => {
    // web 0–10, then db 10–15, then web again 15–18, then cache 18–20.
    const played = playGraph({
      at: [0],
      graph: [{ steps: [call(1), work(3), call(2)] }, { work: 5 }, { work: 2 }],
      calls: [
        { from: 0, to: 1 },
        { from: 0, to: 2 },
      ],
    });
    expect(onEdge(played, 0)).toEqual([[0, 20, 'ok']]);
    expect(onEdge(played, 1)).toEqual([[10, 15, 'ok']]);
    expect(onEdge(played, 2)).toEqual([[18, 20, 'ok']]);
  });

  test('go down as far as the graph does, with the network in between', () => {
    // One way 1: web works 1–11, auth 12–17, db 18–20, back at auth 21, at web 22, at the client 23.
    const played = playGraph({
      at: [0],
      network: { sameZone: constant(1) },
      graph: [{ steps: [call(1)] }, { work: 5, steps: [call(2)] }, { work: 2 }],
      calls: [
        { from: 0, to: 1 },
        { from: 1, to: 2 },
      ],
    });
    expect(onEdge(played, 0)).toEqual([[0, 23, 'ok']]);
    expect(onEdge(played, 1)).toEqual([[11, 22, 'ok']]);
    expect(onEdge(played, 2)).toEqual([[17, 21, 'ok']]);
  });

  test('of a branch are done by its share of the requests, and by the same requests under another policy', () => {
    const branch = {
      type: 'branch' as const,
      branches: [
        { share: 0.5, steps: [call(1)] },
        { share: 0.2, steps: [call(2), call(2)] },
      ],
    };
    const of = (instances: number) =>
      playGraph({
        arrivals: { type: 'constant', perSecond: 4000 },
        graph: [{ work: 0, slots: 100, instances, steps: [branch] }, { work: 0 }, { work: 0 }],
        calls: [
          { from: 0, to: 1 },
          { from: 0, to: 2 },
        ],
      });
    const played = of(1);
    const { offered } = played.ledger;
    expect(offered).toBeGreaterThan(3990);
    // n = 4000 fixed draws: standard errors 0.008 and 0.006; the bound is five of them, and the seed is fixed.
    expect(Math.abs(played.views[1].ledger.ok / offered - 0.5)).toBeLessThan(0.04);
    expect(Math.abs(played.views[2].ledger.ok / offered / 2 - 0.2)).toBeLessThan(0.032);
    const other = of(3);
    expect(onEdge(other, 1)).toEqual(onEdge(played, 1));
    expect(onEdge(other, 2)).toEqual(onEdge(played, 2));
  });

  test('of branches whose shares sum to 1 are never skipped', () => {
    const steps = [call(1)];
    const branches = Array.from({ length: 10 }, () => ({ share: 0.1, steps }));
    const played = playGraph({
      arrivals: { type: 'constant', perSecond: 1000 },
      graph: [{ work: 0, steps: [{ type: 'branch', branches }] }, { work: 0 }],
      calls: [{ from: 0, to: 1 }],
    });
    expect(played.views[1].ledger.ok).toBe(played.ledger.offered);
  });
});

describe('calls at once', () => {
  const edges = [
    { from: 0, to: 1 },
    { from: 0, to: 2 },
    { from: 0, to: 3 },
  ];
  const three = (wait: number) =>
    playGraph({
      at: [0],
      graph: [{ steps: [together([callOf(1), callOf(2), callOf(3)], wait)] }, { work: 5 }, { work: 20 }, { work: 8 }],
      calls: edges,
    });

  test('take as long as the slowest when all are waited for', () => {
    expect(onEdge(three(Infinity), 0)).toEqual([[0, 30, 'ok']]);
  });

  test('take as long as the first when one is enough, and the others are cancelled', () => {
    const played = three(1);
    expect(onEdge(played, 0)).toEqual([[0, 15, 'ok']]);
    expect([1, 2, 3].map((edge) => endsOn(played, edge))).toEqual([{ ok: 1 }, { cancelled: 1 }, { cancelled: 1 }]);
  });

  test('take as long as the second for a quorum of two', () => {
    expect(onEdge(three(2), 0)).toEqual([[0, 18, 'ok']]);
  });

  test('of several copies go to the callee as requests of their own, and queue there', () => {
    // Four copies for one slot: 10–15, 15–20, 20–25, 25–30.
    const played = playGraph({
      at: [0],
      graph: [{ steps: [call(1, { copies: 4 })] }, { work: 5 }],
      calls: [{ from: 0, to: 1 }],
    });
    expect(onEdge(played, 0)).toEqual([[0, 30, 'ok']]);
    expect(endsOn(played, 1)).toEqual({ ok: 4 });
  });

  test('are made only by the classes that make them', () => {
    const played = playGraph({
      arrivals: { type: 'constant', perSecond: 100 },
      classes: [
        { name: 'read', priority: 0, tenant: '' },
        { name: 'write', priority: 0, tenant: '' },
      ],
      mix: [
        { class: 0, share: 0.7 },
        { class: 1, share: 0.3 },
      ],
      graph: [
        { work: 0, steps: [together([callOf(1, { classes: [0] }), callOf(2, { classes: [1] })])] },
        { work: 0 },
        { work: 0 },
      ],
      calls: edges.slice(0, 2),
      views: [0, 1, 2].flatMap((edge) =>
        [0, 1].map((cls) => ({ label: '', edges: [edge], service: -1, class: cls, fromMs: 0, toMs: Infinity })),
      ),
    });
    const [reads, writes, readsOn1, writesOn1, readsOn2, writesOn2] = played.views.map(({ ledger }) => ledger.offered);
    expect(reads + writes).toBe(played.ledger.offered);
    expect(writes).toBeGreaterThan(10);
    expect([readsOn1, writesOn1, readsOn2, writesOn2]).toEqual([reads, 0, 0, writes]);
  });

  test('that nobody makes are a step of no time', () => {
    const played = playGraph({
      at: [0],
      graph: [{ steps: [call(1, { classes: [7] }), work(2)] }, {}],
      calls: [{ from: 0, to: 1 }],
    });
    expect(onEdge(played, 0)).toEqual([[0, 12, 'ok']]);
  });
});

describe('a call that fails', () => {
  const two = [
    { from: 0, to: 1 },
    { from: 0, to: 2 },
  ];

  test('fails the request at once, as an error, and cancels the other calls', () => {
    // db (5) answers with errors: at 15; the other (50) is cancelled there.
    const played = playGraph({
      at: [0],
      graph: [{ steps: [together([callOf(1), callOf(2)]), work(100)] }, { work: 5 }, { work: 50 }],
      calls: two,
      faults: [at(1, errors(0, 1, 0, 1000))],
    });
    expect(onEdge(played, 0)).toEqual([[0, 15, 'error']]);
    expect(endsOn(played, 2)).toEqual({ cancelled: 1 });
    expect(played.ledger.failed.error).toBe(1);
  });

  test('degrades the answer if it is optional, and the others are waited for', () => {
    const played = playGraph({
      at: [0],
      graph: [{ steps: [together([callOf(1, { optional: true }), callOf(2)])] }, { work: 5 }, { work: 50 }],
      calls: two,
      faults: [at(1, errors(0, 1, 0, 1000))],
    });
    expect(onEdge(played, 0)).toEqual([[0, 60, 'ok']]);
    expect(played.ledger).toMatchObject({ ok: 1, degraded: 1 });
  });

  test('degrades those above, too: what is not whole below is not whole here', () => {
    const played = playGraph({
      at: [0, 500],
      graph: [{ steps: [call(1)] }, { steps: [call(2, { optional: true })] }, {}],
      calls: [
        { from: 0, to: 1 },
        { from: 1, to: 2 },
      ],
      faults: [at(2, errors(0, 1, 0, 400))],
    });
    expect(endsOn(played, 0)).toEqual({ ok: 2, degraded: 1 });
    expect(endsOn(played, 1)).toEqual({ ok: 2, degraded: 1 });
    expect(endsOn(played, 2)).toEqual({ ok: 1, error: 1 });
  });

  test('does not matter while a quorum is still possible, and fails the request when it is not', () => {
    const of = (wait: number, faults: readonly FaultSpec[]) =>
      playGraph({
        at: [0],
        graph: [{ steps: [together([callOf(1), callOf(2)], wait)] }, { work: 5 }, { work: 50 }],
        calls: two,
        faults,
      });
    const broken = at(1, errors(0, 1, 0, 1000));
    expect(onEdge(of(1, [broken]), 0)).toEqual([[0, 60, 'ok']]);
    expect(onEdge(of(2, [broken]), 0)).toEqual([[0, 15, 'error']]);
  });

  test('is replaced by the edge’s fallback, which degrades', () => {
    const played = playGraph({
      at: [0],
      graph: [{ steps: [call(1)] }, { work: 5 }],
      calls: [{ from: 0, to: 1, fallback: { on: ['error'], takesMs: 2 } }],
      faults: [at(1, errors(0, 1, 0, 1000))],
    });
    expect(onEdge(played, 0)).toEqual([[0, 17, 'ok']]);
    expect(played.ledger.degraded).toBe(1);
  });

  test('because nobody is there to be called is a failure like another', () => {
    const played = playGraph({
      at: [0],
      graph: [{ steps: [call(1)] }, {}],
      calls: [{ from: 0, to: 1 }],
      edges: { 1: { balancer: () => ({ update: () => {}, pick: () => -1 }) } },
    });
    expect(onEdge(played, 0)).toEqual([[0, 10, 'error']]);
    expect(endsOn(played, 1)).toEqual({ noEndpoint: 1 });
  });
});

describe('while a request waits for others', () => {
  const graph = (holdsSlot: boolean) => [
    { holdsSlot, steps: [call(1), work(4)] },
    { work: 20, slots: 2 },
  ];

  test('it keeps its slot where requests hold threads', () => {
    // 0–10 at web, 10–30 at db, 30–34 at web; the second begins at 34 and ends 34 later.
    const played = playGraph({ at: [0, 1], graph: graph(true), calls: [{ from: 0, to: 1 }] });
    expect(onEdge(played, 0)).toEqual([
      [0, 34, 'ok'],
      [1, 68, 'ok'],
    ]);
    expect(played.instances[0].utilization).toBeCloseTo(0.068, 9);
  });

  test('it gives its slot up where it does not, and queues again for more work', () => {
    // Web 0–10 and 10–20, db 10–30 and 20–40, web 30–34 and 40–44.
    const played = playGraph({ at: [0, 1], graph: graph(false), calls: [{ from: 0, to: 1 }] });
    expect(onEdge(played, 0)).toEqual([
      [0, 34, 'ok'],
      [1, 44, 'ok'],
    ]);
    expect(played.instances[0].utilization).toBeCloseTo(0.028, 9);
  });

  test('it comes back whatever the limit of the queue is', () => {
    // No place to wait. First: 0–10, db 10–30. Second: 25–35, so that the first waits 30–35 and works 35–39. Third (36): refused.
    const [web, db] = graph(false);
    const played = playGraph({
      at: [0, 25, 36],
      graph: [{ ...web, queueLimit: 0 }, db],
      calls: [{ from: 0, to: 1 }],
      windowMs: 10,
    });
    expect(onEdge(played, 0)).toEqual([
      [0, 39, 'ok'],
      [25, 59, 'ok'],
      [36, 36, 'refused'],
    ]);
  });

  test('it waits outside where cores are shared', () => {
    // Both share the core 1–19: A has done 1 + 9 at 19, B at 20. Db 19–39 and 20–40 (two slots); work of 4 alone and then shared.
    const [web, db] = graph(true);
    const played = playGraph({
      at: [0, 1],
      graph: [{ ...web, discipline: 'processor-sharing' }, db],
      calls: [{ from: 0, to: 1 }],
    });
    // A alone 39–40 (3 left), then both at half speed: A done at 46; B has 1 left: 47.
    expect(onEdge(played, 0)).toEqual([
      [0, 46, 'ok'],
      [1, 47, 'ok'],
    ]);
  });
});

describe('the crash of an instance in the middle', () => {
  const chain = [
    { from: 0, to: 1 },
    { from: 1, to: 2 },
  ];

  test.each([true, false])('loses those that wait for others, and cancels their calls (slots held: %s)', (holdsSlot) => {
    // Web 0–10, middle 10–20, db from 20 (100); the middle crashes at 50.
    const played = playGraph({
      at: [0],
      graph: [{ steps: [call(1)] }, { holdsSlot, steps: [call(2)] }, { work: 100, cancelAbandoned: true }],
      calls: chain,
      faults: [at(1, crash(0, 50, 10))],
    });
    expect(onEdge(played, 0)).toEqual([[0, 50, 'error']]);
    expect(onEdge(played, 1)).toEqual([[10, 50, 'lost']]);
    expect(endsOn(played, 2)).toEqual({ cancelled: 1 });
    // At work from 20 to 50 only.
    expect(played.instances[2].utilization).toBeCloseTo(0.03, 9);
  });

  test('is hidden by a retry at another', () => {
    const played = playGraph({
      at: [0],
      graph: [{ steps: [call(1)] }, { instances: 2, steps: [call(2)] }, { work: 30, slots: 2 }],
      calls: chain,
      faults: [at(1, crash(0, 40, 1000))],
      retry: { retries: 1, hostSelectionRetries: 5 },
    });
    // Again from 40: middle 40–50, db 50–80.
    expect(onEdge(played, 0)).toEqual([[0, 80, 'ok']]);
    expect(onEdge(played, 1)).toEqual([
      [10, 40, 'lost'],
      [40, 80, 'ok'],
    ]);
  });
});
