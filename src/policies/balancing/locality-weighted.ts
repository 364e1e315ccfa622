/** Locality-weighted balancing: a zone is chosen by weight, less what it lacks in health; another balancer picks within it.
 *
 *  For splitting requests over zones as one wants. A zone keeps its full weight until fewer than 71.4 % of it are healthy (overprovisioning
 *  factor 1.4), then loses weight in proportion. It fails when weights do not follow the capacity of zones: a small zone with a large
 *  weight is overloaded whatever its endpoints say. */
import { int, type ParamValues, string } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import { defineBalancer, type EndpointView, healthStates, NO_ENDPOINT, type PickContext, type Slot } from './balancer.ts';
import { type Child, childMaker, innerParam, Composite, type MakeChild } from './parts/composite.ts';
import { EdfScheduler, PRE_PICKS_BOUND } from './parts/edf-scheduler.ts';
import { numberList } from './parts/number-list.ts';

const params = {
  weights: string({
    default: '',
    about: 'Weights of the zones in their order, such as "2, 1, 1"; a zone without one has weight 1, and weight 0 gets nothing.',
    official: 'Envoy locality load_balancing_weight',
  }),
  overprovisioningFactor: int({
    default: 140,
    min: 1,
    about: 'A zone’s weight counts in proportion to this times its healthy share, at most 100 per cent.',
    official: 'Envoy overprovisioning_factor',
  }),
  inner: innerParam('round-robin', 'The balancer within a zone.'),
};

export const localityWeighted = defineBalancer({
  name: 'locality-weighted',
  summary: 'Chooses a zone by weight and health, then an endpoint in it by another balancer (Envoy).',
  useWhen: 'Zones shall get set shares of the requests.',
  failsWhen: 'The shares do not follow the zones’ capacity.',
  cost: 'O(log zones) and the balancer within',
  sources: ['envoyproxy/envoy: source/extensions/load_balancing_policies/common/locality_wrr.cc'],
  aliases: [
    { system: 'Envoy', name: 'locality_weighted_lb_config' },
    { system: 'gRPC', name: 'wrr_locality_experimental' },
    { system: 'Istio', name: 'distribute' },
  ],
  params,
  create: (values, deps) => new LocalityWeighted(values, childMaker(values.inner, deps.rng), deps.rng),
});

/** A zone's weight, less what it lacks in health. */
export const effectiveLocalityWeight = (
  weight: number,
  healthy: number,
  total: number,
  overprovisioningFactor: number,
): number => (total === 0 ? 0 : weight * Math.min(1, (overprovisioningFactor / 100) * (healthy / total)));

class LocalityWeighted extends Composite {
  readonly #weights: readonly number[];
  readonly #factor: number;
  readonly #seed: number;
  readonly #schedule = new EdfScheduler();
  readonly #zones: Child[] = [];
  #effective: number[] = [];

  constructor(values: ParamValues<typeof params>, makeChild: MakeChild, rng: Rng) {
    super(makeChild);
    this.#weights = numberList('weights', values.weights);
    this.#factor = values.overprovisioningFactor;
    this.#seed = rng.below(PRE_PICKS_BOUND);
  }

  update(view: EndpointView, nowMs: Ms): void {
    const { table, members, count, everyone, everyoneCount } = view;
    const isMember = new Uint8Array(table.weight.length);
    for (let i = 0; i < count; i++) isMember[members[i]] = 1;
    for (let i = 0; i < everyoneCount; i++) {
      while (this.#zones.length <= table.locality[everyone[i]]) this.#zones.push(this.addChild(table));
    }
    this.resetViews(view);
    const totals = this.#zones.map(() => 0);
    for (let i = 0; i < everyoneCount; i++) {
      const slot = everyone[i];
      const zone = table.locality[slot];
      this.#zones[zone].view.add(slot, isMember[slot] === 1);
      if (table.weight[slot] > 0 && table.health[slot] !== healthStates.excluded) totals[zone]++;
    }
    this.#effective = this.#zones.map(({ view: { count: healthy } }, zone) =>
      effectiveLocalityWeight(this.#weights[zone] ?? 1, healthy, totals[zone], this.#factor),
    );
    // Where weights leave nobody to pick, they do not count.
    if (count > 0 && this.#effective.every((weight) => weight === 0)) {
      this.#effective = this.#zones.map((zone) => zone.view.count);
    }
    const open = this.#effective.flatMap((weight, zone) => (weight > 0 ? [zone] : []));
    this.#schedule.reseed(open, open.length, (zone) => this.#effective[zone], this.#seed);
    this.updateChildren(nowMs);
  }

  pick(context: PickContext): Slot {
    const zone = this.#schedule.next();
    if (zone === -1) return NO_ENDPOINT;
    this.#schedule.advance(this.#effective[zone]);
    return this.pickFrom(this.#zones[zone], context);
  }
}
