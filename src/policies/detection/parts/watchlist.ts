/** Who is watched, who of them is suspected, and when the others will be: what all detectors with a deadline per endpoint have in common.
 *  The detector says how far each heartbeat moves the deadline; the list tells the sink. An endpoint is suspected at its deadline. */
import { grown } from '../../../core/grow.ts';
import type { Ms } from '../../../core/time.ts';
import type { BeliefSink } from '../detector.ts';
import { DeadlineHeap } from './deadline-heap.ts';

export class Watchlist {
  readonly #sink: BeliefSink;
  #states: Uint8Array = new Uint8Array(16);
  /** In the heap are those believed alive. */
  readonly #due = new DeadlineHeap();

  constructor(sink: BeliefSink) {
    this.#sink = sink;
  }

  /** Starts anew with an endpoint believed alive. */
  watch(slot: number, deadlineMs: Ms): void {
    if (slot >= this.#states.length) {
      this.#states = grown(this.#states, new Uint8Array(Math.max(slot + 1, 2 * this.#states.length)));
    }
    this.#states[slot] = ALIVE;
    this.#due.set(slot, deadlineMs);
  }

  unwatch(slot: number): void {
    if (slot >= this.#states.length) return;
    this.#states[slot] = UNWATCHED;
    this.#due.remove(slot);
  }

  isWatched(slot: number): boolean {
    return slot < this.#states.length && this.#states[slot] !== UNWATCHED;
  }

  isSuspected(slot: number): boolean {
    return this.#states[slot] === SUSPECTED;
  }

  /** A sign of life moved the deadline of a watched endpoint. One that is over already leaves it suspected, or makes it so. */
  extend(slot: number, deadlineMs: Ms, nowMs: Ms): void {
    this.#due.deadlineMs[slot] = deadlineMs;
    this.#reconsider(slot, deadlineMs > nowMs, nowMs);
  }

  /** The deadline of a watched endpoint, also if it is over. */
  deadlineMs(slot: number): Ms {
    return this.#due.deadlineMs[slot];
  }

  /** By how much a watched endpoint is late; 0 in time. */
  overdueMs(slot: number, nowMs: Ms): Ms {
    return this.isWatched(slot) ? Math.max(0, nowMs - this.#due.deadlineMs[slot]) : 0;
  }

  /** The next deadline; Infinity if nobody is believed alive. */
  nextMs(): Ms {
    return this.#due.firstMs();
  }

  /** Suspects everybody whose deadline has come. */
  suspectDue(nowMs: Ms): void {
    // The sink may watch and unwatch, so the first is read anew each time.
    while (this.#due.firstMs() <= nowMs) this.#suspect(this.#due.first(), nowMs);
  }

  #reconsider(slot: number, isAhead: boolean, nowMs: Ms): void {
    const isSuspected = this.#states[slot] === SUSPECTED;
    if (isAhead) {
      this.#states[slot] = ALIVE;
      this.#due.moved(slot);
      if (isSuspected) this.#sink.believe(slot, true, nowMs);
    } else if (!isSuspected) {
      this.#suspect(slot, nowMs);
    }
  }

  #suspect(slot: number, nowMs: Ms): void {
    this.#due.remove(slot);
    this.#states[slot] = SUSPECTED;
    this.#sink.believe(slot, false, nowMs);
  }
}

const UNWATCHED = 0;
const ALIVE = 1;
const SUSPECTED = 2;
