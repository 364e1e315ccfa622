/** Weights added up, to draw an endpoint in proportion to them: O(n) to make, O(log n) to look up. */
import type { EndpointView } from '../balancer.ts';

export class CumulativeWeights {
  #sums: Float64Array = new Float64Array(0);
  #count = 0;
  total = 0;
  /** All weights are whole numbers, so whole draws are exact. */
  isWhole = true;

  update({ members, count, table }: EndpointView): void {
    if (count > this.#sums.length) this.#sums = new Float64Array(members.length);
    this.#count = count;
    this.total = 0;
    this.isWhole = true;
    for (let i = 0; i < count; i++) {
      const weight = table.weight[members[i]];
      this.total += weight;
      this.isWhole &&= weight === Math.floor(weight);
      this.#sums[i] = this.total;
    }
    this.isWhole &&= this.total < 0x1_0000_0000;
  }

  /** The first index whose sum is above `value`, the last for want of one. */
  firstAbove(value: number): number {
    let low = 0;
    let high = this.#count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sums[middle] > value) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
