/** What can be told before anything runs: load per phase from the arrival rates, mean service times and scheduled faults. */
import type { Ms } from '../core/time.ts';
import { RateCurve } from '../cluster/rate-curve.ts';
import type { ArrivalSpec, Scenario, TrafficSpec } from '../scenario/spec.ts';
import { meanOf } from '../stats/moments.ts';

/** A stretch of the run in which the faults do not change, for one service. */
export interface Phase {
  readonly fromMs: Ms;
  readonly toMs: Ms;
  readonly service: string;
  /** Requests per second, averaged over the phase. */
  readonly perSecond: number;
  /** Offered work over what all instances together can do. */
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
  const cuts = [...boundaries(world)].toSorted((x, y) => x - y);
  return cuts
    .slice(0, -1)
    .flatMap((fromMs, i) => world.services.map((_, service) => predictPhase(world, service, fromMs, cuts[i + 1])))
    .filter((phase) => phase.perSecond > 0);
}

/** Requests in one run. */
export function predictRequests(world: World): number {
  const { durationMs } = world.run;
  return world.traffic.reduce(
    (sum, traffic) => sum + (meanRate(traffic, 0, durationMs, PIECES * READINGS) * durationMs) / MS_PER_SECOND,
    0,
  );
}

function predictPhase(world: World, service: number, fromMs: Ms, toMs: Ms): Phase {
  const { name, instances, slots, work } = world.services[service];
  const perSecond = world.traffic
    .filter((traffic) => traffic.service === service)
    .reduce((sum, traffic) => sum + meanRate(traffic, fromMs, toMs, READINGS), 0);
  const workPerMs = (perSecond / MS_PER_SECOND) * meanOf(work);
  const speeds = instances.map((_, instance) => speedDuring(world, service, instance, fromMs, toMs));
  const capacity = speeds.reduce((sum, speed) => sum + speed * slots, 0);
  const alive = speeds.filter((speed) => speed > 0).length;
  let slowest = -1;
  speeds.forEach((speed, i) => {
    if (speed > 0 && (slowest < 0 || speed < speeds[slowest])) slowest = i;
  });
  return {
    fromMs,
    toMs,
    service: name,
    perSecond,
    utilization: capacity > 0 ? workPerMs / capacity : Infinity,
    hottest: {
      instance: `${name}/${Math.max(0, slowest)}`,
      utilization: slowest < 0 ? Infinity : workPerMs / alive / (speeds[slowest] * slots),
    },
  };
}

/** Speed of an instance under the scheduled faults of the phase; 0 when it is down. */
function speedDuring(world: World, service: number, instance: number, fromMs: Ms, toMs: Ms): number {
  let speed = world.services[service].instances[instance].speed;
  for (const fault of world.faults) {
    const { schedule } = fault;
    if (schedule.type !== 'once' || schedule.atMs >= toMs || schedule.atMs + schedule.forMs <= fromMs) continue;
    if (!fault.targets.some((target) => target.service === service && target.instance === instance)) continue;
    if (fault.type === 'slow') speed /= fault.factor;
    else if (fault.type !== 'errors') speed = 0;
  }
  return speed;
}

function boundaries(world: World): Set<Ms> {
  const { durationMs } = world.run;
  const cuts = new Set<Ms>([0, durationMs]);
  const add = (ms: Ms): void => {
    if (ms > 0 && ms < durationMs) cuts.add(ms);
  };
  for (const { schedule } of world.faults) {
    if (schedule.type !== 'once') continue;
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

/** Requests per second, averaged. */
function meanRate(traffic: TrafficSpec, fromMs: Ms, toMs: Ms, readings: number): number {
  const curve = new RateCurve(traffic.profile, averagePerSecond(traffic.arrivals));
  let sum = 0;
  for (let i = 0; i < readings; i++) sum += curve.rateAt(fromMs + ((toMs - fromMs) * (i + 0.5)) / readings);
  return sum / readings;
}

function averagePerSecond(arrivals: ArrivalSpec): number {
  if (arrivals.type !== 'mmpp') return arrivals.perSecond;
  const total = arrivals.states.reduce((sum, state) => sum + state.meanMs, 0);
  return arrivals.states.reduce((sum, state) => sum + (state.perSecond * state.meanMs) / total, 0);
}
