/** Requests per window of a width that people would choose, at most 120 of them. */
import type { Ms } from '../../core/time.ts';
import type { FittedRate } from './fitted-log.ts';

const maxWindows = 120;
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const widths: readonly Ms[] = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 7, 14, 28].map((count) => count * day),
];

export class RateWindows {
  declare readonly windowMs: Ms;
  declare private readonly counts: number[];

  constructor(spanMs: Ms) {
    this.windowMs = widths.find((width) => spanMs / width <= maxWindows) ?? Math.ceil(spanMs / maxWindows / day) * day;
    this.counts = [];
  }

  /** Since the first request; times must not fall. */
  add(sinceMs: Ms): void {
    const window = Math.floor(sinceMs / this.windowMs);
    while (this.counts.length <= window) this.counts.push(0);
    this.counts[window]++;
  }

  fit(spanMs: Ms): FittedRate {
    const total = this.counts.reduce((sum, count) => sum + count, 0);
    const lengths = this.counts.map((_, index) => windowLength(this.windowMs, index, spanMs));
    return {
      perSecond: total / (Math.max(spanMs, second) / 1000),
      // A few requests in the stub of a window are no peak.
      peakPerSecond: Math.max(...this.counts.map((count, index) => count / (Math.max(lengths[index], this.windowMs / 2) / 1000))),
      windowMs: this.windowMs,
      counts: this.counts,
    };
  }
}

/** Of the part of a window that lies within the log. */
export const windowLength = (windowMs: Ms, index: number, spanMs: Ms): Ms =>
  Math.min(windowMs, Math.max(1, spanMs - index * windowMs));
