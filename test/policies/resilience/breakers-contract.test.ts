/** Every circuit breaker against the contract, and the contract against breakers that break it. */
import { describe, expect, it } from 'vitest';
import {
  type Breaker,
  breakers,
  type BreakerState,
  breakerStates,
  checkBreaker,
  finagle,
  gobreaker,
  hystrix,
  linkerd,
  NO_PERMIT,
  opossum,
  resilience4jCount,
  resilience4jTime,
} from '../../../src/policies/resilience/breakers/index.ts';
import { breakerRules, type MakeBreaker } from '../../../src/policies/resilience/breakers/contract.ts';
import { heapGrowth } from '../../contracts/heap.ts';
import { testRng } from '../fixtures.ts';

const variants: Readonly<Record<string, MakeBreaker>> = {
  ...Object.fromEntries(
    Object.entries(breakers).map(([name, definition]) => [name, (deps) => definition.make({}, deps)] as [string, MakeBreaker]),
  ),
  'finagle by success rate': (deps) => finagle.make({ policy: 'success-rate', windowRequests: 20 }, deps),
  'finagle by success rate within a duration': (deps) =>
    finagle.make({ policy: 'success-rate-within-duration', window: 200 }, deps),
  'gobreaker by ratio, rolling': (deps) =>
    gobreaker.make({ readyToTrip: 'failure-ratio', interval: 5000, bucketPeriod: 700, maxRequests: 4 }, deps),
  'gobreaker by ratio, fixed': (deps) => gobreaker.make({ readyToTrip: 'failure-ratio', interval: 3000 }, deps),
  'hystrix with one bucket': (deps) => hystrix.make({ rollingStatsTime: 500 }, deps),
  'linkerd without jitter': (deps) => linkerd.make({ jitterRatio: 0, maxFailures: 1 }, deps),
  'opossum with a volume': (deps) => opossum.make({ volumeThreshold: 50, allowWarmUp: true, rollingCountTimeout: 300 }, deps),
  'resilience4j-count, growing waits, limited trials': (deps) =>
    resilience4jCount.make(
      { exponentialBackoffMultiplier: 1.5, randomizedWaitFactor: 0.5, maxWaitDurationInHalfOpenState: 2000 },
      deps,
    ),
  'resilience4j-time, short': (deps) => resilience4jTime.make({ slidingWindowSize: 2000, minimumNumberOfCalls: 10 }, deps),
};

describe.each(Object.entries(variants))('%s keeps the contract of breakers: it', (_, make) => {
  it.each(breakerRules)('$name', (rule) => {
    expect(rule.check(make)).toEqual([]);
  });

  it('allocates nothing per call', () => {
    const breaker = make({ rng: testRng(1) });
    let nowMs = 0;
    // Mostly good, and now and then an outage, so that all states are passed through.
    const run = (): number => {
      let rejected = 0;
      for (let i = 0; i < CALLS; i++) {
        nowMs += 7;
        const permit = breaker.acquire(nowMs);
        if (permit === NO_PERMIT) rejected++;
        else if (i % 10 === 9) breaker.release(permit, nowMs);
        else breaker.settle(permit, i % 20_000 < 18_000, 5, nowMs);
      }
      return rejected;
    };
    // One allocation of the smallest object per call would be 16 bytes each; half of that leaves room for the engine's own.
    expect(heapGrowth(run, 8 * CALLS)).toBeLessThan(8 * CALLS);
  });
});

const CALLS = 40_000;

describe('the table', () => {
  it('offers the breakers of nine kinds, each under its own name', () => {
    expect(Object.keys(breakers)).toEqual([
      'envoy',
      'finagle',
      'gobreaker',
      'hystrix',
      'linkerd',
      'opossum',
      'polly',
      'resilience4j-count',
      'resilience4j-time',
    ]);
    for (const [name, definition] of Object.entries(breakers))
      expect([definition.name, definition.family]).toEqual([name, 'breakers']);
  });
});

/** Three failures in a row open it for a second; then one probe. To be spoilt in one way each. */
class Honest implements Breaker {
  failures = 0;
  openUntilMs = -Infinity;
  isProbing = false;
  generation = 0;

  acquire(nowMs: number): number {
    if (this.isClosed()) return this.generation;
    if (nowMs < this.openUntilMs || this.isProbing) return NO_PERMIT;
    this.isProbing = true;
    return this.generation;
  }
  settle(permit: number, isGood: boolean, _durationMs: number, nowMs: number): void {
    if (permit !== this.generation) return;
    if (isGood) {
      this.generation += this.isClosed() ? 0 : 1;
      this.failures = 0;
    } else if (++this.failures >= 3) {
      this.generation++;
      this.openUntilMs = nowMs + 1000;
    }
    this.isProbing = false;
  }
  release(permit: number, _nowMs: number): void {
    if (permit === this.generation) this.isProbing = false;
  }
  state(nowMs: number): BreakerState {
    if (this.isClosed()) return breakerStates.closed;
    return nowMs < this.openUntilMs ? breakerStates.open : breakerStates.halfOpen;
  }
  retryAtMs(nowMs: number): number {
    return this.state(nowMs) === breakerStates.open ? this.openUntilMs : Infinity;
  }
  isClosed(): boolean {
    return this.failures < 3;
  }
}

const expectComplaint = (make: () => Breaker, complaint: string): void =>
  expect(checkBreaker(make)).toContainEqual(expect.stringContaining(complaint));

describe('the contract', () => {
  it('finds nothing wrong with an honest breaker', () => {
    expect(checkBreaker(() => new Honest())).toEqual([]);
  });

  it('notices a breaker that never opens', () => {
    class Trusting extends Honest {
      override settle(): void {}
    }
    expectComplaint(() => new Trusting(), 'turned nothing away after an outage');
  });

  it('notices a breaker that opens without a reason', () => {
    class Nervous extends Honest {
      override settle(permit: number, isGood: boolean, durationMs: number, nowMs: number): void {
        super.settle(permit, isGood && nowMs % 1000 > 30, durationMs, nowMs);
      }
    }
    expectComplaint(() => new Nervous(), 'lets everything through while all goes well');
  });

  it('notices a breaker that stays open', () => {
    class Offended extends Honest {
      override acquire(nowMs: number): number {
        return this.isClosed() ? super.acquire(nowMs) : NO_PERMIT;
      }
    }
    expectComplaint(() => new Offended(), 'never let an attempt through again');
  });

  it('notices a breaker that lets everybody probe', () => {
    class Crowded extends Honest {
      override acquire(nowMs: number): number {
        this.isProbing = false;
        return super.acquire(nowMs);
      }
    }
    expectComplaint(() => new Crowded(), 'let 3000 attempts through at one instant');
  });

  it('notices a breaker that does not keep to the time it announced', () => {
    class Early extends Honest {
      override retryAtMs(nowMs: number): number {
        return super.retryAtMs(nowMs) + 1000;
      }
    }
    expectComplaint(() => new Early(), 'after announcing');
  });

  it('notices a probe that is lost when it is released', () => {
    class Leaking extends Honest {
      override release(): void {}
    }
    expectComplaint(() => new Leaking(), 'keeps no place for attempts that were released');
  });

  it('notices a count of what is in flight that forgets releases', () => {
    class Miscounting extends Honest {
      inUse = 0;
      override acquire(nowMs: number): number {
        if (this.inUse === 2048) return NO_PERMIT;
        const permit = super.acquire(nowMs);
        if (permit !== NO_PERMIT) this.inUse++;
        return permit;
      }
      override settle(permit: number, isGood: boolean, durationMs: number, nowMs: number): void {
        this.inUse--;
        super.settle(permit, isGood, durationMs, nowMs);
      }
      override state(nowMs: number): BreakerState {
        return this.inUse === 2048 ? breakerStates.open : super.state(nowMs);
      }
    }
    expectComplaint(() => new Miscounting(), 'was not closed after attempts that were all released');
  });

  it('notices late results that leave the count of failures beyond repair', () => {
    class Confused extends Honest {
      override settle(permit: number, isGood: boolean, durationMs: number, nowMs: number): void {
        if (permit !== this.generation) this.openUntilMs = Infinity;
        super.settle(permit, isGood, durationMs, nowMs);
      }
    }
    expectComplaint(() => new Confused(), 'is not upset by results from before a change of state');
  });

  it('notices a breaker that changes when it is looked at', () => {
    class Shy extends Honest {
      override state(nowMs: number): BreakerState {
        this.failures = 0;
        return super.state(nowMs);
      }
    }
    expectComplaint(() => new Shy(), 'repeats itself for the same history');
  });

  it('notices state shared between instances', () => {
    let failures = 0;
    class Shared extends Honest {
      override settle(permit: number, isGood: boolean, durationMs: number, nowMs: number): void {
        this.failures = failures;
        super.settle(permit, isGood, durationMs, nowMs);
        failures = this.failures;
      }
    }
    expectComplaint(() => new Shared(), 'when looked at');
  });

  it('notices a breaker that says closed and turns attempts away', () => {
    class Lying extends Honest {
      override state(): BreakerState {
        return breakerStates.closed;
      }
    }
    expectComplaint(() => new Lying(), 'turned an attempt away while it said it was closed');
  });

  it('notices permits that are no whole numbers', () => {
    class Odd extends Honest {
      override acquire(nowMs: number): number {
        return super.acquire(nowMs) + 0.5;
      }
    }
    expectComplaint(() => new Odd(), 'gave the permit 0.5');
  });
});
