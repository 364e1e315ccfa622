/** The update steps of the adaptive limits. Expected values are those of Netflix's own tests where they are said to be, else worked out by
 *  hand from the published formulas. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaults } from '../../../src/core/params.ts';
import { type Admission, type AdmissionRequest, admissionResults } from '../../../src/policies/resilience/admission/admission.ts';
import { AimdLimit, aimd, aimdParams } from '../../../src/policies/resilience/admission/aimd.ts';
import { envoyGradient, jittered, PinnedWindows } from '../../../src/policies/resilience/admission/envoy-gradient.ts';
import { Gradient2Limit, gradient2, gradient2Params } from '../../../src/policies/resilience/admission/gradient2.ts';
import { GradientLimit, gradient, gradientParams } from '../../../src/policies/resilience/admission/gradient.ts';
import type { ConcurrencyLimit } from '../../../src/policies/resilience/admission/parts/concurrency-limit.ts';
import { log10Root, squareRoot } from '../../../src/policies/resilience/admission/parts/limit-functions.ts';
import { SampleBuffer } from '../../../src/policies/resilience/admission/parts/sample-buffer.ts';
import { WarmAverage } from '../../../src/policies/resilience/admission/parts/warm-average.ts';
import { WindowedLimit } from '../../../src/policies/resilience/admission/parts/windowed-limit.ts';
import { FixedLimit } from '../../../src/policies/resilience/admission/semaphore.ts';
import { VegasLimit, vegas, vegasRules } from '../../../src/policies/resilience/admission/vegas.ts';
import { testRng, unusedRng } from '../fixtures.ts';

const never = { ...unusedRng, next: () => 1 - 2 ** -53 };
const feed = (limit: ConcurrencyLimit, ...samples: readonly (readonly [rttMs: number, inFlight: number, dropped?: boolean])[]) =>
  samples.map(([rttMs, inFlight, dropped = false], i) => {
    limit.onSample(rttMs, inFlight, dropped, 1000 * i);
    return limit.limit();
  });

describe('vegas', () => {
  const make = (values: Partial<typeof base>): VegasLimit => new VegasLimit(vegasRules({ ...base, ...values }), never);
  const base = { ...defaults(vegas.params) };
  const likeTheirTest = { scale: 'constant', initialLimit: 10, maxConcurrency: 20 } as const;

  it('grows by beta while nothing queues, shrinks by one when much does, and stays in between (Netflix’s tests)', () => {
    expect(feed(make(likeTheirTest), [10, 10], [10, 11])).toEqual([10, 16]);
    expect(feed(make(likeTheirTest), [10, 10], [50, 11])).toEqual([10, 9]);
    expect(feed(make(likeTheirTest), [10, 10], [14, 14])).toEqual([10, 10]);
  });

  it('smooths what its rules say (Netflix’s test: 100, 75, 56)', () => {
    const rules = vegasRules({ ...base, initialLimit: 100, maxConcurrency: 200, smoothing: 0.5 });
    const limit = new VegasLimit({ ...rules, decrease: (x) => x / 2 }, never);
    expect(feed(limit, [10, 100], [20, 100], [20, 100])).toEqual([100, 75, 56]);
  });

  it('takes the time without load anew after jitter · 30 · limit samples', () => {
    // The jitter is 0.5 for a draw of 0: the 150th sample with a limit of 10.
    const limit = new VegasLimit(vegasRules({ ...base, initialLimit: 10 }), { ...unusedRng, next: () => 0 });
    feed(limit, [10, 1]);
    for (let i = 2; i < 150; i++) limit.onSample(20, 1, false);
    expect(feed(limit, [20, 10], [20, 10])).toEqual([10, 16]);
  });

  it('shrinks at a drop even if hardly anything was in flight', () => {
    expect(feed(make({ initialLimit: 50 }), [10, 1], [10, 1, true], [10, 1])).toEqual([50, 49, 49]);
  });
});

describe('gradient', () => {
  const make = (values: object, rng = unusedRng): GradientLimit =>
    new GradientLimit({ ...defaults(gradientParams), probeInterval: -1, ...values }, rng);

  it('grows by the square root of the limit while nothing queues', () => {
    expect(feed(make({ initialLimit: 100 }), [10, 100], [10, 100])).toEqual([110, 120]);
  });

  it('takes twice the least time as no queueing, and smooths on the way down', () => {
    const limit = make({ initialLimit: 100 });
    // 40 ms: gradient 2 · 10 / 40 = 0.5; 0.8 · 110 + 0.2 · (55 + 10) = 101.
    expect(feed(limit, [10, 100], [40, 100], [20, 100])).toEqual([110, 101, 111]);
  });

  it('backs off by a tenth of a fifth at a drop: 0.8 · L + 0.2 · 0.9 · L', () => {
    expect(feed(make({ initialLimit: 100 }), [10, 1, true])).toEqual([98]);
  });

  it('falls to the square root of the limit and forgets the least time after probeInterval samples and up to as many more', () => {
    const limit = make({ initialLimit: 100, probeInterval: 10 }, { ...unusedRng, below: (n) => n - 1 });
    const limits = feed(limit, ...Array.from({ length: 20 }, () => [10, 1] as const));
    expect(limits).toEqual([...Array.from({ length: 19 }, () => 100), 10]);
    // The new least time is 100 ms: no queueing.
    expect(feed(limit, [100, 10])).toEqual([14]);
  });
});

describe('gradient2', () => {
  const make = (values: object = {}): Gradient2Limit => new Gradient2Limit({ ...defaults(gradient2Params), ...values });

  it('holds a limit of which less than half is used', () => {
    expect(feed(make(), [10, 9], [10, 9])).toEqual([20, 20]);
  });

  it('does not react to drops', () => {
    expect(feed(make({ initialLimit: 100 }), [10, 100, true])).toEqual(feed(make({ initialLimit: 100 }), [10, 100, false]));
  });

  it('averages its first ten samples plainly and weighs the others 2 / (window + 1)', () => {
    const average = new WarmAverage(600, 10);
    for (let i = 1; i <= 10; i++) average.add(i);
    expect(average.add(5.5)).toBeCloseTo(5.5, 12);
    expect(average.add(606.5)).toBeCloseTo(5.5 + (601 * 2) / 601, 12);
  });
});

describe('aimd', () => {
  const make = (values: object): AimdLimit => new AimdLimit({ ...defaults(aimdParams), ...values });

  it('loses a tenth at a drop, truncated, but not more than its bounds allow (Netflix’s test: 30 to 27)', () => {
    expect(feed(make({ initialLimit: 30 }), [1, 10, true], [1, 10, true], [1, 10, true], [1, 1, true], [1, 1, true])).toEqual([
      27, 24, 21, 20, 20,
    ]);
  });

  it('grows by one while at least half of the limit is in use, up to its maximum', () => {
    expect(feed(make({ initialLimit: 199 }), [1, 99], [1, 100], [1, 100])).toEqual([199, 200, 200]);
  });
});

describe('a window around a limit', () => {
  const values = { minWindowTime: 1000, maxWindowTime: 1000, windowSize: 10, minRttThreshold: 0.1 };
  const listen = (over: object = {}) => {
    const heard: unknown[] = [];
    const inner: ConcurrencyLimit = { limit: () => 7, onSample: (...sample) => heard.push(sample) };
    return { heard, limit: new WindowedLimit(inner, { ...values, ...over }) };
  };

  it('tells mean time, most in flight and whether anything was dropped, once per window', () => {
    const { heard, limit } = listen();
    limit.onSample(5, 1, false, 1);
    for (let i = 1; i <= 10; i++) limit.onSample(i, i === 4 ? 30 : 20, i === 7, 100 * i);
    expect(heard).toEqual([]);
    limit.onSample(11, 2, false, 1002);
    expect(heard).toEqual([[6, 30, true, 1002]]);
    expect(limit.limit()).toBe(7);
  });

  it('throws away a window with fewer than windowSize samples, and times below minRttThreshold', () => {
    const { heard, limit } = listen();
    limit.onSample(5, 1, false, 1);
    for (let i = 1; i <= 8; i++) limit.onSample(5, 1, true, i);
    for (let i = 1; i <= 8; i++) limit.onSample(0.05, 1, true, i);
    limit.onSample(5, 1, false, 1002);
    expect(heard).toEqual([]);
  });

  it('lasts twice the least time of the window before, within its bounds', () => {
    const { heard, limit } = listen({ minWindowTime: 100, maxWindowTime: 400 });
    limit.onSample(150, 1, false, 1);
    for (let i = 0; i < 10; i++) limit.onSample(150, 1, false, 300);
    expect(heard).toHaveLength(0);
    limit.onSample(150, 1, false, 302);
    expect(heard).toHaveLength(1);
  });
});

describe('envoy-gradient', () => {
  const params = { interval: 10_000, jitter: 0, requestCount: 5 };
  const request: AdmissionRequest = { nowMs: 0, priority: 0, inFlight: 0, queued: 0, user: 0, partition: 0 };
  const admits = (policy: Admission, inFlight: number, nowMs: number): boolean => {
    request.inFlight = inFlight;
    request.nowMs = nowMs;
    return policy.admit(request);
  };
  const measured = (rttMs = 5): Admission => {
    const policy = envoyGradient.make(params, { rng: unusedRng });
    for (let i = 1; i <= 5; i++) policy.onEnd(admissionResults.ok, rttMs, 1, 10 * i, 0);
    return policy;
  };

  it('lets in minConcurrency until it has measured, then climbs 3, 5, 8, 13, 20 while times stay', () => {
    const policy = envoyGradient.make(params, { rng: unusedRng });
    expect([admits(policy, 2, 0), admits(policy, 3, 0)]).toEqual([true, false]);
    for (let i = 1; i <= 5; i++) policy.onEnd(admissionResults.ok, 5, 1, 10 * i, 0);
    const limits = [0, 1, 2, 3, 4].map((window) => {
      const limit = policy.limit();
      policy.onEnd(admissionResults.ok, 5, 1, 60 + 100 * window, 0);
      admits(policy, 0, 150 + 100 * window);
      return limit;
    });
    expect(limits).toEqual([3, 5, 8, 13, 20]);
  });

  it('changes nothing in windows without samples', () => {
    const policy = measured();
    policy.onEnd(admissionResults.ok, 5, 1, 60, 0);
    admits(policy, 0, 5000);
    expect(policy.limit()).toBe(5);
  });

  it('measures again after the interval at minConcurrency, ignores what started before, and gives the limit back', () => {
    const policy = measured();
    for (let window = 0; window < 3; window++) policy.onEnd(admissionResults.ok, 5, 1, 60 + 100 * window, 0);
    admits(policy, 0, 9000);
    expect(policy.limit()).toBe(13);
    admits(policy, 0, 10_050);
    expect(policy.limit()).toBe(3);
    for (let i = 0; i < 20; i++) policy.onEnd(admissionResults.ok, 100, 1, 10_060, 0);
    expect(policy.limit()).toBe(3);
    for (let i = 0; i < 5; i++) policy.onEnd(admissionResults.ok, 10, 1, 10_061 + i, 0);
    expect(policy.limit()).toBe(13);
    // With minRTT 10 ms now: 13 · 1.25 = 16.25 and its root 4.03.
    policy.onEnd(admissionResults.ok, 10, 1, 10_100, 0);
    admits(policy, 0, 10_200);
    expect(policy.limit()).toBe(20);
  });

  it('measures again after five windows that end at minConcurrency', () => {
    const pinned = new PinnedWindows(3);
    expect([3, 3, 3, 3, 4, 3, 3, 3, 3, 3].map((limit) => pinned.isStuck(limit))).toEqual([
      ...Array.from({ length: 9 }, () => false),
      true,
    ]);
    const policy = measured();
    for (let window = 0; window < 5; window++) {
      policy.onEnd(admissionResults.ok, 50, 1, 60 + 100 * window, 0);
      admits(policy, 0, 150 + 100 * window);
    }
    // Being measured again, it takes five samples of 50 ms for the normal time, and can grow from there.
    for (let i = 0; i < 5; i++) policy.onEnd(admissionResults.ok, 50, 1, 700, 0);
    policy.onEnd(admissionResults.ok, 50, 1, 710, 0);
    admits(policy, 0, 800);
    expect(policy.limit()).toBe(5);
  });

  it('spreads measurements by up to the jitter, in whole milliseconds', () => {
    expect(jittered(60_000, 0.15, { ...unusedRng, below: (n) => n - 1 })).toBe(68_999);
    expect(jittered(60_000, 0, unusedRng)).toBe(60_000);
  });

  it('uses the exact percentile of a window: nearest rank', () => {
    const percentile = (share: number, ...samples: readonly number[]): number => {
      const buffer = new SampleBuffer();
      for (const sample of samples) buffer.add(sample);
      return buffer.takePercentile(share);
    };
    expect(percentile(0.5, 5, 3, 1, 4, 2)).toBe(3);
    expect(percentile(0.5, 4, 1, 3, 2)).toBe(2);
    expect(percentile(0.95, ...Array.from({ length: 100 }, (_, i) => 100 - i))).toBe(95);
    expect([percentile(0, 2, 1), percentile(1, 2, 1)]).toEqual([1, 2]);
    expect(percentile(0.07, ...Array.from({ length: 100 }, (_, i) => i + 1))).toBe(7);
  });
});

describe('the rooms for queues', () => {
  it('are whole: max(1, ⌊log10⌋) and max(baseline, ⌊√⌋)', () => {
    expect([0, 9, 99, 100, 999, 1000, 10_000].map(log10Root)).toEqual([1, 1, 1, 2, 2, 3, 4]);
    expect([0, 15, 25, 999].map((limit) => squareRoot(limit, 4))).toEqual([4, 4, 5, 31]);
  });
});

describe('bounds', () => {
  const limits: Readonly<Record<string, () => readonly [ConcurrencyLimit, number, number]>> = {
    aimd: () => [new AimdLimit({ ...defaults(aimdParams), minLimit: 10, maxLimit: 60 }), 10, 60],
    vegas: () => [new VegasLimit(vegasRules({ ...defaults(vegas.params), maxConcurrency: 60 }), testRng(3)), 1, 60],
    gradient: () => [
      new GradientLimit({ ...defaults(gradientParams), maxConcurrency: 60, probeInterval: 20 }, testRng(4)),
      4,
      60,
    ],
    gradient2: () => [new Gradient2Limit({ ...defaults(gradient2Params), minLimit: 5, maxConcurrency: 60 }), 5, 60],
  };
  const sample = fc.tuple(fc.double({ min: 0.001, max: 1e5, noNaN: true }), fc.integer({ min: 1, max: 200 }), fc.boolean());

  it.each(Object.keys(limits))('%s never leaves its own, whatever the samples', (name) => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 150 }), (samples) => {
        const [limit, least, greatest] = limits[name]();
        return feed(limit, ...samples).every((value) => Number.isInteger(value) && value >= least && value <= greatest);
      }),
      { numRuns: 100, seed: 20_240_517 },
    );
  });

  it('envoy-gradient never leaves its own, whatever the samples', () => {
    const step = fc.tuple(
      fc.double({ min: 0, max: 500, noNaN: true }),
      fc.double({ min: 0, max: 300, noNaN: true }),
      fc.nat({ max: 3 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const policy = envoyGradient.make({ interval: 1000, requestCount: 5, maxConcurrencyLimit: 40 }, { rng: testRng(6) });
        let nowMs = 0;
        return steps.every(([rttMs, pauseMs, result]) => {
          nowMs += pauseMs;
          policy.onEnd(result as 0 | 1 | 2 | 3, rttMs, 1, nowMs, 0);
          return Number.isInteger(policy.limit()) && policy.limit() >= 3 && policy.limit() <= 40;
        });
      }),
      { numRuns: 100, seed: 20_240_518 },
    );
  });

  it('are refused where they contradict each other', () => {
    const deps = { rng: testRng(1) };
    expect(() => aimd.make({ initialLimit: 10 }, deps)).toThrow(/initialLimit: 10 is not between .* 20 and 200/);
    expect(() => gradient2.make({ minLimit: 300 }, deps)).toThrow(/minLimit: 300 is above maxConcurrency, which is 200/);
    expect(() => gradient.make({ queueSize: 2000 }, deps)).toThrow(/queueSize: 2000/);
    expect(() => vegas.make({ initialLimit: 2000 }, deps)).toThrow(/initialLimit: 2000/);
    expect(() => envoyGradient.make({ minConcurrency: 2000 }, deps)).toThrow(/minConcurrency: 2000/);
    expect(new FixedLimit(3).limit()).toBe(3);
  });
});
