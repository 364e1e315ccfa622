/** The windows that breakers judge by, against naive models that keep every event. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BucketRing } from '../../../src/policies/resilience/breakers/parts/bucket-ring.ts';
import { callRate, type CallWindow } from '../../../src/policies/resilience/breakers/parts/call-window.ts';
import { CountWindow } from '../../../src/policies/resilience/breakers/parts/count-window.ts';
import { Ema } from '../../../src/policies/resilience/breakers/parts/ema.ts';
import { EqualJittered, ListedDurations } from '../../../src/policies/resilience/breakers/parts/mark-dead-for.ts';
import { pollyWindow, RollingWindow } from '../../../src/policies/resilience/breakers/parts/polly-window.ts';
import { RollingCounts } from '../../../src/policies/resilience/breakers/parts/rolling-counts.ts';
import { WindowedAdder } from '../../../src/policies/shared/windowed-adder.ts';
import { TimeWindow } from '../../../src/policies/resilience/breakers/parts/time-window.ts';
import { Script } from '../../vectors/adapters/stage.ts';

const runs = { numRuns: 200, seed: 20_240_517 };

interface Call {
  readonly gapMs: number;
  readonly isGood: boolean;
  readonly isSlow: boolean;
  readonly durationMs: number;
}
const calls = fc.array(
  fc.record({
    // Mostly short gaps, some longer than any window here.
    gapMs: fc.oneof(fc.nat({ max: 900 }), fc.nat({ max: 12_000 })),
    isGood: fc.boolean(),
    isSlow: fc.boolean(),
    durationMs: fc.nat({ max: 5000 }),
  }),
  { maxLength: 60 },
);

const countsOf = (window: CallWindow): readonly number[] => [
  window.total,
  window.failed,
  window.slow,
  window.slowFailed,
  window.totalDurationMs,
];
const countsIn = (kept: readonly Call[]): readonly number[] => [
  kept.length,
  kept.filter((call) => !call.isGood).length,
  kept.filter((call) => call.isSlow).length,
  kept.filter((call) => !call.isGood && call.isSlow).length,
  kept.reduce((sum, call) => sum + call.durationMs, 0),
];

/** Runs the calls, each `gapMs` after the one before, and tells what stood after each. */
const timed = (history: readonly Call[]): readonly (Call & { readonly atMs: number })[] => {
  let atMs = 0;
  return history.map((call) => ({ ...call, atMs: (atMs += call.gapMs) }));
};

describe('a count window', () => {
  it('holds the last calls and nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), calls, (capacity, history) => {
        const window = new CountWindow(capacity);
        history.forEach((call, i) => {
          window.record(call.isGood, call.isSlow, call.durationMs);
          expect(countsOf(window)).toEqual(countsIn(history.slice(Math.max(0, i + 1 - capacity), i + 1)));
        });
        window.reset();
        expect(countsOf(window)).toEqual([0, 0, 0, 0, 0]);
      }),
      runs,
    );
  });
});

describe('a time window', () => {
  it('holds the calls of the current second and of those before it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), calls, (seconds, history) => {
        const window = new TimeWindow(seconds);
        const past: (Call & { atMs: number })[] = [];
        for (const call of timed(history)) {
          past.push(call);
          window.record(call.isGood, call.isSlow, call.durationMs, call.atMs);
          const oldest = Math.floor(call.atMs / 1000) - seconds + 1;
          expect(countsOf(window)).toEqual(countsIn(past.filter(({ atMs }) => Math.floor(atMs / 1000) >= oldest)));
        }
      }),
      runs,
    );
  });

  it('is empty once it has moved past its last call', () => {
    const window = new TimeWindow(3);
    window.record(false, true, 10, 999);
    window.moveTo(2999);
    expect(window.total).toBe(1);
    window.moveTo(3000);
    expect(countsOf(window)).toEqual([0, 0, 0, 0, 0]);
    expect(window.averageDurationMs).toBe(0);
  });
});

describe('a rate of calls', () => {
  it('is a percentage in single precision, and 0 of nothing', () => {
    expect(callRate(1, 3)).toBe(Math.fround(33.333332));
    expect(callRate(0, 0)).toBe(0);
  });
});

describe('a ring of buckets', () => {
  it('counts the current bucket and the ones before it, also after pauses', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 1000 }), calls, (size, everyMs, history) => {
        const ring = new BucketRing(size, everyMs);
        const past: (Call & { atMs: number })[] = [];
        for (const call of timed(history)) {
          past.push(call);
          ring.turnTo(call.atMs);
          ring.addCall();
          if (!call.isGood) ring.addBad();
          const oldest = Math.floor(call.atMs / everyMs) - size + 1;
          const kept = past.filter(({ atMs }) => Math.floor(atMs / everyMs) >= oldest);
          expect([ring.total, ring.bad]).toEqual(countsIn(kept).slice(0, 2));
        }
      }),
      runs,
    );
  });

  it('turns at its boundaries, which belong to the new bucket, and at multiples from where it was restarted', () => {
    const ring = new BucketRing(2, 100);
    ring.addCall();
    expect([ring.due(99), ring.due(100), ring.due(350), ring.timeOf(1)]).toEqual([0, 1, 3, 100]);
    ring.turnTo(100);
    expect([ring.total, ring.totalOf(1), ring.totalOf(2)]).toEqual([1, 1, 0]);
    ring.restart(130);
    expect([ring.total, ring.due(229), ring.due(230)]).toEqual([0, 0, 1]);
  });
});

describe("Polly's windows", () => {
  it('forget a window when its first event is a sampling duration old', () => {
    fc.assert(
      fc.property(calls, (history) => {
        const window = new RollingWindow(5000, 10);
        // The model keeps windows as lists: one opens with the first event 500 ms or more after the last one opened.
        let windows: { readonly startedMs: number; readonly calls: Call[] }[] = [];
        for (const call of timed(history)) {
          const newest = windows.at(-1);
          if (newest === undefined || call.atMs - newest.startedMs >= 500) windows.push({ startedMs: call.atMs, calls: [] });
          windows = windows.filter(({ startedMs }) => call.atMs - startedMs < 5000);
          windows.at(-1)!.calls.push(call);
          window.add(call.isGood, call.atMs);
          expect([window.throughput, window.failures]).toEqual(countsIn(windows.flatMap((kept) => kept.calls)).slice(0, 2));
        }
      }),
      runs,
    );
  });

  it('roll if a tenth of the sampling duration is as long as a timer can tell, and start over otherwise', () => {
    const short = pollyWindow(199);
    expect([short.type, pollyWindow(200).type]).toEqual(['single', 'rolling']);
    short.add(false, 0);
    short.add(true, 198);
    expect([short.throughput, short.failures]).toEqual([2, 1]);
    short.moveTo(199);
    expect([short.throughput, short.failures]).toEqual([0, 0]);
  });
});

describe("gobreaker's counts", () => {
  it('sum up over the buckets in use, results with their requests', () => {
    const event = fc.tuple(fc.nat({ max: 3 }), fc.constantFrom('success', 'failure', 'exclusion'));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(event, { maxLength: 40 }), (buckets, events) => {
        const counts = new RollingCounts(buckets);
        const past: { readonly age: number; readonly end: string }[] = [];
        let age = 0;
        for (const [gap, end] of events) {
          age += gap;
          counts.growTo(age);
          counts.onRequest();
          if (end === 'success') counts.onSuccess(age);
          else if (end === 'failure') counts.onFailure(age);
          else counts.onExclusion(age);
          past.push({ age, end });
          const kept = past.filter((one) => age - one.age < buckets).map((one) => one.end);
          const of = (wanted: string): number => kept.filter((one) => one === wanted).length;
          expect([counts.requests, counts.successes, counts.failures, counts.exclusions]).toEqual([
            kept.length,
            of('success'),
            of('failure'),
            of('exclusion'),
          ]);
          // A row may be shortened by what has left, and is never longer than it was.
          const sinceSuccess = past.slice(past.findLastIndex((one) => one.end === 'success') + 1);
          const row = sinceSuccess.filter((one) => one.end === 'failure').length;
          expect(counts.consecutiveFailures).toBeLessThanOrEqual(row);
          expect(counts.consecutiveFailures).toBeGreaterThanOrEqual(end === 'failure' ? 1 : 0);
        }
      }),
      runs,
    );
  });

  it('book a late result to the bucket of its request, and drop it if that has left', () => {
    const counts = new RollingCounts(2);
    counts.onRequest();
    counts.growTo(1);
    counts.onFailure(0);
    expect([counts.requests, counts.failures]).toEqual([1, 1]);
    counts.growTo(2);
    expect([counts.requests, counts.failures, counts.consecutiveFailures]).toEqual([0, 0, 0]);
    counts.onFailure(0);
    expect(counts.failures).toBe(0);
  });

  it('keep a row that began in a bucket that left as long as something ended it in between', () => {
    const counts = new RollingCounts(2);
    const failure = (age: number): void => {
      counts.growTo(age);
      counts.onRequest();
      counts.onFailure(age);
    };
    failure(0);
    failure(0);
    failure(1);
    expect(counts.consecutiveFailures).toBe(3);
    // All of the window is one row: what leaves is taken off it.
    failure(2);
    expect(counts.consecutiveFailures).toBe(2);
  });
});

describe('a sliced counter', () => {
  it('never counts what is older than its range, and always what is in its last slices but one', () => {
    const gaps = fc.array(fc.nat({ max: 400 }), { maxLength: 60 });
    fc.assert(
      fc.property(gaps, (history) => {
        // Slices of 100 ms that begin with a call: five slices cover more than 400 ms if calls come at least every slice.
        const counter = new WindowedAdder(500, 5);
        const atMs: number[] = [];
        let nowMs = 0;
        for (const gap of history) {
          nowMs += gap % 100;
          atMs.push(nowMs);
          counter.add(1, nowMs);
          const sum = counter.sum(nowMs);
          expect(sum).toBeGreaterThanOrEqual(atMs.filter((at) => nowMs - at <= 400).length);
          expect(sum).toBeLessThanOrEqual(atMs.filter((at) => nowMs - at < 1000).length);
        }
      }),
      runs,
    );
  });

  it('is empty after a pause of its range, and after a reset', () => {
    const counter = new WindowedAdder(500, 5);
    counter.add(3, 50);
    expect(counter.sum(450)).toBe(3);
    expect(counter.sum(1000)).toBe(0);
    counter.add(2, 1000);
    counter.reset(1001);
    expect(counter.sum(1001)).toBe(0);
  });
});

describe('a moving average', () => {
  it('starts at the first value and weighs by exp(−gap / window), short gaps and long ones alike', () => {
    const average = new Ema(100);
    average.update(5, 1);
    expect(average.average).toBe(1);
    average.update(55, 0);
    expect(average.average).toBeCloseTo(Math.exp(-0.5), 14);
    average.update(355, 1);
    expect(average.average).toBeCloseTo(1 - Math.exp(-3) + Math.exp(-3.5), 14);
    average.reset();
    average.update(400, 0);
    expect(average.average).toBe(0);
  });

  it('takes only the first of several values at one stamp', () => {
    const average = new Ema(100);
    average.update(7.1, 1);
    average.update(7.9, 0);
    expect(average.average).toBe(1);
  });
});

describe("Finagle's dead times", () => {
  it('are the start, then half an exponential growth and as much again at random, up to the maximum, and then draw no more', () => {
    const draws = new Script(0.5, 0.5, 0.5, 0.25, 0, 0.999);
    const durations = new EqualJittered(5000, 300_000, draws);
    const first = Array.from({ length: 9 }, () => durations.next());
    expect(first).toEqual([5000, 7500, 15_000, 30_000, 50_000, 80_000, 300_000, 300_000, 300_000]);
    expect(draws.used).toBe(6);
    durations.reset();
    expect(new EqualJittered(9, 9, new Script()).next()).toBe(9);
  });

  it('go on with 300 s when a list of them ends', () => {
    const durations = new ListedDurations([5, 7]);
    expect([durations.next(), durations.next(), durations.next(), durations.next()]).toEqual([5, 7, 300_000, 300_000]);
    durations.reset();
    expect(durations.next()).toBe(5);
  });
});
