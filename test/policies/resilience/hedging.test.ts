import { describe, expect, it } from 'vitest';
import * as hedging from '../../../src/policies/resilience/hedging/index.ts';
import { type Hedge, hedges } from '../../../src/policies/resilience/hedging/index.ts';
import {
  exponentialTail,
  fanOutProbability,
  hedgedTail,
  hedgeExtraLoad,
} from '../../../src/policies/resilience/hedging/parts/closed-forms.ts';
import { heapGrowth } from '../../contracts/heap.ts';
import { testRng, unusedRng } from '../fixtures.ts';

const deps = { rng: unusedRng };

describe('the table of hedging policies', () => {
  it('exports each under its name in camel case with the family at the end', () => {
    for (const [name, definition] of Object.entries(hedges)) {
      expect((hedging as Record<string, unknown>)[`${name}Hedge`]).toBe(definition);
      expect(definition.name).toBe(name);
      expect(definition.family).toBe('hedging');
    }
  });
});

describe('delay', () => {
  it('sends one more attempt after two seconds, as Polly does', () => {
    const hedge = hedging.delayHedge.make({}, deps);
    expect([1, 2, 3].map((sent) => hedge.delayMs(sent, 0))).toEqual([2000, Infinity, Infinity]);
    expect(hedge.onFailure).toBe(true);
  });

  it('sends as many as it is told', () => {
    const hedge = hedging.delayHedge.make({ delay: 50, maxHedgedAttempts: 3, onFailure: false }, deps);
    expect([1, 2, 3, 4].map((sent) => hedge.delayMs(sent, 0))).toEqual([50, 50, 50, Infinity]);
    expect(hedge.onFailure).toBe(false);
  });
});

describe('grpc', () => {
  it('counts the first attempt among its maximum and sends the next at once after a failure', () => {
    const hedge = hedging.grpcHedge.make({ maxAttempts: 3 }, deps);
    expect([1, 2, 3].map((sent) => hedge.delayMs(sent, 0))).toEqual([500, 500, Infinity]);
    expect(hedge.onFailure).toBe(true);
  });
});

describe('quantile', () => {
  /** Latencies whose quantiles are those of the law with this inverse distribution function, in an order that mixes them, 1000 per slice of
   *  ten seconds. */
  function feed(hedge: Hedge, inverse: (p: number) => number, fromMs: number, slices: number): void {
    for (let slice = 0; slice < slices; slice++) {
      for (let i = 0; i < 1000; i++) {
        const nowMs = fromMs + 10_000 * slice + 10 * i;
        hedge.onRequest(nowMs);
        hedge.onLatency(inverse((((i * 617) % 1000) + 0.5) / 1000), nowMs);
      }
    }
  }
  const exponential = (p: number): number => -100 * Math.log(1 - p);

  it('waits for the quantile that its extra load leaves: p95 of exponential latencies at 5 %', () => {
    const hedge = hedging.quantileHedge.make({}, deps);
    feed(hedge, exponential, 0, 3);
    // −100 ln 0.05 = 299.6 ms, from above by less than the 0.8 % of a bucket and the half of a thousandth of a rank.
    const ms = hedge.delayMs(1, 30_000);
    expect(ms).toBeGreaterThan(298);
    expect(ms).toBeLessThan(303);
    expect(hedge.delayMs(2, 30_000)).toBe(Infinity);
  });

  it.each([0.5, 0.1, 0.01])('follows the share of extra load: %d', (maxExtraLoad) => {
    const hedge = hedging.quantileHedge.make({ maxExtraLoad }, deps);
    feed(hedge, exponential, 0, 1);
    const exact = -100 * Math.log(maxExtraLoad);
    expect(Math.abs(hedge.delayMs(1, 10_000) / exact - 1)).toBeLessThan(0.015);
  });

  it('sends nothing before it has seen a full slice, and again after a long silence', () => {
    const hedge = hedging.quantileHedge.make({}, deps);
    feed(hedge, exponential, 0, 1);
    expect(hedge.delayMs(1, 9999)).toBe(Infinity);
    expect(hedge.delayMs(1, 10_000)).toBeLessThan(400);
    expect(hedge.delayMs(1, 39_999)).toBeLessThan(400);
    expect(hedge.delayMs(1, 40_000)).toBe(Infinity);
    feed(hedge, exponential, 100_000, 1);
    expect(hedge.delayMs(1, 110_000)).toBeLessThan(400);
  });

  it('follows latency as it shifts and forgets what is older than three slices', () => {
    const hedge = hedging.quantileHedge.make({}, deps);
    feed(hedge, (p) => 10 * exponential(p) * 0.5, 0, 3);
    expect(hedge.delayMs(1, 30_000)).toBeGreaterThan(1400);
    feed(hedge, exponential, 30_000, 3);
    expect(hedge.delayMs(1, 60_000)).toBeLessThan(303);
  });

  it('waits a millisecond at least, and does not hedge what it takes for hopeless', () => {
    const fast = hedging.quantileHedge.make({}, deps);
    feed(fast, () => 0, 0, 1);
    expect(fast.delayMs(1, 10_000)).toBe(1);
    const slow = hedging.quantileHedge.make({}, deps);
    feed(slow, () => 2500, 0, 1);
    expect(slow.delayMs(1, 10_000)).toBe(Infinity);
  });

  it('starts its slices with the first thing it hears, whatever the clock says', () => {
    const hedge = hedging.quantileHedge.make({}, deps);
    feed(hedge, exponential, 987_654_321, 1);
    expect(hedge.delayMs(1, 987_664_320)).toBe(Infinity);
    expect(hedge.delayMs(1, 987_664_321)).toBeLessThan(303);
  });

  it('hedges one request in twenty and no more when all of them are slow', () => {
    const hedge = hedging.quantileHedge.make({}, deps);
    let granted = 0;
    for (let i = 0; i < 1000; i++) {
      hedge.onRequest(i);
      if (hedge.tryHedge(i)) granted++;
    }
    expect(granted).toBe(50);
  });

  it('allocates nothing per latency', () => {
    const hedge = hedging.quantileHedge.make({}, deps);
    let now = 0;
    const run = (): number => {
      let count = 0;
      for (let i = 0; i < 20_000; i++) {
        now += 7;
        hedge.onRequest(now);
        hedge.onLatency(i & 255, now);
        if (hedge.tryHedge(now)) count++;
      }
      return count;
    };
    const allowed = 8 * 20_000;
    expect(heapGrowth(run, allowed)).toBeLessThan(allowed);
  });
});

describe('the closed forms', () => {
  it('give the figures of The Tail at Scale: 63 % of requests to a hundred servers are slow if one in a hundred answers is', () => {
    expect(fanOutProbability(0.01, 100)).toBeCloseTo(0.634, 3);
    expect(fanOutProbability(0.0001, 2000)).toBeCloseTo(0.181, 3);
    expect(fanOutProbability(0, 100)).toBe(0);
    expect(fanOutProbability(1, 3)).toBe(1);
  });

  it('keep the tail of one attempt until the hedge is sent', () => {
    const tail = exponentialTail(100);
    expect(hedgedTail(tail, 99, 100)).toBe(tail(99));
    expect(hedgedTail(tail, 100, 100)).toBe(tail(100));
    expect(hedgedTail(tail, 300, Infinity)).toBe(tail(300));
    expect(hedgeExtraLoad(tail, Infinity)).toBe(0);
  });

  it('agree with sending a second attempt: exponential latencies of mean 100 ms, hedged after 100 ms', () => {
    // n = 200 000: P(T > 200) = e^−3 = 0.0498 with a standard error of 0.0005, extra load e^−1 with 0.0011; five of them. The seed is fixed.
    const rng = testRng(5);
    const draw = (): number => -100 * Math.log(1 - rng.next());
    let slow = 0;
    let hedged = 0;
    for (let i = 0; i < 200_000; i++) {
      const first = draw();
      if (first > 100) hedged++;
      if (Math.min(first, 100 + draw()) > 200) slow++;
    }
    const tail = exponentialTail(100);
    expect(Math.abs(slow / 200_000 - hedgedTail(tail, 200, 100))).toBeLessThan(0.0025);
    expect(Math.abs(hedged / 200_000 - hedgeExtraLoad(tail, 100))).toBeLessThan(0.0055);
  });
});
