/** The running weights of nginx's smooth weighted round robin, by slot. Each step adds every candidate's effective weight to its current
 *  one; the largest current weight wins and pays the sum back, so that heavy endpoints are spread out instead of bunched. */
import type { EndpointView, Slot } from '../balancer.ts';
import { grownFloats } from '../../../core/grow.ts';
import { Newcomers } from './newcomers.ts';

export class SmoothWeights {
  #current: Float64Array = new Float64Array(0);
  #effective: Float64Array = new Float64Array(0);
  #weights: Float64Array = new Float64Array(0);
  readonly #newcomers = new Newcomers();

  /** Newcomers start at zero; a new weight takes effect at once. */
  update({ table, members, count }: EndpointView): void {
    const size = table.weight.length;
    if (size > this.#current.length) {
      this.#current = grownFloats(this.#current, size);
      this.#effective = grownFloats(this.#effective, size);
      this.#weights = grownFloats(this.#weights, size);
    }
    for (let i = 0; i < count; i++) {
      const slot = members[i];
      const weight = table.weight[slot];
      const isNew = this.#newcomers.meet(table, slot);
      if (isNew) this.#current[slot] = 0;
      if (isNew || this.#weights[slot] !== weight) this.#effective[slot] = this.#weights[slot] = weight;
    }
  }

  /** One candidate's step; returns what it adds to the sum. */
  advance(slot: Slot): number {
    const effective = this.#effective[slot];
    this.#current[slot] += effective;
    if (effective < this.#weights[slot]) this.#effective[slot] = Math.min(effective + 1, this.#weights[slot]);
    return effective;
  }

  current(slot: Slot): number {
    return this.#current[slot];
  }

  /** The winner pays back the sum of the candidates. */
  take(slot: Slot, total: number): void {
    this.#current[slot] -= total;
  }

  /** Lowers the effective weight after a failure; it recovers by one with each step. */
  weaken(slot: Slot, by: number): void {
    this.#effective[slot] = Math.max(0, this.#effective[slot] - by);
  }
}
