/** Who is watched, who is left out since when, and for how long: an ejection lasts a multiple of the base time that grows with
 *  each ejection and shrinks with time spent in. By slot; the watched are kept in the order of their slots, which decides
 *  whose turn comes first where the number of ejections is limited. */
import { grown, grownCounts, grownFloats } from '../../../../core/grow.ts';
import type { Ms } from '../../../../core/time.ts';

export class Ejections {
  /** Watched slots in ascending order. */
  readonly watched: number[] = [];
  #ejected = 0;
  #states: Uint8Array = new Uint8Array(16);
  #sinceMs: Float64Array = new Float64Array(16);
  #multipliers: Uint32Array = new Uint32Array(16);

  get ejected(): number {
    return this.#ejected;
  }

  /** Only tables that are indexed by slot need to know. */
  get size(): number {
    return this.#states.length;
  }

  watch(slot: number): void {
    if (slot >= this.#states.length) this.#grow(Math.max(slot + 1, 2 * this.#states.length));
    if (this.#states[slot] === UNWATCHED) this.watched.splice(placeOf(this.watched, slot), 0, slot);
    else if (this.#states[slot] === EJECTED) this.#ejected--;
    this.#states[slot] = IN;
    this.#multipliers[slot] = 0;
  }

  unwatch(slot: number): void {
    if (!this.isWatched(slot)) return;
    if (this.#states[slot] === EJECTED) this.#ejected--;
    this.#states[slot] = UNWATCHED;
    this.watched.splice(placeOf(this.watched, slot), 1);
  }

  isWatched(slot: number): boolean {
    return slot < this.#states.length && this.#states[slot] !== UNWATCHED;
  }

  isEjected(slot: number): boolean {
    return slot < this.#states.length && this.#states[slot] === EJECTED;
  }

  eject(slot: number, nowMs: Ms): void {
    this.#states[slot] = EJECTED;
    this.#sinceMs[slot] = nowMs;
    this.#ejected++;
  }

  letBack(slot: number): void {
    this.#states[slot] = IN;
    this.#ejected--;
  }

  sinceMs(slot: number): Ms {
    return this.#sinceMs[slot];
  }

  multiplier(slot: number): number {
    return this.#multipliers[slot];
  }

  raiseMultiplier(slot: number): void {
    this.#multipliers[slot]++;
  }

  lowerMultiplier(slot: number): void {
    if (this.#multipliers[slot] > 0) this.#multipliers[slot]--;
  }

  #grow(size: number): void {
    this.#states = grown(this.#states, new Uint8Array(size));
    this.#sinceMs = grownFloats(this.#sinceMs, size);
    this.#multipliers = grownCounts(this.#multipliers, size);
  }
}

/** A share as a percentage, without the dust that the multiplication leaves (0.29 · 100 is not 29). */
export const percentOf = (share: number): number => Math.round(share * 1e8) / 1e6;

/** Whether an ejection that was found is carried out, which happens with this probability. */
export const isEnforced = (share: number, rng: { below(n: number): number }): boolean =>
  share >= 1 || (share > 0 && rng.below(100) < percentOf(share));

function placeOf(sorted: readonly number[], slot: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < slot) low = middle + 1;
    else high = middle;
  }
  return low;
}

const UNWATCHED = 0;
const IN = 1;
const EJECTED = 2;
