/** What can be told before anything runs: load per phase from the arrival rates, the calls between services, mean service times and
 *  scheduled faults. Retries, queueing and random faults are left out. Users who wait for answers ask no faster than the slowest service
 *  lets them: their rate is the asymptotic bound min(users / (think + response), capacity). */
import type { Ms } from '../core/time.ts';
import type { FaultSpec, Scenario } from '../scenario/spec.ts';
import { meanOf } from '../stats/moments.ts';
import { CallFlows } from './call-flows.ts';
import { meanRate } from './stream-rates.ts';

/** A stretch of the run in which the faults do not change, for one service. */
export interface Phase {
  readonly fromMs: Ms;
  readonly toMs: Ms;
  readonly service: string;
  /** Requests per second, averaged over the phase, from traffic and from other services. */
  readonly perSecond: number;
  /** Offered work over what all instances together can do; where requests hold a slot while they wait for others, that counts as work. */
  readonly utilization: number;
  /** The instance that would be busiest if requests were dealt out evenly. */
  readonly hottest: { readonly instance: string; readonly utilization: number };
}

type World = Omit<Scenario, 'variants'>;

const MS_PER_SECOND = 1000;
/** A curve with more turning points than this is shown in equal pieces instead. */
const TURNS_MAX = 16;
const PIECES = 12;
/** Points at which a phase's rate is read. */
const READINGS = 64;

export function predictPhases(world: World): Phase[] {
  const predictor = new Predictor(world);
  const cuts = [...boundaries(world)].toSorted((x, y) => x - y);
  return cuts
    .slice(0, -1)
    .flatMap((fromMs, i) => predictor.phases(fromMs, cuts[i + 1]))
    .filter((phase) => phase.perSecond > 0);
}

/** Requests of the traffic in one run. */
export const predictRequests = (world: World): number => new Predictor(world).totals().requests;

/** Messages to instances in one run: more than requests where services call others. */
export const predictMessages = (world: World): number => new Predictor(world).totals().messages;

/** Of one service, faults aside: what it can do, what it is asked to do, and that again where every edge makes `attempts` tries of each
 *  request and a stream of traffic starts `users` times over. Per second. */
export interface ServiceLoad {
  readonly service: string;
  readonly capacity: number;
  readonly load: number;
  readonly worstLoad: number;
}
export function predictLoads(world: World, attempts: readonly number[]): ServiceLoad[] {
  return new Predictor(world).loads(attempts);
}

/** What an instance must do for one request of the average kind. */
interface Demand {
  /** At speed 1. */
  readonly workMs: Ms;
  /** Holding its slot; not less on a fast machine. */
  readonly heldMs: Ms;
}

class Predictor {
  private readonly world: World;
  private readonly flows: CallFlows;
  /** By stream and service: how often a request of the stream makes the service work. */
  private readonly visits: readonly (readonly number[])[];
  private readonly demands: readonly Demand[];
  private readonly responses: readonly Ms[];

  constructor(world: World) {
    this.world = world;
    this.flows = new CallFlows(world);
    const { durationMs } = world.run;
    const mixes = world.traffic.map(mixOf);
    this.flows.warmUp(world.traffic.map((stream) => meanRate(stream, 0, durationMs, PIECES * READINGS, 0) / MS_PER_SECOND));
    const { flows } = this;
    const byClass = world.traffic.map(({ edge }, stream) =>
      mixes[stream].map(({ class: kind, share }) => ({ kind, share, visits: flows.visits(edge, kind) })),
    );
    this.visits = byClass.map((parts) =>
      world.services.map((_, service) => parts.reduce((sum, part) => sum + part.share * part.visits[service], 0)),
    );
    this.responses = world.traffic.map(({ edge }, stream) =>
      mixes[stream].reduce((sum, { class: kind, share }) => sum + share * flows.callMs(edge, kind), 0),
    );
    // The classes meet at a service as the streams send them on average.
    this.demands = world.services.map((service, index) => {
      let [times, workMs, heldMs] = [0, 0, 0];
      for (const [stream, traffic] of world.traffic.entries()) {
        const perSecond = meanRate(traffic, 0, durationMs, READINGS, this.responses[stream]);
        for (const { kind, share, visits } of byClass[stream]) {
          const weight = perSecond * share * visits[index];
          times += weight;
          workMs += weight * flows.workMs(index, kind);
          if (service.holdsSlot) heldMs += weight * flows.waitMs(index, kind);
        }
      }
      return times === 0 ? { workMs: 0, heldMs: 0 } : { workMs: workMs / times, heldMs: heldMs / times };
    });
  }

  phases(fromMs: Ms, toMs: Ms): Phase[] {
    const { world } = this;
    const speeds = world.services.map((_, service) => speedsDuring(world, service, fromMs, toMs));
    const capacities = speeds.map((each, index) => each.reduce((sum, speed) => sum + this.capacityOf(index, speed), 0));
    const rates = this.serviceRates(fromMs, toMs, capacities);
    return world.services.map(({ name }, index) => {
      const perSecond = rates[index];
      const alive = speeds[index].filter((speed) => speed > 0);
      const slowest =
        alive.length === 0 ? -1 : speeds[index].indexOf(alive.reduce((least, speed) => Math.min(least, speed), Infinity));
      return {
        ...{ fromMs, toMs, service: name, perSecond },
        utilization: capacities[index] > 0 ? perSecond / capacities[index] : Infinity,
        hottest: {
          instance: `${name}/${Math.max(0, slowest)}`,
          utilization: slowest < 0 ? Infinity : perSecond / alive.length / this.capacityOf(index, speeds[index][slowest]),
        },
      };
    });
  }

  totals(): { readonly requests: number; readonly messages: number } {
    const { durationMs } = this.world.run;
    const capacities = this.fullCapacities();
    const seconds = durationMs / MS_PER_SECOND;
    const streams = this.streamRates(0, durationMs, capacities, PIECES * READINGS);
    const messages = this.atServices(streams).reduce((sum, perSecond) => sum + perSecond, 0);
    return { requests: streams.reduce((sum, perSecond) => sum + perSecond, 0) * seconds, messages: messages * seconds };
  }

  loads(attempts: readonly number[]): ServiceLoad[] {
    const { world, flows } = this;
    const capacities = this.fullCapacities();
    const streams = this.streamRates(0, world.run.durationMs, capacities, PIECES * READINGS);
    const normal = this.atServices(streams);
    const worst = world.services.map(() => 0);
    for (const [stream, traffic] of world.traffic.entries()) {
      for (const { class: kind, share } of mixOf(traffic)) {
        flows
          .visits(traffic.edge, kind, attempts)
          .forEach((visits, service) => (worst[service] += streams[stream] * share * visits));
      }
    }
    return world.services.map(({ name }, index) => ({
      ...{ service: name, capacity: capacities[index], load: normal[index], worstLoad: worst[index] },
    }));
  }

  private fullCapacities(): number[] {
    return this.world.services.map((service, index) =>
      service.instances.reduce((sum, { speed }) => sum + this.capacityOf(index, speed), 0),
    );
  }

  /** Requests per second that an instance of this speed can do. */
  private capacityOf(service: number, speed: number): number {
    const { workMs, heldMs } = this.demands[service];
    if (speed === 0) return 0;
    const eachMs = workMs / speed + heldMs;
    return eachMs === 0 ? Infinity : (this.world.services[service].slots / eachMs) * MS_PER_SECOND;
  }

  private serviceRates(fromMs: Ms, toMs: Ms, capacities: readonly number[]): number[] {
    return this.atServices(this.streamRates(fromMs, toMs, capacities, READINGS));
  }

  private atServices(streams: readonly number[]): number[] {
    return this.world.services.map((_, service) =>
      streams.reduce((sum, perSecond, stream) => sum + perSecond * this.visits[stream][service], 0),
    );
  }

  /** Closed loops slow down until the service that is busiest can keep up. */
  private streamRates(fromMs: Ms, toMs: Ms, capacities: readonly number[], readings: number): number[] {
    const { traffic } = this.world;
    const wanted = traffic.map((stream, index) => meanRate(stream, fromMs, toMs, readings, this.responses[index]));
    const isClosed = traffic.map(({ arrivals }) => arrivals.type === 'users' || (arrivals.type === 'replay' && arrivals.closed));
    const open = this.atServices(wanted.map((rate, index) => (isClosed[index] ? 0 : rate)));
    const closed = this.atServices(wanted.map((rate, index) => (isClosed[index] ? rate : 0)));
    const fits = capacities.map((capacity, service) =>
      closed[service] === 0 ? 1 : Math.max(0, capacity - open[service]) / closed[service],
    );
    const factor = Math.min(1, ...fits);
    return wanted.map((rate, index) => (isClosed[index] ? rate * factor : rate));
  }
}

/** Of a recording as its rows are. */
function mixOf({ mix, arrivals }: Scenario['traffic'][number]): Scenario['traffic'][number]['mix'] {
  if (arrivals.type !== 'replay') return mix;
  const counts = new Map<number, number>();
  for (const kind of arrivals.data.classes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => ({ class: kind, share: count / arrivals.data.classes.length }));
}

/** Speeds of a service's instances under the scheduled faults of the phase; 0 for one that is down or that no request reaches. Where none
 *  can be reached all are up and idle, and nobody is overloaded. */
function speedsDuring({ services, faults }: World, service: number, fromMs: Ms, toMs: Ms): number[] {
  const during = (holding: readonly FaultSpec[]): number[] => {
    const speeds = services[service].instances.map(({ speed }) => speed);
    for (const fault of holding) {
      const remaining = speedLeft(fault) * shareFailing(fault) + 1 - shareFailing(fault);
      // Which of them are hit, chance decides; how many, it does not.
      const hit = fault.targets.slice(0, Math.max(1, Math.round(fault.hit * fault.targets.length)));
      for (const target of hit) if (target.service === service) speeds[target.instance] *= remaining;
    }
    return speeds;
  };
  const holding = faults.filter(
    ({ schedule }) => schedule.type !== 'random' && schedule.atMs < toMs && schedule.atMs + schedule.forMs > fromMs,
  );
  const speeds = during(holding);
  const reachable = holding.filter(({ type }) => type !== 'partition');
  return speeds.some((speed) => speed > 0) || reachable.length === holding.length ? speeds : during(reachable);
}

/** What a fault leaves of an instance's speed while it holds. */
function speedLeft(fault: FaultSpec): number {
  switch (fault.type) {
    case 'crash':
    case 'zone-outage':
    case 'pause':
    case 'hang':
      return 0;
    case 'slow':
      return 1 / (1 + fault.requests * (fault.factor - 1));
    case 'memory-leak':
      // On the way from 1 to the factor, on average.
      return 2 / (1 + fault.factor);
    case 'partition':
      return fault.link.type === 'instances' && fault.link.direction !== 'out' ? 0 : 1;
    default:
      return 1;
  }
}

/** Share of the time in which it fails. */
function shareFailing({ schedule }: FaultSpec): number {
  if (schedule.type !== 'flapping') return 1;
  const [down, up] = [meanOf(schedule.down), meanOf(schedule.up)];
  return down === Infinity ? 1 : down / (down + up);
}

function boundaries(world: World): Set<Ms> {
  const { durationMs } = world.run;
  const cuts = new Set<Ms>([0, durationMs]);
  const add = (ms: Ms): void => {
    if (ms > 0 && ms < durationMs) cuts.add(ms);
  };
  for (const { type, schedule } of world.faults) {
    if (schedule.type === 'random' || type === 'cache-flush') continue;
    add(schedule.atMs);
    add(schedule.atMs + schedule.forMs);
  }
  for (const { profile } of world.traffic) {
    if (profile.timesMs.length < 2) continue;
    if (profile.timesMs.length <= TURNS_MAX && profile.periodMs >= durationMs) profile.timesMs.forEach(add);
    else for (let piece = 1; piece < PIECES; piece++) add((durationMs * piece) / PIECES);
  }
  return cuts;
}
