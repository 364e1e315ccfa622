/** Each circuit breaker where it differs from the others: what it counts, when exactly it changes, and whom it believes. */
import { describe, expect, it } from 'vitest';
import {
  type Breaker,
  breakerStates,
  envoy,
  finagle,
  gobreaker,
  hystrix,
  linkerd,
  NO_PERMIT,
  opossum,
  polly,
  resilience4jCount,
  resilience4jTime,
} from '../../../src/policies/resilience/breakers/index.ts';
import { hystrixErrorPercentage } from '../../../src/policies/resilience/breakers/hystrix.ts';
import { resilience4jExceeds } from '../../../src/policies/resilience/breakers/parts/resilience4j.ts';
import { Script } from '../../vectors/adapters/stage.ts';
import { unusedRng } from '../fixtures.ts';

const still = { rng: unusedRng };
const stateNames = ['closed', 'open', 'half-open'];

/** A breaker and a compact way to write its life: each call is a permit and its result at one instant. */
class Life {
  readonly breaker: Breaker;
  constructor(breaker: Breaker) {
    this.breaker = breaker;
  }
  /** `g` a good call, `b` a bad one, `r` one that was released; a capital letter for those that are turned away. */
  calls(atMs: number, results: string): string {
    return [...results]
      .map((result) => {
        const permit = this.breaker.acquire(atMs);
        if (permit === NO_PERMIT) return result.toUpperCase();
        if (result === 'r') this.breaker.release(permit, atMs);
        else this.breaker.settle(permit, result === 'g', 1, atMs);
        return result;
      })
      .join('');
  }
  state(atMs: number): string {
    return stateNames[this.breaker.state(atMs)];
  }
}

describe('hystrix', () => {
  const params = { requestVolumeThreshold: 4, errorThresholdPercentage: 50, sleepWindow: 1000, rollingStatsTime: 2000 };
  const opened = (): Life => {
    const life = new Life(hystrix.make(params, still));
    life.calls(10, 'bbbb');
    return life;
  };

  it('judges complete intervals only, at their end, and sleeps from there on', () => {
    const life = opened();
    expect([life.state(499), life.state(500), life.breaker.retryAtMs(700)]).toEqual(['closed', 'open', 1500]);
    expect(life.calls(499, 'g')).toBe('g');
    expect(life.calls(1500, 'g')).toBe('G');
    expect(life.calls(1500.5, 'g')).toBe('g');
    expect(life.state(1500.5)).toBe('closed');
  });

  it('can open when successes leave the window while errors stay', () => {
    const life = new Life(hystrix.make(params, still));
    life.calls(100, 'ggggg');
    life.calls(600, 'bbbb');
    // Four of nine are 44 per cent. The window of four intervals that ends at 2500 has lost the successes.
    expect([life.state(2499), life.state(2500), life.state(9999)]).toEqual(['closed', 'open', 'open']);
    expect(life.calls(3500, 'g')).toBe('G');
    expect(life.calls(3501, 'g')).toBe('g');
  });

  it('lets one probe through per sleep window, and counts a cancelled one as failed', () => {
    const life = opened();
    const probe = life.breaker.acquire(2000);
    expect(probe).not.toBe(NO_PERMIT);
    expect(life.calls(2000, 'g')).toBe('G');
    life.breaker.release(probe, 2100);
    expect(life.calls(3100, 'g')).toBe('G');
    expect(life.calls(3101, 'b')).toBe('b');
    expect(life.breaker.retryAtMs(3200)).toBe(4101);
  });

  it('starts to count anew when it closes', () => {
    const life = opened();
    life.calls(1600, 'g');
    expect(life.calls(1700, 'bb')).toBe('bb');
    // Three calls since it closed at 1600, the probe included, whatever was before; then a fourth. Its clock starts at 1600.
    expect(life.state(2200)).toBe('closed');
    life.calls(2300, 'b');
    expect([life.state(2599), life.state(2600)]).toEqual(['closed', 'open']);
  });

  it('believes a straggler in place of the probe', () => {
    const life = new Life(hystrix.make(params, still));
    const straggler = life.breaker.acquire(0);
    life.calls(10, 'bbbb');
    life.breaker.acquire(2000);
    life.breaker.settle(straggler, true, 2000, 2000);
    expect(life.state(2000)).toBe('closed');
  });

  it('cuts percentages to whole numbers as computed in binary', () => {
    expect([hystrixErrorPercentage(10, 21), hystrixErrorPercentage(29, 100), hystrixErrorPercentage(0, 0)]).toEqual([47, 28, 0]);
  });
});

describe.each([
  ['resilience4j-count', resilience4jCount, { slidingWindowSize: 10 }],
  ['resilience4j-time', resilience4jTime, { slidingWindowSize: 10_000 }],
] as const)('%s', (_, definition, window) => {
  const params = { ...window, minimumNumberOfCalls: 4, permittedNumberOfCallsInHalfOpenState: 3, waitDurationInOpenState: 1000 };
  const make = (more: object = {}, rng = still.rng): Life => new Life(definition.make({ ...params, ...more }, { rng }));

  it('is opened by the good call that fills the minimum', () => {
    const life = make();
    life.calls(0, 'bbb');
    expect(life.state(0)).toBe('closed');
    life.calls(0, 'g');
    expect(life.state(0)).toBe('open');
  });

  it('stays open until somebody asks after more than the wait', () => {
    const life = make();
    life.calls(0, 'bbbb');
    expect([life.breaker.retryAtMs(5), life.state(5000)]).toEqual([1000, 'open']);
    expect(life.calls(1000, 'g')).toBe('G');
    expect(life.calls(1001, 'g')).toBe('g');
    expect(life.state(1001)).toBe('half-open');
  });

  it('decides when the trial calls have ended, by the same thresholds', () => {
    const life = make();
    life.calls(0, 'bbbb');
    expect(life.calls(2000, 'gbg')).toBe('gbg');
    expect(life.state(2000)).toBe('closed');
    life.calls(2000, 'bbbb');
    expect(life.calls(4000, 'bgbg')).toBe('bgbG');
    expect(life.state(4000)).toBe('open');
  });

  it('counts slow calls as well as failed ones', () => {
    const life = make({ slowCallDurationThreshold: 100, slowCallRateThreshold: 75 });
    for (const durationMs of [101, 101, 100, 101]) life.breaker.settle(life.breaker.acquire(0), true, durationMs, 0);
    expect(life.state(0)).toBe('open');
  });

  it('hands out the place of a released trial again', () => {
    const life = make();
    life.calls(0, 'bbbb');
    expect(life.calls(2000, 'rrrrggg')).toBe('rrrrggg');
    expect(life.state(2000)).toBe('closed');
  });

  it('opens again at the end of the longest wait for trials', () => {
    const life = make({ maxWaitDurationInHalfOpenState: 500 });
    life.calls(0, 'bbbb');
    life.breaker.acquire(2000);
    expect([life.state(2499), life.state(2500)]).toEqual(['half-open', 'open']);
    expect(life.calls(3500, 'g')).toBe('G');
    expect(life.calls(3501, 'g')).toBe('g');
  });

  it('lets waits grow by whole milliseconds up to a maximum, and forgets when it closes', () => {
    const life = make({
      waitDurationInOpenState: 5,
      exponentialBackoffMultiplier: 1.5,
      exponentialMaxWaitDurationInOpenState: 12,
    });
    const waits: number[] = [];
    let nowMs = 0;
    life.calls(nowMs, 'bbbb');
    for (let opening = 0; opening < 4; opening++) {
      waits.push(life.breaker.retryAtMs(nowMs) - nowMs);
      nowMs += 100;
      life.calls(nowMs, 'bbb');
    }
    // 5, 7.5 cut to 7, 10.5 cut to 10, 15 limited to 12.
    expect(waits).toEqual([5, 7, 10, 12]);
    life.calls(nowMs + 100, 'ggg');
    life.calls(nowMs + 100, 'bbbb');
    expect(life.breaker.retryAtMs(nowMs + 100)).toBe(nowMs + 105);
  });

  it('draws a randomized wait between a share below and a share above', () => {
    const waitWith = (u: number): number => {
      const life = make({ randomizedWaitFactor: 0.5 }, new Script(u));
      life.calls(0, 'bbbb');
      return life.breaker.retryAtMs(0);
    };
    // 500 + u · 1001, cut.
    expect([waitWith(0), waitWith(0.5), waitWith(0.999_999)]).toEqual([500, 1000, 1500]);
  });

  it('counts a straggler among the trial calls', () => {
    const life = make();
    const stragglers = [0, 0].map((atMs) => life.breaker.acquire(atMs));
    life.calls(0, 'bbbb');
    life.breaker.acquire(2000);
    for (const straggler of stragglers) life.breaker.settle(straggler, false, 1, 2000);
    life.calls(2000, 'g');
    expect(life.state(2000)).toBe('open');
  });
});

describe('resilience4j', () => {
  it('compares rates in single precision', () => {
    // 33.3333333 in double precision is more than 33.33333, but not more than 33.333333.
    expect([
      resilience4jExceeds(1, 3, 33.333_333_3),
      resilience4jExceeds(1, 3, 33.333_34),
      resilience4jExceeds(1, 2, 50),
    ]).toEqual([true, false, true]);
  });

  it('remembers calls by number or by time', () => {
    const byCount = new Life(resilience4jCount.make({ slidingWindowSize: 4, minimumNumberOfCalls: 4 }, still));
    const byTime = new Life(resilience4jTime.make({ slidingWindowSize: 4000, minimumNumberOfCalls: 4 }, still));
    for (const life of [byCount, byTime]) for (const atMs of [0, 3000, 6000, 9000]) life.calls(atMs, 'b');
    expect([byCount.state(9000), byTime.state(9000)]).toEqual(['open', 'closed']);
  });

  it('needs no more calls than a window of calls can hold', () => {
    const life = new Life(resilience4jCount.make({ slidingWindowSize: 2 }, still));
    life.calls(0, 'gb');
    expect(life.state(0)).toBe('open');
  });
});

describe('polly', () => {
  const make = (): Life => new Life(polly.make({ failureRatio: 0.5, minimumThroughput: 4, breakDuration: 1000 }, still));

  it('judges on failures only', () => {
    const life = make();
    life.calls(0, 'bbbg');
    expect(life.state(0)).toBe('closed');
    life.calls(0, 'b');
    expect(life.state(0)).toBe('open');
  });

  it('includes the last instant of the break, and lets one probe through', () => {
    const life = make();
    life.calls(0, 'gbbb');
    expect([life.calls(999, 'g'), life.state(1000)]).toEqual(['G', 'open']);
    const probe = life.breaker.acquire(1000);
    expect([probe === NO_PERMIT, life.calls(9000, 'g')]).toEqual([false, 'G']);
    life.breaker.settle(probe, false, 8000, 9000);
    expect([life.state(9000), life.breaker.retryAtMs(9000)]).toEqual(['open', 10_000]);
  });

  it('takes a cancelled probe for a good one', () => {
    const life = make();
    life.calls(0, 'bbbb');
    expect([life.calls(1000, 'r'), life.state(1000)]).toEqual(['r', 'closed']);
  });

  it('starts to count anew when it closes, and is not opened twice by failures that come late', () => {
    const life = make();
    const late = [0, 0, 0, 0].map((atMs) => life.breaker.acquire(atMs));
    life.calls(0, 'bbbb');
    life.breaker.settle(late[0], false, 500, 500);
    expect(life.breaker.retryAtMs(500)).toBe(1000);
    life.calls(1000, 'g');
    for (const permit of late.slice(1)) life.breaker.settle(permit, false, 1000, 1000);
    expect(life.state(1000)).toBe('closed');
  });
});

describe('gobreaker', () => {
  it('opens at the sixth failure in a row, for more than a minute', () => {
    const life = new Life(gobreaker.make({}, still));
    life.calls(0, 'bbbbbgbbbbb');
    expect(life.state(0)).toBe('closed');
    life.calls(0, 'b');
    expect([life.state(60_000), life.state(60_001)]).toEqual(['open', 'half-open']);
  });

  it('closes after as many successes in a row as requests pass, and gives back the place of what is excluded', () => {
    const life = new Life(gobreaker.make({ maxRequests: 2, consecutiveFailures: 0 }, still));
    life.calls(0, 'b');
    const probes = [60_001, 60_001, 60_001].map((atMs) => life.breaker.acquire(atMs));
    expect(probes[2]).toBe(NO_PERMIT);
    life.breaker.release(probes[0], 60_002);
    expect(life.calls(60_002, 'g')).toBe('g');
    expect(life.state(60_002)).toBe('half-open');
    life.breaker.settle(probes[1], true, 1, 60_003);
    expect(life.state(60_003)).toBe('closed');
  });

  it('ignores results of an earlier generation', () => {
    const life = new Life(gobreaker.make({ consecutiveFailures: 0 }, still));
    const [good, bad, none] = [0, 0, 0].map((atMs) => life.breaker.acquire(atMs));
    life.calls(0, 'b');
    life.breaker.acquire(60_001);
    life.breaker.settle(good, true, 1, 60_001);
    life.breaker.settle(bad, false, 1, 60_001);
    life.breaker.release(none, 60_001);
    expect([life.state(60_001), life.calls(60_001, 'g')]).toEqual(['half-open', 'G']);
  });

  it('starts to count anew after more than the interval, at the first request', () => {
    const life = new Life(gobreaker.make({ interval: 1000, consecutiveFailures: 2 }, still));
    life.calls(0, 'bb');
    life.calls(1001, 'b');
    expect(life.state(1001)).toBe('closed');
    life.calls(2001, 'bb');
    expect(life.state(2001)).toBe('open');
  });

  it('lets the interval roll in buckets', () => {
    const life = new Life(gobreaker.make({ readyToTrip: 'failure-ratio', interval: 2500, bucketPeriod: 1000 }, still));
    // Three buckets. At 3000 the one with the successes has left.
    life.calls(500, 'ggg');
    life.calls(1500, 'bb');
    life.calls(2999, 'b');
    expect(life.state(2999)).toBe('closed');
    life.calls(3000, 'b');
    expect(life.state(3000)).toBe('open');
  });
});

describe('opossum', () => {
  it('opens when the percentage is exceeded, not when it is reached', () => {
    const life = new Life(opossum.make({}, still));
    life.calls(0, 'gb');
    expect(life.state(0)).toBe('closed');
    life.calls(0, 'b');
    expect(life.state(0)).toBe('open');
  });

  it('counts calls when they are made, so that those under way dilute the percentage', () => {
    const life = new Life(opossum.make({}, still));
    const [first] = [0, 0, 0, 0].map((atMs) => life.breaker.acquire(atMs));
    life.breaker.settle(first, false, 1, 1);
    expect(life.state(1)).toBe('closed');
  });

  it('is half open as soon as the reset timeout has passed, for one call', () => {
    const life = new Life(opossum.make({}, still));
    life.calls(0, 'b');
    expect([life.state(29_999), life.state(30_000)]).toEqual(['open', 'half-open']);
    const probe = life.breaker.acquire(30_000);
    expect(life.calls(30_000, 'g')).toBe('G');
    life.breaker.release(probe, 30_000);
    expect([life.calls(30_000, 'g'), life.state(30_000)]).toEqual(['g', 'closed']);
  });

  it('does not forget failures when it closes', () => {
    const life = new Life(opossum.make({ resetTimeout: 10 }, still));
    life.calls(0, 'gbb');
    life.calls(20, 'g');
    expect(life.state(20)).toBe('closed');
    // One of the two since, but three of the five in the window.
    life.calls(20, 'b');
    expect(life.state(20)).toBe('open');
  });

  it('waits for a volume, and for the first window if it may warm up', () => {
    const life = new Life(opossum.make({ volumeThreshold: 3 }, still));
    life.calls(0, 'bb');
    expect(life.state(0)).toBe('closed');
    life.calls(0, 'b');
    expect(life.state(0)).toBe('open');
    const warming = new Life(opossum.make({ allowWarmUp: true }, still));
    warming.calls(9999, 'b');
    expect(warming.state(9999)).toBe('closed');
    warming.calls(10_000, 'b');
    expect(warming.state(10_000)).toBe('open');
  });
});

describe('envoy', () => {
  it('turns away what would exceed the limit, until something ends, however it ends', () => {
    const { breaker } = new Life(envoy.make({ maxRequests: 2 }, still));
    expect([breaker.acquire(0), breaker.acquire(0), breaker.acquire(0)]).toEqual([0, 0, NO_PERMIT]);
    expect(breaker.state(0)).toBe(breakerStates.open);
    breaker.settle(0, false, 1, 1);
    expect([breaker.acquire(1), breaker.acquire(1)]).toEqual([0, NO_PERMIT]);
    breaker.release(0, 2);
    expect([breaker.state(2), breaker.acquire(2)]).toEqual([breakerStates.closed, 0]);
  });

  it('notices a permit that is settled twice', () => {
    const breaker = envoy.make({}, still);
    breaker.settle(breaker.acquire(0), true, 1, 1);
    expect(() => breaker.settle(0, true, 1, 1)).toThrow('settled twice');
  });
});

describe('linkerd', () => {
  it('shuts after failures in a row, and doubles its back-off while probation fails', () => {
    const life = new Life(linkerd.make({ jitterRatio: 0, maxPenalty: 3000 }, still));
    expect(life.calls(0, 'bbbbbbgbbbbbbbb')).toBe('bbbbbbgbbbbbbbB');
    expect([life.state(999), life.state(1000)]).toEqual(['open', 'half-open']);
    expect(life.calls(1000, 'bg')).toBe('bG');
    expect(life.breaker.retryAtMs(1000)).toBe(3000);
    expect(life.calls(3000, 'b')).toBe('b');
    expect(life.breaker.retryAtMs(3000)).toBe(6000);
    expect([life.calls(6000, 'gb'), life.state(6000)]).toEqual(['gb', 'closed']);
  });

  it('adds up to a share of the back-off at random, never beyond the maximum', () => {
    const life = new Life(linkerd.make({ maxFailures: 1, maxPenalty: 2200 }, { rng: new Script(0.5, 0.9) }));
    life.calls(0, 'b');
    // 1000 + 1000 · 0.5 · 0.5; then 2000 + 2000 · 0.5 · 0.9, limited.
    expect(life.breaker.retryAtMs(0)).toBe(1250);
    life.calls(1250, 'b');
    expect(life.breaker.retryAtMs(1250)).toBe(3450);
  });

  it('ignores what ends while it is shut, and on probation takes the first result for that of the probe', () => {
    const life = new Life(linkerd.make({ maxFailures: 1, jitterRatio: 0 }, still));
    const [one, other] = [0, 0].map((atMs) => life.breaker.acquire(atMs));
    life.calls(0, 'b');
    life.breaker.settle(one, true, 500, 500);
    expect(life.state(500)).toBe('open');
    life.breaker.acquire(1000);
    life.breaker.settle(other, true, 1000, 1000);
    expect(life.state(1000)).toBe('closed');
  });
});

describe('finagle', () => {
  it('is dead after five failures in a row, first for 5 s, then for ever longer until a probe ends well', () => {
    const life = new Life(finagle.make({}, { rng: new Script(0.5, 0.5, 0.5, 0.5) }));
    expect(life.calls(0, 'bbbbgbbbbbb')).toBe('bbbbgbbbbbB');
    expect([life.state(4999), life.state(5000), life.breaker.retryAtMs(1)]).toEqual(['open', 'half-open', 5000]);
    expect(life.calls(5000, 'b')).toBe('b');
    expect(life.breaker.retryAtMs(5000)).toBe(12_500);
    expect([life.calls(12_500, 'g'), life.state(12_500)]).toEqual(['g', 'closed']);
    life.calls(13_000, 'bbbbb');
    expect(life.breaker.retryAtMs(13_000)).toBe(18_000);
  });

  it('is dead when the moving average falls below the required rate, once it has seen a window', () => {
    // One failure in two, never five in a row: the average tends to one half, but is trusted only after 30 s.
    const rng = new Script(0.5);
    const life = new Life(finagle.make({ numFailures: 100 }, { rng }));
    for (let second = 0; second < 30; second++)
      expect(life.calls(1000 * second, second % 2 === 0 ? 'b' : 'g')).not.toMatch(/[A-Z]/);
    expect(life.state(29_999)).toBe('closed');
    life.calls(30_000, 'b');
    expect(life.state(30_000)).toBe('open');
  });

  it('gives the place of a cancelled probe to the next, and ignores failures that come late', () => {
    const life = new Life(finagle.make({ policy: 'consecutive-failures' }, { rng: new Script(0.5) }));
    const late = life.breaker.acquire(0);
    life.calls(0, 'bbbbb');
    life.breaker.settle(late, false, 100, 100);
    expect(life.breaker.retryAtMs(100)).toBe(5000);
    expect(life.calls(5000, 'rrg')).toBe('rrg');
    expect(life.state(5000)).toBe('closed');
  });

  it('probes again if a failed probe is no reason to mark it dead', () => {
    const params = { policy: 'success-rate', windowRequests: 3, requiredSuccessRate: 0.3 } as const;
    const life = new Life(finagle.make(params, { rng: new Script(0.5) }));
    life.calls(0, 'bbb');
    const late = life.breaker.acquire(0);
    expect(late).toBe(NO_PERMIT);
    expect(life.state(0)).toBe('open');
    // Good results that come late lift the average to above the required rate, so that the probe's failure does not count.
    for (let i = 0; i < 6; i++) life.breaker.settle(0, true, 1, 100);
    expect(life.calls(5000, 'b')).toBe('b');
    expect(life.state(5000)).toBe('half-open');
    expect([life.calls(5000, 'g'), life.state(5000)]).toEqual(['g', 'closed']);
  });
});
