/** What may keep a request or an attempt from being sent: admission control, circuit breakers, deadlines; and what stands in for it. */
import { describe, expect, test } from 'vitest';
import { breakers } from '../../../src/policies/resilience/breakers/index.ts';
import { unusedRng } from '../fixtures.ts';
import { BookkeepingAdmission, BookkeepingBreaker, BookkeepingBudget, BookkeepingHedge, retrying } from './policies.ts';
import { type OutcomeName, picking, type Reply, World } from './world.ts';

const always =
  (outcome: OutcomeName, afterMs = 10): (() => Reply) =>
  () => ({ outcome, afterMs });

describe('a circuit breaker', () => {
  test('hears of every attempt once, with its duration', () => {
    const breaker = new BookkeepingBreaker();
    const reply = ({ ordinal }: { ordinal: number }): Reply => ({
      outcome: ordinal === 0 ? 'error' : 'ok',
      afterMs: 10 + ordinal,
    });
    const world = new World({ reply, parts: { breaker, retry: retrying([5]) } });
    world.start();
    world.advance(100);
    expect(breaker.log).toEqual(['permit 0', '0 bad after 10', 'permit 1', '1 good after 11']);
  });

  test('takes timeouts of the attempt and of the request for failures, and gets other permits back', () => {
    const breaker = new BookkeepingBreaker();
    const parts = { breaker, attemptTimeoutMs: 30, timeoutMs: 50, retry: retrying([0]) };
    const world = new World({ reply: () => 'silence', parts });
    world.start();
    world.advance(100);
    expect(breaker.log).toEqual(['permit 0', '0 bad after 30', 'permit 1', '1 bad after 20']);
    world.start();
    world.advance(10);
    world.cancel(1);
    expect(breaker.log.slice(4)).toEqual(['permit 2', '2 released']);
  });

  test('gets the permit of a loser back', () => {
    const breaker = new BookkeepingBreaker();
    const reply = ({ ordinal }: { ordinal: number }): Reply => ({ outcome: 'ok', afterMs: ordinal === 0 ? 100 : 10 });
    const world = new World({ reply, parts: { breaker, hedge: new BookkeepingHedge(30) } });
    world.start();
    world.advance(200);
    expect(breaker.log).toEqual(['permit 0', 'permit 1', '1 good after 10', '0 released']);
  });

  test('that is open turns the request away without an attempt', () => {
    const world = new World({ parts: { breaker: new BookkeepingBreaker(() => false) } });
    world.start();
    expect(world.story).toEqual(['0 finished 0 circuitOpen']);
    expect(world.endpoints.table.active[0]).toBe(0);
  });

  test('that opens in between turns the retry away, and the retry’s grant goes back', () => {
    let isOpen = false;
    const breaker = new BookkeepingBreaker(() => !isOpen);
    const budget = new BookkeepingBudget();
    const world = new World({ reply: always('error'), parts: { breaker, budget, retry: retrying([5, 5]) } });
    world.start();
    world.advance(12);
    isOpen = true;
    world.advance(100);
    expect(world.story.slice(-1)).toEqual(['15 finished 0 circuitOpen']);
    expect(budget.log.slice(-2)).toEqual(['granted, 1 active', 'retry over']);
  });

  test('is not asked where there is no endpoint', () => {
    const breaker = new BookkeepingBreaker();
    const world = new World({ endpoints: 0, parts: { breaker } });
    world.start();
    expect(breaker.log).toEqual([]);
  });

  test('that turns a hedge away leaves the first attempt alone', () => {
    let permits = 1;
    const breaker = new BookkeepingBreaker(() => permits-- > 0);
    const world = new World({ reply: always('ok', 100), parts: { breaker, hedge: new BookkeepingHedge(30) } });
    world.start();
    world.advance(200);
    expect(world.story).toEqual(['0 sent 0.0 to a', '100 ended 0.0 ok', '100 finished 0 ok']);
  });

  test('of the table opens, stays open, lets one through, and closes', () => {
    // Opens after more than 2 failures in a row, for 60 ms; then one call decides.
    const breaker = breakers.gobreaker.make({ consecutiveFailures: 2, timeout: 60, maxRequests: 1 }, { rng: unusedRng });
    let outcome: OutcomeName = 'error';
    const world = new World({ reply: () => ({ outcome, afterMs: 10 }), parts: { breaker } });
    const outcomes = (times: number, everyMs: number): void => {
      for (let i = 0; i < times; i++) {
        world.start();
        world.advance(everyMs);
      }
    };
    outcomes(4, 10);
    // The third failure, at 30, opens it until 90. Two asked at 100 and 105: the first holds the only permit until 110.
    world.advance(60);
    outcome = 'ok';
    outcomes(2, 5);
    outcomes(1, 20);
    expect(world.results).toEqual(['error', 'error', 'error', 'circuitOpen', 'ok', 'circuitOpen', 'ok']);
  });
});

describe('admission control', () => {
  test('is asked once per request and told its end once, however many attempts it took', () => {
    const admission = new BookkeepingAdmission();
    const reply = ({ ordinal }: { ordinal: number }): Reply => ({ outcome: ordinal === 0 ? 'error' : 'ok', afterMs: 10 });
    const world = new World({ reply, parts: { admission, retry: retrying([5]) } });
    world.pipeline.setClass(2, 3, 4);
    world.start();
    world.pipeline.setClass(0, 1, 0);
    world.start();
    world.advance(100);
    expect(admission.log).toEqual([
      'admitted 2/3/4 beside 0',
      'admitted 0/1/0 beside 1',
      'ok after 25, one of 1, class 3',
      'ok after 25, one of 2, class 1',
    ]);
  });

  test('that refuses sheds the request: nothing is sent, and nobody is told of an end', () => {
    const admission = new BookkeepingAdmission(() => false);
    const budget = new BookkeepingBudget();
    const world = new World({ parts: { admission, budget, timeoutMs: 50, retry: retrying([5], ['shed']) } });
    world.start();
    expect(world.story).toEqual(['0 finished 0 shed']);
    expect(admission.log).toEqual(['turned away 0/0/0 beside 0']);
    expect(budget.log).toEqual([]);
    expect(world.pipeline.active).toBe(0);
  });

  test('learns what ends say about load', () => {
    const endOf = (reply: Reply, balancer = picking(0)): string => {
      const admission = new BookkeepingAdmission();
      const world = new World({ balancer, reply: () => reply, parts: { admission, timeoutMs: 50 } });
      world.start();
      world.advance(100);
      return admission.log[1].split(' ')[0];
    };
    const ended = (outcome: OutcomeName): string => endOf({ outcome, afterMs: 10 });
    expect([ended('ok'), ended('error'), ended('lost')]).toEqual(['ok', 'failed', 'failed']);
    expect([endOf('silence'), ended('refused'), ended('shed')]).toEqual(['dropped', 'dropped', 'dropped']);
    expect(endOf('silence', picking(-1))).toBe('ignored');
  });

  test('counts a request until its end, not its fallback’s', () => {
    const admission = new BookkeepingAdmission();
    const world = new World({ reply: always('error'), parts: { admission, fallback: { on: ['error'], takesMs: 20 } } });
    world.start();
    world.advance(15);
    expect(admission.open).toBe(0);
    expect(world.pipeline.active).toBe(0);
  });
});

describe('a fallback', () => {
  test('stands in for the results it names, after its time', () => {
    const world = new World({ reply: always('error'), parts: { fallback: { on: ['error'], takesMs: 20 } } });
    world.start();
    world.advance(100);
    expect(world.story).toEqual(['0 sent 0.0 to a', '10 ended 0.0 error', '30 finished 0 ok (fallback)']);
  });

  test('stands in at once where it takes no time, and for what was never sent', () => {
    const breaker = new BookkeepingBreaker(() => false);
    const world = new World({ parts: { breaker, fallback: { on: ['circuitOpen'], takesMs: 0 } } });
    world.start();
    expect(world.story).toEqual(['0 finished 0 ok (fallback)']);
  });

  test('leaves other results as they are', () => {
    const world = new World({ reply: always('lost'), parts: { fallback: { on: ['error'], takesMs: 20 } } });
    world.start();
    world.advance(100);
    expect(world.results).toEqual(['lost']);
  });

  test('is not bound by the deadline, but by the caller’s patience', () => {
    const parts = { timeoutMs: 30, fallback: { on: ['timeout'], takesMs: 20 } };
    const world = new World({ reply: () => 'silence', parts });
    world.start();
    world.advance(45);
    world.start();
    world.advance(40);
    world.cancel(1);
    world.advance(100);
    expect(world.story.filter((line) => line.includes('finished'))).toEqual([
      '50 finished 0 ok (fallback)',
      '85 finished 1 cancelled',
    ]);
    expect(world.timersArmed).toEqual([]);
  });
});

describe('a request without time left', () => {
  test('is not sent, not admitted, and may fall back', () => {
    const admission = new BookkeepingAdmission();
    const world = new World({ parts: { admission, hasDeadlines: true } });
    world.start(0);
    expect(world.story).toEqual(['0 finished 0 timeout']);
    expect(admission.log).toEqual([]);
    const other = new World({ parts: { hasDeadlines: true, fallback: { on: ['timeout'], takesMs: 0 } } });
    other.start(0);
    expect(other.story).toEqual(['0 finished 0 ok (fallback)']);
  });
});
