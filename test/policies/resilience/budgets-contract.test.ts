/** Every retry budget of the table against the contract, and the contract against budgets that break it. */
import { describe, expect, it } from 'vitest';
import {
  checkRetryBudget,
  type RetryBudget,
  retryBudgets,
  tokenBucketBudget,
} from '../../../src/policies/resilience/budgets/index.ts';
import { budgetRules } from '../../../src/policies/resilience/budgets/contract.ts';

const variants: Readonly<Record<string, readonly object[]>> = {
  envoy: [{ budgetPercent: 1, minRetryConcurrency: 0 }],
  finagle: [{ percentCanRetry: 0 }, { minRetriesPerSec: 0 }, { ttl: 1000, percentCanRetry: 0.3 }],
  tower: [{ retryPercent: 0 }, { minPerSec: 0 }, { ttl: 1000, retryPercent: 0.3 }],
  'token-bucket': [{ cost: 3, threshold: 0 }],
};
/** Rules that a budget breaks by design. */
const exempt: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  unlimited: { 'refuses in the end when everything fails': 'granting everything is its purpose' },
};

for (const definition of Object.values(retryBudgets)) {
  describe.each([{}, ...(variants[definition.name] ?? [])])(
    `${definition.name} %j keeps the contract of budgets: it`,
    (params) => {
      for (const rule of budgetRules) {
        const reason = exempt[definition.name]?.[rule.name];
        const check = (): void => expect(rule.check(() => definition.make(params, {}))).toEqual([]);
        if (reason === undefined) it(rule.name, check);
        else it.skip(`${rule.name} (exempt: ${reason})`, check);
      }
    },
  );
}

describe('the contract', () => {
  const spoilt = (spoil: (budget: RetryBudget) => object) => (): RetryBudget => {
    const budget = tokenBucketBudget.make({}, {});
    const honest: RetryBudget = {
      onRequest: (nowMs, active) => budget.onRequest(nowMs, active),
      onSuccess: (nowMs) => budget.onSuccess(nowMs),
      onFailure: (nowMs) => budget.onFailure(nowMs),
      tryWithdraw: (nowMs, active) => budget.tryWithdraw(nowMs, active),
      onRetryEnd: (nowMs) => budget.onRetryEnd(nowMs),
      balance: (nowMs, active) => budget.balance(nowMs, active),
    };
    return { ...honest, ...spoil(honest) };
  };

  it('finds nothing wrong with an honest budget', () => {
    expect(checkRetryBudget(spoilt(() => ({})))).toEqual([]);
  });

  it('notices a balance that has nothing to do with what is granted', () => {
    expect(checkRetryBudget(spoilt(() => ({ balance: () => 1 })))).toContainEqual(
      expect.stringContaining('refuses a retry at a balance of 1'),
    );
    expect(checkRetryBudget(spoilt(() => ({ balance: () => -1 })))).toContainEqual(expect.stringContaining('the balance is -1'));
  });

  it('notices a balance that costs something', () => {
    const dear = spoilt((budget) => ({
      balance: (nowMs: number, active: number) => {
        const balance = budget.balance(nowMs, active);
        budget.tryWithdraw(nowMs, active);
        return balance;
      },
    }));
    expect(checkRetryBudget(dear)).toContainEqual(expect.stringContaining('answers differently'));
  });

  it('notices a budget that gives in when asked again', () => {
    const weak = spoilt((budget) => {
      let refusals = 0;
      return {
        tryWithdraw: (nowMs: number, active: number) => budget.tryWithdraw(nowMs, active) || ++refusals % 2 === 0,
      };
    });
    expect(checkRetryBudget(weak)).toContainEqual(expect.stringContaining('grants at the second time of asking'));
  });

  it('notices a budget without a bound, and one that never recovers', () => {
    expect(checkRetryBudget(spoilt(() => ({ tryWithdraw: () => true })))).toContainEqual(
      expect.stringContaining('granted all of 12000 retries'),
    );
    expect(checkRetryBudget(spoilt(() => ({ onSuccess: () => {} })))).toContainEqual(
      expect.stringContaining('refuses after ten minutes of success'),
    );
  });

  it('notices retries in flight that are never given back', () => {
    const leaky = () => {
      const budget = retryBudgets['max-retries'].make({}, {});
      return Object.assign(budget, { onRetryEnd: () => {} });
    };
    expect(checkRetryBudget(leaky)).toContainEqual(expect.stringContaining('refuses after ten minutes of success'));
  });

  it('notices budgets that share their tokens', () => {
    const one = tokenBucketBudget.make({}, {});
    expect(checkRetryBudget(() => one)).toContainEqual(
      expect.stringContaining('the budget of another client changed the answer'),
    );
  });

  it('notices a budget that counts the time before it was made', () => {
    const timed = spoilt((budget) => {
      let creditMs = 0;
      return {
        tryWithdraw: (nowMs: number) => nowMs - creditMs >= 100 && ((creditMs += 100), true),
        balance: (nowMs: number) => Math.floor((nowMs - creditMs) / 100),
        onSuccess: (nowMs: number) => budget.onSuccess(nowMs),
      };
    });
    expect(checkRetryBudget(timed)).toContainEqual(expect.stringContaining('does not mind when the clock starts'));
  });
});
