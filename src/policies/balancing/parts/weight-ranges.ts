/** Hash modulo the sum of weights, over all endpoints whether up or not, as nginx picks: one that is down does not move the others' keys;
 *  its own are hashed on. */
import type { EndpointView, Slot } from '../balancer.ts';
import { wholeWeights } from './whole-weights.ts';

export class WeightRanges {
  #slots: Int32Array = new Int32Array(0);
  #ends: Float64Array = new Float64Array(0);
  #isUsable: Uint8Array = new Uint8Array(0);
  total = 0;

  update(view: EndpointView): void {
    const { table, members, count, everyone, everyoneCount } = view;
    const all = { ...view, members: everyone, count: everyoneCount };
    const weights = wholeWeights(all);
    this.#slots = everyone.slice(0, everyoneCount);
    this.#ends = new Float64Array(everyoneCount);
    this.total = 0;
    weights.forEach((weight, i) => {
      // Weight 0 drains: no range, and so nobody's.
      this.total += table.weight[everyone[i]] > 0 ? weight : 0;
      this.#ends[i] = this.total;
    });
    this.#isUsable = new Uint8Array(table.weight.length);
    for (let i = 0; i < count; i++) this.#isUsable[members[i]] = 1;
  }

  /** Who owns the value, a whole number below `total`. */
  owner(value: number): Slot {
    let from = 0;
    let to = this.#ends.length - 1;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#ends[middle] > value) to = middle;
      else from = middle + 1;
    }
    return this.#slots[from];
  }

  isUsable(slot: Slot): boolean {
    return this.#isUsable[slot] === 1;
  }
}

/** After so many endpoints that are down, nginx gives up hashing and goes round robin. */
export const MOST_TRIES = 20;
