/** Who picked the attempts that are in flight at each slot, where several balancers pick the same slots one after the other.
 *
 *  The end of an attempt says when it began and not which attempt it is, so its beginning tells who picked it. Attempts that began at the
 *  very moment when one balancer took over from the other cannot be told apart; each balancer still hears of as many ends as beginnings. */
import { grownCounts } from '../../../core/grow.ts';
import type { Ms } from '../../../core/time.ts';
import type { Slot } from '../balancer.ts';

interface Former<Picker> {
  readonly slot: Slot;
  readonly picker: Picker;
  /** When the next one took over. */
  readonly untilMs: Ms;
  open: number;
}

/** What subtracting a latency may be off by, as a part of the time: two steps of a double. */
const ROUNDING = 2 * Number.EPSILON;

export class PicksInFlight<Picker> {
  readonly #pickers: (Picker | undefined)[] = [];
  /** Attempts of the slot's latest picker that are in flight. */
  #open: Uint32Array = new Uint32Array(0);
  /** Those of pickers before, while any are in flight; the earliest first. */
  readonly #former: Former<Picker>[] = [];

  /** Slots will be below this. */
  resize(size: number): void {
    if (size > this.#open.length) this.#open = grownCounts(this.#open, size);
    while (this.#pickers.length < size) this.#pickers.push(undefined);
  }

  start(slot: Slot, picker: Picker, nowMs: Ms): void {
    if (this.#pickers[slot] !== picker) this.#takeOver(slot, picker, nowMs);
    this.#open[slot]++;
  }

  /** Whose attempt it was. */
  end(slot: Slot, nowMs: Ms, latencyMs: Ms): Picker | undefined {
    if (this.#former.length > 0) {
      const former = this.#endFormer(slot, nowMs - latencyMs + nowMs * ROUNDING);
      if (former !== undefined) return former;
    }
    if (this.#open[slot] === 0) return undefined;
    this.#open[slot]--;
    return this.#pickers[slot];
  }

  #takeOver(slot: Slot, picker: Picker, nowMs: Ms): void {
    const before = this.#pickers[slot];
    const open = this.#open[slot];
    if (before !== undefined && open > 0) this.#former.push({ slot, picker: before, untilMs: nowMs, open });
    this.#pickers[slot] = picker;
    this.#open[slot] = 0;
  }

  /** The picker of an attempt that began before this time, if it was not the latest one. */
  #endFormer(slot: Slot, startedMs: Ms): Picker | undefined {
    const former = this.#former;
    let found = -1;
    for (let i = 0; i < former.length; i++) {
      if (former[i].slot !== slot) continue;
      found = i;
      if (startedMs < former[i].untilMs) break;
    }
    if (found === -1) return undefined;
    const one = former[found];
    if (startedMs >= one.untilMs && this.#open[slot] > 0) return undefined;
    one.open--;
    if (one.open === 0) former.splice(found, 1);
    return one.picker;
  }
}
