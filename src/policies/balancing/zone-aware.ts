/** Zone-aware routing around another balancer: requests stay in their own zone as far as its share of endpoints matches its share of
 *  clients; the rest goes to zones with room to spare.
 *
 *  Saves the cost and the latency of crossing zones without overloading a zone that has more clients than endpoints. It fails where
 *  clients differ in how much they send, since only their numbers count, and with few endpoints, where shares are coarse: below
 *  minClusterSize it steps aside.
 *
 *  How many clients each zone has comes from the driver or is told (`clients`); without either, zones are taken to have equally many. */
import { int, type ParamValues, string } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import { defineBalancer, type EndpointView, healthStates, type PickContext, type Slot } from './balancer.ts';
import { type Child, childMaker, innerParam, Composite, type MakeChild } from './parts/composite.ts';
import { numberList } from './parts/number-list.ts';
import { chooseZone, type ZoneRouting, zoneRouting } from './parts/zone-routing.ts';

const params = {
  zone: int({ default: -1, min: -1, about: 'The zone this client is in, by its index; -1 asks the driver.' }),
  clients: string({
    default: '',
    about: 'Numbers of clients in the zones, in their order, such as "2, 2, 1"; empty asks the driver.',
  }),
  routingEnabled: int({
    default: 100,
    min: 0,
    max: 100,
    about: 'Percentage of requests that are routed by zone.',
    official: 'Envoy routing_enabled',
  }),
  minClusterSize: int({
    default: 6,
    min: 0,
    about: 'With fewer healthy endpoints there is no routing by zone.',
    official: 'Envoy min_cluster_size',
  }),
  healthyPanicThreshold: int({
    default: 50,
    min: 0,
    max: 100,
    about: 'With a smaller percentage healthy there is no routing by zone.',
    official: 'Envoy healthy_panic_threshold',
  }),
  inner: innerParam('round-robin', 'The balancer within a zone, and over all where there is no routing by zone.'),
};

export const zoneAware = defineBalancer({
  name: 'zone-aware',
  summary: 'Keeps requests in their own zone as far as its endpoints allow, around another balancer (Envoy).',
  useWhen: 'Crossing zones costs money or time, and clients send about equally much.',
  failsWhen: 'Clients differ in what they send: a zone is overloaded though the numbers match.',
  cost: 'O(zones) and the balancer within',
  sources: ['envoyproxy/envoy: source/extensions/load_balancing_policies/common/load_balancer_impl.cc'],
  aliases: [{ system: 'Envoy', name: 'zone_aware_lb_config' }],
  params,
  create: (values, { rng, client }) => {
    const zone = values.zone >= 0 ? values.zone : (client?.zone ?? 0);
    const clients = values.clients === '' ? (client?.clientsByZone ?? []) : numberList('clients', values.clients);
    return new ZoneAware({ ...values, zone }, clients, childMaker(values.inner, rng), rng);
  },
});

class ZoneAware extends Composite {
  readonly #values: ParamValues<typeof params>;
  readonly #clients: readonly number[];
  readonly #below: (n: number) => number;
  #all: Child | undefined;
  readonly #zones: Child[] = [];
  #routing: ZoneRouting | undefined;
  /** Zones in the order of the routing: the own one first. */
  #order: readonly number[] = [];

  constructor(values: ParamValues<typeof params>, clients: readonly number[], makeChild: MakeChild, rng: Rng) {
    super(makeChild);
    this.#values = values;
    this.#clients = clients;
    this.#below = (n) => rng.below(n);
  }

  update(view: EndpointView, nowMs: Ms): void {
    const { table, members, count, everyone, everyoneCount } = view;
    this.#all ??= this.addChild(table);
    for (let i = 0; i < everyoneCount; i++) {
      while (this.#zones.length <= table.locality[everyone[i]]) this.#zones.push(this.addChild(table));
    }
    this.resetViews(view);
    const isMember = new Uint8Array(table.weight.length);
    for (let i = 0; i < count; i++) isMember[members[i]] = 1;
    let counted = 0;
    for (let i = 0; i < everyoneCount; i++) {
      const slot = everyone[i];
      this.#all.view.add(slot, isMember[slot] === 1);
      this.#zones[table.locality[slot]].view.add(slot, isMember[slot] === 1);
      if (table.weight[slot] > 0 && table.health[slot] !== healthStates.excluded) counted++;
    }
    this.#routing = this.#route(count, counted);
    this.updateChildren(nowMs);
  }

  pick(context: PickContext): Slot {
    const isRouted =
      this.#routing !== undefined && (this.#values.routingEnabled === 100 || this.#below(100) < this.#values.routingEnabled);
    if (!isRouted) return this.pickFrom(this.#all, context);
    return this.pickFrom(this.#zones[this.#order[chooseZone(this.#routing!, this.#below)]], context);
  }

  /** None where a condition for it does not hold. */
  #route(healthy: number, counted: number): ZoneRouting | undefined {
    const { zone, minClusterSize, healthyPanicThreshold } = this.#values;
    const isInPanic = (100 * healthy) / counted < healthyPanicThreshold;
    const open = this.#zones.flatMap(({ view }, index) => (view.count > 0 && index !== zone ? [index] : []));
    if (isInPanic || healthy < minClusterSize || open.length === 0 || this.#zones[zone] === undefined) return undefined;
    if (this.#zones[zone].view.count === 0) return undefined;
    this.#order = [zone, ...open];
    const clientsIn = (index: number): number => (this.#clients.length === 0 ? 1 : (this.#clients[index] ?? 0));
    if (clientsIn(zone) === 0) return undefined;
    const clients = this.#clients.length === 0 ? this.#zones.map(() => 1) : this.#clients;
    return zoneRouting(
      this.#order.map(clientsIn),
      this.#order.map((index) => this.#zones[index].view.count),
      clients.reduce((total, number) => total + number, 0),
    );
  }
}
