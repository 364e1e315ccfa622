/** Where a key goes when its endpoint is overloaded, as Envoy decides: the endpoints are shuffled with a generator seeded by the key's
 *  hash, so that the same key always finds the same order, and the overflow of one endpoint spreads over all others instead of falling
 *  on its neighbour. */
import { grownInts } from '../../../core/grow.ts';
import { MersenneTwister } from './mersenne-twister.ts';

export class OverflowOrder {
  readonly #twister = new MersenneTwister();
  #indices: Int32Array = new Int32Array(0);

  /** `home` if its overload factor is at most 1; else the first such in the key's order; else the one with the lowest factor. */
  choose(home: number, count: number, hashLow: number, overloadFactor: (index: number) => number): number {
    let least = home;
    let leastFactor = overloadFactor(home);
    if (leastFactor <= 1) return home;
    this.start(count, hashLow);
    for (let i = 0; i < count; i++) {
      const index = this.nextOf(i, count);
      if (index === home) continue;
      const factor = overloadFactor(index);
      if (factor <= 1) return index;
      if (factor < leastFactor) {
        least = index;
        leastFactor = factor;
      }
    }
    return least;
  }

  start(count: number, hashLow: number): void {
    if (count > this.#indices.length) this.#indices = grownInts(this.#indices, count);
    for (let i = 0; i < count; i++) this.#indices[i] = i;
    this.#twister.seed(hashLow);
  }

  /** The index at place i of the order; places are asked for in turn. */
  nextOf(i: number, count: number): number {
    const at = i + this.#twister.below(count - i);
    const index = this.#indices[at];
    this.#indices[at] = this.#indices[i];
    this.#indices[i] = index;
    return index;
  }
}
