/** Lets through so many events per second, one at a time: a token bucket that holds one token. A rate of 0 lets nothing through. */
import type { Ms } from '../../../core/time.ts';

export class EventLimiter {
  readonly ratePerSecond: number;
  #freeAtMs: Ms;

  /** Full at first, unless it is to begin with an event just let through. */
  constructor(ratePerSecond: number, nowMs: Ms, isDrained = false) {
    this.ratePerSecond = ratePerSecond;
    this.#freeAtMs = isDrained ? nowMs + this.#gapMs() : nowMs;
  }

  /** When the next event gets through. */
  freeAtMs(): Ms {
    return this.ratePerSecond > 0 ? this.#freeAtMs : Infinity;
  }

  /** Whether an event gets through now; the token is gone then. */
  tryAccept(nowMs: Ms): boolean {
    if (nowMs < this.freeAtMs()) return false;
    this.#freeAtMs = nowMs + this.#gapMs();
    return true;
  }

  #gapMs(): Ms {
    return 1000 / this.ratePerSecond;
  }
}
