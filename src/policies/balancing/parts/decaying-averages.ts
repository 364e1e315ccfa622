/** Exponentially weighted moving averages with decay by time, one per slot: after one decay time without samples, an average counts
 *  1/e of what it did. Infinity stands for no sample yet.
 *
 *  All averages decay alike, so which of two is larger does not depend on when one looks. `level` uses that: it is the average as it
 *  would have been at one common epoch, made when a sample comes, and comparing levels takes no exponential. */
import { exp } from '../../../core/math.ts';
import type { Ms } from '../../../core/time.ts';
import type { Slot } from '../balancer.ts';
import { grownFloats } from '../../../core/grow.ts';

export class DecayingAverages {
  readonly #decayMs: Ms;
  #values: Float64Array = new Float64Array(0);
  #stampsMs: Float64Array = new Float64Array(0);
  #levels: Float64Array = new Float64Array(0);
  #epochMs: Ms = 0;

  constructor(decayMs: Ms) {
    this.#decayMs = decayMs;
  }

  ensure(size: number): void {
    if (size <= this.#values.length) return;
    this.#values = grownFloats(this.#values, size);
    this.#stampsMs = grownFloats(this.#stampsMs, size);
    this.#levels = grownFloats(this.#levels, size);
  }

  set(slot: Slot, value: number, nowMs: Ms): void {
    this.#values[slot] = value;
    this.#stampsMs[slot] = nowMs;
    if (nowMs - this.#epochMs > EPOCH_LENGTH * this.#decayMs) this.#startEpoch(nowMs);
    else this.#levels[slot] = this.#levelOf(slot);
  }

  /** The average as of its last sample. */
  get(slot: Slot): number {
    return this.#values[slot];
  }

  stampMs(slot: Slot): Ms {
    return this.#stampsMs[slot];
  }

  /** The average as if samples of zero had come since. */
  getAt(slot: Slot, nowMs: Ms): number {
    const value = this.#values[slot];
    const elapsedMs = nowMs - this.#stampsMs[slot];
    return value === Infinity || elapsedMs <= 0 ? value : value * exp(-elapsedMs / this.#decayMs);
  }

  /** Proportional to `getAt` at any one time, by the same factor for all slots. */
  level(slot: Slot): number {
    return this.#levels[slot];
  }

  /** A sample; the first one is taken as it is, one that is not later than the last is ignored. */
  add(slot: Slot, sample: number, nowMs: Ms): void {
    const value = this.#values[slot];
    const elapsedMs = nowMs - this.#stampsMs[slot];
    if (value === Infinity) {
      this.set(slot, sample, nowMs);
    } else if (elapsedMs > 0) {
      const keep = exp(-elapsedMs / this.#decayMs);
      this.set(slot, value * keep + sample * (1 - keep), nowMs);
    }
  }

  /** A sample above the decayed average replaces it; others are averaged in. */
  addPeak(slot: Slot, sample: number, nowMs: Ms): void {
    const projected = this.getAt(slot, nowMs);
    if (projected === Infinity || projected < sample) this.set(slot, sample, nowMs);
    else this.add(slot, sample, nowMs);
  }

  #levelOf(slot: Slot): number {
    return this.#values[slot] * exp((this.#stampsMs[slot] - this.#epochMs) / this.#decayMs);
  }

  #startEpoch(nowMs: Ms): void {
    this.#epochMs = nowMs;
    for (let slot = 0; slot < this.#values.length; slot++) this.#levels[slot] = this.#levelOf(slot);
  }
}

/** In decay times: e^300 is far from overflow. */
const EPOCH_LENGTH = 300;
