/** Faults come and go: on a schedule, up and down in turn, or at random by each target's own stream. What they do to an instance is the
 *  servers', what they do to messages the network's. A fault of the network, or of discovery, holds or does not as a whole; any other
 *  comes to each of its targets by itself. */
import type { KeyedDraws, Streams } from '../core/streams.ts';
import type { Ms } from '../core/time.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import { type Engine, type EventHandle, NO_EVENT, priorities } from '../engine/index.ts';
import type { FaultSpec } from '../scenario/spec.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';
import { eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { NetworkFaults } from './network-faults.ts';
import type { Servers } from './servers.ts';

/** Fails and works in turn; absent for faults that happen once. */
interface Life {
  readonly rng: Xoshiro128;
  readonly works: Sampler;
  readonly fails: Sampler;
}

export interface FaultsHost {
  /** The caches of the instance's calls are emptied. */
  flushCaches(instance: number): void;
  /** The instance's own timers run at this rate. */
  setClockRate(instance: number, rate: number): void;
  /** Whether clients can reach what they learn their endpoints from. */
  setDiscovery(isReachable: boolean): void;
  /** Whether anybody decides anything; whether anything is measured. */
  setControlPlane(isReachable: boolean): void;
  setMetrics(isReachable: boolean): void;
  /** Whether anybody reaches the store of versions; whether configurations are passed on. */
  setStore(isReachable: boolean): void;
  setDistributors(isReachable: boolean): void;
  /** One of those who decide about roll-outs stands still, or goes on. */
  pauseController(controller: number | 'leader', begins: boolean): void;
  /** Some fault begins to hold, or ceases to. */
  holds(begins: boolean): void;
  /** A node loses its power, or has it again. */
  failNode(node: NodeTarget, begins: boolean): void;
  /** An instance is met by a fault, or rid of it; for the judgement of detectors. */
  fault(instance: number, spec: FaultSpec, begins: boolean): void;
  /** What lies between the zones is about to change. */
  networkChanges(): void;
}

type NodeTarget = NonNullable<FaultSpec['nodes']>[number];

/** Steps in which memory fills. In the events of a step its number stands above the target's. */
const LEAK_STEPS = 10;
const STEP = 131_072;
/** In the event of a beginning: it is a victim of a cascade. */
const VICTIM = STEP;

export class Faults {
  private readonly engine: Engine;
  private readonly servers: Servers;
  private readonly fleet: Fleet;
  private readonly network: NetworkFaults | undefined;
  private readonly host: FaultsHost;
  private readonly specs: readonly FaultSpec[];
  /** By fault and target: global instance number. Those that only a cascade can reach come after the fault's own. */
  private readonly targets: readonly (readonly number[])[];
  /** By fault: the target that an instance is. */
  private readonly places: readonly ReadonlyMap<number, number>[];
  /** By fault and target; empty for what happens once. */
  private readonly lives: readonly (readonly Life[])[];
  /** By fault and target: whether it holds now, how often it was due, how often it has brought down others, and its next event. */
  private readonly active: readonly boolean[][];
  private readonly times: readonly number[][];
  private readonly spreads: readonly number[][];
  private readonly next: readonly EventHandle[][];
  /** By fault and time: the rank up to which targets are hit. */
  private readonly limits: readonly Map<number, number>[];
  /** By fault of the network: whom it holds on now. */
  private readonly hitNow: (readonly number[])[];
  private readonly ranks: KeyedDraws;
  private readonly cascadeDraws: KeyedDraws;
  private readonly cascadeRng: Xoshiro128;
  private readonly cascades: readonly (Sampler | undefined)[];
  /** By fault and target: the pending step of a leak, and how slow it has made the instance. */
  private readonly steps: readonly EventHandle[][];
  private readonly leaks: readonly number[][];
  private discoveryOutages: number;

  constructor(
    engine: Engine,
    servers: Servers,
    fleet: Fleet,
    specs: readonly FaultSpec[],
    streams: Streams,
    network: NetworkFaults | undefined,
    host: FaultsHost,
  ) {
    this.engine = engine;
    this.servers = servers;
    this.fleet = fleet;
    this.network = network;
    this.host = host;
    this.specs = specs;
    this.targets = specs.map((spec) => [...ownTargets(spec, fleet), ...othersOf(spec, fleet)]);
    this.places = this.targets.map((targets) => new Map(targets.map((instance, place) => [instance, place])));
    const each = <T>(value: T): T[][] => this.targets.map((_, fault) => Array<T>(this.units(fault)).fill(value));
    this.active = each(false);
    this.times = each(0);
    this.spreads = each(0);
    this.next = each<EventHandle>(NO_EVENT);
    this.steps = each<EventHandle>(NO_EVENT);
    this.leaks = each(1);
    this.limits = specs.map(() => new Map<number, number>());
    this.hitNow = specs.map(() => []);
    this.ranks = streams.keyed('fault/hit');
    this.cascadeDraws = streams.keyed('fault/cascade');
    this.cascadeRng = streams.stream('fault/cascade');
    this.cascades = specs.map(({ cascade }) => cascade && makeSampler(cascade.after));
    this.discoveryOutages = 0;
    this.lives = specs.map(({ schedule }, fault) => {
      if (schedule.type === 'once') return [];
      const works = makeSampler(schedule.type === 'random' ? schedule.timeToFailure : schedule.up);
      const fails = makeSampler(schedule.type === 'random' ? schedule.timeToRepair : schedule.down);
      return this.active[fault].map((_, unit) => ({
        rng: streams.stream(`fault/${fault}/${this.nameOf(fault, unit)}`),
        works,
        fails,
      }));
    });
    specs.forEach(({ schedule }, fault) => {
      for (let unit = 0; unit < this.ownUnits(fault); unit++) {
        const life = this.lives[fault][unit];
        this.beginsAt(fault, unit, schedule.type === 'random' ? life.works.sample(life.rng) : schedule.atMs);
      }
    });
  }

  /** It is due for a target (or as a whole): by its schedule, or because another crash brings the target down. */
  begin(fault: number, event: number): void {
    const target = event % STEP;
    if (event >= VICTIM) {
      if (this.active[fault][target]) return;
      // What its own schedule had in mind is put off: the target fails now.
      this.cancel(this.next, fault, target);
      this.start(fault, target);
    } else {
      const isHit = isWhole(this.specs[fault]) || this.isHit(fault, target);
      if (isHit) this.start(fault, target);
      this.times[fault][target]++;
    }
    this.next[fault][target] = NO_EVENT;
    const endsAtMs = this.endOf(fault, target);
    if (endsAtMs < Infinity)
      this.next[fault][target] = this.engine.at(endsAtMs, eventKinds.faultEnds, fault, target, priorities.fault);
  }

  /** It ends, or goes on with its next step. */
  end(fault: number, event: number): void {
    if (event >= STEP) {
      this.steps[fault][event % STEP] = NO_EVENT;
      this.leakOn(fault, event % STEP, Math.floor(event / STEP));
      return;
    }
    this.next[fault][event] = NO_EVENT;
    if (this.active[fault][event]) {
      this.active[fault][event] = false;
      this.apply(fault, event, false);
    }
    const life = this.lives[fault][event];
    // Those that only a cascade can reach do not fail by themselves.
    if (life === undefined || event >= this.ownUnits(fault)) return;
    const { schedule } = this.specs[fault];
    const at = this.engine.time + life.works.sample(life.rng);
    if (schedule.type !== 'flapping' || at < schedule.atMs + schedule.forMs) this.beginsAt(fault, event, at);
  }

  /** An instance is up again: with empty memory. */
  cameUp(instance: number): void {
    this.specs.forEach(({ type }, fault) => {
      const target = type === 'memory-leak' ? this.places[fault].get(instance) : undefined;
      if (target === undefined || !this.active[fault][target]) return;
      this.cancel(this.steps, fault, target);
      this.leakOn(fault, target, 0);
    });
  }

  private start(fault: number, target: number): void {
    this.active[fault][target] = true;
    this.apply(fault, target, true);
  }

  private beginsAt(fault: number, target: number, atMs: Ms): void {
    if (atMs < Infinity) this.next[fault][target] = this.engine.at(atMs, eventKinds.faultBegins, fault, target, priorities.fault);
  }

  private endOf(fault: number, target: number): Ms {
    const { schedule } = this.specs[fault];
    const nowMs = this.engine.time;
    if (schedule.type === 'once') return nowMs + schedule.forMs;
    const life = this.lives[fault][target];
    const endsAtMs = nowMs + life.fails.sample(life.rng);
    return schedule.type === 'random' ? endsAtMs : Math.max(nowMs, Math.min(endsAtMs, schedule.atMs + schedule.forMs));
  }

  private apply(fault: number, target: number, begins: boolean): void {
    const spec = this.specs[fault];
    this.host.holds(begins);
    if (spec.nodes !== undefined) {
      this.host.failNode(spec.nodes[target], begins);
      return;
    }
    if (isWhole(spec)) {
      this.applyWhole(fault, begins);
      return;
    }
    const instance = this.targets[fault][target];
    this.host.fault(instance, spec, begins);
    this.applyTo(fault, target, spec, instance, begins);
  }

  private applyWhole(fault: number, begins: boolean): void {
    const spec = this.specs[fault];
    if (spec.type === 'discovery-outage') {
      this.discoveryOutages += begins ? 1 : -1;
      this.host.setDiscovery(this.discoveryOutages === 0);
      return;
    }
    if (spec.type === 'control-plane-outage') {
      this.host.setControlPlane(!begins);
      return;
    }
    if (spec.type === 'metrics-outage') {
      this.host.setMetrics(!begins);
      return;
    }
    if (spec.type === 'store-outage') {
      this.host.setStore(!begins);
      return;
    }
    if (spec.type === 'distributor-outage') {
      this.host.setDistributors(!begins);
      return;
    }
    if (spec.type === 'controller-pause') {
      this.host.pauseController(spec.controller, begins);
      return;
    }
    this.host.networkChanges();
    if (begins) {
      this.hitNow[fault] = this.targets[fault].filter((_, target) => this.isHit(fault, target));
      this.network?.begin(fault, spec, this.hitNow[fault]);
    } else this.network?.end(fault);
    for (const instance of this.hitNow[fault]) this.host.fault(instance, spec, begins);
  }

  private applyTo(fault: number, target: number, spec: FaultSpec, instance: number, begins: boolean): void {
    const { servers, fleet } = this;
    switch (spec.type) {
      case 'crash':
      case 'zone-outage':
        if (!begins) {
          servers.restart(instance);
          return;
        }
        servers.crash(instance);
        if (spec.cascade !== undefined) this.spread(fault, target, spec.cascade.chance);
        return;
      case 'slow':
        this.slow(instance);
        return;
      case 'cache-flush':
        if (begins) this.host.flushCaches(instance);
        return;
      case 'pause':
        if (begins) servers.pause(instance, true);
        else servers.resume(instance, true);
        return;
      case 'hang':
        if (begins) servers.pause(instance, !spec.heartbeats);
        else servers.resume(instance, !spec.heartbeats);
        return;
      case 'clock-drift':
        this.host.setClockRate(
          instance,
          this.product(instance, (other) => (other.type === 'clock-drift' ? other.rate : 1)),
        );
        return;
      case 'memory-leak':
        if (begins) this.leakOn(fault, target, 0);
        else this.stopLeak(fault, target);
        return;
      case 'drop-responses':
        // Independent causes: an answer arrives only if none of them takes it.
        fleet.dropShare[instance] =
          1 - this.product(instance, (other) => (other.type === 'drop-responses' ? 1 - other.share : 1));
        return;
      case 'cpu-exhaustion':
        servers.setCpu(
          instance,
          this.product(instance, (other) => (other.type === 'cpu-exhaustion' ? 1 - other.share : 1)),
        );
        return;
      case 'errors':
        servers.setFaultErrors(instance, 1 - this.product(instance, (other) => (other.type === 'errors' ? 1 - other.share : 1)));
    }
  }

  /** Faults that slow everything multiply; of those that slow a share of the requests, the last one written counts. */
  private slow(instance: number): void {
    this.servers.setSlowdown(
      instance,
      this.product(instance, (other) => (other.type === 'slow' && other.requests === 1 ? other.factor : 1)),
    );
    const part = this.specs.findLast((spec, fault) => spec.type === 'slow' && spec.requests < 1 && this.holdsOn(fault, instance));
    this.fleet.slowShare[instance] = part?.type === 'slow' ? part.requests : 0;
    this.fleet.slowFactor[instance] = part?.type === 'slow' ? part.factor : 1;
  }

  /** One step of a leak, from 0. After the last the instance runs out of memory; its next life begins anew, see `cameUp`. */
  private leakOn(fault: number, target: number, step: number): void {
    const spec = this.specs[fault];
    const instance = this.targets[fault][target];
    if (spec.type !== 'memory-leak' || !this.servers.isUp(instance)) return;
    if (step >= LEAK_STEPS) {
      this.servers.crash(instance);
      this.servers.restart(instance);
      return;
    }
    this.setLeak(fault, target, 1 + ((spec.factor - 1) * step) / LEAK_STEPS);
    const nextMs = this.engine.time + spec.fillsMs / LEAK_STEPS;
    this.steps[fault][target] = this.engine.at(nextMs, eventKinds.faultEnds, fault, (step + 1) * STEP + target, priorities.fault);
  }

  private stopLeak(fault: number, target: number): void {
    this.cancel(this.steps, fault, target);
    this.setLeak(fault, target, 1);
  }

  private cancel(events: readonly EventHandle[][], fault: number, target: number): void {
    if (events[fault][target] !== NO_EVENT) this.engine.cancel(events[fault][target]);
    events[fault][target] = NO_EVENT;
  }

  private setLeak(fault: number, target: number, factor: number): void {
    this.leaks[fault][target] = factor;
    const instance = this.targets[fault][target];
    this.servers.setLeak(
      instance,
      this.product(instance, (spec, other, place) => (spec.type === 'memory-leak' ? this.leaks[other][place] : 1)),
    );
  }

  /** A crash may bring down the others of its service. Who falls depends on who fell and how often, not on what else is drawn. */
  private spread(fault: number, target: number, chance: number): void {
    const instance = this.targets[fault][target];
    const service = this.fleet.service[instance];
    const key = this.spreads[fault][target]++ * STEP + target;
    this.targets[fault].forEach((other, place) => {
      if (other === instance || this.fleet.service[other] !== service || !this.servers.isUp(other)) return;
      const salt = fault * STEP + place;
      if (this.cascadeDraws.unit(key, salt) >= chance) return;
      this.cascadeDraws.fork(key, salt, this.cascadeRng);
      const afterMs = this.cascades[fault]!.sample(this.cascadeRng);
      this.engine.at(this.engine.time + afterMs, eventKinds.faultBegins, fault, VICTIM + place, priorities.fault);
    });
  }

  /** Whether the target is among the share that is hit this time. Targets are ranked by chance, so that the number is exact. */
  private isHit(fault: number, target: number): boolean {
    const { hit, nodes } = this.specs[fault];
    const targets: readonly unknown[] = nodes ?? this.specs[fault].targets;
    if (!(hit < 1) || target >= targets.length) return true;
    const time = this.times[fault][isWhole(this.specs[fault]) ? 0 : target];
    const rank = (place: number): number => this.ranks.unit(fault * STEP + place, time);
    let limit = this.limits[fault].get(time);
    if (limit === undefined) {
      const ranks = Float64Array.from(targets, (_, place) => rank(place)).sort();
      limit = ranks[Math.max(1, Math.round(hit * targets.length)) - 1];
      this.limits[fault].set(time, limit);
    }
    return rank(target) <= limit;
  }

  /** How many begin by themselves: every target, or the fault as a whole. */
  private ownUnits(fault: number): number {
    const { nodes, targets } = this.specs[fault];
    return nodes?.length ?? (isWhole(this.specs[fault]) ? 1 : targets.length);
  }

  /** And how many there are with those that only a cascade can reach. */
  private units(fault: number): number {
    return this.specs[fault].nodes?.length ?? (isWhole(this.specs[fault]) ? 1 : this.targets[fault].length);
  }

  private nameOf(fault: number, unit: number): string {
    const node = this.specs[fault].nodes?.[unit];
    if (node !== undefined) return `node/${node.group}/${node.node}`;
    return isWhole(this.specs[fault]) ? 'all' : this.fleet.ids[this.targets[fault][unit]];
  }

  private holdsOn(fault: number, instance: number): boolean {
    const target = this.places[fault].get(instance);
    return target !== undefined && this.active[fault][target];
  }

  /** Over the faults that hold on the instance now. Computed anew each time, so that nothing drifts when they overlap. */
  private product(instance: number, factorOf: (spec: FaultSpec, fault: number, target: number) => number): number {
    let product = 1;
    this.specs.forEach((spec, fault) => {
      const target = isWhole(spec) ? undefined : this.places[fault].get(instance);
      if (target !== undefined && this.active[fault][target]) product *= factorOf(spec, fault, target);
    });
    return product;
  }
}

/** Faults of what lies between the instances, or above them. */
const isWhole = ({ type }: FaultSpec): boolean => wholes.includes(type);

const wholes: readonly FaultSpec['type'][] = [
  'partition',
  'packet-loss',
  'latency',
  'discovery-outage',
  'control-plane-outage',
  'metrics-outage',
  'store-outage',
  'distributor-outage',
  'controller-pause',
];

const ownTargets = (spec: FaultSpec, fleet: Fleet): number[] =>
  spec.targets.map(({ service, instance }) => fleet.base[service] + instance);

/** Whom a cascade may reach besides the targets. */
function othersOf(spec: FaultSpec, fleet: Fleet): number[] {
  if (spec.cascade === undefined) return [];
  const own = new Set(ownTargets(spec, fleet));
  const services = new Set(spec.targets.map(({ service }) => service));
  return Array.from({ length: fleet.count }, (_, instance) => instance).filter(
    (instance) => services.has(fleet.service[instance]) && !own.has(instance),
  );
}
