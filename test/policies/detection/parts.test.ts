/** The pieces that detectors share, against naive models. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadlineHeap } from '../../../src/policies/detection/parts/deadline-heap.ts';
import { ExpectedArrivals } from '../../../src/policies/detection/parts/expected-arrivals.ts';
import { SampleWindow } from '../../../src/policies/detection/parts/sample-window.ts';
import { Watchlist } from '../../../src/policies/detection/parts/watchlist.ts';

const runs = { numRuns: 200, seed: 20_250_302 };

describe('a heap of deadlines', () => {
  it('always has the earliest first, and the lower slot of two', () => {
    const operations = fc.array(
      fc.record({
        slot: fc.nat({ max: 40 }),
        deadlineMs: fc.oneof(fc.nat({ max: 20 }), fc.constant(Infinity)),
        isRemoval: fc.boolean(),
      }),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(operations, (steps) => {
        const heap = new DeadlineHeap();
        const model = new Map<number, number>();
        for (const { slot, deadlineMs, isRemoval } of steps) {
          if (isRemoval) {
            heap.remove(slot);
            model.delete(slot);
          } else {
            heap.set(slot, deadlineMs);
            model.set(slot, deadlineMs);
          }
          // Infinity less Infinity is NaN, for which the slots decide.
          const [first] = [...model].toSorted((a, b) => a[1] - b[1] || a[0] - b[0]);
          expect(heap.first()).toBe(first?.[0] ?? -1);
          expect(heap.firstMs()).toBe(first?.[1] ?? Infinity);
        }
      }),
      runs,
    );
  });
});

describe('a window of samples', () => {
  it('has mean and variance of the last samples', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 200 }),
        (capacity, samples) => {
          const window = new SampleWindow(capacity);
          samples.forEach((sample, i) => {
            window.add(sample);
            const kept = samples.slice(Math.max(0, i + 1 - capacity), i + 1);
            const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
            expect(window.count).toBe(kept.length);
            expect(window.mean).toBeCloseTo(mean, 8);
            expect(window.variance).toBeCloseTo(kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / kept.length, 6);
            expect([...window.samples()].toSorted((a, b) => a - b)).toEqual(kept.toSorted((a, b) => a - b));
          });
        },
      ),
      runs,
    );
  });

  it('keeps the small differences of large numbers, for a million samples', () => {
    const window = new SampleWindow(100);
    for (let i = 0; i < 1e6; i++) window.add(1e12 + (i % 2) * 0.125 + (i < 5e5 ? 1e6 : 0));
    expect(window.mean).toBe(1e12 + 0.0625);
    expect(window.variance).toBeCloseTo(0.0625 ** 2, 9);
  });

  it('has no variance where nothing varies', () => {
    const window = new SampleWindow(7);
    for (let i = 0; i < 1000; i++) window.add(0.1 + 0.2);
    expect(window.variance).toBe(0);
    expect(window.mean).toBe(0.1 + 0.2);
  });
});

describe('expected arrivals', () => {
  it('are exact for a sender that keeps to its schedule', () => {
    const arrivals = new ExpectedArrivals(1000, 5);
    for (const sequence of [3, 4, 8, 9]) {
      expect(arrivals.isFresh(sequence)).toBe(true);
      arrivals.arrive(sequence, 123.25 + 1000 * sequence);
      expect(arrivals.of(sequence + 1)).toBe(123.25 + 1000 * (sequence + 1));
      expect(arrivals.isFresh(sequence)).toBe(false);
    }
  });
});

describe('a watchlist', () => {
  const list = (): { watchlist: Watchlist; log: string[] } => {
    const log: string[] = [];
    return { watchlist: new Watchlist({ believe: (slot, alive, nowMs) => log.push(`${nowMs}: ${slot} ${alive}`) }), log };
  };

  it('suspects at once whom a sign of life leaves with a deadline that is over', () => {
    const { watchlist, log } = list();
    watchlist.watch(0, 100);
    watchlist.extend(0, 40, 50);
    expect(log).toEqual(['50: 0 false']);
    watchlist.extend(0, 60, 60);
    expect(log).toEqual(['50: 0 false']);
    watchlist.extend(0, 80, 70);
    expect(log).toEqual(['50: 0 false', '70: 0 true']);
    expect(watchlist.nextMs()).toBe(80);
  });

  it('knows nothing of slots it never saw', () => {
    const { watchlist } = list();
    watchlist.unwatch(99);
    expect(watchlist.isWatched(99)).toBe(false);
    expect(watchlist.isSuspected(99)).toBe(false);
    expect(watchlist.overdueMs(99, 1e9)).toBe(0);
  });
});
