/** One question at a time: numbers requests, knows which one is waited for and until when. A request that was abandoned, or an answer
 *  that comes twice, is nobody's. */
import type { Ms } from '../../../core/time.ts';
import type { DiscoveryHost } from '../discovery-client.ts';

export class Requester {
  readonly #host: DiscoveryHost;
  #lastId = 0;
  #pendingId = NOBODY;
  #deadlineMs: Ms = Infinity;

  constructor(host: DiscoveryHost) {
    this.#host = host;
  }

  /** Abandons what was waited for before. The answer may come within this call. */
  ask(index: number, waitMs: Ms, timeoutMs: Ms, nowMs: Ms): void {
    const id = ++this.#lastId;
    this.#pendingId = id;
    this.#deadlineMs = nowMs + timeoutMs;
    this.#host.fetch({ id, index, waitMs }, nowMs);
  }

  /** Whether this is the request waited for. */
  isPending(id: number): boolean {
    return id === this.#pendingId;
  }

  /** As `isPending`, and the request is over then. */
  settle(id: number): boolean {
    if (id !== this.#pendingId) return false;
    this.#pendingId = NOBODY;
    this.#deadlineMs = Infinity;
    return true;
  }

  /** Abandons the request if its time is up, and says whether. */
  expire(nowMs: Ms): boolean {
    return nowMs >= this.#deadlineMs && this.settle(this.#pendingId);
  }

  get isWaiting(): boolean {
    return this.#pendingId !== NOBODY;
  }

  /** When the request waited for is given up. */
  get deadlineMs(): Ms {
    return this.#deadlineMs;
  }
}

const NOBODY = -1;
