/** Never queue: an idle endpoint at once, whatever its weight; without one, the shortest expected delay.
 *
 *  Keeps weak endpoints busy where `shortest-expected-delay` would let requests wait for strong ones. It fails where an idle weak
 *  endpoint is slower than a short queue at a strong one, and with many clients, to each of which most endpoints look idle. */
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { neverQueue as pickIdleOrShortest } from './parts/ipvs-overhead.ts';

export const neverQueue = defineBalancer({
  name: 'never-queue',
  summary: 'Picks the first idle endpoint, or the shortest expected delay if none is idle.',
  useWhen: 'Queueing anywhere is worse than a slow endpoint.',
  failsWhen: 'Weak endpoints are so slow that waiting for a strong one would have been quicker.',
  cost: 'O(n)',
  sources: ['torvalds/linux: net/netfilter/ipvs/ip_vs_nq.c'],
  aliases: [{ system: 'IPVS', name: 'nq' }],
  params: {},
  create: () => new NeverQueue(),
});

class NeverQueue implements Balancer {
  #view: EndpointView | undefined;

  update(view: EndpointView): void {
    this.#view = view;
  }

  pick(): Slot {
    const view = this.#view;
    return view === undefined ? NO_ENDPOINT : pickIdleOrShortest(view.members, view.count, view.table.active, view.table.weight);
  }
}
