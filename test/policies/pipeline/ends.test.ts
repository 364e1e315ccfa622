/** How requests end: by answers, by time, by their callers; in every phase, and always once. */
import { describe, expect, test } from 'vitest';
import { type Balancer, outcomes } from '../../../src/policies/balancing/balancer.ts';
import type { PipelineParts } from '../../../src/policies/pipeline/pipeline.ts';
import { BookkeepingBudget, BookkeepingHedge, retrying } from './policies.ts';
import { inTurn, type OutcomeName, type Reply, World } from './world.ts';

const silent = (): Reply => 'silence';

describe('the timeout of an attempt', () => {
  test('drops it, and its late answer is nobody’s', () => {
    const reply = ({ ordinal }: { ordinal: number }): Reply => ({ outcome: 'ok', afterMs: ordinal === 0 ? 60 : 45 });
    const world = new World({ reply, parts: { attemptTimeoutMs: 50, retry: retrying([5]) } });
    world.start();
    world.advance(200);
    expect(world.story).toEqual([
      '0 sent 0.0 to a',
      '50 dropped 0.0',
      '55 sent 0.1 to b (retry)',
      '100 ended 0.1 ok',
      '100 finished 0 ok',
    ]);
    expect([...world.endpoints.table.active.subarray(0, 3)]).toEqual([0, 0, 0]);
  });

  test('is one attempt’s alone: others that are out go on', () => {
    const reply = ({ ordinal }: { ordinal: number }): Reply => (ordinal === 0 ? 'silence' : { outcome: 'ok', afterMs: 40 });
    const world = new World({ reply, parts: { attemptTimeoutMs: 50, hedge: new BookkeepingHedge(30) } });
    world.start();
    world.advance(200);
    expect(world.story.slice(2)).toEqual(['50 dropped 0.0', '70 ended 0.1 ok', '70 finished 0 ok']);
  });

  test('ends the request as a timeout when nothing follows', () => {
    const world = new World({ reply: silent, parts: { attemptTimeoutMs: 50, retry: retrying([5], ['error']) } });
    world.start();
    world.advance(200);
    expect(world.story).toEqual(['0 sent 0.0 to a', '50 dropped 0.0', '50 finished 0 timeout']);
  });
});

describe('the timeout of a request', () => {
  test('is one for all attempts together', () => {
    const world = new World({ reply: silent, parts: { timeoutMs: 80, attemptTimeoutMs: 30, retry: retrying([5, 5, 5]) } });
    world.start();
    world.advance(200);
    expect(world.story).toEqual([
      '0 sent 0.0 to a',
      '30 dropped 0.0',
      '35 sent 0.1 to b (retry)',
      '65 dropped 0.1',
      '70 sent 0.2 to c (retry)',
      '80 dropped 0.2',
      '80 finished 0 timeout',
    ]);
  });

  test('is the smaller of the client’s own and what the caller has left', () => {
    const timeoutOf = (leftMs: number, parts: Partial<PipelineParts>): number => {
      const world = new World({ reply: silent, parts: { timeoutMs: 80, hasDeadlines: true, ...parts } });
      world.start(leftMs);
      world.advance(200);
      expect(world.results).toEqual(['timeout']);
      return Number(world.story.at(-1)!.split(' ')[0]);
    };
    for (const parts of [{}, { retry: retrying([]) }]) {
      expect([timeoutOf(Infinity, parts), timeoutOf(100, parts), timeoutOf(20, parts)]).toEqual([80, 80, 20]);
    }
  });
});

describe('a caller that leaves', () => {
  const cancelledAt = (ms: number, reply: (sending: { ordinal: number }) => Reply, parts: Partial<PipelineParts>): World => {
    const world = new World({ reply, parts });
    world.start();
    world.advance(ms);
    world.cancel(0);
    world.advance(500);
    expect(world.results).toEqual(['cancelled']);
    expect(world.timersArmed).toEqual([]);
    expect(world.violations).toEqual([]);
    expect([...world.endpoints.table.active.subarray(0, 3)]).toEqual([0, 0, 0]);
    return world;
  };
  const failing = (): Reply => ({ outcome: 'error', afterMs: 10 });

  test('while an attempt is out: it is dropped', () => {
    expect(cancelledAt(20, silent, {}).story).toEqual(['0 sent 0.0 to a', '20 dropped 0.0', '20 finished 0 cancelled']);
    expect(cancelledAt(20, silent, { retry: retrying([]), timeoutMs: 50 }).story).toHaveLength(3);
  });

  test('while several are out: all of them are', () => {
    const { story } = cancelledAt(40, silent, { hedge: new BookkeepingHedge(30), attemptTimeoutMs: 100 });
    expect(story.slice(2)).toEqual(['40 dropped 0.1', '40 dropped 0.0', '40 finished 0 cancelled']);
  });

  test('during the back-off: nothing more is sent', () => {
    expect(cancelledAt(20, failing, { retry: retrying([50]) }).story.at(-1)).toBe('20 finished 0 cancelled');
  });

  test('before a hedge is due: it is not sent', () => {
    expect(cancelledAt(20, silent, { hedge: new BookkeepingHedge(30) }).story).toHaveLength(3);
  });

  test('while the fallback is prepared: it is not waited for', () => {
    expect(cancelledAt(20, failing, { fallback: { on: ['error'], takesMs: 50 } }).story.at(-1)).toBe('20 finished 0 cancelled');
  });
});

describe('answers that come before send returns', () => {
  test('are as good as others', () => {
    const reply = ({ ordinal }: { ordinal: number }): Reply => ({ outcome: (['error', 'lost', 'ok'] as const)[ordinal] });
    const budget = new BookkeepingBudget();
    const parts = { retry: retrying([0, 0]), budget, hedge: new BookkeepingHedge(30), timeoutMs: 100, attemptTimeoutMs: 50 };
    const world = new World({ reply, parts });
    world.start();
    expect(world.story.map((line) => line.slice(2))).toEqual([
      'sent 0.0 to a',
      'ended 0.0 error',
      'sent 0.1 to b (retry)',
      'ended 0.1 lost',
      'sent 0.2 to c (retry)',
      'ended 0.2 ok',
      'finished 0 ok',
    ]);
    expect(world.timersArmed).toEqual([]);
    expect(world.violations).toEqual([]);
    expect(budget.open).toBe(0);
  });
});

describe('numbers of requests and attempts', () => {
  test('can be used again without a trace of who had them before', () => {
    const storyOf = (world: World, request: number): string[] => {
      world.start();
      const fromMs = world.nowMs;
      world.advance(500);
      return world.decisions
        .filter((decision) => decision.request === request)
        .map((decision) => `${decision.atMs - fromMs} ${decision.kind} ${'attempt' in decision ? decision.attempt : ''}`);
    };
    const reply = ({ ordinal }: { ordinal: number }): Reply => (ordinal < 2 ? 'silence' : { outcome: 'ok', afterMs: 10 });
    const parts = { retry: retrying([5, 20]), hedge: new BookkeepingHedge(30), attemptTimeoutMs: 50, timeoutMs: 400 };
    const world = new World({ reply, parts });
    const first = storyOf(world, 0);
    for (let request = 1; request < 5; request++) expect(storyOf(world, request)).toEqual(first);
    expect(first.at(-1)).toMatch(/finished/);
    expect(world.attempts.request.length).toBeLessThanOrEqual(4);
  });
});

describe('a pipeline without policies', () => {
  test('makes the same calls as a full one whose policies never act', () => {
    const outcomesInTurn: readonly (OutcomeName | 'silence')[] = [
      'ok',
      'error',
      'silence',
      'refused',
      'lost',
      'ok',
      'shed',
      'silence',
    ];
    const callsOf = (parts: Partial<PipelineParts>): { calls: readonly string[]; heard: readonly string[] } => {
      const heard: string[] = [];
      const turn = inTurn();
      let picks = 0;
      const balancer: Balancer = {
        update: (view, nowMs) => turn.update(view, nowMs),
        pick: (context) => (++picks === 10 ? -1 : turn.pick(context)),
        onStart: (slot, nowMs) => heard.push(`start ${slot} ${nowMs}`),
        onEnd: (slot, nowMs, latencyMs, outcome) => heard.push(`end ${slot} ${nowMs} ${latencyMs} ${outcome}`),
      };
      const reply = ({ request }: { request: number }): Reply => {
        const outcome = outcomesInTurn[request % outcomesInTurn.length];
        return outcome === 'silence' ? 'silence' : { outcome, afterMs: 3 + request };
      };
      const world = new World({ balancer, reply, parts: { timeoutMs: 30, hasDeadlines: true, ...parts } });
      for (let request = 0; request < 24; request++) {
        world.start(request % 5 === 4 ? 12 : Infinity);
        world.advance(7);
        if (request % 7 === 6) world.cancel(request);
      }
      world.advance(200);
      expect(world.violations).toEqual([]);
      expect(new Set(world.results)).toEqual(
        new Set(['ok', 'error', 'timeout', 'refused', 'lost', 'shed', 'cancelled', 'noEndpoint']),
      );
      return { calls: lasting(world.calls), heard };
    };
    const full = callsOf({ retry: retrying([]) });
    const plain = callsOf({});
    expect(plain).toEqual(full);
    expect(plain.heard.filter((line) => line.endsWith(` ${outcomes.timeout}`)).length).toBeGreaterThan(2);
  });
});

/** Without timers that were set and cancelled in the same breath. */
const lasting = (calls: readonly string[]): readonly string[] =>
  calls.filter((call, i) => !isSetAndCancelled(call, calls[i + 1]) && !isSetAndCancelled(calls[i - 1], call));

const isSetAndCancelled = (call = '', next = ''): boolean =>
  call.split(' ')[1] === 'armTimeout' && next === `${call.split(' ')[0]} cancel request ${call.split(' ')[2]}`;
