/** How long a queue has been standing: the time since it was last empty. A burst that is worked off is not a standing queue, however
 *  long it was; a queue that never quite empties is one, however short. */
import type { Ms } from '../../../../core/time.ts';

export class StandingQueue {
  #lastEmptyMs: Ms = 0;

  onEnqueue(queued: number, nowMs: Ms): void {
    // It was empty until now, however it came to be: requests also leave by timing out.
    if (queued === 1) this.#lastEmptyMs = nowMs;
  }

  onDequeue(left: number, nowMs: Ms): void {
    if (left === 0) this.#lastEmptyMs = nowMs;
  }

  /** While requests are waiting: how long there have been some. */
  sinceEmptyMs(nowMs: Ms): Ms {
    return nowMs - this.#lastEmptyMs;
  }
}
