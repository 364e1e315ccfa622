/** Remembers who was in the view, in order, and if asked their weights: schedulers keep their place when only weights have changed, and
 *  tables are not made anew for nothing. */
import type { EndpointView } from '../balancer.ts';
import { grownCounts, grownFloats, grownInts } from '../../../core/grow.ts';

export class Membership {
  #slots: Int32Array = new Int32Array(0);
  #generations: Uint32Array = new Uint32Array(0);
  #weights: Float64Array = new Float64Array(0);
  #count = -1;
  readonly #minds: 'members' | 'members and weights';

  constructor(minds: 'members' | 'members and weights' = 'members') {
    this.#minds = minds;
  }

  /** Whether anything minded differs from the call before. */
  changed(view: EndpointView): boolean {
    const { members, count, table } = view;
    let changed = count !== this.#count;
    for (let i = 0; i < count && !changed; i++) {
      const slot = members[i];
      changed = this.#slots[i] !== slot || this.#generations[i] !== table.generation[slot];
      changed ||= this.#minds === 'members and weights' && this.#weights[i] !== table.weight[slot];
    }
    if (changed) this.#remember(view);
    return changed;
  }

  #remember({ members, count, table }: EndpointView): void {
    if (count > this.#slots.length) {
      this.#slots = grownInts(this.#slots, members.length);
      this.#generations = grownCounts(this.#generations, members.length);
      this.#weights = grownFloats(this.#weights, members.length);
    }
    for (let i = 0; i < count; i++) {
      this.#slots[i] = members[i];
      this.#generations[i] = table.generation[members[i]];
      this.#weights[i] = table.weight[members[i]];
    }
    this.#count = count;
  }
}

/** Whether every member weighs the same. */
export function weighAlike({ members, count, table }: EndpointView): boolean {
  for (let i = 1; i < count; i++) if (table.weight[members[i]] !== table.weight[members[0]]) return false;
  return true;
}
