/** What is tried again, when, and where; and what a retry budget is told. */
import { describe, expect, test } from 'vitest';
import { BookkeepingBudget, retrying } from './policies.ts';
import { type OutcomeName, picking, type Reply, World } from './world.ts';

/** Each attempt, counted over all requests, is answered by the next of these after 10 ms. */
const answering = (...outcomes: readonly (OutcomeName | 'silence')[]): (() => Reply) => {
  let next = 0;
  return () => {
    const outcome = outcomes[next++];
    return outcome === 'silence' ? 'silence' : { outcome, afterMs: 10 };
  };
};

describe('a failed attempt', () => {
  test('is tried again after the back-off, until one succeeds', () => {
    const world = new World({ reply: answering('error', 'lost', 'ok'), parts: { retry: retrying([5, 20]) } });
    world.start();
    world.advance(100);
    expect(world.story).toEqual([
      '0 sent 0.0 to a',
      '10 ended 0.0 error',
      '15 sent 0.1 to b (retry)',
      '25 ended 0.1 lost',
      '45 sent 0.2 to c (retry)',
      '55 ended 0.2 ok',
      '55 finished 0 ok',
    ]);
  });

  test('is tried again without a timer where there is no wait', () => {
    const world = new World({ reply: answering('error', 'ok'), parts: { retry: retrying([0]) } });
    world.start();
    world.advance(100);
    expect(world.story.slice(1, 3)).toEqual(['10 ended 0.0 error', '10 sent 0.1 to b (retry)']);
    expect(world.calls.filter((call) => call.includes('Next'))).toEqual([]);
  });

  test('ends the request with its own outcome when the retries are used up', () => {
    const world = new World({ reply: answering('error', 'refused', 'lost'), parts: { retry: retrying([5, 5]) } });
    world.start();
    world.advance(100);
    expect(world.story.slice(-2)).toEqual(['40 ended 0.2 lost', '40 finished 0 lost']);
  });

  test('ends the request when its outcome is not among those to retry', () => {
    for (const outcome of ['error', 'refused', 'lost', 'shed'] as const) {
      const others = (['error', 'refused', 'lost', 'shed'] as const).filter((each) => each !== outcome);
      const one = new World({ reply: answering(outcome, 'ok'), parts: { retry: retrying([5], others) } });
      one.start();
      one.advance(100);
      expect(one.results).toEqual([outcome]);
      const two = new World({ reply: answering(outcome, 'ok'), parts: { retry: retrying([5], [outcome]) } });
      two.start();
      two.advance(100);
      expect(two.results).toEqual(['ok']);
    }
  });

  test('tells the back-off which retry it is, the wait before, and all waits so far', () => {
    const retry = retrying([5, 20, 7]);
    const world = new World({ reply: answering('error', 'error', 'error', 'error'), parts: { retry } });
    world.start();
    world.advance(200);
    expect(retry.asked).toEqual(['1 after 0, 0 in all', '2 after 5, 5 in all', '3 after 20, 25 in all']);
  });

  test('is not tried again where the retry would start at the deadline or after it', () => {
    // The first ends at 10: a wait of 20 reaches the deadline of 30, one of 19 does not.
    for (const [waitMs, result] of [
      [19, 'ok'],
      [20, 'error'],
      [21, 'error'],
    ] as const) {
      const budget = new BookkeepingBudget();
      const parts = { retry: retrying([waitMs]), budget, timeoutMs: 30 };
      const reply = (): Reply => ({ outcome: world.calls.length < 4 ? 'error' : 'ok', afterMs: world.nowMs === 0 ? 10 : 0 });
      const world: World = new World({ reply, parts });
      world.start();
      world.advance(100);
      expect(world.results).toEqual([result]);
      expect(budget.log.filter((line) => line.startsWith('granted'))).toHaveLength(result === 'ok' ? 1 : 0);
    }
  });

  test('is not tried again after the deadline that the caller handed down', () => {
    const world = new World({ reply: answering('error', 'error', 'ok'), parts: { retry: retrying([5]), hasDeadlines: true } });
    world.start(15);
    world.start(16);
    world.advance(100);
    expect(world.story.filter((line) => line.includes('retry'))).toEqual(['15 sent 1.1 to c (retry)']);
  });
});

describe('without an endpoint', () => {
  test('the request fails at once, or is tried again if the policy says so', () => {
    const plain = new World({ endpoints: 0 });
    plain.start();
    expect(plain.story).toEqual(['0 finished 0 noEndpoint']);
    const world = new World({ endpoints: 0, parts: { retry: retrying([5], ['noEndpoint']) } });
    world.start();
    world.endpoints.add('late', {}, 0);
    world.advance(100);
    expect(world.story).toEqual(['5 sent 0.0 to late', '5 ended 0.0 ok', '5 finished 0 ok']);
  });

  test('a retry of what was never sent still picks by its own key', () => {
    const balancer = picking(-1, 1, 0);
    const world = new World({ balancer, parts: { retry: retrying([5], ['noEndpoint']) } });
    world.pipeline.setHash(7, 8);
    world.start();
    world.pipeline.setHash(1, 2);
    world.start();
    world.advance(100);
    expect(balancer.contexts).toEqual(['0 7:8', '0 1:2', '0 7:8']);
  });
});

describe('the endpoint of a retry', () => {
  test('is one not tried before, if the balancer offers one within the picks allowed', () => {
    const balancer = picking(0, 0, 0, 1, 0, 1, 2);
    const world = new World({ balancer, reply: answering('error', 'error', 'ok'), parts: { retry: retrying([5, 5]) } });
    world.start();
    world.advance(100);
    expect(world.story.filter((line) => line.includes('sent'))).toEqual([
      '0 sent 0.0 to a',
      '15 sent 0.1 to b (retry)',
      '30 sent 0.2 to c (retry)',
    ]);
  });

  test('is the last one offered when all were tried before', () => {
    const retry = { ...retrying([5]), hostSelectionRetries: 2 };
    const balancer = picking(0, 0, 0, 0, 1);
    const world = new World({ balancer, reply: answering('error', 'ok'), parts: { retry } });
    world.start();
    world.advance(100);
    expect(world.story).toContain('15 sent 0.1 to a (retry)');
    expect(balancer.contexts).toHaveLength(4);
  });

  test('is picked with the attempt’s number and the request’s own key, whatever came between', () => {
    const balancer = picking(0, 1, 2, 0);
    const world = new World({ balancer, reply: answering('error', 'error', 'ok', 'ok'), parts: { retry: retrying([5]) } });
    world.pipeline.setHash(3, 4);
    world.start();
    world.pipeline.clearHash();
    world.start();
    world.advance(100);
    expect(balancer.contexts).toEqual(['0 3:4', '0 -', '1 3:4', '1 -']);
  });

  test('counts as without endpoint when it is outside the view, which is reported', () => {
    const world = new World({ balancer: picking(17), parts: { retry: retrying([]) } });
    world.start();
    expect(world.story).toEqual(['0 invalid pick 17 for 0', '0 finished 0 noEndpoint']);
  });
});

describe('a request that must not be worked on twice', () => {
  test('is tried again only where surely nobody has worked on it', () => {
    const on = ['error', 'timeout', 'refused', 'lost', 'shed'] as const;
    const resultAfter = (outcome: OutcomeName | 'silence'): string => {
      const world = new World({ reply: answering(outcome, 'ok'), parts: { retry: retrying([5], on), attemptTimeoutMs: 50 } });
      world.pipeline.setRepeatable(false);
      world.start();
      world.advance(200);
      return world.results[0];
    };
    expect([...(['error', 'lost', 'silence', 'refused', 'shed'] as const)].map(resultAfter)).toEqual([
      'error',
      'lost',
      'timeout',
      'ok',
      'ok',
    ]);
  });
});

describe('a retry budget', () => {
  test('is told of requests, failures, retries and successes, each once and in order', () => {
    const budget = new BookkeepingBudget();
    const world = new World({ reply: answering('error', 'lost', 'ok'), parts: { retry: retrying([5, 5]), budget } });
    world.start();
    world.advance(100);
    expect(budget.log).toEqual([
      'request, 1 active',
      'failure',
      'granted, 1 active',
      'retry over',
      'failure',
      'granted, 1 active',
      'success',
      'retry over',
    ]);
    expect(budget.open).toBe(0);
  });

  test('that denies ends the request with what the attempt came to', () => {
    const budget = new BookkeepingBudget(() => false);
    const world = new World({ reply: answering('error'), parts: { retry: retrying([5]), budget } });
    world.start();
    world.advance(100);
    expect(budget.log).toEqual(['request, 1 active', 'failure', 'denied, 1 active']);
    expect(world.story).toEqual(['0 sent 0.0 to a', '10 ended 0.0 error', '10 finished 0 error']);
  });

  test('is not told of failures that nobody would try again', () => {
    const budget = new BookkeepingBudget();
    const world = new World({ reply: answering('shed'), parts: { retry: retrying([5]), budget } });
    world.start();
    world.advance(100);
    expect(budget.log).toEqual(['request, 1 active']);
  });

  test('gets its grant back when the caller leaves during the back-off', () => {
    const budget = new BookkeepingBudget();
    const world = new World({ reply: answering('error'), parts: { retry: retrying([50]), budget } });
    world.start();
    world.advance(20);
    expect(budget.open).toBe(1);
    world.cancel(0);
    expect(budget.log.slice(-2)).toEqual(['granted, 1 active', 'retry over']);
    expect(world.story.at(-1)).toBe('20 finished 0 cancelled');
    expect(world.timersArmed).toEqual([]);
  });

  test('gets its grant back when there is no endpoint for the retry', () => {
    const budget = new BookkeepingBudget();
    const world = new World({ balancer: picking(0, -1), reply: answering('error'), parts: { retry: retrying([5]), budget } });
    world.start();
    world.advance(100);
    expect(budget.log.slice(2)).toEqual(['granted, 1 active', 'retry over']);
    expect(world.results).toEqual(['noEndpoint']);
  });
});
