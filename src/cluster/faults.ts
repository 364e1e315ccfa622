/** Faults come and go: on a schedule, up and down in turn, or at random by each target's own stream. What they do to an instance is the
 *  servers', what they do to messages the network's. A fault of the network, or of discovery, holds or does not as a whole; any other
 *  comes to each of its targets by itself. */
import type { KeyedDraws, Streams } from '../core/streams.ts';
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
  /** An instance is met by a fault, or rid of it; for the judgement of detectors. */
  fault?(instance: number, begins: boolean): void;
}

/** Steps in which memory fills. In the events of a step its number stands above the target's. */
const LEAK_STEPS = 10;
const STEP = 131_072;

export class Faults {
  private readonly engine: Engine;
  private readonly servers: Servers;
  private readonly fleet: Fleet;
  private readonly network: NetworkFaults | undefined;
  private readonly host: FaultsHost;
  private readonly specs: readonly FaultSpec[];
  /** By fault and target: global instance number. Those that only a cascade can reach come after the fault's own. */
  private readonly targets: readonly (readonly number[])[];
  /** By fault and target; empty for what happens once. */
  private readonly lives: readonly (readonly Life[])[];
  /** By fault and target: whether it holds now, and how often it has begun. */
  private readonly active: readonly boolean[][];
  private readonly times: readonly number[][];
  private readonly chance: KeyedDraws;
  private readonly cascades: readonly (Sampler | undefined)[];
  private readonly cascadeRng: Xoshiro128;
  private cascadeRolls: number;
  /** By fault and target: the pending step of a leak. */
  private readonly steps: readonly EventHandle[][];
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
    this.active = this.targets.map((targets) => targets.map(() => false));
    this.times = this.targets.map((targets) => targets.map(() => 0));
    this.chance = streams.keyed('fault/chance');
    this.cascades = specs.map(({ cascade }) => cascade && makeSampler(cascade.after));
    this.cascadeRng = streams.stream('fault/cascade');
    this.cascadeRolls = 0;
    this.steps = this.targets.map((targets) => targets.map(() => NO_EVENT));
    this.discoveryOutages = 0;
    this.lives = specs.map(({ schedule }, fault) => {
      if (schedule.type === 'once') return [];
      const works = makeSampler(schedule.type === 'random' ? schedule.timeToFailure : schedule.up);
      const fails = makeSampler(schedule.type === 'random' ? schedule.timeToRepair : schedule.down);
      return this.unitsOf(fault).map((unit) => ({
        rng: streams.stream(`fault/${fault}/${isWhole(specs[fault]) ? 'all' : fleet.ids[this.targets[fault][unit]]}`),
        works,
        fails,
      }));
    });
    specs.forEach(({ schedule }, fault) =>
      this.unitsOf(fault).forEach((unit) => {
        const life = this.lives[fault][unit];
        const at = schedule.type === 'random' ? life.works.sample(life.rng) : schedule.atMs;
        if (at < Infinity) engine.at(at, eventKinds.faultBegins, fault, unit, priorities.fault);
      }),
    );
  }

  begin(fault: number, target: number): void {
    const spec = this.specs[fault];
    const { schedule } = spec;
    const life = this.lives[fault][target];
    // A cascade's victim may have crashed by itself meanwhile.
    if (this.active[fault][target]) return;
    if (this.isHit(fault, target)) {
      this.active[fault][target] = true;
      this.apply(fault, target, true);
    }
    this.times[fault][target]++;
    const lasts = life === undefined ? (schedule.type === 'once' ? schedule.forMs : Infinity) : life.fails.sample(life.rng);
    const endMs = schedule.type === 'flapping' ? schedule.atMs + schedule.forMs : Infinity;
    const at = Math.min(this.engine.time + lasts, Math.max(endMs, this.engine.time));
    if (at < Infinity) this.engine.at(at, eventKinds.faultEnds, fault, target, priorities.fault);
  }

  /** It ends, or goes on with its next step. */
  end(fault: number, target: number): void {
    if (target >= STEP) {
      this.leakOn(fault, target % STEP, Math.floor(target / STEP));
      return;
    }
    const { schedule } = this.specs[fault];
    if (this.active[fault][target]) {
      this.active[fault][target] = false;
      this.apply(fault, target, false);
    }
    const life = this.lives[fault][target];
    if (life === undefined) return;
    const at = this.engine.time + life.works.sample(life.rng);
    if (schedule.type === 'flapping' && at >= schedule.atMs + schedule.forMs) return;
    this.engine.at(at, eventKinds.faultBegins, fault, target, priorities.fault);
  }

  private apply(fault: number, target: number, begins: boolean): void {
    const spec = this.specs[fault];
    const instance = this.targets[fault][target];
    if (isWhole(spec)) {
      this.applyWhole(fault, begins);
      return;
    }
    if (spec.type !== 'cache-flush') this.host.fault?.(instance, begins);
    this.applyTo(fault, target, spec, instance, begins);
  }

  private applyWhole(fault: number, begins: boolean): void {
    const spec = this.specs[fault];
    if (spec.type === 'discovery-outage') {
      this.discoveryOutages += begins ? 1 : -1;
      this.host.setDiscovery(this.discoveryOutages === 0);
      return;
    }
    const hit = this.targets[fault].filter((_, target) => this.isHit(fault, target));
    for (const instance of spec.type === 'partition' ? this.targets[fault] : []) this.host.fault?.(instance, begins);
    if (begins) this.network?.begin(fault, spec, hit);
    else this.network?.end(fault);
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
      case 'errors':
        fleet.errorShare[instance] = 1 - this.product(instance, (other) => (other.type === 'errors' ? 1 - other.share : 1));
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

  /** One step of a leak, from 0; after the last, the instance runs out of memory, starts up, and begins anew. */
  private leakOn(fault: number, target: number, step: number): void {
    const spec = this.specs[fault];
    if (spec.type !== 'memory-leak' || !this.active[fault][target]) return;
    const instance = this.targets[fault][target];
    const isFull = step >= LEAK_STEPS;
    if (isFull) {
      this.servers.crash(instance);
      this.servers.restart(instance);
    }
    const at = isFull ? 0 : step;
    this.servers.setLeak(instance, 1 + ((spec.factor - 1) * at) / LEAK_STEPS);
    const nextMs = this.engine.time + spec.fillsMs / LEAK_STEPS;
    this.steps[fault][target] = this.engine.at(nextMs, eventKinds.faultEnds, fault, (at + 1) * STEP + target, priorities.fault);
  }

  private stopLeak(fault: number, target: number): void {
    if (this.steps[fault][target] !== NO_EVENT) this.engine.cancel(this.steps[fault][target]);
    this.steps[fault][target] = NO_EVENT;
    this.servers.setLeak(this.targets[fault][target], 1);
  }

  /** A crash may bring down the others of its service. */
  private spread(fault: number, target: number, chance: number): void {
    const instance = this.targets[fault][target];
    const service = this.fleet.service[instance];
    this.targets[fault].forEach((other, place) => {
      if (other === instance || this.fleet.service[other] !== service || !this.servers.isUp(other)) return;
      if (this.chance.unit(this.cascadeRolls++, fault) >= chance) return;
      const afterMs = this.cascades[fault]!.sample(this.cascadeRng);
      this.engine.at(this.engine.time + afterMs, eventKinds.faultBegins, fault, place, priorities.fault);
    });
  }

  /** Whether the target is among the share that is hit this time. Targets are ranked by chance, so that the number is exact. */
  private isHit(fault: number, target: number): boolean {
    const spec = this.specs[fault];
    if (spec.share >= 1 || spec.targets.length === 0 || target >= spec.targets.length) return true;
    const time = this.times[fault][isWhole(spec) ? 0 : target];
    const rank = (place: number): number => this.chance.unit(fault * STEP + place, time + 1);
    const own = rank(target);
    let before = 0;
    for (let place = 0; place < spec.targets.length; place++) if (rank(place) < own) before++;
    return before < Math.max(1, Math.round(spec.share * spec.targets.length));
  }

  /** What begins and ends by itself: every target, or the fault as a whole. */
  private unitsOf(fault: number): number[] {
    return isWhole(this.specs[fault]) ? [0] : this.specs[fault].targets.map((_, target) => target);
  }

  private holdsOn(fault: number, instance: number): boolean {
    return this.targets[fault].some((other, target) => other === instance && this.active[fault][target]);
  }

  /** Over the faults that hold on the instance now. Computed anew each time, so that nothing drifts when they overlap. */
  private product(instance: number, factorOf: (spec: FaultSpec) => number): number {
    let product = 1;
    this.specs.forEach((spec, fault) =>
      this.targets[fault].forEach((other, target) => {
        if (other === instance && this.active[fault][target]) product *= factorOf(spec);
      }),
    );
    return product;
  }
}

/** Faults of what lies between the instances. */
const isWhole = ({ type }: FaultSpec): boolean =>
  type === 'partition' || type === 'packet-loss' || type === 'latency' || type === 'discovery-outage';

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
