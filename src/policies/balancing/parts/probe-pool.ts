/** Prequal's pool of probe answers: few, fresh, one per endpoint, each good for a few picks. */
import type { Ms } from '../../../core/time.ts';
import type { Slot } from '../balancer.ts';

export class ProbePool {
  readonly #capacity: number;
  readonly #slots: Int32Array;
  readonly #receivedMs: Float64Array;
  readonly #inFlight: Float64Array;
  readonly #latencyMs: Float64Array;
  readonly #usesLeft: Int32Array;
  /** One number, in an array so that it is never boxed. */
  readonly #threshold = new Float64Array(1).fill(Infinity);
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity);
    const size = this.#capacity + 1;
    this.#slots = new Int32Array(size);
    this.#receivedMs = new Float64Array(size);
    this.#inFlight = new Float64Array(size);
    this.#latencyMs = new Float64Array(size);
    this.#usesLeft = new Int32Array(size);
  }

  get count(): number {
    return this.#count;
  }

  slotAt(index: number): Slot {
    return this.#slots[index];
  }

  inFlightAt(index: number): number {
    return this.#inFlight[index];
  }

  /** Answers with more in flight than this are hot; at first none is. */
  setThreshold(inFlight: number): void {
    this.#threshold[0] = inFlight;
  }

  /** An answer replaces an older one of its endpoint; above capacity the oldest goes. */
  insert(slot: Slot, receivedMs: Ms, inFlight: number, latencyMs: Ms, uses: number): void {
    this.removeSlot(slot);
    const at = this.#count++;
    this.#slots[at] = slot;
    this.#receivedMs[at] = receivedMs;
    this.#inFlight[at] = inFlight;
    this.#latencyMs[at] = latencyMs;
    this.#usesLeft[at] = uses;
    if (this.#count > this.#capacity) this.removeOldest();
  }

  /** Answers that have grown older than `maxAgeMs` go. */
  expire(nowMs: Ms, maxAgeMs: Ms): void {
    let kept = 0;
    for (let i = 0; i < this.#count; i++) if (nowMs - this.#receivedMs[i] <= maxAgeMs) this.#move(i, kept++);
    this.#count = kept;
  }

  removeSlot(slot: Slot): void {
    let kept = 0;
    for (let i = 0; i < this.#count; i++) if (this.#slots[i] !== slot) this.#move(i, kept++);
    this.#count = kept;
  }

  /** The index to use: the lowest latency among the cold, or, all being hot, the fewest in flight. −1 if there is
   *  nobody; `excluded` slots do not count. */
  select(excluded?: ReadonlySet<Slot>): number {
    const threshold = this.#threshold[0];
    let cold = -1;
    let hot = -1;
    for (let i = 0; i < this.#count; i++) {
      if (excluded !== undefined && excluded.has(this.#slots[i])) continue;
      if (this.#inFlight[i] <= threshold) {
        if (cold === -1 || precedes(this.#latencyMs[i], this.#inFlight[i], this.#latencyMs[cold], this.#inFlight[cold])) cold = i;
      } else if (hot === -1 || precedes(this.#inFlight[i], this.#latencyMs[i], this.#inFlight[hot], this.#latencyMs[hot])) {
        hot = i;
      }
    }
    return cold === -1 ? hot : cold;
  }

  /** The answer is used once: its endpoint has one more in flight now, and one use less is left. */
  use(index: number): Slot {
    const slot = this.#slots[index];
    this.#inFlight[index]++;
    if (--this.#usesLeft[index] <= 0) this.#removeAt(index);
    return slot;
  }

  removeOldest(): void {
    let oldest = 0;
    for (let i = 1; i < this.#count; i++) if (this.#receivedMs[i] < this.#receivedMs[oldest]) oldest = i;
    if (this.#count > 0) this.#removeAt(oldest);
  }

  /** The most loaded of the hot ones, or, all being cold, the slowest. */
  removeWorst(): void {
    const threshold = this.#threshold[0];
    let hot = -1;
    let slowest = 0;
    for (let i = 0; i < this.#count; i++) {
      if (this.#inFlight[i] > threshold && (hot === -1 || this.#inFlight[i] >= this.#inFlight[hot])) hot = i;
      if (this.#latencyMs[i] >= this.#latencyMs[slowest]) slowest = i;
    }
    if (this.#count > 0) this.#removeAt(hot === -1 ? slowest : hot);
  }

  #removeAt(index: number): void {
    this.#move(--this.#count, index);
  }

  #move(from: number, to: number): void {
    this.#slots[to] = this.#slots[from];
    this.#receivedMs[to] = this.#receivedMs[from];
    this.#inFlight[to] = this.#inFlight[from];
    this.#latencyMs[to] = this.#latencyMs[from];
    this.#usesLeft[to] = this.#usesLeft[from];
  }
}

/** Order by the first of two numbers, then by the second. */
const precedes = (a: number, aNext: number, b: number, bNext: number): boolean => a < b || (a === b && aNext < bNext);
