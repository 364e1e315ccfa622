/** The back-off that Kubernetes keeps per item: doubles with every further event, and is forgotten when the item was quiet for longer
 *  than twice the maximum, or for a time of its own.
 *
 *  After kubernetes/kubernetes: staging/src/k8s.io/client-go/util/flowcontrol/backoff.go, Backoff. */
import type { Ms } from '../../../core/time.ts';

export class FlowBackoff {
  readonly #initialMs: Ms;
  readonly #maxMs: Ms;
  readonly #forgetAfterMs: Ms;
  readonly #entries = new Map<number, { backoffMs: Ms; lastUpdateMs: Ms }>();

  constructor(initialMs: Ms, maxMs: Ms, forgetAfterMs: Ms = 2 * maxMs) {
    this.#initialMs = Math.min(initialMs, maxMs);
    this.#maxMs = maxMs;
    this.#forgetAfterMs = forgetAfterMs;
  }

  /** The present back-off of an item; 0 if it has none. */
  backoffMs(item: number): Ms {
    return this.#entries.get(item)?.backoffMs ?? 0;
  }

  /** Another event: starts the back-off, or doubles it. `eventMs` is when the event was, from which it is judged whether the last one is
   *  forgotten; `nowMs` is when it is dealt with. */
  next(item: number, eventMs: Ms, nowMs: Ms): void {
    const entry = this.#entries.get(item);
    if (entry === undefined || this.#isForgotten(entry.lastUpdateMs, eventMs)) {
      this.#entries.set(item, { backoffMs: this.#initialMs, lastUpdateMs: nowMs });
    } else {
      entry.backoffMs = Math.min(entry.backoffMs * 2, this.#maxMs);
      entry.lastUpdateMs = nowMs;
    }
  }

  /** When what followed the event at `eventMs` may be done: the back-off is counted from that event. */
  allowedAtMs(item: number, eventMs: Ms): Ms {
    const entry = this.#entries.get(item);
    return entry === undefined || this.#isForgotten(entry.lastUpdateMs, eventMs) ? eventMs : eventMs + entry.backoffMs;
  }

  /** The same, with the back-off counted from the last update. */
  isInBackoffSinceUpdate(item: number, nowMs: Ms): boolean {
    const entry = this.#entries.get(item);
    if (entry === undefined || this.#isForgotten(entry.lastUpdateMs, nowMs)) return false;
    return nowMs - entry.lastUpdateMs < entry.backoffMs;
  }

  reset(item: number): void {
    this.#entries.delete(item);
  }

  #isForgotten(lastUpdateMs: Ms, eventMs: Ms): boolean {
    return eventMs - lastUpdateMs > this.#forgetAfterMs;
  }
}
