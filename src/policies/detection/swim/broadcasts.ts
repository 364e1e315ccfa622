/** News that a member passes on with whatever it sends anyway: at most one piece about each member, the newest; first what has
 *  been sent the least, then what is newest; dropped when sent often enough. */
import type { Update } from './messages.ts';

interface Broadcast {
  readonly update: Update;
  readonly order: number;
  sent: number;
}

export class Broadcasts {
  readonly #bySubject = new Map<number, Broadcast>();
  #queued = 0;

  get size(): number {
    return this.#bySubject.size;
  }

  /** Replaces what was to be said about the same member. */
  queue(update: Update): void {
    this.#bySubject.set(update.member, { update, order: this.#queued++, sent: 0 });
  }

  /** Up to `max` pieces for one message. */
  take(max: number, limit: number): readonly Update[] {
    if (this.#bySubject.size === 0) return none;
    const chosen = [...this.#bySubject.values()].toSorted((a, b) => a.sent - b.sent || b.order - a.order).slice(0, max);
    for (const broadcast of chosen) {
      if (++broadcast.sent >= limit) this.#bySubject.delete(broadcast.update.member);
    }
    return chosen.map(({ update }) => update);
  }

  /** What waits, for reports. */
  pending(): readonly Update[] {
    return [...this.#bySubject.values()].map(({ update }) => update);
  }
}

const none: readonly Update[] = [];
