/** Where requests go: how often one request of a class makes each service work, how long it works there, how long it waits for others.
 *  Means without any queueing, failures or retries; caches as they are when warm. Of calls made at once the one that is slowest on average
 *  counts, which is a lower bound: the mean of the slowest is later. */
import type { Ms } from '../core/time.ts';
import type { CallSpec, Scenario, StepSpec } from '../scenario/spec.ts';
import { meanOf } from '../stats/moments.ts';
import { type KeyGroup, hitShare, popularity } from './cache-forecast.ts';

type World = Pick<Scenario, 'services' | 'edges' | 'queues' | 'traffic' | 'network' | 'classes'>;

/** Messages through queues may come back to where they came from; what is left after so many hops is nothing. */
const HOPS_MAX = 64;

export class CallFlows {
  private readonly world: World;
  private readonly keys: readonly KeyGroup[];
  /** Share of calls that a cache answers. */
  private readonly hits = new Map<CallSpec, number>();
  private readonly networkMs: Ms;
  private readonly responses = new Map<number, Ms>();

  constructor(world: World) {
    this.world = world;
    this.keys = popularity(world);
    this.networkMs = meanNetwork(world);
  }

  /** Hits depend on how often a cache is asked, and that on hits further up: `perMs` are the rates of the streams. */
  warmUp(perMs: readonly number[]): void {
    const { services, traffic } = this.world;
    for (let tier = 0; tier < services.length && hasKeyCache(services); tier++) {
      const rates = services.map(() => 0);
      for (const [stream, { mix, edge }] of traffic.entries()) {
        for (const { class: kind, share } of mix) {
          this.visits(edge, kind).forEach((visits, service) => (rates[service] += perMs[stream] * share * visits));
        }
      }
      let hasChanged = false;
      for (const [service, { steps, instances }] of services.entries()) {
        forEachCall(steps, 1, (call, share) => {
          if (call.cache === undefined) return;
          const places = call.cache.shared ? 1 : instances.length;
          const hit = hitShare(call.cache, this.keys, (rates[service] * share * call.copies) / places);
          if (Math.abs(hit - (this.hits.get(call) ?? -1)) > 1e-6) hasChanged = true;
          this.hits.set(call, hit);
        });
      }
      if (!hasChanged) break;
    }
    this.responses.clear();
  }

  /** By service: how often one request of this class that takes this edge makes it work. `attempts` multiplies what takes an edge. */
  visits(edge: number, kind: number, attempts?: readonly number[]): number[] {
    const { services, edges } = this.world;
    const total = services.map(() => 0);
    let now = new Map([[edges[edge].service, attempts?.[edge] ?? 1]]);
    for (let hop = 0; hop < HOPS_MAX && now.size > 0; hop++) {
      const next = new Map<number, number>();
      for (const [service, times] of now) {
        total[service] += times;
        const arrive = (to: number, share: number): void => {
          const target = edges[to].service;
          const more = times * share * (attempts?.[to] ?? 1);
          if (more > 1e-9) next.set(target, (next.get(target) ?? 0) + more);
        };
        forEachCall(
          services[service].steps,
          1,
          (call, share) => {
            if (makes(call, kind)) arrive(call.edge, share * call.copies * (1 - this.hitsOf(call)));
          },
          arrive,
        );
      }
      now = next;
    }
    return total;
  }

  /** What a request of this class works at the service, at speed 1. */
  workMs(service: number, kind: number): Ms {
    const { work, workByClass, steps } = this.world.services[service];
    return meanOf(workByClass[kind] ?? work) + workOf(steps);
  }

  /** What it waits there for others. */
  waitMs(service: number, kind: number): Ms {
    return this.stepsMs(this.world.services[service].steps, kind) - workOf(this.world.services[service].steps);
  }

  /** From the call to its answer. */
  callMs(edge: number, kind: number): Ms {
    const { service, proxyLatency, timeoutMs, queue } = this.world.edges[edge];
    if (queue !== -1) return 0;
    const key = edge * this.world.classes.length + kind;
    let responseMs = this.responses.get(key);
    if (responseMs === undefined) {
      responseMs = this.workMs(service, kind) + this.waitMs(service, kind) + 2 * (meanOf(proxyLatency) + this.networkMs);
      this.responses.set(key, responseMs);
    }
    return Math.min(responseMs, timeoutMs);
  }

  private stepsMs(steps: readonly StepSpec[], kind: number): Ms {
    return steps.reduce((sum, step) => sum + this.stepMs(step, kind), 0);
  }

  private stepMs(step: StepSpec, kind: number): Ms {
    switch (step.type) {
      case 'work':
        return meanOf(step.work);
      case 'publish':
        return 0;
      case 'branch':
        return step.branches.reduce((sum, { share, steps }) => sum + share * this.stepsMs(steps, kind), 0);
      case 'calls': {
        const made = step.calls.filter((call) => makes(call, kind));
        const needed = step.wait === Infinity ? made.filter(({ optional }) => !optional) : made;
        const times = needed.flatMap((call) => Array.from({ length: call.copies }, () => this.cachedMs(call, kind)));
        times.sort((a, b) => a - b);
        return times.length === 0 ? 0 : times[Math.min(times.length, step.wait) - 1];
      }
    }
  }

  private cachedMs(call: CallSpec, kind: number): Ms {
    const hit = this.hitsOf(call);
    return (call.cache === undefined ? 0 : hit * meanOf(call.cache.hitTime)) + (1 - hit) * this.callMs(call.edge, kind);
  }

  private hitsOf(call: CallSpec): number {
    if (call.cache === undefined) return 0;
    return call.cache.type === 'ratio' ? call.cache.hit : (this.hits.get(call) ?? 0);
  }
}

const makes = ({ classes }: CallSpec, kind: number): boolean => classes.length === 0 || classes.includes(kind);

const workOf = (steps: readonly StepSpec[]): Ms =>
  steps.reduce((sum, step) => {
    if (step.type === 'work') return sum + meanOf(step.work);
    return step.type === 'branch'
      ? step.branches.reduce((total, { share, steps: inner }) => total + share * workOf(inner), sum)
      : sum;
  }, 0);

/** Every call with the share of requests that get to it, and likewise every message left in a queue. */
function forEachCall(
  steps: readonly StepSpec[],
  share: number,
  onCall: (call: CallSpec, share: number) => void,
  onPublish: (edge: number, share: number) => void = () => undefined,
): void {
  for (const step of steps) {
    if (step.type === 'calls') for (const call of step.calls) onCall(call, share);
    else if (step.type === 'publish') onPublish(step.edge, share);
    else if (step.type === 'branch')
      for (const branch of step.branches) forEachCall(branch.steps, share * branch.share, onCall, onPublish);
  }
}

function hasKeyCache(services: Scenario['services']): boolean {
  let found = false;
  for (const { steps } of services) forEachCall(steps, 1, (call) => (found ||= call.cache?.type === 'keys'));
  return found;
}

/** One way, over all pairs of zones alike. */
function meanNetwork({ network, services }: World): Ms {
  const zones = new Set(services.flatMap(({ instances }) => instances.map(({ zone }) => zone))).size;
  return meanOf(network.sameZone) / zones + meanOf(network.betweenZones) * (1 - 1 / zones);
}
