/** Priority levels around another balancer: the first level takes everything while enough of it is healthy, then spills over to the next.
 *
 *  For failing over to another zone or region. With the usual overprovisioning factor of 1.4 a level keeps all requests until fewer than
 *  71.4 % of it are healthy, then passes on just what it lacks. It fails when the next level cannot take the overflow, and in panic: when
 *  all levels together cannot take everything and less than healthyPanicThreshold of one is up, that level's endpoints are used whether
 *  healthy or not, on the grounds that the health checks may be what is broken.
 *
 *  Each level has balancers of its own for its healthy, its degraded, and in panic for all of its endpoints. */
import { boolean, int, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import {
  defineBalancer,
  type EndpointTable,
  type EndpointView,
  healthStates,
  NO_ENDPOINT,
  type PickContext,
  type Slot,
} from './balancer.ts';
import { hashModulo } from './hashes/u64.ts';
import { type Child, childMaker, innerParam, Composite, keepsKeys, type MakeChild } from './parts/composite.ts';
import { type PriorityLoads, priorityLoads, priorityOf } from './parts/priority-loads.ts';

const params = {
  overprovisioningFactor: int({
    default: 140,
    min: 1,
    about: 'Availability of a level in per cent is this times its healthy share, at most 100.',
    official: 'Envoy overprovisioning_factor',
  }),
  healthyPanicThreshold: int({
    default: 50,
    min: 0,
    max: 100,
    about: 'Below this percentage up a level may panic; 0 turns panic off.',
    official: 'Envoy healthy_panic_threshold',
  }),
  failTrafficOnPanic: boolean({
    default: false,
    about: 'Have no endpoint in panic, instead of using all.',
    official: 'Envoy fail_traffic_on_panic',
  }),
  weightedPriorityHealth: boolean({
    default: false,
    about: 'Count weights instead of endpoints in availability.',
    official: 'Envoy weighted_priority_health',
  }),
  inner: innerParam('round-robin', 'The balancer within a level.'),
};
export type PriorityParams = ParamValues<typeof params>;

export const priority = defineBalancer({
  name: 'priority',
  summary: 'Fails over between priority levels, with overprovisioning and panic, around another balancer (Envoy).',
  useWhen: 'Endpoints come in levels to be used in order: near before far, own before rented.',
  failsWhen: 'The next level cannot take the overflow; or panic sends requests to endpoints that are truly down.',
  cost: 'as the balancer within',
  sources: ['envoyproxy/envoy: source/extensions/load_balancing_policies/common/load_balancer_impl.cc'],
  aliases: [
    { system: 'gRPC', name: 'priority_experimental' },
    { system: 'Istio', name: 'failoverPriority' },
  ],
  params,
  create: (values, deps) => new PriorityBalancer(values, childMaker(values.inner, deps.rng), deps.rng),
});

export class PriorityBalancer extends Composite {
  readonly judgesHealth = true;
  /** Picks made among all endpoints of a level in panic. */
  panicPicks = 0;
  readonly #values: PriorityParams;
  readonly #rng: Rng;
  readonly #followsKeys: boolean;
  readonly #levels: Level[] = [];
  #loads: PriorityLoads = { healthyLoad: [], degradedLoad: [], panic: [] };

  constructor(values: PriorityParams, makeChild: MakeChild, rng: Rng) {
    super(makeChild);
    this.#values = values;
    this.#rng = rng;
    this.#followsKeys = keepsKeys(values.inner);
  }

  update(view: EndpointView, nowMs: Ms): void {
    const { table, everyone, everyoneCount } = view;
    for (let i = 0; i < everyoneCount; i++) this.#ensureLevel(table.priority[everyone[i]], table);
    this.resetViews(view);
    for (const level of this.#levels) level.reset();
    for (let i = 0; i < everyoneCount; i++) {
      // Weight 0 drains: to nobody's count.
      if (table.weight[everyone[i]] > 0) this.#levels[table.priority[everyone[i]]].add(everyone[i], table);
    }
    const counts = this.#levels.map((level) =>
      this.#values.weightedPriorityHealth ? { ...level.counts, ...level.weights } : level.counts,
    );
    this.#loads = priorityLoads(counts, this.#values.overprovisioningFactor, this.#values.healthyPanicThreshold);
    this.updateChildren(nowMs);
  }

  pick(context: PickContext): Slot {
    if (this.#levels.length === 0) return NO_ENDPOINT;
    const followsKey = this.#followsKeys && context.hasHash;
    const draw = followsKey ? hashModulo(context.hashHigh, context.hashLow, 100) : this.#rng.below(100);
    const chosen = priorityOf(draw, this.#loads);
    if (chosen === -1) return NO_ENDPOINT;
    const index = chosen % this.#levels.length;
    const level = this.#levels[index];
    if (!this.#loads.panic[index]) return this.pickFrom(chosen === index ? level.healthy : level.degraded, context);
    if (this.#values.failTrafficOnPanic) return NO_ENDPOINT;
    this.panicPicks++;
    return this.pickFrom(level.all, context);
  }

  #ensureLevel(priority: number, table: EndpointTable): void {
    while (this.#levels.length <= priority) {
      this.#levels.push(new Level(this.addChild(table), this.addChild(table), this.addChild(table)));
    }
  }
}

/** One level's balancers and counts. */
class Level {
  readonly healthy: Child;
  readonly degraded: Child;
  readonly all: Child;
  counts = { hosts: 0, healthy: 0, degraded: 0, excluded: 0 };
  weights = { healthyWeight: 0, degradedWeight: 0, totalWeight: 0 };

  constructor(healthy: Child, degraded: Child, all: Child) {
    this.healthy = healthy;
    this.degraded = degraded;
    this.all = all;
  }

  reset(): void {
    this.counts = { hosts: 0, healthy: 0, degraded: 0, excluded: 0 };
    this.weights = { healthyWeight: 0, degradedWeight: 0, totalWeight: 0 };
  }

  add(slot: Slot, table: EndpointTable): void {
    const health = table.health[slot];
    const weight = table.weight[slot];
    const { counts, weights } = this;
    counts.hosts++;
    if (health === healthStates.excluded) counts.excluded++;
    else weights.totalWeight += weight;
    if (health === healthStates.healthy) {
      counts.healthy++;
      weights.healthyWeight += weight;
    } else if (health === healthStates.degraded) {
      counts.degraded++;
      weights.degradedWeight += weight;
    }
    this.healthy.view.add(slot, health === healthStates.healthy);
    this.degraded.view.add(slot, health === healthStates.degraded);
    this.all.view.add(slot, true);
  }
}
