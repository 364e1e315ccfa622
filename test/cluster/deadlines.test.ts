/** Deadlines that callers pass on, and work that nobody wants any more. Work of 10 ms unless said otherwise; times by hand. */
import { describe, expect, test } from 'vitest';
import { call, endsOn, type GraphSetup, onEdge, playGraph, together, callOf } from './graph-builder.ts';
import { constant, crash } from './world-builder.ts';

const chain = [
  { from: 0, to: 1 },
  { from: 1, to: 2 },
];
/** Three levels; the last takes long. */
const levels: GraphSetup['graph'] = [{ steps: [call(1)] }, { steps: [call(2)] }, { work: 1000 }];

describe('a deadline', () => {
  test('that is passed on ends the calls three levels down at its instant', () => {
    const propagating = chain.map((edge) => ({ ...edge, propagatesDeadline: true }));
    const played = playGraph({ at: [0], timeoutMs: 50, propagatesDeadline: true, graph: levels, calls: propagating });
    expect(onEdge(played, 0)).toEqual([[0, 50, 'timeout']]);
    expect(onEdge(played, 1)).toEqual([[10, 50, 'timeout']]);
    expect(onEdge(played, 2)).toEqual([[20, 50, 'timeout']]);
  });

  test('goes as far as everybody passes it on', () => {
    // The middle is told, the last is not: its caller waits on, for itself.
    const played = playGraph({
      at: [0],
      timeoutMs: 50,
      propagatesDeadline: true,
      graph: levels,
      calls: chain,
    });
    expect(onEdge(played, 1)).toEqual([[10, 50, 'timeout']]);
    expect(endsOn(played, 2)).toEqual({ inFlight: 1 });
  });

  test('that nobody passes on ends nothing but the request', () => {
    const played = playGraph({ at: [0], timeoutMs: 50, graph: levels, calls: chain });
    expect(endsOn(played, 0)).toEqual({ timeout: 1 });
    expect(endsOn(played, 1)).toEqual({ inFlight: 1 });
    expect(endsOn(played, 2)).toEqual({ inFlight: 1 });
  });

  test('is the caller’s or the edge’s own, whichever is earlier', () => {
    const of = (timeoutMs: number) =>
      onEdge(
        playGraph({
          at: [0],
          timeoutMs: 50,
          propagatesDeadline: true,
          graph: [{ steps: [call(1)] }, { work: 1000 }],
          calls: [{ from: 0, to: 1, timeoutMs }],
        }),
        1,
      );
    expect(of(15)).toEqual([[10, 25, 'timeout']]);
    expect(of(100)).toEqual([[10, 50, 'timeout']]);
  });

  test('of an attempt is what the callee is told', () => {
    const played = playGraph({
      at: [0],
      attemptTimeoutMs: 30,
      timeoutMs: 500,
      propagatesDeadline: true,
      graph: [{ steps: [call(1)] }, { work: 1000 }],
      calls: [{ from: 0, to: 1 }],
    });
    expect(onEdge(played, 1)).toEqual([[10, 30, 'timeout']]);
  });

  test('that has passed when a call would begin is over at once, and nothing is sent', () => {
    // Web works 60 of its 50 and calls then: there is nothing left.
    const played = playGraph({
      at: [0],
      timeoutMs: 50,
      propagatesDeadline: true,
      graph: [{ work: 60, steps: [call(1)] }, {}],
      calls: [{ from: 0, to: 1 }],
    });
    expect(onEdge(played, 1)).toEqual([]);
    expect(endsOn(played, 1)).toEqual({ timeout: 1 });
  });
});

describe('a service that drops what has expired', () => {
  test('does so when it would begin the work, and goes on with the next', () => {
    // 0–30; the second and third (timeout 20) have expired at 30; the fourth begins then.
    const setup = { at: [0, 1, 2, 25], work: 30, timeoutMs: 35, propagatesDeadline: true };
    const [first, second] = [true, false].map((dropsExpired) =>
      playGraph({ ...setup, timeoutMs: 32, graph: [{ work: 30, dropsExpired }] }),
    );
    // Without: 0–30, 30–60 and so on in vain. With: the second has 3 left at 30 and begins; the third begins never, as at 60.
    expect(onEdge(first, 0)).toEqual([
      [0, 30, 'ok'],
      [1, 33, 'timeout'],
      [2, 34, 'timeout'],
      [25, 57, 'timeout'],
    ]);
    expect(first.instances[0].served).toBe(2);
    expect(second.instances[0].served).toBe(4);
  });

  test('also when it finds the slot free but comes too late', () => {
    // One way 8, timeout 5.
    const of = (dropsExpired: boolean) =>
      playGraph({
        at: [0],
        timeoutMs: 5,
        propagatesDeadline: true,
        network: { sameZone: constant(8) },
        graph: [{ dropsExpired }],
      }).instances[0].served;
    expect(of(false)).toBe(1);
    expect(of(true)).toBe(0);
  });

  test('needs to be told the deadline', () => {
    const played = playGraph({ at: [0, 1], timeoutMs: 32, graph: [{ work: 40, dropsExpired: true }] });
    expect(played.instances[0].served).toBe(2);
  });
});

describe('a request that is given up', () => {
  test('takes the work below it out, level by level, where services cancel', () => {
    const cancelling = levels.map((service) => ({ ...service, cancelAbandoned: true }));
    const played = playGraph({ at: [0], timeoutMs: 50, graph: cancelling, calls: chain });
    expect([0, 1, 2].map((edge) => endsOn(played, edge))).toEqual([{ timeout: 1 }, { cancelled: 1 }, { cancelled: 1 }]);
    expect(played.instances.map(({ utilization }) => Math.round(utilization * 1e6) / 1e6)).toEqual([0.05, 0.04, 0.03]);
  });

  test('stops being taken out where a service does not notice', () => {
    const deaf = levels.map((service, level) => ({ ...service, cancelAbandoned: level !== 1 }));
    const played = playGraph({ at: [0], timeoutMs: 50, graph: deaf, calls: chain });
    expect(endsOn(played, 1)).toEqual({ cancelled: 1 });
    expect(endsOn(played, 2)).toEqual({ inFlight: 1 });
  });

  test('is not taken in any more when it is on its way', () => {
    // Web 8–18 and calls at 18; given up at 20, which web hears of at once; the call arrives at 26.
    const cancelling = [{ steps: [call(1)] }, {}].map((service) => ({ ...service, cancelAbandoned: true }));
    const played = playGraph({
      at: [0],
      timeoutMs: 20,
      network: { sameZone: constant(8) },
      graph: cancelling,
      calls: [{ from: 0, to: 1 }],
    });
    expect(endsOn(played, 1)).toEqual({ cancelled: 1 });
    expect(played.instances[1].served).toBe(0);
  });
});

describe('one event that ends several requests of one caller', () => {
  // Whoever is in the middle of ending one must not find that another's end has ended it meanwhile. The caller makes several calls at
  // once to one instance that cancels what is abandoned, without a network: everything happens at one instant.
  const graph = (callee: GraphSetup['graph'][number]): GraphSetup['graph'] => [
    { steps: [call(1, { copies: 3 })] },
    { cancelAbandoned: true, ...callee },
  ];
  const calls = [{ from: 0, to: 1 }];
  const hurt = (atMs: number) => ({ ...crash(0, atMs, 10), targets: [{ service: 1, instance: 0 }] });

  test('a crash loses the first of three calls; the others are cancelled by their caller', () => {
    const played = playGraph({ at: [0], graph: graph({ work: 20 }), calls, faults: [hurt(15)] });
    expect(onEdge(played, 0)).toEqual([[0, 15, 'error']]);
    expect(endsOn(played, 1)).toEqual({ connectionLost: 1, cancelled: 2 });
  });

  test('the same where they wait for others outside their slots', () => {
    const played = playGraph({
      at: [0],
      graph: [
        ...graph({ work: 1, holdsSlot: false, slots: 3, steps: [call(2)] }),
        { work: 100, slots: 3, cancelAbandoned: true },
      ],
      calls: [...calls, { from: 1, to: 2 }],
      faults: [hurt(15)],
    });
    expect(onEdge(played, 0)).toEqual([[0, 15, 'error']]);
    expect(endsOn(played, 1)).toEqual({ connectionLost: 1, cancelled: 2 });
    expect(endsOn(played, 2)).toEqual({ cancelled: 3 });
  });

  test('an answer frees the slot, the queue gives up the second call, and so the caller the one just answered', () => {
    // Three calls with 15 each from 10 on; the first is served 10–30, late: expired at 25 is what waits. A queueing policy that drops
    // whatever has waited at all does it at 30, when the first is answered.
    const picky = () => ({
      byPriority: false,
      onEnqueue: () => {},
      takesNewest: () => false,
      onDequeue: (waitMs: number) => waitMs === 0,
    });
    const played = playGraph({ at: [0], graph: graph({ work: 20 }), calls, services: { 1: { queueing: picky } } });
    expect(onEdge(played, 0)).toEqual([[0, 30, 'error']]);
    const { ok, shed, cancelled } = endsOn(played, 1);
    // The first is answered well; of those given up the first fails the caller, which takes the other back or hears of it, too.
    expect(ok).toBe(1);
    expect(shed + (cancelled ?? 0)).toBe(2);
    expect(played.instances[1].served).toBe(1);
  });

  test('a call that times out frees its slot, the queue gives up another, and their caller fails once', () => {
    const picky = () => ({
      byPriority: false,
      onEnqueue: () => {},
      takesNewest: () => false,
      onDequeue: (waitMs: number) => waitMs === 0,
    });
    const played = playGraph({
      at: [0],
      graph: graph({ work: 20 }),
      calls: [{ from: 0, to: 1, timeoutMs: 15 }],
      services: { 1: { queueing: picky } },
    });
    expect(onEdge(played, 0)).toEqual([[0, 25, 'error']]);
    expect(endsOn(played, 1)['timeout']).toBe(1);
    expect(endsOn(played, 1)['cancelled']).toBe(2);
  });

  test('a connection given back sends the next call, which is refused, and their caller fails once', () => {
    // One connection for two calls; the callee has no place to wait while it serves the traffic's own request 5–45.
    const played = playGraph({
      at: [0],
      graph: [{ steps: [together([callOf(1), callOf(1)])] }, { work: 20, cancelAbandoned: true }],
      calls: [
        {
          from: 0,
          to: 1,
          pool: {
            connections: 1,
            streams: 1,
            pending: 9,
            roundTrips: 0,
            handshake: constant(0),
            keepAliveMs: Infinity,
            reuse: 'newest',
          },
        },
      ],
      services: { 1: { shedding: once } },
    });
    // The first is served 10–30; the second gets its connection then and is turned away at the door.
    expect(onEdge(played, 0)).toEqual([[0, 30, 'error']]);
    expect(endsOn(played, 1)).toEqual({ ok: 1, shed: 1 });
  });
});

/** A door that lets one request in. */
function once() {
  let left = 1;
  return { admit: () => left-- > 0, onEnd: () => {}, limit: () => 1 };
}
