/** Arithmetic over windows of a time series, and over seeds. */
import type { Ms } from '../core/time.ts';

const MS_PER_MINUTE = 60_000;

/** Requests that arrived, ended well, ended badly in window k: [k·windowMs, (k+1)·windowMs). */
export interface WindowCounts {
  readonly windowMs: Ms;
  readonly offered: readonly number[];
  readonly ok: readonly number[];
  readonly failed: readonly number[];
}

export interface Minutes {
  readonly minutes: number;
  readonly errorMinutes: number;
}

/** Of the windows from `from` up to `to`, `to` not included. */
export function minutesOf(
  { windowMs, offered, ok, failed }: WindowCounts,
  from: number,
  to: number,
  objective: number,
  horizonMs: Ms,
): Minutes {
  const end = Math.min(to, offered.length);
  const perMinute = Math.max(1, Math.round(MS_PER_MINUTE / windowMs));
  let minutes = 0;
  let errorMinutes = 0;
  for (let start = from; start < end; start += perMinute) {
    const stop = Math.min(start + perMinute, end);
    const length = (Math.min(stop * windowMs, horizonMs) - start * windowMs) / MS_PER_MINUTE;
    const [well, badly] = [sum(ok, start, stop), sum(failed, start, stop)];
    const isError = well + badly === 0 ? sum(offered, start, stop) > 0 : well < objective * (well + badly);
    minutes += length;
    if (isError) errorMinutes += length;
  }
  return { minutes, errorMinutes };
}

export function sum(values: readonly number[], from: number, to: number): number {
  let total = 0;
  for (let window = from; window < to; window++) total += values[window];
  return total;
}

/** Of values that may be Infinity; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => (x < y ? -1 : x > y ? 1 : 0));
  const half = sorted.length >>> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
