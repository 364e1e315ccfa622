/** Faults come and go: on a schedule, or at random by each target's own stream. What they do to an instance is the servers'. */
import type { Streams } from '../core/streams.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import { type Engine, priorities } from '../engine/index.ts';
import type { FaultSpec } from '../scenario/spec.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';
import { eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { Servers } from './servers.ts';

interface RandomLife {
  readonly rng: Xoshiro128;
  readonly timeToFailure: Sampler;
  readonly timeToRepair: Sampler;
}

export class Faults {
  private readonly engine: Engine;
  private readonly servers: Servers;
  private readonly fleet: Fleet;
  private readonly specs: readonly FaultSpec[];
  /** By fault and target: global instance number. */
  private readonly targets: readonly (readonly number[])[];
  /** By fault and target; empty for scheduled faults. */
  private readonly lives: readonly (readonly RandomLife[])[];
  /** By fault and target: whether it holds now. */
  private readonly active: readonly boolean[][];

  constructor(engine: Engine, servers: Servers, fleet: Fleet, specs: readonly FaultSpec[], streams: Streams) {
    this.engine = engine;
    this.servers = servers;
    this.fleet = fleet;
    this.specs = specs;
    this.targets = specs.map((spec) => spec.targets.map(({ service, instance }) => fleet.base[service] + instance));
    this.active = this.targets.map((targets) => targets.map(() => false));
    this.lives = specs.map(({ schedule }, fault) => {
      if (schedule.type !== 'random') return [];
      const timeToFailure = makeSampler(schedule.timeToFailure);
      const timeToRepair = makeSampler(schedule.timeToRepair);
      return this.targets[fault].map((instance) => ({
        rng: streams.stream(`fault/${fault}/${fleet.ids[instance]}`),
        timeToFailure,
        timeToRepair,
      }));
    });
    specs.forEach(({ schedule }, fault) =>
      this.targets[fault].forEach((_, target) => {
        const life = this.lives[fault][target];
        const at = schedule.type === 'once' ? schedule.atMs : life.timeToFailure.sample(life.rng);
        if (at < Infinity) engine.at(at, eventKinds.faultBegins, fault, target, priorities.fault);
      }),
    );
  }

  begin(fault: number, target: number): void {
    const spec = this.specs[fault];
    this.active[fault][target] = true;
    this.apply(spec, this.targets[fault][target], true);
    const life = this.lives[fault][target];
    const lasts = spec.schedule.type === 'once' ? spec.schedule.forMs : life.timeToRepair.sample(life.rng);
    if (lasts < Infinity) this.engine.at(this.engine.time + lasts, eventKinds.faultEnds, fault, target, priorities.fault);
  }

  end(fault: number, target: number): void {
    const spec = this.specs[fault];
    this.active[fault][target] = false;
    this.apply(spec, this.targets[fault][target], false);
    if (spec.schedule.type === 'once') return;
    const life = this.lives[fault][target];
    const wait = life.timeToFailure.sample(life.rng);
    this.engine.at(this.engine.time + wait, eventKinds.faultBegins, fault, target, priorities.fault);
  }

  private apply(spec: FaultSpec, instance: number, begins: boolean): void {
    const { servers, fleet } = this;
    switch (spec.type) {
      case 'crash':
      case 'zone-outage':
        if (begins) servers.crash(instance);
        else servers.restart(instance);
        return;
      case 'slow':
        servers.setSlowdown(
          instance,
          this.product(instance, (other) => (other.type === 'slow' ? other.factor : 1)),
        );
        return;
      case 'pause':
        if (begins) servers.pause(instance);
        else servers.resume(instance);
        return;
      case 'errors':
        // Independent causes: an answer is fine only if it is fine by every one of them.
        fleet.errorShare[instance] = 1 - this.product(instance, (other) => (other.type === 'errors' ? 1 - other.share : 1));
    }
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
