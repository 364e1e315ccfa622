/** Wakes at start + k · interval while there is something to look at. */
import type { Ms } from '../../../../core/time.ts';

export class IntervalClock {
  readonly #intervalMs: Ms;
  #dueMs: Ms = Infinity;

  constructor(intervalMs: Ms) {
    this.#intervalMs = intervalMs;
  }

  get dueMs(): Ms {
    return this.#dueMs;
  }

  startUnlessRunning(nowMs: Ms): void {
    if (this.#dueMs === Infinity) this.#dueMs = nowMs + this.#intervalMs;
  }

  stop(): void {
    this.#dueMs = Infinity;
  }

  /** Whether a tick is due; several that were missed count as one. */
  takeTick(nowMs: Ms): boolean {
    if (nowMs < this.#dueMs) return false;
    do this.#dueMs += this.#intervalMs;
    while (this.#dueMs <= nowMs);
    return true;
  }
}
