/** Draws an index with given probabilities in constant time, whatever their number: each cell holds a share of its own index and
 *  the rest of one other.
 *
 *  After A. J. Walker (1977), built in linear time as in M. D. Vose, "A linear algorithm for generating random numbers with a given
 *  distribution" (1991). */
import { invariant } from '../core/errors.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';

export class AliasTable {
  declare private readonly keep: Float64Array;
  declare private readonly other: Int32Array;

  /** Weights need not sum to 1. */
  constructor(weights: ArrayLike<number>) {
    const n = weights.length;
    let total = 0;
    for (let index = 0; index < n; index++) total += weights[index];
    invariant(n > 0 && total > 0 && total < Infinity, 'an alias table needs weights with a positive, finite sum');
    const keep = new Float64Array(n);
    const other = new Int32Array(n);
    // One array holds both work lists: cells below the mean from the left, the others from the right.
    const order = new Int32Array(n);
    let small = 0;
    let large = n;
    for (let index = 0; index < n; index++) {
      keep[index] = (weights[index] / total) * n;
      if (keep[index] < 1) order[small++] = index;
      else order[--large] = index;
    }
    while (small > 0 && large < n) {
      const poor = order[--small];
      const rich = order[large];
      other[poor] = rich;
      keep[rich] -= 1 - keep[poor];
      if (keep[rich] < 1) {
        large++;
        order[small++] = rich;
      }
    }
    // What is left over holds 1 up to rounding.
    while (small > 0) keep[order[--small]] = 1;
    while (large < n) keep[order[large++]] = 1;
    this.keep = keep;
    this.other = other;
  }

  /** Draws two words: the place in the row of cells, and from its fraction which of the cell's two indexes. */
  sample(rng: Xoshiro128): number {
    const place = rng.next() * this.keep.length;
    const cell = place | 0;
    return place - cell < this.keep[cell] ? cell : this.other[cell];
  }
}
