/** What resilience4j knows of the calls in a window, by number (`CountWindow`) or by time (`TimeWindow`). */
import type { Ms } from '../../../../core/time.ts';

export interface CallWindow {
  /** The most calls it can hold. */
  readonly capacity: number;
  readonly total: number;
  readonly failed: number;
  readonly slow: number;
  readonly slowFailed: number;
  /** Summed up when asked, not kept: sums of fractions that are added and taken away drift. */
  readonly totalDurationMs: Ms;
  /** 0 of no calls. */
  readonly averageDurationMs: Ms;
  record(isGood: boolean, isSlow: boolean, durationMs: Ms, nowMs: Ms): void;
  /** Forgets what is no longer in the window. */
  moveTo(nowMs: Ms): void;
  reset(nowMs: Ms): void;
}

/** In per cent and single precision, as resilience4j compares rates with thresholds; 0 of nothing. */
export const callRate = (part: number, total: number): number => (total === 0 ? 0 : Math.fround((part * 100) / total));

/** Outcomes as stored: a bit each. */
export const FAILED = 1;
export const SLOW = 2;
export const outcomeBits = (isGood: boolean, isSlow: boolean): number => (isGood ? 0 : FAILED) | (isSlow ? SLOW : 0);
