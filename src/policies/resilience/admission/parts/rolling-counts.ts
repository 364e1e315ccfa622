/** How many requests there were within a window of time, and how many of them were good: exact totals at the grain of one second.
 *
 *  Buckets start when they are first needed, at least a second apart, and leave as a whole once their start is a window old: the
 *  history of Envoy's ThreadLocalController. A ring, so that nothing is allocated. */
import { invariant } from '../../../../core/errors.ts';
import type { Ms } from '../../../../core/time.ts';

export class RollingCounts {
  requests = 0;
  good = 0;
  readonly #windowMs: Ms;
  readonly #startMs: Float64Array;
  readonly #requests: Int32Array;
  readonly #good: Int32Array;
  #oldest = 0;
  #buckets = 0;

  constructor(windowMs: Ms) {
    this.#windowMs = windowMs;
    const size = Math.ceil(windowMs / GRAIN_MS) + 2;
    this.#startMs = new Float64Array(size);
    this.#requests = new Int32Array(size);
    this.#good = new Int32Array(size);
  }

  /** Counts so many more at this time; negative to take back. */
  add(requests: number, good: number, nowMs: Ms): void {
    this.advance(nowMs);
    const newest = this.#newest();
    this.#requests[newest] += requests;
    this.#good[newest] += good;
    this.requests += requests;
    this.good += good;
  }

  /** Forgets what is older than the window; to be called before the totals are read. */
  advance(nowMs: Ms): void {
    while (this.#buckets > 0 && nowMs - this.#startMs[this.#oldest] >= this.#windowMs) this.#dropOldest();
    if (this.#buckets > 0 && nowMs - this.#startMs[this.#newest()] < GRAIN_MS) return;
    invariant(this.#buckets < this.#startMs.length, 'more buckets than fit into the window');
    this.#buckets++;
    const newest = this.#newest();
    this.#startMs[newest] = nowMs;
    this.#requests[newest] = 0;
    this.#good[newest] = 0;
  }

  /** Requests per second over the window, in whole numbers. */
  ratePerSecond(): number {
    return Math.floor(this.requests / Math.max(1, Math.floor(this.#windowMs / 1000)));
  }

  #newest(): number {
    return (this.#oldest + this.#buckets - 1) % this.#startMs.length;
  }

  #dropOldest(): void {
    this.requests -= this.#requests[this.#oldest];
    this.good -= this.#good[this.#oldest];
    this.#oldest = (this.#oldest + 1) % this.#startMs.length;
    this.#buckets--;
  }
}

const GRAIN_MS = 1000;
