/** Queries that a server holds until it has something newer: those of Consul. A query with index 0, or with an index below the
 *  server's, is answered at once; any other when the index passes it, or when its wait is over, so an answer does not guarantee a
 *  change. Waits are lengthened at random by up to a sixteenth, so that queries that began together do not end together. */
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';

/** A wait of `wait` may last up to this share longer. */
export const WAIT_JITTER_SHARE = 1 / 16;

/** The wait that is granted: 0 asks for the default. */
export const grantedWaitMs = (requestedMs: Ms, defaultMs: Ms, maxMs: Ms): Ms =>
  Math.min(requestedMs <= 0 ? defaultMs : requestedMs, maxMs);

/** The longest that it can last with its jitter. */
export const longestWaitMs = (grantedMs: Ms): Ms => grantedMs * (1 + WAIT_JITTER_SHARE);

export class BlockingQueries {
  readonly #rng: Rng;
  readonly #answer: (query: number, nowMs: Ms) => void;
  /** By query, in order of arrival. */
  readonly #held = new Map<number, { readonly index: number; readonly untilMs: Ms }>();
  /** No held query ends before this. */
  #nextMs: Ms = Infinity;

  /** `answer` may ask again within the call. */
  constructor(rng: Rng, answer: (query: number, nowMs: Ms) => void) {
    this.#rng = rng;
    this.#answer = answer;
  }

  ask(query: number, index: number, grantedMs: Ms, currentIndex: number, nowMs: Ms): void {
    if (index <= 0 || currentIndex > index) {
      this.#answer(query, nowMs);
      return;
    }
    const untilMs = nowMs + grantedMs * (1 + this.#rng.next() * WAIT_JITTER_SHARE);
    this.#held.set(query, { index, untilMs });
    this.#nextMs = Math.min(this.#nextMs, untilMs);
  }

  /** The asker is gone. */
  forget(query: number): void {
    this.#held.delete(query);
  }

  /** The server's index is now this. */
  changed(currentIndex: number, nowMs: Ms): void {
    this.#answerAll(({ index }) => currentIndex > index, nowMs);
  }

  nextTimerMs(): Ms {
    return this.#nextMs;
  }

  onTimer(nowMs: Ms): void {
    if (nowMs < this.#nextMs) return;
    this.#answerAll(({ untilMs }) => untilMs <= nowMs, nowMs);
    this.#nextMs = Infinity;
    for (const { untilMs } of this.#held.values()) this.#nextMs = Math.min(this.#nextMs, untilMs);
  }

  #answerAll(isDue: (held: { readonly index: number; readonly untilMs: Ms }) => boolean, nowMs: Ms): void {
    const due = [...this.#held].filter(([, held]) => isDue(held)).map(([query]) => query);
    for (const query of due) this.#held.delete(query);
    for (const query of due) this.#answer(query, nowMs);
  }
}
