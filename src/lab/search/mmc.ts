/** What queueing theory says of a setting: M/M/c, one queue before c servers (Erlang C). It applies where the scenario is that model: one
 *  stream of Poisson arrivals at a steady rate, one service with exponential work, first come first served, one instance whose slots
 *  share a queue, and nobody turned away. Everything else gets the reason why not. With a queue per instance it is a bound: no balancer
 *  does better than one shared queue.
 *
 *  P(T > t) for the whole time in the system: e^(−t) (1 + C (1 − e^(−(c−1−a) t)) / (c−1−a)), in service times, with load a and C the
 *  probability of waiting (D. Gross and C. M. Harris, Fundamentals of Queueing Theory, §2.3). */
import { exp, expm1 } from '../../core/math.ts';
import { erlangC, meanWait, waitQuantile } from '../../policies/autoscaling/parts/erlang.ts';
import type { ExpectSpec, Scenario } from '../../scenario/spec.ts';
import { isUpper } from './promise.ts';

type World = Omit<Scenario, 'variants'>;

export interface QueueModel {
  readonly servers: number;
  /** In Erlangs. */
  readonly load: number;
  readonly serviceMs: number;
}

export interface Applicability {
  /** Absent where not even a bound can be told. Where `why` speaks of a limit, it is the model without it. */
  readonly model?: QueueModel;
  /** Why it does not apply; empty where it does. */
  readonly why: string;
  /** Not the model, and surely not better than it. */
  readonly isBound: boolean;
}

/** Of what is lost by a limit, so little changes no digit that anybody reads. */
const negligible = 1e-4;

export function modelOf(world: World): Applicability {
  const not = (why: string): Applicability => ({ why, isBound: false });
  const { services, traffic, edges, queues, faults, classes } = world;
  const [service] = services;
  const [stream] = traffic;
  if (services.length > 1) return not('there are several services');
  if (queues.length > 0) return not('there are message queues');
  if (traffic.length > 1) return not('there are several streams of traffic');
  const { arrivals, profile } = stream;
  if (arrivals.type !== 'poisson') return not(`arrivals are ${arrivals.type}, not Poisson`);
  if (profile.factors.some((factor) => factor !== profile.factors[0])) return not('the rate changes over time');
  if (stream.userRetries !== undefined) return not('users ask again');
  if (faults.length > 0) return not('there are faults');
  if (service.steps.length > 0) return not('the service calls others');
  if (service.work.type !== 'exponential') return not(`work is ${service.work.type}, not exponential`);
  if (classes.length > 1 && service.workByClass.some((work) => work !== null)) return not('work differs by class');
  if (service.discipline !== 'fifo') return not(`requests are served ${service.discipline}, not first come first served`);
  if (service.elastic.places !== undefined || service.initial !== undefined || world.nodes.length > 0)
    return not('instances come and go');
  const { balancer: _, ...others } = { ...world.policies, ...service.policies, ...edges[0].policies };
  const extra = Object.entries(others).find(([, use]) => use !== null && use !== undefined);
  if (extra !== undefined) return not(`there is a policy that the model knows nothing of (${extra[0]})`);
  const { sameZone, betweenZones } = world.network;
  if ([sameZone, betweenZones, edges[0].proxyLatency].some((law) => law.type !== 'constant' || law.value > 0))
    return not('the network takes time');
  if (edges[0].pool !== undefined) return not('connections are limited');
  const speeds = new Set(service.instances.map(({ speed }) => speed));
  if (speeds.size > 1) return not('instances differ in speed');
  const serviceMs = service.work.mean / service.instances[0].speed;
  const perMs = (arrivals.perSecond * (profile.factors[0] ?? 1)) / 1000;
  const model = { servers: service.slots * service.instances.length, load: perMs * serviceMs, serviceMs };
  if (service.instances.length > 1)
    return { model, why: `each of ${service.instances.length} instances has a queue of its own`, isBound: true };
  return { model, why: limitOf(world, model), isBound: false };
}

/** What cuts the model's queue or its waiting short; empty where that hardly ever happens. */
function limitOf(world: World, { servers, load, serviceMs }: QueueModel): string {
  const [service] = world.services;
  const { timeoutMs, attemptTimeoutMs } = world.edges[0];
  const timeout = Math.min(timeoutMs, attemptTimeoutMs);
  const isStable = load < servers;
  // P(all waiting places taken) < P(wait) ρ^places.
  let full = isStable ? erlangC(servers, load) : 1;
  for (let k = 0; isStable && k < service.queueLimit && full > negligible; k++) full *= load / servers;
  if (service.queueLimit < Infinity && full > negligible) return 'the queue is limited, and requests are turned away';
  if (timeout < Infinity && (!isStable || staysLonger(timeout / serviceMs, servers, load) > negligible))
    return 'requests time out';
  return '';
}

/** The value of a metric in the model; NaN for one that it says nothing about. */
export function theoryOf(metric: string, { servers, load, serviceMs }: QueueModel): number {
  const [family, ...rest] = metric.split('.');
  const stat = rest.join('.');
  const share = /^p\d+(\.\d+)?$/.test(stat) ? Number(stat.slice(1)) / 100 : NaN;
  if (family === 'availability') return load < servers ? 1 : NaN;
  if (metric === 'utilization.mean') return Math.min(1, load / servers);
  if (metric === 'wait.share') return erlangC(servers, load);
  if (family === 'wait' && stat === 'mean') return meanWait(servers, load, serviceMs);
  if (family === 'wait' && share > 0) return waitQuantile(share, servers, load, serviceMs);
  if (family === 'latency' && stat === 'mean') return meanWait(servers, load, serviceMs) + serviceMs;
  if (family === 'latency' && share > 0) return sojournQuantile(share, servers, load) * serviceMs;
  return NaN;
}

/** P(T > t), t in service times; 1 where the queue grows for ever. */
export function staysLonger(t: number, servers: number, load: number): number {
  if (load >= servers) return 1;
  const waiting = erlangC(servers, load);
  const surplus = servers - 1 - load;
  if (surplus === 0) return exp(-t) * (1 + waiting * t);
  // Two ways to write the same: near 0 the difference would lose its digits, far out the quotient would overflow.
  const extra =
    Math.abs(surplus) * t < 1 ? (-expm1(-surplus * t) / surplus) * exp(-t) : (exp(-t) - exp(-(servers - load) * t)) / surplus;
  return exp(-t) + waiting * extra;
}

/** In service times. */
export function sojournQuantile(share: number, servers: number, load: number): number {
  if (load >= servers) return Infinity;
  let [low, high] = [0, 1];
  while (staysLonger(high, servers, load) > 1 - share) [low, high] = [high, high * 2];
  for (let step = 0; step < 200 && high - low > 1e-12 * high; step++) {
    const middle = (low + high) / 2;
    if (staysLonger(middle, servers, load) > 1 - share) low = middle;
    else high = middle;
  }
  return high;
}

/** Whether the model keeps the promises; null where it says nothing about one of them. */
export function theoryKeeps(promises: readonly ExpectSpec[], model: QueueModel): boolean | null {
  let keeps = true;
  for (const promise of promises) {
    const value = promise.view === undefined ? theoryOf(promise.metric, model) : NaN;
    if (Number.isNaN(value)) return model.load >= model.servers ? false : null;
    const { comparator, limit } = promise;
    const isWithin = isUpper(promise)
      ? value < limit || (comparator === '<=' && value === limit)
      : value > limit || (comparator === '>=' && value === limit);
    keeps &&= isWithin;
  }
  return keeps;
}
