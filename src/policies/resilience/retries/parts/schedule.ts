/** Waits that are known beforehand, as a list that may have no end, and the ways to put such lists together: the algebra of
 *  Finagle's `Backoff` without its random members. Entries are computed when asked for, so a schedule has no state and many
 *  requests share one. */
import type { Ms } from '../../../../core/time.ts';
import { geometricMs } from './growth.ts';

export interface Schedule {
  /** How many waits there are; Infinity for no end. */
  readonly length: number;
  /** The n-th wait, from 1 to `length`. */
  delayMs(n: number): Ms;
}

export const emptySchedule: Schedule = { length: 0, delayMs: () => 0 };

export const constantSchedule = (ms: Ms): Schedule => ({ length: Infinity, delayMs: () => ms });

/** start, start + offset, start + 2 · offset, up to the maximum. An offset of 0 is a constant, which has no maximum. */
export const linearSchedule = (startMs: Ms, offsetMs: Ms, maximumMs: Ms = Infinity): Schedule =>
  offsetMs === 0
    ? constantSchedule(startMs)
    : { length: Infinity, delayMs: (n) => Math.min(startMs + (n - 1) * offsetMs, maximumMs) };

/** start, start · multiplier, start · multiplier², up to the maximum. A multiplier of 1 is a constant, which has no maximum. */
export const exponentialSchedule = (startMs: Ms, multiplier: number, maximumMs: Ms = Infinity): Schedule =>
  multiplier === 1
    ? constantSchedule(startMs)
    : { length: Infinity, delayMs: (n) => geometricMs(startMs, multiplier, n - 1, maximumMs) };

/** The first `count` waits. */
export const take = (schedule: Schedule, count: number): Schedule => ({
  length: Math.max(0, Math.min(schedule.length, count)),
  delayMs: (n) => schedule.delayMs(n),
});

/** The waits up to the one with which their sum reaches `sumMs`. */
export function takeUntil(schedule: Schedule, sumMs: Ms): Schedule {
  let count = 0;
  for (let waitedMs = 0; waitedMs < sumMs && count < schedule.length; waitedMs += schedule.delayMs(count)) {
    // Waits of nothing never add up to anything.
    if (++count === MANY) return schedule;
  }
  return take(schedule, count);
}

/** One after the other; what follows a schedule without end is never reached. */
export const concat = (first: Schedule, second: Schedule): Schedule => ({
  length: first.length + second.length,
  delayMs: (n) => (n <= first.length ? first.delayMs(n) : second.delayMs(n - first.length)),
});

const MANY = 1_000_000;
