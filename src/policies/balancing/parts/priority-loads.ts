/** How Envoy spreads requests over priority levels, in whole per cent. */

export interface PriorityHealth {
  /** Numbers of endpoints; with weighted health, sums of weights for `healthy` and `degraded` and for `total` in place of `hosts`. */
  readonly hosts: number;
  readonly healthy: number;
  readonly degraded: number;
  /** Not counted in: they are only coming up. */
  readonly excluded: number;
}

/** What weighs in availability in place of numbers of endpoints. */
export interface PriorityWeights {
  readonly healthyWeight: number;
  readonly degradedWeight: number;
  /** Without the excluded. */
  readonly totalWeight: number;
}

export interface PriorityLoads {
  readonly healthyLoad: readonly number[];
  readonly degradedLoad: readonly number[];
  readonly panic: readonly boolean[];
}

/** A level's availability is its share of healthy (or degraded) endpoints times the overprovisioning factor; levels are filled in order,
 *  healthy before degraded. A level panics when the levels together cannot take everything and less than the threshold of it is up; when
 *  all panic, load goes by numbers of endpoints. A threshold of 0 turns panic off. */
export function priorityLoads(
  levels: readonly (PriorityHealth & Partial<PriorityWeights>)[],
  overprovisioningFactor: number,
  panicThreshold: number,
): PriorityLoads {
  const available = (up: number, total: number): number =>
    total > 0 ? Math.min(100, Math.floor((overprovisioningFactor * up) / total)) : 0;
  const totalOf = (level: (typeof levels)[number]): number => level.totalWeight ?? level.hosts - level.excluded;
  const healthy = levels.map((level) => available(level.healthyWeight ?? level.healthy, totalOf(level)));
  const degraded = levels.map((level) => available(level.degradedWeight ?? level.degraded, totalOf(level)));
  const total = Math.min(100, sum(healthy) + sum(degraded));
  const panic = levels.map((level) => panicThreshold > 0 && total < 100 && percentUp(level) < panicThreshold);
  if (levels.length > 0 && panic.every(Boolean)) return loadsInTotalPanic(levels, panic);
  const forHealthy = distribute(healthy, 100, total);
  const forDegraded = distribute(degraded, forHealthy.rest, total);
  giveRest(forDegraded.rest, healthy, forHealthy.loads, degraded, forDegraded.loads);
  return { healthyLoad: forHealthy.loads, degradedLoad: forDegraded.loads, panic };
}

/** The level that takes a draw from 0 to 99, the healthy ones of all levels first; degraded levels are counted on from there. −1 if there is
 *  no load to take. */
export function priorityOf(draw: number, { healthyLoad, degradedLoad }: PriorityLoads): number {
  let reached = 0;
  for (let i = 0; i < healthyLoad.length; i++) {
    reached += healthyLoad[i];
    if (draw < reached) return i;
  }
  for (let i = 0; i < degradedLoad.length; i++) {
    reached += degradedLoad[i];
    if (draw < reached) return healthyLoad.length + i;
  }
  return -1;
}

const percentUp = ({ hosts, healthy, degraded, excluded }: PriorityHealth): number =>
  hosts > excluded ? (100 * (healthy + degraded)) / (hosts - excluded) : 0;

function loadsInTotalPanic(levels: readonly PriorityHealth[], panic: readonly boolean[]): PriorityLoads {
  const hosts = sum(levels.map((level) => level.hosts));
  const healthyLoad = levels.map((level) => (hosts === 0 ? 0 : Math.floor((100 * level.hosts) / hosts)));
  const first = Math.max(
    0,
    levels.findIndex((level) => level.hosts > 0),
  );
  healthyLoad[first] += 100 - sum(healthyLoad);
  return { healthyLoad, degradedLoad: levels.map(() => 0), panic };
}

function distribute(
  availability: readonly number[],
  load: number,
  total: number,
): { readonly loads: number[]; readonly rest: number } {
  let rest = load;
  const loads = availability.map((available) => {
    const own = total === 0 ? 0 : Math.min(rest, Math.floor((available * 100) / total));
    rest -= own;
    return own;
  });
  return { loads, rest };
}

/** What rounding has left goes to the first level with healthy endpoints, or else with degraded ones. */
function giveRest(
  rest: number,
  healthy: readonly number[],
  healthyLoad: number[],
  degraded: readonly number[],
  degradedLoad: number[],
): void {
  const firstHealthy = healthy.findIndex((available) => available > 0);
  const firstDegraded = degraded.findIndex((available) => available > 0);
  if (firstHealthy !== -1) healthyLoad[firstHealthy] += rest;
  else if (firstDegraded !== -1) degradedLoad[firstDegraded] += rest;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
