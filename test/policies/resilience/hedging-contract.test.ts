/** Every hedging policy of the table against the contract, and the contract against policies that break it. */
import { describe, expect, it } from 'vitest';
import { checkHedge, delayHedge, type Hedge, type HedgeDeps, hedges } from '../../../src/policies/resilience/hedging/index.ts';
import { hedgeRules } from '../../../src/policies/resilience/hedging/contract.ts';

for (const definition of Object.values(hedges)) {
  describe(`${definition.name} keeps the contract of hedging policies: it`, () => {
    it.each(hedgeRules)('$name', (rule) => expect(rule.check((deps) => definition.make({}, deps))).toEqual([]));
  });
}

describe('the contract', () => {
  const spoilt =
    (spoil: () => object) =>
    (deps: HedgeDeps): Hedge =>
      Object.assign(delayHedge.make({ delay: 100 }, deps), spoil());

  it('finds nothing wrong with an honest policy', () => {
    expect(checkHedge(spoilt(() => ({})))).toEqual([]);
  });

  it('notices delays that are no times', () => {
    expect(checkHedge(spoilt(() => ({ delayMs: () => NaN })))).toContainEqual(
      expect.stringContaining('waits NaN ms after 1 attempts'),
    );
    expect(checkHedge(spoilt(() => ({ delayMs: () => -5 })))).toContainEqual(expect.stringContaining('waits -5 ms'));
  });

  it('notices a policy that never stops, and one that never starts', () => {
    expect(checkHedge(spoilt(() => ({ delayMs: () => 5 })))).toContainEqual(
      expect.stringContaining('would send another after 100 attempts'),
    );
    expect(checkHedge(spoilt(() => ({ delayMs: () => Infinity })))).toContainEqual(
      expect.stringContaining('hedged none of 2000'),
    );
    expect(checkHedge(spoilt(() => ({ tryHedge: () => false })))).toContainEqual(expect.stringContaining('hedged none of 2000'));
  });

  it('notices a policy that is worn out by questions', () => {
    const tired = spoilt(() => {
      let asked = 0;
      return { delayMs: (sent: number) => (sent > 1 ? Infinity : asked++) };
    });
    expect(checkHedge(tired)).toContainEqual(expect.stringContaining('is not changed by being asked'));
  });

  it('notices policies that share their budget', () => {
    let granted = 0;
    const shared = spoilt(() => ({ tryHedge: () => granted++ % 3 !== 0 }));
    expect(checkHedge(shared)).toContainEqual(expect.stringContaining('shares nothing with another policy'));
  });
});
