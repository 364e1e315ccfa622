/** One suspicion: it runs for long at first and ends the sooner the more others confirm it (Lifeguard). */
import type { Ms } from '../../../core/time.ts';
import { remainingSuspicionMs, type SuspicionTerms } from './formulas.ts';

export class Suspicion {
  readonly #terms: SuspicionTerms;
  readonly #startMs: Ms;
  readonly #heardFrom: Set<number>;
  #confirmed = 0;
  #endsMs: Ms;

  /** `from` raised it, which is no confirmation. */
  constructor(from: number, terms: SuspicionTerms, nowMs: Ms) {
    this.#terms = terms;
    this.#startMs = nowMs;
    this.#heardFrom = new Set([from]);
    this.#endsMs = nowMs + (terms.confirmations < 1 ? terms.minMs : terms.maxMs);
  }

  /** When the suspect counts as dead; it may lie in the past after a confirmation. */
  get endsMs(): Ms {
    return this.#endsMs;
  }

  /** Whether this was news: the first word from that member, and more were wanted. */
  confirm(from: number, nowMs: Ms): boolean {
    const { confirmations, minMs, maxMs } = this.#terms;
    if (this.#confirmed >= confirmations || this.#heardFrom.has(from)) return false;
    this.#heardFrom.add(from);
    this.#confirmed++;
    this.#endsMs = nowMs + remainingSuspicionMs(this.#confirmed, confirmations, nowMs - this.#startMs, minMs, maxMs);
    return true;
  }
}
