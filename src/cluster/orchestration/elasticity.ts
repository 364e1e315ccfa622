/** How well supply follows demand: of each service, how many instances were needed, wanted, ready and there, window by window, and what
 *  follows from it.
 *
 *  Needed is what the work offered in a window, at the service's speed, takes when instances are as busy as the service's
 *  `targetUtilization`. The measures are those of Herbst and others (Ready for Rain?, SPEC RG 2016): how long and by how much supply was
 *  below and above demand, and how often it went the other way. Windows that begin before the end of warm-up do not count. */
import type { Ms } from '../../core/time.ts';
import type { ServiceSpec } from '../../scenario/spec.ts';
import { type ElasticService, scaleChangesKept, type ScaleChange } from '../../stats/result.ts';
import type { ServiceMeters } from './service-meters.ts';

const MS_PER_HOUR = 3_600_000;

/** A number over time, and its integral. */
class Level {
  value: number;
  private readonly clock: { readonly time: Ms };
  private area: number;
  private sinceMs: Ms;

  constructor(clock: { readonly time: Ms }, value: number) {
    this.clock = clock;
    this.value = value;
    this.area = 0;
    this.sinceMs = 0;
  }

  set(value: number): void {
    this.area += this.value * (this.clock.time - this.sinceMs);
    this.sinceMs = this.clock.time;
    this.value = value;
  }

  integral(): number {
    this.set(this.value);
    return this.area;
  }
}

/** One service's. */
class Supply {
  readonly spec: ServiceSpec;
  readonly desired: Level;
  readonly ready: Level;
  readonly present: Level;
  readonly series: Readonly<Record<'needed' | 'desired' | 'ready' | 'present', number[]>>;
  workMs: number;
  /** Integrals at the last end of a window, and at the end of warm-up. */
  readonly before: Record<'desired' | 'ready' | 'present', number>;
  presentAtWarmup: number;
  /** Sums over windows after warm-up. */
  underMs: Ms;
  overMs: Ms;
  underArea: number;
  overArea: number;
  /** Times in which too few were ready, after warm-up: how many, and since when the present one lasts; NaN for none. */
  shortages: number;
  isShort: boolean;
  most: number;
  /** Direction of the last change, and how often it turned. */
  direction: number;
  flaps: number;
  changes: number;
  lost: number;
  gone: number;

  constructor(clock: { readonly time: Ms }, spec: ServiceSpec) {
    const { initial = spec.instances.length } = spec;
    this.spec = spec;
    this.desired = new Level(clock, initial);
    this.ready = new Level(clock, initial);
    this.present = new Level(clock, initial);
    this.series = { needed: [], desired: [], ready: [], present: [] };
    this.before = { desired: 0, ready: 0, present: 0 };
    this.workMs = 0;
    this.presentAtWarmup = 0;
    this.underMs = 0;
    this.overMs = 0;
    this.underArea = 0;
    this.overArea = 0;
    this.shortages = 0;
    this.isShort = false;
    this.most = initial;
    this.direction = 0;
    this.flaps = 0;
    this.changes = 0;
    this.lost = 0;
    this.gone = 0;
  }
}

export class Elasticity {
  readonly changes: ScaleChange[];
  private readonly clock: { readonly time: Ms };
  private readonly warmupMs: Ms;
  private readonly meters: ServiceMeters;
  /** By service; empty where instances are there for ever. */
  private readonly supplies: readonly (Supply | undefined)[];
  private windowBeganMs: Ms;

  constructor(
    clock: { readonly time: Ms },
    services: readonly ServiceSpec[],
    isElastic: readonly boolean[],
    meters: ServiceMeters,
    warmupMs: Ms,
  ) {
    this.clock = clock;
    this.warmupMs = warmupMs;
    this.meters = meters;
    this.changes = [];
    this.supplies = services.map((spec, service) => (isElastic[service] ? new Supply(clock, spec) : undefined));
    this.windowBeganMs = 0;
  }

  wanted(service: number, from: number, to: number, reason: string): void {
    const supply = this.supplies[service];
    if (supply === undefined) return;
    const { time } = this.clock;
    supply.desired.set(to);
    if (this.changes.length < scaleChangesKept) this.changes.push({ atMs: time, service: supply.spec.name, from, to, reason });
    if (time < this.warmupMs) return;
    const direction = Math.sign(to - from);
    if (supply.direction !== 0 && direction !== supply.direction) supply.flaps++;
    supply.direction = direction;
    supply.changes++;
  }

  ready(service: number, change: number): void {
    const level = this.supplies[service]?.ready;
    level?.set(level.value + change);
  }

  present(service: number, change: number): void {
    const supply = this.supplies[service];
    if (supply === undefined) return;
    supply.present.set(supply.present.value + change);
    if (this.clock.time >= this.warmupMs) supply.most = Math.max(supply.most, supply.present.value);
  }

  /** An instance was taken away on purpose, and these requests with it. */
  took(service: number, lost: number): void {
    const supply = this.supplies[service];
    if (supply === undefined || this.clock.time < this.warmupMs) return;
    supply.lost += lost;
    supply.gone++;
  }

  markWarmup(): void {
    for (const supply of this.supplies) {
      if (supply === undefined) continue;
      supply.presentAtWarmup = supply.present.integral();
      supply.most = supply.present.value;
    }
  }

  closeWindow(): void {
    const { time } = this.clock;
    const spanMs = time - this.windowBeganMs;
    if (spanMs <= 0) return;
    const counts = this.windowBeganMs >= this.warmupMs;
    this.windowBeganMs = time;
    this.supplies.forEach((supply, service) => {
      if (supply === undefined) return;
      const workMs = this.meters.workMs[service];
      const needed = neededFor((workMs - supply.workMs) / spanMs, supply.spec);
      supply.workMs = workMs;
      supply.series.needed.push(needed);
      for (const key of ['desired', 'ready', 'present'] as const) {
        const integral = supply[key].integral();
        supply.series[key].push((integral - supply.before[key]) / spanMs);
        supply.before[key] = integral;
      }
      if (counts) judge(supply, needed, supply.series.ready.at(-1)!, spanMs);
    });
  }

  results(durationMs: Ms): ElasticService[] {
    return this.supplies.flatMap((supply) => {
      if (supply === undefined) return [];
      return [{ name: supply.spec.name, ...supply.series, metrics: this.metricsOf([supply], durationMs, NaN) }];
    });
  }

  /** Of one service; undefined where its instances are there for ever. */
  serviceMetrics(service: number, durationMs: Ms): Record<string, number> | undefined {
    const supply = this.supplies[service];
    return supply && this.metricsOf([supply], durationMs, NaN);
  }

  /** Of all services together. `nodeCost`: of the nodes since warm-up; NaN without nodes. */
  metrics(durationMs: Ms, nodeCost: number): Record<string, number> {
    return this.metricsOf(
      this.supplies.filter((supply) => supply !== undefined),
      durationMs,
      nodeCost,
    );
  }

  private metricsOf(supplies: readonly Supply[], durationMs: Ms, nodeCost: number): Record<string, number> {
    const measuredMs = durationMs - this.warmupMs;
    const sum = (of: (supply: Supply) => number): number => supplies.reduce((total, supply) => total + of(supply), 0);
    const isAny = supplies.length > 0;
    const part = (total: number, whole: number): number => (isAny && whole > 0 ? total / whole : NaN);
    const presentMs = sum((supply) => supply.present.integral() - supply.presentAtWarmup);
    const ownCost = sum(
      (supply) => ((supply.present.integral() - supply.presentAtWarmup) * supply.spec.elastic.price) / MS_PER_HOUR,
    );
    const hasPrices = supplies.some(({ spec }) => spec.elastic.price > 0);
    const cost = Number.isNaN(nodeCost) ? (hasPrices ? ownCost : NaN) : nodeCost + ownCost;
    const services = supplies.length;
    return {
      'replicas.mean': part(presentMs, measuredMs),
      'replicas.max': isAny ? sum(({ most }) => most) : NaN,
      'scaling.underTime': part(
        sum(({ underMs }) => underMs),
        measuredMs * services,
      ),
      'scaling.overTime': part(
        sum(({ overMs }) => overMs),
        measuredMs * services,
      ),
      'scaling.under': part(
        sum(({ underArea }) => underArea),
        measuredMs,
      ),
      'scaling.over': part(
        sum(({ overArea }) => overArea),
        measuredMs,
      ),
      'scaling.reaction': part(
        sum(({ underMs }) => underMs),
        sum(({ shortages }) => shortages),
      ),
      'scaling.flaps': isAny ? (sum(({ flaps }) => flaps) * MS_PER_HOUR) / measuredMs : NaN,
      'scaling.changes': isAny ? (sum(({ changes }) => changes) * MS_PER_HOUR) / measuredMs : NaN,
      'scaling.lost': isAny ? sum(({ lost }) => lost) : NaN,
      cost: (cost * MS_PER_HOUR) / measuredMs,
    };
  }
}

/** Instances for so many milliseconds of work per millisecond; a little rounding error makes nobody necessary. */
function neededFor(workRate: number, { slots, elastic }: ServiceSpec): number {
  const each = slots * elastic.targetUtilization;
  return Math.ceil(workRate / each - 1e-9);
}

function judge(supply: Supply, needed: number, ready: number, spanMs: Ms): void {
  const lacking = needed - ready;
  if (lacking > 1e-9) {
    supply.underMs += spanMs;
    supply.underArea += lacking * spanMs;
    if (!supply.isShort) supply.shortages++;
  } else if (lacking < -1e-9) {
    supply.overMs += spanMs;
    supply.overArea -= lacking * spanMs;
  }
  supply.isShort = lacking > 1e-9;
}
