/** Weighted round robin, smooth: every endpoint its share, spread over the round instead of in a burst.
 *
 *  nginx's default balancer. Weights {a: 5, b: 1, c: 1} give a a b a c a a. Use it where capacities differ and are known. It fails
 *  where they are not: weights are opinions, and load plays no part. Fresh instances all start at the same place, so many small proxies
 *  walk in step.
 *
 *  nginx's passive health can be switched on: after `maxFails` failures within `failTimeout` an endpoint is skipped for that long, then
 *  tried once; each failure also takes weight/maxFails from its effective weight, which grows back by one per pick. It is off by
 *  default, since detectors are a family of their own here. */
import { duration, int, type ParamValues } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Balancer,
  defineBalancer,
  type EndpointView,
  NO_ENDPOINT,
  type Outcome,
  outcomes,
  type PickContext,
  type Slot,
} from './balancer.ts';
import { grownCounts, grownFloats } from '../../core/grow.ts';
import { Newcomers } from './parts/newcomers.ts';
import { SmoothWeights } from './parts/smooth-weights.ts';

const params = {
  maxFails: int({
    default: 0,
    min: 0,
    about: 'Failures within failTimeout after which an endpoint is skipped; 0 never skips.',
    official: 'nginx max_fails, 1 there',
  }),
  failTimeout: duration({
    default: 10_000,
    min: 1,
    about: 'The time in which maxFails are counted, and for which the endpoint is then skipped.',
    official: 'nginx fail_timeout',
  }),
};

export const weightedRoundRobin = defineBalancer({
  name: 'weighted-round-robin',
  summary: 'Picks endpoints in turn by weight, heavy ones spread out (nginx smooth weighted round robin).',
  useWhen: 'Capacities differ, are known, and requests are alike.',
  failsWhen: 'Weights are wrong or out of date: load plays no part.',
  cost: 'O(n)',
  sources: [
    'nginx/nginx: src/http/ngx_http_upstream_round_robin.c',
    'nginx commit 52327e0627f4 (2012), smooth weighted round-robin balancing',
  ],
  aliases: [
    { system: 'nginx', name: 'smooth weighted round robin' },
    { system: 'nginx', name: 'swrr' },
  ],
  params,
  create: (values) => new SmoothWeightedRoundRobin(values),
});

class SmoothWeightedRoundRobin implements Balancer {
  readonly #maxFails: number;
  readonly #failTimeoutMs: Ms;
  readonly #smooth = new SmoothWeights();
  readonly #newcomers = new Newcomers();
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #weights: Float64Array = new Float64Array(0);
  #fails: Uint32Array = new Uint32Array(0);
  /** Time of the last failure. */
  #failedMs: Float64Array = new Float64Array(0);
  /** Time of the last failure or of the last trial after one: it starts the time of rest. */
  #checkedMs: Float64Array = new Float64Array(0);

  constructor(values: ParamValues<typeof params>) {
    this.#maxFails = values.maxFails;
    this.#failTimeoutMs = values.failTimeout;
  }

  update(view: EndpointView): void {
    this.#smooth.update(view);
    this.#members = view.members;
    this.#count = view.count;
    this.#weights = view.table.weight;
    if (this.#maxFails > 0) this.#forgetFailuresOfNewcomers(view);
  }

  pick(context: PickContext): Slot {
    const members = this.#members;
    const smooth = this.#smooth;
    let best = NO_ENDPOINT;
    let total = 0;
    for (let i = 0; i < this.#count; i++) {
      const slot = members[i];
      if (this.#maxFails > 0 && this.#isResting(slot, context.nowMs)) continue;
      total += smooth.advance(slot);
      if (best === NO_ENDPOINT || smooth.current(slot) > smooth.current(best)) best = slot;
    }
    if (best === NO_ENDPOINT) return best;
    smooth.take(best, total);
    if (this.#maxFails > 0 && context.nowMs - this.#checkedMs[best] > this.#failTimeoutMs) {
      this.#checkedMs[best] = context.nowMs;
    }
    return best;
  }

  onEnd(slot: Slot, nowMs: Ms, _latencyMs: Ms, outcome: Outcome): void {
    // A lone endpoint is never given up: there is nobody else to ask.
    if (this.#maxFails === 0 || this.#count < 2 || outcome === outcomes.cancelled) return;
    if (outcome !== outcomes.ok) {
      this.#fails[slot]++;
      this.#failedMs[slot] = this.#checkedMs[slot] = nowMs;
      this.#smooth.weaken(slot, Math.floor(this.#weights[slot] / this.#maxFails));
    } else if (this.#failedMs[slot] < this.#checkedMs[slot]) {
      this.#fails[slot] = 0;
    }
  }

  #isResting(slot: Slot, nowMs: Ms): boolean {
    return this.#fails[slot] >= this.#maxFails && nowMs - this.#checkedMs[slot] <= this.#failTimeoutMs;
  }

  #forgetFailuresOfNewcomers({ table, members, count }: EndpointView): void {
    const size = table.weight.length;
    if (size > this.#fails.length) {
      this.#fails = grownCounts(this.#fails, size);
      this.#failedMs = grownFloats(this.#failedMs, size);
      this.#checkedMs = grownFloats(this.#checkedMs, size);
    }
    for (let i = 0; i < count; i++) {
      const slot = members[i];
      if (!this.#newcomers.meet(table, slot)) continue;
      this.#fails[slot] = 0;
      this.#failedMs[slot] = this.#checkedMs[slot] = 0;
    }
  }
}
