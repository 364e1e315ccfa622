/** For how long Finagle marks an endpoint dead, time after time until it is revived. */
import type { Rng } from '../../../../core/rng.ts';
import type { Ms } from '../../../../core/time.ts';

export interface MarkDeadFor {
  next(): Ms;
  /** Starts over. */
  reset(): void;
}

/** Half of an exponential growth and up to as much again at random: `start`, then h + U(0, h) with h = start · 2^n, at most `maximum`,
 *  which is also the end of the drawing. After Finagle's Backoff.equalJittered. */
export class EqualJittered implements MarkDeadFor {
  readonly #startMs: Ms;
  readonly #maximumMs: Ms;
  readonly #rng: Rng;
  #nextMs: Ms;
  #halfMs: Ms;

  constructor(startMs: Ms, maximumMs: Ms, rng: Rng) {
    this.#startMs = Math.min(startMs, maximumMs);
    this.#maximumMs = maximumMs;
    this.#rng = rng;
    this.#nextMs = this.#startMs;
    this.#halfMs = this.#startMs;
  }

  next(): Ms {
    const durationMs = this.#nextMs;
    if (durationMs < this.#maximumMs) {
      const halfMs = Math.min(this.#halfMs, this.#maximumMs);
      this.#nextMs = Math.min(halfMs + this.#rng.next() * halfMs, this.#maximumMs);
      this.#halfMs = 2 * halfMs;
    }
    return durationMs;
  }

  reset(): void {
    this.#nextMs = this.#startMs;
    this.#halfMs = this.#startMs;
  }
}

/** The listed durations in turn, then one for ever: Finagle's policies go on with 300 s when what they were given ends. */
export class ListedDurations implements MarkDeadFor {
  readonly #listMs: readonly Ms[];
  readonly #thenMs: Ms;
  #used = 0;

  constructor(listMs: readonly Ms[], thenMs: Ms = 300_000) {
    this.#listMs = listMs;
    this.#thenMs = thenMs;
  }

  next(): Ms {
    return this.#used < this.#listMs.length ? this.#listMs[this.#used++] : this.#thenMs;
  }

  reset(): void {
    this.#used = 0;
  }
}
