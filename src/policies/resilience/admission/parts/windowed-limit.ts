/** A limit that is told of windows instead of single requests: mean time, most in flight, whether anything was dropped. Netflix's
 *  WindowedLimit with its average window.
 *
 *  Use it around a limit that is too nervous with single samples, or whose own constants count updates (Gradient2's long average over
 *  600). It fails where requests are few: windows with less than `windowSize` samples are thrown away, drops included. */
import { boolean, duration, int, type ParamValues } from '../../../../core/params.ts';
import type { Ms } from '../../../../core/time.ts';
import type { ConcurrencyLimit } from './concurrency-limit.ts';

export const windowParams = {
  windowed: boolean({
    default: false,
    about: 'Whether the limit is updated once per window, by its averages, instead of by each request.',
    official: 'Netflix WindowedLimit around the limit',
  }),
  minWindowTime: duration({ default: 1000, min: 100, about: 'With windowed: the least length of a window.' }),
  maxWindowTime: duration({
    default: 1000,
    min: 100,
    about: 'With windowed: the greatest length; in between it is twice the least time seen in the last window.',
  }),
  windowSize: int({ default: 10, min: 10, about: 'With windowed: windows with fewer samples are thrown away.' }),
  minRttThreshold: duration({ default: 0.1, min: 0, about: 'With windowed: shorter times are ignored.' }),
};
export type WindowValues = ParamValues<typeof windowParams>;

/** The limit, with a window around it if the parameters say so. */
export const withWindow = (limit: ConcurrencyLimit, values: WindowValues): ConcurrencyLimit =>
  values.windowed ? new WindowedLimit(limit, values) : limit;

/** Until when the window lasts that starts at `nowMs`, after one whose least time was `leastRttMs`. */
export const windowEndMs = (nowMs: Ms, leastRttMs: Ms, minWindowMs: Ms, maxWindowMs: Ms): Ms =>
  nowMs + Math.min(Math.max(leastRttMs * 2, minWindowMs), maxWindowMs);

export class WindowedLimit implements ConcurrencyLimit {
  readonly #limit: ConcurrencyLimit;
  readonly #values: Omit<WindowValues, 'windowed'>;
  #endMs = 0;
  #count = 0;
  #sumMs = 0;
  #leastMs = Infinity;
  #mostInFlight = 0;
  #dropped = false;

  constructor(limit: ConcurrencyLimit, values: Omit<WindowValues, 'windowed'>) {
    this.#limit = limit;
    this.#values = values;
  }

  limit(): number {
    return this.#limit.limit();
  }

  onSample(rttMs: Ms, inFlight: number, dropped: boolean, nowMs: Ms): void {
    if (rttMs < this.#values.minRttThreshold) return;
    this.#count++;
    this.#sumMs += rttMs;
    this.#leastMs = Math.min(this.#leastMs, rttMs);
    this.#mostInFlight = Math.max(this.#mostInFlight, inFlight);
    this.#dropped ||= dropped;
    if (nowMs > this.#endMs) this.#close(nowMs);
  }

  #close(nowMs: Ms): void {
    const { minWindowTime, maxWindowTime, windowSize } = this.#values;
    this.#endMs = windowEndMs(nowMs, this.#leastMs, minWindowTime, maxWindowTime);
    if (this.#count >= windowSize) {
      this.#limit.onSample(this.#sumMs / this.#count, this.#mostInFlight, this.#dropped, nowMs);
    }
    this.#count = 0;
    this.#sumMs = 0;
    this.#leastMs = Infinity;
    this.#mostInFlight = 0;
    this.#dropped = false;
  }
}
