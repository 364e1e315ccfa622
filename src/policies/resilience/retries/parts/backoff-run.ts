/** One run through a back-off: what the pipeline keeps for a request, as an object for whoever waits outside the request path,
 *  such as a client that reconnects. */
import type { Ms } from '../../../../core/time.ts';
import type { Backoff } from '../retry.ts';

export class BackoffRun {
  readonly #make: (startMs: Ms) => Backoff;
  #backoff: Backoff;
  #retry = 0;
  #previousMs: Ms = 0;
  #waitedMs: Ms = 0;

  /** `make` gives the back-off that starts at an interval. */
  constructor(make: (startMs: Ms) => Backoff, startMs: Ms) {
    this.#make = make;
    this.#backoff = make(startMs);
  }

  /** The next wait. */
  nextMs(): Ms {
    this.#retry++;
    this.#previousMs = this.#backoff.delayMs(this.#retry, this.#previousMs, this.#waitedMs);
    this.#waitedMs += this.#previousMs;
    return this.#previousMs;
  }

  /** Starts over, from another interval if one is given. */
  reset(startMs?: Ms): void {
    if (startMs !== undefined) this.#backoff = this.#make(startMs);
    this.#retry = 0;
    this.#previousMs = 0;
    this.#waitedMs = 0;
  }
}
