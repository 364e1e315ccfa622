/** Slow start around a weighted balancer: an endpoint that has just become healthy begins with a part of its weight.
 *
 *  For endpoints that are slow until caches are warm and code is compiled. The part grows with time: (elapsed / window)^(1 / aggression), at
 *  least minWeightPercent. It fails where the balancer within ignores weights, and where many endpoints start at once: they are slow
 *  together and nobody takes their share. HAProxy's growth is linear in sixteenths.
 *
 *  The balancer within sees the lowered weight whenever it looks; those that take weights over are told anew sixteen times per window. */
import { choice, duration, int, number, type ParamValues } from '../../core/params.ts';
import { pow } from '../../core/math.ts';
import type { Ms } from '../../core/time.ts';
import { defineBalancer, type EndpointTable, type EndpointView, type PickContext, type Slot } from './balancer.ts';
import { type Child, childMaker, innerParam, Composite, type MakeChild } from './parts/composite.ts';

const params = {
  window: duration({
    default: 60_000,
    min: 0,
    about: 'How long an endpoint takes to come to its full weight.',
    official: 'Envoy slow_start_window, Istio warmup.duration, HAProxy slowstart',
  }),
  aggression: number({
    default: 1,
    min: 0,
    exclusiveMin: true,
    about: 'The part of the weight is (elapsed / window)^(1 / aggression): 1 is linear, more is faster at first.',
    official: 'Envoy aggression',
  }),
  minWeightPercent: int({
    default: 10,
    min: 0,
    max: 100,
    about: 'The smallest part, in per cent.',
    official: 'Envoy min_weight_percent',
  }),
  variant: choice({ default: 'envoy', choices: ['envoy', 'haproxy'], about: 'Whose growth; HAProxy’s has no other parameters.' }),
  inner: innerParam('edf-weighted-round-robin', 'The balancer that gets the lowered weights.'),
};

export const slowStart = defineBalancer({
  name: 'slow-start',
  summary: 'Raises the weight of a fresh endpoint step by step, around a weighted balancer.',
  useWhen: 'Endpoints are slow at first: cold caches, code not compiled yet.',
  failsWhen: 'The balancer within ignores weights, or many endpoints start at once.',
  cost: 'O(endpoints in their window) and the balancer within',
  sources: [
    'envoyproxy/envoy: source/extensions/load_balancing_policies/common/load_balancer_impl.cc',
    'haproxy/haproxy: src/server.c',
  ],
  aliases: [
    { system: 'Envoy', name: 'slow_start_config' },
    { system: 'HAProxy', name: 'slowstart' },
    { system: 'Istio', name: 'warmup' },
  ],
  params,
  create: (values, deps) => new SlowStart(values, childMaker(values.inner, deps.rng)),
});

/** The part of its weight that an endpoint has, from minWeightPercent to 1. */
export const slowStartFactor = (elapsedMs: Ms, windowMs: Ms, aggression: number, minWeightPercent: number): number =>
  elapsedMs >= windowMs ? 1 : Math.max(pow(Math.max(1, elapsedMs) / windowMs, 1 / aggression), minWeightPercent / 100);

/** HAProxy's weight of a server, 16-fold, whole seconds after it came up. */
export const haproxySlowStartWeight = (weight: number, elapsedSeconds: number, windowSeconds: number): number =>
  weight * Math.min(16, Math.floor((16 * elapsedSeconds + windowSeconds) / windowSeconds));

class SlowStart extends Composite {
  readonly #values: ParamValues<typeof params>;
  readonly #table = new LoweredTable();
  #child: Child | undefined;
  #warming: Int32Array = new Int32Array(0);
  #warmingCount = 0;
  #nextStepMs: Ms = Infinity;
  #loweredMs: Ms = 0;

  constructor(values: ParamValues<typeof params>, makeChild: MakeChild) {
    super(makeChild);
    this.#values = values;
  }

  update(view: EndpointView, nowMs: Ms): void {
    const { table, members, count, everyone, everyoneCount } = view;
    this.#table.follow(table);
    this.#child ??= this.addChild(this.#table);
    const shown = this.#child.view;
    shown.reset(this.#table, everyone.length);
    if (this.#warming.length < everyone.length) this.#warming = new Int32Array(everyone.length);
    const isMember = new Uint8Array(table.weight.length);
    for (let i = 0; i < count; i++) isMember[members[i]] = 1;
    this.#warmingCount = 0;
    for (let i = 0; i < everyoneCount; i++) {
      const slot = everyone[i];
      shown.add(slot, isMember[slot] === 1);
      if (isMember[slot] === 1 && nowMs - table.healthySinceMs[slot] < this.#values.window)
        this.#warming[this.#warmingCount++] = slot;
    }
    this.#step(nowMs);
  }

  pick(context: PickContext): Slot {
    // To a thousandth of the window: nobody can tell, and picks stay cheap.
    if (this.#warmingCount > 0 && context.nowMs - this.#loweredMs >= this.#values.window / 1000) this.#lower(context.nowMs);
    return this.pickFrom(this.#child, context);
  }

  override nextTimerMs(): Ms {
    return Math.min(this.#nextStepMs, super.nextTimerMs());
  }

  override onTimer(nowMs: Ms): void {
    if (nowMs >= this.#nextStepMs) this.#step(nowMs);
    super.onTimer(nowMs);
  }

  /** Shows the balancer within the weights of now, and sets the time of the next step. */
  #step(nowMs: Ms): void {
    this.#lower(nowMs);
    this.#nextStepMs = this.#warmingCount > 0 ? nowMs + this.#values.window / STEPS : Infinity;
    this.updateChildren(nowMs);
  }

  #lower(nowMs: Ms): void {
    const { healthySinceMs } = this.#table;
    this.#loweredMs = nowMs;
    let left = 0;
    for (let i = 0; i < this.#warmingCount; i++) {
      const slot = this.#warming[i];
      const elapsedMs = nowMs - healthySinceMs[slot];
      this.#table.setPart(slot, this.#part(elapsedMs));
      if (elapsedMs < this.#values.window) this.#warming[left++] = slot;
    }
    this.#warmingCount = left;
  }

  #part(elapsedMs: Ms): number {
    const { variant, window, aggression, minWeightPercent } = this.#values;
    if (elapsedMs >= window) return 1;
    if (variant === 'haproxy') return haproxySlowStartWeight(1, Math.floor(elapsedMs / 1000), window / 1000) / 16;
    return slowStartFactor(elapsedMs, window, aggression, minWeightPercent);
  }
}

const STEPS = 16;

/** The table with weights of its own. */
class LoweredTable implements EndpointTable {
  #real!: EndpointTable;
  weight: Float64Array = new Float64Array(0);

  follow(table: EndpointTable): void {
    this.#real = table;
    if (this.weight.length < table.weight.length) this.weight = new Float64Array(table.weight.length);
    this.weight.set(table.weight);
  }

  setPart(slot: Slot, part: number): void {
    this.weight[slot] = this.#real.weight[slot] * part;
  }

  get ids(): readonly string[] {
    return this.#real.ids;
  }
  get health(): Uint8Array {
    return this.#real.health;
  }
  get priority(): Uint8Array {
    return this.#real.priority;
  }
  get locality(): Uint16Array {
    return this.#real.locality;
  }
  get active(): Uint32Array {
    return this.#real.active;
  }
  get healthySinceMs(): Float64Array {
    return this.#real.healthySinceMs;
  }
  get generation(): Uint32Array {
    return this.#real.generation;
  }
}
