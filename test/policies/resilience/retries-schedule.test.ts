import { describe, expect, it } from 'vitest';
import {
  concat,
  constantSchedule,
  emptySchedule,
  exponentialSchedule,
  linearSchedule,
  type Schedule,
  take,
  takeUntil,
} from '../../../src/policies/resilience/retries/parts/schedule.ts';

const list = (schedule: Schedule): number[] => Array.from({ length: schedule.length }, (_, i) => schedule.delayMs(i + 1));

describe('a schedule', () => {
  it('goes on for ever unless it is cut', () => {
    for (const schedule of [constantSchedule(7), linearSchedule(7, 10), exponentialSchedule(2, 3)]) {
      expect(schedule.length).toBe(Infinity);
    }
    expect(list(take(linearSchedule(7, 10), 5))).toEqual([7, 17, 27, 37, 47]);
    expect(list(take(exponentialSchedule(2, 2, 15), 5))).toEqual([2, 4, 8, 15, 15]);
    expect(list(take(exponentialSchedule(2, 0), 3))).toEqual([2, 0, 0]);
  });

  it('is empty after taking nothing, and no longer for taking more than there is', () => {
    expect(take(constantSchedule(1), 0).length).toBe(0);
    expect(take(constantSchedule(1), -3).length).toBe(0);
    expect(list(take(take(constantSchedule(1), 2), 5))).toEqual([1, 1]);
  });

  it('can be cut where its sum reaches a time: the wait that reaches it is the last', () => {
    expect(list(takeUntil(linearSchedule(1000, 1000), 10_000))).toEqual([1000, 2000, 3000, 4000]);
    expect(list(takeUntil(linearSchedule(1000, 1000), 9000))).toEqual([1000, 2000, 3000, 4000]);
    expect(list(takeUntil(linearSchedule(1000, 1000), 6000))).toEqual([1000, 2000, 3000]);
    expect(takeUntil(constantSchedule(1), 0).length).toBe(0);
    expect(list(takeUntil(take(constantSchedule(1), 2), 100))).toEqual([1, 1]);
  });

  it('of nothing but zeros is never cut by a sum', () => {
    expect(takeUntil(constantSchedule(0), 1).length).toBe(Infinity);
  });

  it('can follow another that ends', () => {
    const parts = [take(constantSchedule(1), 1), take(linearSchedule(2, 1), 2), constantSchedule(4)];
    const joined = parts.reduce(concat, emptySchedule);
    expect(joined.length).toBe(Infinity);
    expect(list(take(joined, 6))).toEqual([1, 2, 3, 4, 4, 4]);
    expect(list(concat(take(constantSchedule(1), 2), emptySchedule))).toEqual([1, 1]);
    expect(concat(emptySchedule, emptySchedule).length).toBe(0);
    expect(concat(constantSchedule(1), constantSchedule(2)).delayMs(1000)).toBe(1);
  });

  it('of a step of nothing, or of a factor of one, is a constant that no maximum cuts', () => {
    expect(list(take(linearSchedule(20, 0, 15), 2))).toEqual([20, 20]);
    expect(list(take(exponentialSchedule(20, 1, 15), 2))).toEqual([20, 20]);
  });
});
