/** Shortest expected delay: the endpoint where one more request would have the least load for its weight, (requests + 1)/weight.
 *
 *  Unlike least connections it sees that an idle but weak endpoint is not better than a lightly loaded strong one. It fails as all
 *  greedy counting does with many clients, and it lets weak endpoints stand idle while strong ones queue (see `never-queue`). */
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { shortestExpectedDelay as pickShortest } from './parts/ipvs-overhead.ts';

export const shortestExpectedDelay = defineBalancer({
  name: 'shortest-expected-delay',
  summary: 'Picks the endpoint with the least (requests in flight + 1) / weight.',
  useWhen: 'Capacities differ by factors and one client, or a few, see all of the load.',
  failsWhen: 'Many clients act on their own counts; or weak endpoints should help out and stand idle instead.',
  cost: 'O(n)',
  sources: ['torvalds/linux: net/netfilter/ipvs/ip_vs_sed.c'],
  aliases: [{ system: 'IPVS', name: 'sed' }],
  params: {},
  create: () => new ShortestExpectedDelay(),
});

class ShortestExpectedDelay implements Balancer {
  #view: EndpointView | undefined;

  update(view: EndpointView): void {
    this.#view = view;
  }

  pick(): Slot {
    const view = this.#view;
    return view === undefined ? NO_ENDPOINT : pickShortest(view.members, view.count, view.table.active, view.table.weight);
  }
}
