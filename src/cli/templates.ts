/** The files of `clusterlab init`. They are tested as they are: valid, finished within seconds, passing their own checks. */

export const scenarioTemplate = `# yaml-language-server: $schema=./scenario.schema.json
scenario: 1
name: my-lab
about: One of 8 instances becomes 4x slower for 20 seconds. Which balancer notices?
demonstrates: a balancer that looks at requests in flight steers around a slow instance; rotation does not

run:
  duration: 60s                # simulated time, not yours
  warmup: 10s                  # left out of every number
  seeds: 5                     # repetitions; the same ones for every variant

services:
  api:
    instances: 8
    zones: [a, b]              # instances are dealt out in turn
    slots: 4                   # requests one instance serves at once
    queue: 1000                # then they wait; then they are refused
    work: { type: lognormal, p50: 10ms, p99: 50ms }

traffic:
  - to: api
    arrivals: { type: poisson, rate: 1200/s }
    balancers: 2               # independent proxies, each with its own view
    timeout: 30s

faults:
  - { type: slow, target: api/3, at: 30s, for: 20s, factor: 4 }

compare:                       # the first entry is the baseline
  balancer:
    - round-robin
    - p2c
    - { use: ./policies/my-balancer.ts#MyBalancer, label: mine, avoidMs: 2000 }

expect:                        # checked for every variant, unless "of" names some
  - availability >= 95%
  - { check: availability >= 99.9%, of: [p2c, mine] }
  - { check: latency.p99 < 200ms, of: [p2c, mine] }
`;

export const policyTemplate = `/** Two random endpoints; the one with fewer requests in flight gets the request, and one that failed a moment ago gets none.
 *
 *  The simulator runs this very class, and so can your service: it is told the time and draws from the random numbers it was given,
 *  so equal seeds give equal picks. Calling Date.now() or Math.random() instead would end the run with an error that says so. */
import type { Balancer, BalancerDeps, EndpointView, Outcome, PickContext, Slot } from 'clusterlab/policies/balancing';

export class MyBalancer implements Balancer {
  readonly #rng: BalancerDeps['rng'];
  readonly #avoidMs: number;
  #view: EndpointView | undefined;
  /** By slot: no requests before this time. */
  #avoidUntilMs = new Float64Array(0);
  #generation = new Uint32Array(0);

  /** The second argument is what the scenario says besides "use" and "label". */
  constructor(deps: BalancerDeps, settings: { avoidMs?: number } = {}) {
    this.#rng = deps.rng;
    this.#avoidMs = settings.avoidMs ?? 1000;
  }

  /** Called once before the first pick, and whenever endpoints come, go, or change their health. May allocate. */
  update(view: EndpointView): void {
    this.#view = view;
    const { generation } = view.table;
    // A slot is used again after its endpoint has left; what was learnt of that one says nothing of the next.
    this.#avoidUntilMs = Float64Array.from(generation, (born, slot) =>
      born === this.#generation[slot] ? this.#avoidUntilMs[slot]! : 0,
    );
    this.#generation = generation.slice();
  }

  /** Called for every request, millions of times: no allocation, no exception. -1 means that there is nobody to send it to. */
  pick(context: PickContext): Slot {
    const view = this.#view;
    if (view === undefined || view.count === 0) return -1;
    const one = view.members[this.#rng.below(view.count)]!;
    const other = view.members[this.#rng.below(view.count)]!;
    return this.#cost(other, view, context.nowMs) < this.#cost(one, view, context.nowMs) ? other : one;
  }

  /** Called once for every request that was sent; 0 is a good end, everything else a bad one. */
  onEnd(slot: Slot, nowMs: number, _latencyMs: number, outcome: Outcome): void {
    if (outcome !== 0) this.#avoidUntilMs[slot] = nowMs + this.#avoidMs;
  }

  #cost(slot: Slot, view: EndpointView, nowMs: number): number {
    return view.table.active[slot]! + (nowMs < this.#avoidUntilMs[slot]! ? 1000 : 0);
  }
}
`;
