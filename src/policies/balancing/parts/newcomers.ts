/** Which endpoints of a view have not been met before. State kept by slot outlives an endpoint's absence from the view (it may only
 *  have been unhealthy) but must not pass to the next endpoint that lives in its slot. */
import type { EndpointTable, Slot } from '../balancer.ts';
import { grownCounts } from '../../../core/grow.ts';

export class Newcomers {
  #generations: Uint32Array = new Uint32Array(0);

  /** True the first time, and whenever another endpoint has moved in. */
  meet(table: EndpointTable, slot: Slot): boolean {
    if (slot >= this.#generations.length) this.#generations = grownCounts(this.#generations, table.generation.length);
    const generation = table.generation[slot];
    if (this.#generations[slot] === generation) return false;
    this.#generations[slot] = generation;
    return true;
  }
}
