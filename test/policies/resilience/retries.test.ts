import { describe, expect, it } from 'vitest';
import { resolvePolicy } from '../../../src/core/policy-table.ts';
import type { Rng } from '../../../src/core/rng.ts';
import * as retries from '../../../src/policies/resilience/retries/index.ts';
import { type Backoff, BackoffRun, retryPolicies } from '../../../src/policies/resilience/retries/index.ts';
import { envoyLowerBoundMs } from '../../../src/policies/resilience/retries/envoy.ts';
import { grpcConnectionMs } from '../../../src/policies/resilience/retries/grpc.ts';
import { heapGrowth } from '../../contracts/heap.ts';
import { testRng, unusedRng } from '../fixtures.ts';

/** Every draw falls at this share of its range. */
const at = (u: number): Rng => ({ next: () => u, uint32: () => Math.floor(u * 2 ** 32), below: (n) => Math.floor(u * n) });

function waits(backoff: Backoff, count: number): number[] {
  const run = new BackoffRun(() => backoff, 0);
  return Array.from({ length: count }, () => run.nextMs());
}

describe('the table of retry policies', () => {
  it('exports each under its name in camel case with the family at the end', () => {
    for (const [name, definition] of Object.entries(retryPolicies)) {
      const exported = `${name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase())}Retry`;
      expect((retries as Record<string, unknown>)[exported]).toBe(definition);
      expect(definition.name).toBe(name);
      expect(definition.family).toBe('retries');
    }
  });

  it('answers to the names of the systems', () => {
    const expected = {
      full: 'full-jitter',
      decorr: 'decorrelated-jitter',
      retryPolicy: 'grpc',
      retry_back_off: 'envoy',
      const: 'constant',
    };
    for (const [name, policy] of Object.entries(expected)) {
      expect(resolvePolicy(retryPolicies, name)).toMatchObject({ kind: 'found', policy: { name: policy } });
    }
  });

  it('has the defaults of the systems for how often and what is tried again', () => {
    const claims = (name: string) => {
      const { retries: count, on } = retryPolicies[name].make({}, { rng: at(0) });
      return `${count} on ${on.join(' ')}`;
    };
    expect(claims('envoy')).toBe('1 on error timeout refused lost');
    expect(claims('grpc')).toBe('3 on error refused lost');
    expect(claims('resilience4j')).toBe('2 on error timeout refused lost shed noEndpoint');
    expect(claims('polly')).toBe('3 on error timeout refused lost shed noEndpoint');
    expect(claims('finagle')).toBe('1 on refused shed');
    expect(claims('full-jitter')).toBe('2 on error timeout refused lost shed');
  });

  it('lets a scenario say otherwise', () => {
    const policy = retries.envoyRetry.make({ retries: 4, on: ['refused'], hostSelectionRetryMaxAttempts: 1 }, { rng: at(0) });
    expect(policy).toMatchObject({ retries: 4, on: ['refused'], hostSelectionRetries: 1 });
  });
});

describe('waits without chance', () => {
  const rng = unusedRng;

  it('are nothing, the same, longer by the same, or twice as long', () => {
    expect(waits(retries.immediateRetry.make({}, { rng }), 3)).toEqual([0, 0, 0]);
    expect(waits(retries.constantRetry.make({ delay: 70 }, { rng }), 3)).toEqual([70, 70, 70]);
    expect(waits(retries.linearRetry.make({ start: 9, offset: 30, maximum: 99 }, { rng }), 5)).toEqual([9, 39, 69, 99, 99]);
    expect(waits(retries.exponentialRetry.make({ base: 5, cap: 50 }, { rng }), 6)).toEqual([5, 10, 20, 40, 50, 50]);
  });

  it('do not exceed a cap below the first wait', () => {
    expect(waits(retries.linearRetry.make({ start: 9, offset: 1, maximum: 5 }, { rng }), 2)).toEqual([5, 5]);
    expect(waits(retries.exponentialRetry.make({ base: 5, cap: 2 }, { rng }), 2)).toEqual([2, 2]);
  });

  it('are cut to whole milliseconds at every step in resilience4j', () => {
    const params = { enableExponentialBackoff: true, exponentialMaxWaitDuration: 5000 };
    expect(waits(retries.resilience4jRetry.make(params, { rng: at(0.5) }), 8)).toEqual([
      500, 750, 1125, 1687, 2530, 3795, 5000, 5000,
    ]);
  });
});

describe('jitter', () => {
  it('takes the whole interval, half of it, or a fifth on either side', () => {
    const low = { rng: at(0) };
    const high = { rng: at(0.75) };
    const params = { base: 100, cap: 300 };
    expect(waits(retries.fullJitterRetry.make(params, low), 3)).toEqual([0, 0, 0]);
    expect(waits(retries.fullJitterRetry.make(params, high), 3)).toEqual([75, 150, 225]);
    expect(waits(retries.equalJitterRetry.make(params, low), 3)).toEqual([50, 100, 150]);
    expect(waits(retries.equalJitterRetry.make(params, high), 3)).toEqual([87.5, 175, 262.5]);
    expect(waits(retries.grpcRetry.make({}, low), 5)).toEqual([80, 160, 320, 640, 800]);
  });

  it('moves resilience4j and Polly by their shares of the exact wait', () => {
    const randomized = retries.resilience4jRetry.make({ waitDuration: 100, enableRandomizedWait: true }, { rng: at(0.75) });
    expect(waits(randomized, 2)).toEqual([125, 125]);
    const polly = retries.pollyRetry.make({ delay: 1000, backoffType: 'linear', useJitter: true }, { rng: at(0.75) });
    expect(waits(polly, 2)).toEqual([1125, 2250]);
  });

  it('is on top of the exact wait in tower, within the limit', () => {
    const params = { min: 100, max: 500, jitter: 0.5 };
    expect(waits(retries.towerRetry.make(params, { rng: at(0) }), 4)).toEqual([100, 200, 400, 500]);
    expect(waits(retries.towerRetry.make(params, { rng: at(0.5) }), 4)).toEqual([125, 250, 500, 500]);
  });

  it('grows from the previous wait where it is decorrelated', () => {
    expect(waits(retries.decorrelatedJitterRetry.make({ base: 10, cap: 500 }, { rng: at(0.5) }), 4)).toEqual([
      20, 35, 57.5, 91.25,
    ]);
    expect(waits(retries.decorrelatedJitterRetry.make({ base: 10, cap: 500 }, { rng: at(0) }), 3)).toEqual([10, 10, 10]);
    const finagle = { backoff: 'decorrelatedJittered', start: 10, maximum: 100 } as const;
    expect(waits(retries.finagleRetry.make(finagle, { rng: at(0.5) }), 5)).toEqual([10, 20, 40, 70, 85]);
  });

  it('ends at the maximum for good in Finagle', () => {
    const deps = { rng: at(0.5) };
    expect(waits(retries.finagleRetry.make({ start: 10, maximum: 50 }, deps), 6)).toEqual([10, 15, 30, 50, 50, 50]);
    const full = { backoff: 'exponentialJittered', start: 10, maximum: 80 } as const;
    expect(waits(retries.finagleRetry.make(full, deps), 5)).toEqual([10, 10, 20, 80, 80]);
  });

  it('is a whole number below a doubling bound in Envoy', () => {
    const policy = retries.envoyRetry.make({}, { rng: at(0.999) });
    expect(waits(policy, 6)).toEqual([24, 49, 99, 199, 249, 249]);
    expect(waits(retries.envoyRetry.make({ baseInterval: 2.9, maxInterval: 7.5 }, { rng: at(0.999) }), 3)).toEqual([1, 3, 6]);
    expect(envoyLowerBoundMs(501, at(0.999))).toBe(501 + 249);
  });

  it('leaves the first wait of a gRPC connection alone', () => {
    const wait = (failed: number, u: number) => grpcConnectionMs(failed, 1000, 1.6, 0.2, 120_000, u);
    expect([wait(0, 0), wait(0, 1), wait(1, 0), wait(1, 1), wait(50, 0.5)]).toEqual([1000, 1000, 1280, 1920, 120_000]);
  });

  it('of full jitter is even: over 20 000 waits the mean is half the bound and a tenth lies in every tenth', () => {
    // n = 20 000, U(0, 400): the mean's standard error is 400/√(12n) = 0.82, a tenth's share has 0.0021. Five of them; the seed is fixed.
    const policy = retries.fullJitterRetry.make({ base: 100, cap: 20_000 }, { rng: testRng(1) });
    const tenths = Array.from({ length: 10 }, () => 0);
    let sum = 0;
    for (let i = 0; i < 20_000; i++) {
      const ms = policy.delayMs(3, 0);
      sum += ms;
      tenths[Math.floor(ms / 40)]++;
    }
    expect(Math.abs(sum / 20_000 - 200)).toBeLessThan(4.1);
    for (const count of tenths) expect(Math.abs(count / 20_000 - 0.1)).toBeLessThan(0.0106);
  });

  it('of Polly doubles on average: the mean of wait n tends to base · 2^(n − 2) / (1.4 · ln 2)', () => {
    // From E 2^U = 1 / ln 2 and tanh → 1, which is within a thousandth at n = 6. The standard deviation is below 8 bases, so over n = 20 000
    // runs the mean has a standard error of 0.057 around 16.49; five of them. The seed is fixed.
    const policy = retries.pollyRetry.make({ delay: 1, backoffType: 'exponential', useJitter: true }, { rng: testRng(2) });
    let sum = 0;
    for (let run = 0; run < 20_000; run++) sum += waits(policy, 6)[5];
    expect(Math.abs(sum / 20_000 - 2 ** 4 / (1.4 * Math.LN2))).toBeLessThan(0.29);
  });

  it('of Polly depends on the sum of earlier waits, which the caller hands back', () => {
    const policy = retries.pollyRetry.make({ delay: 1000, backoffType: 'exponential', useJitter: true }, { rng: at(0.5) });
    // At median draws, t = n + 0.5 and the waits add up to f(t) / 1.4 · base, near base · 2^n: 2^2.5 · tanh(√10) / 1.4 = 4.0262.
    const [first, second, third] = waits(policy, 3);
    expect(first + second + third).toBeCloseTo(4026.156, 2);
    expect(first + second).toBeCloseTo((1000 * 2 ** 1.5 * Math.tanh(Math.sqrt(6))) / 1.4, 6);
    expect(policy.delayMs(3, second, first + second)).toBe(third);
  });
});

describe('a run through a back-off', () => {
  it('starts over when reset, from another interval if one is given', () => {
    const run = new BackoffRun((base) => retries.exponentialRetry.make({ base }, { rng: unusedRng }), 100);
    expect([run.nextMs(), run.nextMs(), run.nextMs()]).toEqual([100, 200, 400]);
    run.reset();
    expect([run.nextMs(), run.nextMs()]).toEqual([100, 200]);
    run.reset(7);
    expect([run.nextMs(), run.nextMs()]).toEqual([7, 14]);
  });
});

describe('a wait', () => {
  it.each(Object.values(retryPolicies))('of $name allocates nothing but the number it returns', (definition) => {
    const policy = definition.make({}, { rng: at(0.5) });
    const run = (): number => {
      let sum = 0;
      for (let i = 0; i < 20_000; i++) sum += policy.delayMs(1 + (i % 4), 100, 200);
      return sum;
    };
    // A boxed number takes 16 bytes at most, and the draw may be boxed as well; the smallest object would add as much again.
    const allowed = 40 * 20_000;
    expect(heapGrowth(run, allowed)).toBeLessThan(allowed);
  });
});
