/** Several attempts of one request at a time: when the next is sent, who wins, and what becomes of the others. */
import { describe, expect, test } from 'vitest';
import type { PipelineParts } from '../../../src/policies/pipeline/pipeline.ts';
import { quantileHedge } from '../../../src/policies/resilience/hedging/index.ts';
import { unusedRng } from '../fixtures.ts';
import { BookkeepingBudget, BookkeepingHedge, retrying } from './policies.ts';
import { picking, type Reply, World } from './world.ts';

/** Endpoint `a` takes the first of these times, `b` the second… and all end well, unless an outcome is given. */
const taking =
  (...replies: readonly (number | Reply)[]) =>
  ({ endpoint }: { readonly endpoint: number }): Reply => {
    const reply = replies[endpoint];
    return typeof reply === 'number' ? { outcome: 'ok', afterMs: reply } : reply;
  };
const run = (parts: Partial<PipelineParts>, ...replies: readonly (number | Reply)[]): World => {
  const world = new World({ reply: taking(...replies), parts });
  world.start();
  world.advance(1000);
  return world;
};

describe('a hedge', () => {
  test('is sent when the answer takes longer than the delay; the first good answer wins and the other is dropped', () => {
    const hedge = new BookkeepingHedge(30);
    expect(run({ hedge }, 100, 20).story).toEqual([
      '0 sent 0.0 to a',
      '30 sent 0.1 to b (hedge)',
      '50 ended 0.1 ok',
      '50 dropped 0.0',
      '50 finished 0 ok',
    ]);
    // The loser counts with the time it had by then: so slow it was at least.
    expect(hedge.log).toEqual(['request', 'hedge', 'latency 20', 'latency 50']);
  });

  test('may lose', () => {
    expect(run({ hedge: new BookkeepingHedge(30) }, 40, 20).story.slice(2)).toEqual([
      '40 ended 0.0 ok',
      '40 dropped 0.1',
      '40 finished 0 ok',
    ]);
  });

  test('is not sent when the answer comes before', () => {
    const world = run({ hedge: new BookkeepingHedge(30) }, 29);
    expect(world.story).toEqual(['0 sent 0.0 to a', '29 ended 0.0 ok', '29 finished 0 ok']);
    expect(world.timersArmed).toEqual([]);
  });

  test('is followed by another after the same time, as long as the policy wants more', () => {
    const story = run({ hedge: new BookkeepingHedge(30, { most: 3 }) }, 100, 100, 100).story;
    expect(story.filter((line) => line.includes('sent'))).toEqual([
      '0 sent 0.0 to a',
      '30 sent 0.1 to b (hedge)',
      '60 sent 0.2 to c (hedge)',
    ]);
    expect(story.slice(-4)).toEqual(['100 ended 0.0 ok', '100 dropped 0.2', '100 dropped 0.1', '100 finished 0 ok']);
  });

  test('goes to an endpoint that was not tried, also without a retry policy', () => {
    const world = new World({
      balancer: picking(0, 0, 0, 1),
      reply: taking(100, 10),
      parts: { hedge: new BookkeepingHedge(30) },
    });
    world.start();
    world.advance(1000);
    expect(world.story).toContain('30 sent 0.1 to b (hedge)');
  });

  test('is not sent when its own budget is empty, nor when the retry budget is', () => {
    const alone = run({ hedge: new BookkeepingHedge(30, { allows: () => false }) }, 100);
    expect(alone.story).toEqual(['0 sent 0.0 to a', '100 ended 0.0 ok', '100 finished 0 ok']);
    const budget = new BookkeepingBudget(() => false);
    expect(run({ hedge: new BookkeepingHedge(30), budget }, 100).story).toHaveLength(3);
    expect(budget.log).toEqual(['request, 1 active', 'denied, 1 active', 'success']);
  });

  test('is paid for from the retry budget and given back when it ends, also when it is dropped', () => {
    const budget = new BookkeepingBudget();
    run({ hedge: new BookkeepingHedge(30), budget }, 40, 100);
    expect(budget.log).toEqual(['request, 1 active', 'granted, 1 active', 'success', 'retry over']);
  });

  test('is never sent for a request that must not be worked on twice', () => {
    const world = new World({ reply: taking(100), parts: { hedge: new BookkeepingHedge(30) } });
    world.pipeline.setRepeatable(false);
    world.start();
    world.advance(1000);
    expect(world.story).toEqual(['0 sent 0.0 to a', '100 ended 0.0 ok', '100 finished 0 ok']);
  });

  test('comes when the policy has learnt how long most requests take', () => {
    // 110 requests, ten per second, those of the first slice of 10 s of 1 to 100 ms: in the second slice the delay is their 95th
    // percentile, 95 ms. The histogram behind it is exact to a few per cent.
    const hedge = quantileHedge.make({ maxExtraLoad: 0.05 }, { rng: unusedRng });
    const reply = ({ request }: { request: number }): Reply => ({
      outcome: 'ok',
      afterMs: request < 110 ? (request % 100) + 1 : 500,
    });
    const world = new World({ reply, parts: { hedge } });
    for (let i = 0; i < 110; i++) {
      world.start();
      world.advance(100);
    }
    world.start();
    world.advance(1000);
    const [first, second] = world.decisions.filter(({ kind, request }) => kind === 'sent' && request === 110);
    expect(second.atMs - first.atMs).toBeGreaterThan(90);
    expect(second.atMs - first.atMs).toBeLessThan(100);
  });
});

describe('a failure while attempts are out', () => {
  const error: Reply = { outcome: 'error', afterMs: 10 };

  test('is left alone until the last attempt has failed, and then tried again', () => {
    const world = run({ hedge: new BookkeepingHedge(5), retry: retrying([20]) }, error, { outcome: 'lost', afterMs: 30 }, 7);
    expect(world.story).toEqual([
      '0 sent 0.0 to a',
      '5 sent 0.1 to b (hedge)',
      '10 ended 0.0 error',
      '35 ended 0.1 lost',
      '55 sent 0.2 to c (retry)',
      '62 ended 0.2 ok',
      '62 finished 0 ok',
    ]);
  });

  test('does not end the request while another attempt may still answer', () => {
    expect(run({ hedge: new BookkeepingHedge(5) }, error, 30).results).toEqual(['ok']);
  });

  test('cancels the hedge that is not due yet: the retry takes its place', () => {
    const world = run({ hedge: new BookkeepingHedge(50), retry: retrying([20]) }, error, 10);
    expect(world.story.slice(1)).toEqual([
      '10 ended 0.0 error',
      '30 sent 0.1 to b (retry)',
      '40 ended 0.1 ok',
      '40 finished 0 ok',
    ]);
  });

  test('sends the next hedge at once where the policy says so, and the delay starts anew', () => {
    const hedge = new BookkeepingHedge(50, { most: 3, onFailure: true });
    expect(run({ hedge }, error, 100, 100).story).toEqual([
      '0 sent 0.0 to a',
      '10 ended 0.0 error',
      '10 sent 0.1 to b (hedge)',
      '60 sent 0.2 to c (hedge)',
      '110 ended 0.1 ok',
      '110 dropped 0.2',
      '110 finished 0 ok',
    ]);
  });

  test('counts against the retry budget also where only the hedging policy tries again', () => {
    const budget = new BookkeepingBudget();
    run({ hedge: new BookkeepingHedge(50, { onFailure: true }), budget }, error, 10);
    expect(budget.log).toEqual(['request, 1 active', 'failure', 'granted, 1 active', 'success', 'retry over']);
  });

  test('leaves the rest to the retry policy when the hedges are used up', () => {
    const hedge = new BookkeepingHedge(50, { most: 2, onFailure: true });
    const world = run({ hedge, retry: retrying([20]) }, error, error, 5);
    expect(world.story.filter((line) => line.includes('sent'))).toEqual([
      '0 sent 0.0 to a',
      '10 sent 0.1 to b (hedge)',
      '40 sent 0.2 to c (retry)',
    ]);
  });
});

describe('an answer that has begun', () => {
  test('wins then, not at its end: others are dropped and no hedge follows', () => {
    const hedge = new BookkeepingHedge(30, { most: 3 });
    const world = run({ hedge }, { outcome: 'ok', commitsAfterMs: 40, afterMs: 200 }, 100, 100);
    expect(world.story).toEqual([
      '0 sent 0.0 to a',
      '30 sent 0.1 to b (hedge)',
      '40 dropped 0.1',
      '200 ended 0.0 ok',
      '200 finished 0 ok',
    ]);
    expect(hedge.log).toEqual(['request', 'hedge', 'latency 10', 'latency 200']);
  });

  test('is not tried again when it breaks off, and has no attempt timeout any more', () => {
    const world = run(
      { retry: retrying([5, 5]), hedge: new BookkeepingHedge(150, { onFailure: true }), attemptTimeoutMs: 50 },
      { outcome: 'lost', commitsAfterMs: 40, afterMs: 100 },
    );
    expect(world.story).toEqual(['0 sent 0.0 to a', '100 ended 0.0 lost', '100 finished 0 lost']);
    expect(world.timersArmed).toEqual([]);
  });

  test('is still bounded by the timeout of the request', () => {
    const world = run({ retry: retrying([]), timeoutMs: 60 }, { outcome: 'ok', commitsAfterMs: 40, afterMs: 100 });
    expect(world.story).toEqual(['0 sent 0.0 to a', '60 dropped 0.0', '60 finished 0 timeout']);
  });
});
