/** Heartbeats with a fixed timeout: an endpoint is suspected once `every · misses` have passed since its last heartbeat.
 *
 *  Use it where the network is steady and you want a bound you can state: a crash is noticed at most one timeout after the last
 *  heartbeat that got through. It fails where delays vary: a pause or a burst of loss longer than the timeout makes a live endpoint
 *  suspected, and widening the timeout to avoid that delays every true detection alike.
 *
 *  The rule is that of Akka's DeadlineFailureDetector: available while last arrival + timeout > now, so suspected at that very
 *  instant. The timeout being constant, a list in order of last arrival is sorted by deadline, and every call is O(1). */
import { duration, int } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import { type BeliefSink, defineDetector, type Detector } from './detector.ts';

export const heartbeat = defineDetector({
  name: 'heartbeat',
  summary: 'Suspects an endpoint whose last heartbeat is older than a fixed timeout.',
  useWhen: 'Delays are steady and a stated bound on detection time matters.',
  failsWhen: 'Delays vary: pauses or bursts of loss beyond the timeout are taken for crashes.',
  cost: 'O(1) per heartbeat',
  sources: [
    'akka/akka: akka-remote/src/main/scala/akka/remote/DeadlineFailureDetector.scala',
    'Chen, Toueg, Aguilera: On the Quality of Service of Failure Detectors (2002), the common algorithm',
  ],
  aliases: [
    { system: 'Akka', name: 'DeadlineFailureDetector' },
    { system: 'literature', name: 'fixed-timeout' },
  ],
  params: {
    every: duration({
      default: 1000,
      min: 1,
      about: 'How often each endpoint sends a heartbeat.',
      official: 'Akka heartbeat-interval',
    }),
    misses: int({
      default: 3,
      min: 1,
      about: 'Heartbeats that may be missing: the timeout is every · misses.',
      official: 'Akka acceptable-heartbeat-pause = every · (misses − 1)',
    }),
  },
  create: (params, deps) => new HeartbeatDetector(params.every, params.every * params.misses, deps.sink),
});

class HeartbeatDetector implements Detector {
  readonly heartbeatEveryMs: Ms;
  readonly #timeoutMs: Ms;
  readonly #sink: BeliefSink;
  #states: Uint8Array = new Uint8Array(16);
  #lastArrivalMs: Float64Array = new Float64Array(16);
  // Watched endpoints believed alive, oldest last arrival first; −1 ends the list.
  #next: Int32Array = new Int32Array(16);
  #previous: Int32Array = new Int32Array(16);
  #oldest = -1;
  #newest = -1;

  constructor(everyMs: Ms, timeoutMs: Ms, sink: BeliefSink) {
    this.heartbeatEveryMs = everyMs;
    this.#timeoutMs = timeoutMs;
    this.#sink = sink;
  }

  watch(slot: number, nowMs: Ms): void {
    if (slot >= this.#states.length) this.#grow(slot + 1);
    if (this.#states[slot] === ALIVE) this.#unlink(slot);
    this.#states[slot] = ALIVE;
    this.#append(slot, nowMs);
  }

  unwatch(slot: number): void {
    if (this.#states[slot] === ALIVE) this.#unlink(slot);
    if (slot < this.#states.length) this.#states[slot] = UNWATCHED;
  }

  onHeartbeat(slot: number, nowMs: Ms): void {
    const state = this.#states[slot];
    if (state === ALIVE) {
      this.#unlink(slot);
      this.#append(slot, nowMs);
    } else if (state === SUSPECTED) {
      this.#states[slot] = ALIVE;
      this.#append(slot, nowMs);
      this.#sink.believe(slot, true, nowMs);
    }
  }

  nextTimerMs(): Ms {
    return this.#oldest === -1 ? Infinity : this.#lastArrivalMs[this.#oldest] + this.#timeoutMs;
  }

  onTimer(nowMs: Ms): void {
    // The sink may watch and unwatch, so the head is read anew each time.
    while (this.nextTimerMs() <= nowMs) {
      const slot = this.#oldest;
      this.#unlink(slot);
      this.#states[slot] = SUSPECTED;
      this.#sink.believe(slot, false, nowMs);
    }
  }

  #append(slot: number, nowMs: Ms): void {
    this.#lastArrivalMs[slot] = nowMs;
    this.#next[slot] = -1;
    this.#previous[slot] = this.#newest;
    if (this.#newest === -1) this.#oldest = slot;
    else this.#next[this.#newest] = slot;
    this.#newest = slot;
  }

  #unlink(slot: number): void {
    const next = this.#next[slot];
    const previous = this.#previous[slot];
    if (previous === -1) this.#oldest = next;
    else this.#next[previous] = next;
    if (next === -1) this.#newest = previous;
    else this.#previous[next] = previous;
  }

  #grow(needed: number): void {
    const size = Math.max(needed, 2 * this.#states.length);
    const states = new Uint8Array(size);
    const lastArrivalMs = new Float64Array(size);
    const next = new Int32Array(size);
    const previous = new Int32Array(size);
    states.set(this.#states);
    lastArrivalMs.set(this.#lastArrivalMs);
    next.set(this.#next);
    previous.set(this.#previous);
    this.#states = states;
    this.#lastArrivalMs = lastArrivalMs;
    this.#next = next;
    this.#previous = previous;
  }
}

const UNWATCHED = 0;
const ALIVE = 1;
const SUSPECTED = 2;
