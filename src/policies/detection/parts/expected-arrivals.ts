/** When the next heartbeats of one endpoint should arrive, from the latest ones: EA(i) = mean of (A_j − η · j) + η · i over the heartbeats j
 *  in the window. The estimate of Chen, Toueg and Aguilera (their NFD-E), which needs no clock in common with the sender.
 *
 *  Numbers must be those of the sender's schedule (see `Detector.onHeartbeat`): a heartbeat that is merely the next one sent after a long
 *  pause would pull the mean off course for a whole window. */
import type { Ms } from '../../../core/time.ts';
import { SampleWindow } from './sample-window.ts';

export class ExpectedArrivals {
  /** The highest number that has arrived; −1 before the first. */
  last = -1;
  readonly #intervalMs: Ms;
  readonly #offsets: SampleWindow;

  constructor(intervalMs: Ms, windowSize: number) {
    this.#intervalMs = intervalMs;
    this.#offsets = new SampleWindow(windowSize);
  }

  /** Whether a heartbeat is news: one that comes after a later one says nothing. */
  isFresh(sequence: number): boolean {
    return sequence > this.last;
  }

  arrive(sequence: number, nowMs: Ms): void {
    this.last = sequence;
    this.#offsets.add(nowMs - this.#intervalMs * sequence);
  }

  /** When the heartbeat of this number should arrive; there must have been one. */
  of(sequence: number): Ms {
    return this.#offsets.mean + sequence * this.#intervalMs;
  }
}
