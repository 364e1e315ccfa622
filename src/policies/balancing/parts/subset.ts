/** A balancer that sees only some of the endpoints. Those that are down are not replaced unless all are: a subset is a promise about
 *  connections, and it is chosen among everyone. */
import type { Ms } from '../../../core/time.ts';
import type { EndpointView, PickContext, Slot } from '../balancer.ts';
import { type Child, Composite, type MakeChild } from './composite.ts';

/** Names the slots of a subset. */
export type ChooseSubset = (view: EndpointView) => ReadonlySet<Slot>;

export class SubsetBalancer extends Composite {
  readonly #choose: ChooseSubset;
  #child: Child | undefined;

  constructor(choose: ChooseSubset, makeChild: MakeChild) {
    super(makeChild);
    this.#choose = choose;
  }

  update(view: EndpointView, nowMs: Ms): void {
    const { table, members, count, everyone, everyoneCount } = view;
    this.#child ??= this.addChild(table);
    const shown = this.#child.view;
    shown.reset(table, everyone.length);
    const isMember = new Uint8Array(table.weight.length);
    for (let i = 0; i < count; i++) isMember[members[i]] = 1;
    const subset = this.#choose(view);
    const isAnybodyUp = [...subset].some((slot) => isMember[slot] === 1);
    for (let i = 0; i < everyoneCount; i++) {
      const slot = everyone[i];
      if (!isAnybodyUp || subset.has(slot)) shown.add(slot, isMember[slot] === 1);
    }
    this.updateChildren(nowMs);
  }

  pick(context: PickContext): Slot {
    return this.pickFrom(this.#child, context);
  }
}
