/** Every retry policy of the table against the contract, and the contract against policies that break it. */
import { describe, expect, it } from 'vitest';
import {
  checkRetryPolicy,
  fullJitterRetry,
  retryPolicies,
  type RetryDeps,
  type RetryPolicy,
} from '../../../src/policies/resilience/retries/index.ts';
import { retryRules } from '../../../src/policies/resilience/retries/contract.ts';

/** Settings that change which formula is used. */
const variants: Readonly<Record<string, readonly object[]>> = {
  resilience4j: [{ enableExponentialBackoff: true, enableRandomizedWait: true }],
  polly: [
    { backoffType: 'linear', useJitter: true },
    { backoffType: 'exponential', useJitter: true },
    { backoffType: 'exponential', useJitter: true, delay: 0 },
  ],
  finagle: ['const', 'linear', 'exponential', 'exponentialJittered', 'decorrelatedJittered'].map((backoff) => ({ backoff })),
  tower: [{ max: 1000, jitter: 3 }],
};

for (const definition of Object.values(retryPolicies)) {
  describe.each([{}, ...(variants[definition.name] ?? [])])(
    `${definition.name} %j keeps the contract of retry policies: it`,
    (params) => {
      it.each(retryRules)('$name', (rule) => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
    },
  );
}

describe('the contract', () => {
  const spoilt = (spoil: (policy: RetryPolicy, deps: RetryDeps) => object) => (deps: RetryDeps) => {
    const policy = fullJitterRetry.make({}, deps);
    return { ...policy, ...spoil(policy, deps) };
  };

  it('finds nothing wrong with an honest policy', () => {
    expect(checkRetryPolicy(spoilt(() => ({})))).toEqual([]);
  });

  it('notices waits that are negative or endless', () => {
    const negative = spoilt(({ delayMs }) => ({ delayMs: (retry: number) => delayMs(retry, 0) - 1 }));
    expect(checkRetryPolicy(negative)).toContainEqual(expect.stringContaining('retry 1 waits -1 ms when 0 is drawn'));
    const endless = spoilt(({ delayMs }) => ({ delayMs: (retry: number) => delayMs(retry, 0) / (60 - retry) }));
    expect(checkRetryPolicy(endless)).toContainEqual(expect.stringContaining('retry 60 waits Infinity ms'));
  });

  it('notices draws that depend on the retry', () => {
    const lazy = spoilt(({ delayMs }) => ({ delayMs: (retry: number) => (retry > 5 ? 1000 : delayMs(retry, 0)) }));
    expect(checkRetryPolicy(lazy)).toContainEqual(
      expect.stringContaining('draws 1 times for the first wait and 0 times for wait 6'),
    );
  });

  it('notices waits that are not drawn from the stream it was given', () => {
    let calls = 0;
    const ambient = spoilt(() => ({ delayMs: () => calls++ }));
    expect(checkRetryPolicy(ambient)).toContainEqual(
      expect.stringContaining('two policies with the same draws wait differently'),
    );
  });

  it('notices a wait that depends on what other requests did', () => {
    const shared = spoilt(() => {
      let count = 0;
      return { delayMs: () => ++count };
    });
    expect(checkRetryPolicy(shared)).toContainEqual(expect.stringContaining('beside another request'));
  });

  it('notices claims that make no sense', () => {
    expect(checkRetryPolicy(spoilt(() => ({ retries: 1.5 })))).toContainEqual(expect.stringContaining('retries is 1.5'));
    expect(checkRetryPolicy(spoilt(() => ({ on: ['error', 'weather'] })))).toContainEqual(expect.stringContaining('[weather]'));
    expect(checkRetryPolicy(spoilt(() => ({ on: ['error', 'error'] })))).toContainEqual(expect.stringContaining('twice'));
    expect(checkRetryPolicy(spoilt(() => ({ hostSelectionRetries: -1 })))).toContainEqual(
      expect.stringContaining('hostSelectionRetries is -1'),
    );
  });
});
