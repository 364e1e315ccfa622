import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors.ts';
import { resolvePolicy } from '../../../src/core/policy-table.ts';
import * as budgets from '../../../src/policies/resilience/budgets/index.ts';
import { type RetryBudget, retryBudgets } from '../../../src/policies/resilience/budgets/index.ts';
import {
  budgetedLoadFactor,
  layeredAttempts,
  loadFactor,
  successProbability,
} from '../../../src/policies/resilience/budgets/parts/amplification.ts';
import { LeakyTokenBucket } from '../../../src/policies/resilience/budgets/parts/leaky-token-bucket.ts';
import { WindowedAdder } from '../../../src/policies/shared/windowed-adder.ts';
import { heapGrowth } from '../../contracts/heap.ts';
import { testRng } from '../fixtures.ts';

/** Retries granted when every request asks for as many as it can get, each of which ends at once. */
function granted(budget: RetryBudget, nowMs: number, active = 1): number {
  let count = 0;
  while (count < 10_000 && budget.tryWithdraw(nowMs, active)) {
    budget.onRetryEnd(nowMs);
    count++;
  }
  return count;
}

describe('the table of budgets', () => {
  it('exports each under its name in camel case with the family at the end', () => {
    for (const [name, definition] of Object.entries(retryBudgets)) {
      const exported = `${name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())}Budget`;
      expect((budgets as Record<string, unknown>)[exported]).toBe(definition);
      expect(definition.name).toBe(name);
      expect(definition.family).toBe('budgets');
    }
  });

  it('answers to the names of the systems', () => {
    const expected = { retry_budget: 'envoy', retryThrottling: 'grpc-throttle', TpsBudget: 'tower', RetryBudget: 'finagle' };
    for (const [name, policy] of Object.entries(expected)) {
      expect(resolvePolicy(retryBudgets, name)).toMatchObject({ kind: 'found', policy: { name: policy } });
    }
  });
});

describe('envoy', () => {
  it('allows three retries in flight beside few requests, and a fifth of many', () => {
    const budget = budgets.envoyBudget.make({}, {});
    expect([1, 15, 19, 20, 24, 25, 100].map((active) => budget.balance(0, active))).toEqual([3, 3, 3, 4, 4, 5, 20]);
  });

  it('gives a place back when its retry ends, and not before', () => {
    const budget = budgets.envoyBudget.make({ minRetryConcurrency: 2 }, {});
    expect([1, 2, 3].map((nowMs) => budget.tryWithdraw(nowMs, 5))).toEqual([true, true, false]);
    budget.onRetryEnd(4);
    expect([5, 6].map((nowMs) => budget.tryWithdraw(nowMs, 5))).toEqual([true, false]);
  });

  it('takes nothing back from retries that are under way when requests become fewer', () => {
    const budget = budgets.envoyBudget.make({}, {});
    for (let i = 0; i < 20; i++) expect(budget.tryWithdraw(0, 100)).toBe(true);
    expect(budget.balance(0, 10)).toBe(0);
    expect(budget.tryWithdraw(0, 10)).toBe(false);
  });
});

describe('max-retries', () => {
  it('allows three in flight whatever the load', () => {
    const budget = budgets.maxRetriesBudget.make({}, {});
    expect([1, 1, 1, 1].map(() => budget.tryWithdraw(0, 1000))).toEqual([true, true, true, false]);
  });
});

describe.each(['finagle', 'tower'])('%s', (name) => {
  const share = name === 'finagle' ? 'percentCanRetry' : 'retryPercent';
  const reserve = name === 'finagle' ? 'minRetriesPerSec' : 'minPerSec';
  const make = (params: object): RetryBudget => retryBudgets[name].make(params, {});

  it('allows a retry for every five requests beside the reserve of ten per second', () => {
    const budget = make({});
    expect(granted(budget, 0)).toBe(100);
    for (let i = 0; i < 1000; i++) budget.onRequest(0, 1);
    expect(granted(budget, 0)).toBe(200);
  });

  it('forgets requests after its ttl, and the use of the reserve as well', () => {
    const budget = make({ [reserve]: 0 });
    for (let i = 0; i < 100; i++) budget.onRequest(0, 1);
    expect(budget.balance(8999, 1)).toBe(20);
    expect(budget.balance(11_001, 1)).toBe(0);
    const reserved = make({ [share]: 0, [reserve]: 1 });
    expect(granted(reserved, 0)).toBe(10);
    expect(granted(reserved, 5000)).toBe(0);
    expect(granted(reserved, 11_001)).toBe(10);
  });

  it('lets a client whose requests all fail retry a fifth of them and ten per second, for as long as that lasts', () => {
    const budget = make({});
    let retries = 0;
    for (let ms = 0; ms < 120_000; ms += 10) {
      budget.onRequest(ms, 1);
      if (budget.tryWithdraw(ms, 1)) retries++;
    }
    // 12 000 requests in 120 s: 2400 + 1200, and up to a window's worth (300) more or less for where the window stands.
    expect(retries).toBeGreaterThan(3300);
    expect(retries).toBeLessThan(3900);
  });

  it('grants several retries per request where the share says so', () => {
    const budget = make({ [share]: 2, [reserve]: 0 });
    budget.onRequest(0, 1);
    expect(granted(budget, 0)).toBe(2);
  });

  it('needs exactly ten requests for a retry at a share of 0.1', () => {
    const budget = make({ [share]: 0.1, [reserve]: 0 });
    for (let i = 0; i < 9; i++) budget.onRequest(0, 1);
    expect(budget.tryWithdraw(0, 1)).toBe(false);
    budget.onRequest(0, 1);
    expect(budget.tryWithdraw(0, 1)).toBe(true);
  });
});

describe('finagle', () => {
  it('refuses parameters outside their bounds and says which', () => {
    for (const params of [
      { ttl: 999 },
      { ttl: 60_001 },
      { minRetriesPerSec: -1 },
      { percentCanRetry: -1 },
      { percentCanRetry: NaN },
    ]) {
      expect(() => budgets.finagleBudget.make(params, {})).toThrow(InputError);
    }
    expect(() => budgets.finagleBudget.make({ ttl: 999 }, {})).toThrow('ttl is 999, expected 1000 to 60000');
  });

  it('never grants without a share and a reserve', () => {
    const budget = budgets.finagleBudget.make({ minRetriesPerSec: 0, percentCanRetry: 0 }, {});
    for (let i = 0; i < 1000; i++) budget.onRequest(i, 1);
    expect(budget.balance(1000, 1)).toBe(0);
    expect(budget.tryWithdraw(1000, 1)).toBe(false);
  });
});

describe('grpc-throttle', () => {
  it('stops once half of the tokens are gone and starts with the next success', () => {
    const budget = budgets.grpcThrottleBudget.make({}, {});
    const failAndAsk = (): boolean => {
      budget.onFailure(0);
      return budget.tryWithdraw(0, 1);
    };
    expect([1, 2, 3, 4, 5, 6].map(failAndAsk)).toEqual([true, true, true, true, false, false]);
    for (let i = 0; i < 10; i++) budget.onSuccess(0);
    expect(budget.tryWithdraw(0, 1)).toBe(false);
    budget.onSuccess(0);
    expect(budget.tryWithdraw(0, 1)).toBe(true);
  });

  it('neither owes nor hoards tokens', () => {
    const budget = budgets.grpcThrottleBudget.make({ maxTokens: 4, tokenRatio: 1 }, {});
    for (let i = 0; i < 100; i++) budget.onFailure(0);
    for (let i = 0; i < 3; i++) budget.onSuccess(0);
    expect(budget.tryWithdraw(0, 1)).toBe(true);
    for (let i = 0; i < 100; i++) budget.onSuccess(0);
    for (let i = 0; i < 2; i++) budget.onFailure(0);
    expect(budget.tryWithdraw(0, 1)).toBe(false);
  });
});

describe('token-bucket', () => {
  it('grants four retries in an outage and then none, however long it lasts', () => {
    const budget = budgets.tokenBucketBudget.make({}, {});
    let retries = 0;
    for (let ms = 0; ms < 3_600_000; ms += 100) {
      budget.onRequest(ms, 1);
      budget.onFailure(ms);
      if (budget.tryWithdraw(ms, 1)) retries++;
    }
    expect(retries).toBe(4);
  });

  it('grants a tenth of a retry per success when half of the tries fail', () => {
    // Each success pays 0.1 and each retry costs 1, so their ratio tends to 0.1; the bucket's five tokens are nothing beside 50 000.
    const rng = testRng(3);
    const budget = budgets.tokenBucketBudget.make({}, {});
    let retries = 0;
    let successes = 0;
    for (let i = 0; i < 100_000; i++) {
      if (rng.next() < 0.5) {
        budget.onSuccess(i);
        successes++;
      } else if (budget.tryWithdraw(i, 1)) retries++;
    }
    expect(retries / successes).toBeCloseTo(0.1, 3);
  });

  it('leaves no debt where a retry costs more than must be there', () => {
    const budget = budgets.tokenBucketBudget.make({ cost: 10, threshold: 0, fillPerSuccess: 1 }, {});
    expect(budget.tryWithdraw(0, 1)).toBe(true);
    budget.onSuccess(0);
    expect(budget.tryWithdraw(0, 1)).toBe(true);
  });
});

describe('request-ratio', () => {
  it('keeps retries at a tenth of the requests when everything fails', () => {
    const budget = budgets.requestRatioBudget.make({}, {});
    let retries = 0;
    for (let i = 0; i < 10_000; i++) {
      budget.onRequest(10 * i, 1);
      retries += granted(budget, 10 * i);
    }
    expect(retries).toBe(1000);
  });

  it('forgets requests with its window', () => {
    const budget = budgets.requestRatioBudget.make({ window: 10_000 }, {});
    for (let i = 0; i < 100; i++) budget.onRequest(0, 1);
    expect(budget.balance(8999, 1)).toBe(10);
    expect(budget.balance(11_001, 1)).toBe(0);
  });
});

describe('a windowed adder', () => {
  it('forgets slices whole, and those that passed without a call', () => {
    const adder = new WindowedAdder(3000, 3);
    adder.add(1, 0);
    adder.add(2, 1000);
    expect([1000, 2000, 2999].map((nowMs) => adder.sum(nowMs))).toEqual([3, 3, 3]);
    expect(adder.sum(3000)).toBe(2);
    expect(adder.sum(4000)).toBe(0);
    adder.add(5, 4000);
    expect(adder.sum(6000)).toBe(5);
    expect(adder.sum(100_000)).toBe(0);
  });

  it('starts its next slice with the call that ends the last one', () => {
    const sumAt = (nowMs: number): number => {
      const adder = new WindowedAdder(3000, 3);
      for (const atMs of [1500, 2400, 2500]) adder.add(1, atMs);
      return adder.sum(nowMs);
    };
    // Slices begin at 1500 and 2500: two additions are in the one, the third in the other.
    expect([3499, 4499, 4500, 5499, 5500].map(sumAt)).toEqual([3, 3, 1, 1, 0]);
  });
});

describe('a leaky token bucket', () => {
  it('spends its reserve once per ttl', () => {
    const bucket = new LeakyTokenBucket(3000, 100);
    expect([bucket.tryGet(100, 0), bucket.tryGet(1, 0)]).toEqual([true, false]);
    expect(bucket.count(3000)).toBe(100);
  });

  it('leaves its tokens alone when it refuses', () => {
    const bucket = new LeakyTokenBucket(3000, 0);
    bucket.put(5, 0);
    expect(bucket.tryGet(6, 0)).toBe(false);
    expect(bucket.count(0)).toBe(5);
  });
});

describe('amplification', () => {
  it('multiplies by the number of tries when everything fails, and over layers', () => {
    expect(loadFactor(1, 3)).toBe(4);
    expect(loadFactor(0, 3)).toBe(1);
    expect(layeredAttempts(4, 3)).toBe(64);
    expect(budgetedLoadFactor(0.1)).toBe(1.1);
  });

  it('agrees with retrying: over 200 000 requests at a failure probability of 0.3', () => {
    // Tries per request have mean 1.39 and standard deviation 0.65, so a standard error of 0.0015; five of them. The share of success is
    // 0.973 with 0.0004. The seed is fixed.
    const rng = testRng(4);
    let tries = 0;
    let successes = 0;
    for (let i = 0; i < 200_000; i++) {
      for (let attempt = 0; attempt <= 2; attempt++) {
        tries++;
        if (rng.next() >= 0.3) {
          successes++;
          break;
        }
      }
    }
    expect(Math.abs(tries / 200_000 - loadFactor(0.3, 2))).toBeLessThan(0.0075);
    expect(Math.abs(successes / 200_000 - successProbability(0.3, 2))).toBeLessThan(0.002);
  });
});

describe('a budget', () => {
  it.each(Object.values(retryBudgets))('of kind $name allocates nothing on the path of a request', (definition) => {
    const budget = definition.make({}, {});
    let now = 0;
    const run = (): number => {
      let count = 0;
      for (let i = 0; i < 20_000; i++) {
        now += 7;
        budget.onRequest(now, 20);
        budget.onFailure(now);
        if (budget.tryWithdraw(now, 20)) budget.onRetryEnd(now);
        budget.onSuccess(now);
        count += budget.balance(now, 20);
      }
      return count;
    };
    // The smallest object takes 16 bytes; half of one per request leaves room for the engine's own.
    const allowed = 8 * 20_000;
    expect(heapGrowth(run, allowed)).toBeLessThan(allowed);
  });
});
