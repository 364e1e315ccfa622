/** Remembers who was in the view, in order: schedulers keep their place when only weights have changed. */
import type { EndpointView } from '../balancer.ts';
import { grownCounts, grownInts } from './grow.ts';

export class Membership {
  #slots: Int32Array = new Int32Array(0);
  #generations: Uint32Array = new Uint32Array(0);
  #count = -1;

  /** Whether the members differ from those of the call before. */
  changed(view: EndpointView): boolean {
    const { members, count, table } = view;
    let changed = count !== this.#count;
    for (let i = 0; i < count && !changed; i++) {
      const slot = members[i];
      changed = this.#slots[i] !== slot || this.#generations[i] !== table.generation[slot];
    }
    if (changed) this.#remember(view);
    return changed;
  }

  #remember({ members, count, table }: EndpointView): void {
    if (count > this.#slots.length) {
      this.#slots = grownInts(this.#slots, members.length);
      this.#generations = grownCounts(this.#generations, members.length);
    }
    for (let i = 0; i < count; i++) {
      this.#slots[i] = members[i];
      this.#generations[i] = table.generation[members[i]];
    }
    this.#count = count;
  }
}

/** Whether every member weighs the same. */
export function weighAlike({ members, count, table }: EndpointView): boolean {
  for (let i = 1; i < count; i++) if (table.weight[members[i]] !== table.weight[members[0]]) return false;
  return true;
}
