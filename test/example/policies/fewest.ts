import type { Balancer, EndpointView, Slot } from 'clusterlab/policies/balancing';

/** The endpoint with the fewest requests in flight; the first one wins a tie. */
export class Fewest implements Balancer {
  #view: EndpointView | undefined;

  update(view: EndpointView): void {
    this.#view = view;
  }

  pick(): Slot {
    const view = this.#view;
    if (view === undefined || view.count === 0) return -1;
    let best = view.members[0]!;
    for (let i = 1; i < view.count; i++) {
      const slot = view.members[i]!;
      if (view.table.active[slot]! < view.table.active[best]!) best = slot;
    }
    return best;
  }
}
