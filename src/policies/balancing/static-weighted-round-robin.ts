/** Weighted round robin along a table made once per change of weights: HAProxy's `static-rr`.
 *
 *  The cheapest weighted pick there is, one load from memory. It fails where weights change often or are large and have no common
 *  divisor: the table has as many places as the weights sum up to, and making it costs places × endpoints. */
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { serverMap } from './parts/server-map.ts';

export const staticWeightedRoundRobin = defineBalancer({
  name: 'static-weighted-round-robin',
  summary: 'Picks endpoints in turn along a table made by weight (HAProxy static-rr).',
  useWhen: 'Weights are small whole numbers that rarely change.',
  failsWhen: 'Weights change often, or are large: the table is made anew each time.',
  cost: 'O(1); O(sum of weights · n) per change',
  sources: ['haproxy/haproxy: src/lb_map.c'],
  aliases: [{ system: 'HAProxy', name: 'static-rr' }],
  params: {},
  create: () => new StaticWeightedRoundRobin(),
});

class StaticWeightedRoundRobin implements Balancer {
  #map: Int32Array = new Int32Array(0);
  #place = 0;

  update(view: EndpointView): void {
    this.#map = serverMap(view);
  }

  pick(): Slot {
    if (this.#map.length === 0) return NO_ENDPOINT;
    if (this.#place >= this.#map.length) this.#place = 0;
    return this.#map[this.#place++];
  }
}
