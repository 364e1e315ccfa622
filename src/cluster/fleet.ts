/** All instances of all services, as columns by global instance number (services in order, then index within the service):
 *  what they are, in which state, and how busy they have been. */
import type { Ms } from '../core/time.ts';
import type { ServiceSpec } from '../scenario/spec.ts';
import type { Engine } from '../engine/index.ts';

/** Draining: works off what it has and takes nothing new. Absent: there is no process in this place. */
export const instanceStates = { up: 0, down: 1, starting: 2, draining: 3, absent: 4 } as const;

export class Fleet {
  readonly count: number;
  readonly services: readonly ServiceSpec[];
  /** First global instance number of each service, and one past the last of all. */
  readonly base: Int32Array;
  readonly ids: readonly string[];
  readonly zoneNames: readonly string[];
  readonly service: Int32Array;
  /** Changes with the node on which the place is taken. */
  readonly zone: Int32Array;
  readonly baseSpeed: Float64Array;
  readonly state: Uint8Array;
  /** Requests at work (with processor sharing: cores at work) and in the system. */
  readonly busy: Int32Array;
  readonly present: Int32Array;
  /** Share of answers that are errors. */
  readonly errorShare: Float64Array;
  /** Share of the requests that take longer, and how much; share of the answers that are never sent. */
  readonly slowShare: Float64Array;
  readonly slowFactor: Float64Array;
  readonly dropShare: Float64Array;
  /** By how much the instance's own timers are slower than they should be; 1 is right. */
  readonly clockRate: Float64Array;
  /** Requests served to the end. */
  readonly served: Float64Array;
  /** Integral of `busy` over time, up to the last change. */
  readonly busyArea: Float64Array;
  private readonly busySinceMs: Float64Array;
  // The last two as they were when warm-up ended.
  private readonly servedBefore: Float64Array;
  private readonly busyAreaBefore: Float64Array;

  /** Time in which there was a process, up to the last change; the last two as above. */
  private readonly existedMs: Float64Array;
  private readonly existsSinceMs: Float64Array;
  private readonly existedBefore: Float64Array;

  private readonly clock: Engine;

  constructor(clock: Engine, services: readonly ServiceSpec[], zoneNames: readonly string[]) {
    this.clock = clock;
    this.services = services;
    this.zoneNames = zoneNames;
    this.base = new Int32Array(services.length + 1);
    services.forEach((service, s) => (this.base[s + 1] = this.base[s] + service.instances.length));
    this.count = this.base[services.length];
    this.ids = services.flatMap((service) => service.instances.map((_, i) => `${service.name}/${i}`));
    this.service = new Int32Array(this.count);
    this.zone = new Int32Array(this.count);
    this.baseSpeed = new Float64Array(this.count);
    this.state = new Uint8Array(this.count);
    this.busy = new Int32Array(this.count);
    this.present = new Int32Array(this.count);
    this.errorShare = new Float64Array(this.count);
    this.slowShare = new Float64Array(this.count);
    this.slowFactor = new Float64Array(this.count).fill(1);
    this.dropShare = new Float64Array(this.count);
    this.clockRate = new Float64Array(this.count).fill(1);
    this.served = new Float64Array(this.count);
    this.busyArea = new Float64Array(this.count);
    this.busySinceMs = new Float64Array(this.count);
    this.servedBefore = new Float64Array(this.count);
    this.busyAreaBefore = new Float64Array(this.count);
    this.existedMs = new Float64Array(this.count);
    this.existsSinceMs = new Float64Array(this.count);
    this.existedBefore = new Float64Array(this.count);
    services.forEach((service, s) =>
      service.instances.forEach((instance, i) => {
        const global = this.base[s] + i;
        this.service[global] = s;
        this.zone[global] = zoneNames.indexOf(instance.zone);
        this.baseSpeed[global] = instance.speed;
        if (i >= (service.initial ?? Infinity)) {
          this.state[global] = instanceStates.absent;
          this.existsSinceMs[global] = Infinity;
        }
      }),
    );
  }

  setBusy(instance: number, busy: number): void {
    const nowMs = this.clock.time;
    this.busyArea[instance] += this.busy[instance] * (nowMs - this.busySinceMs[instance]);
    this.busySinceMs[instance] = nowMs;
    this.busy[instance] = busy;
  }

  /** Brings the busy integral up to now. */
  settle(instance: number): void {
    this.setBusy(instance, this.busy[instance]);
  }

  /** What was counted so far belongs to warm-up. */
  markWarmup(): void {
    for (let instance = 0; instance < this.count; instance++) this.settle(instance);
    this.servedBefore.set(this.served);
    this.busyAreaBefore.set(this.busyArea);
    for (let instance = 0; instance < this.count; instance++) this.existedBefore[instance] = this.existed(instance);
  }

  exists(instance: number): boolean {
    return this.state[instance] !== instanceStates.absent;
  }

  /** A process comes into an empty place, in this state; or goes, and leaves it empty. */
  setState(instance: number, state: number): void {
    const existed = this.exists(instance);
    if (existed && state === instanceStates.absent) {
      this.existedMs[instance] = this.existed(instance);
      this.existsSinceMs[instance] = Infinity;
    } else if (!existed && state !== instanceStates.absent) this.existsSinceMs[instance] = this.clock.time;
    this.state[instance] = state;
  }

  /** Time since warm-up in which there was a process. */
  existedSinceWarmup(instance: number): Ms {
    return this.existed(instance) - this.existedBefore[instance];
  }

  private existed(instance: number): Ms {
    return this.existedMs[instance] + Math.max(0, this.clock.time - this.existsSinceMs[instance]);
  }

  servedSinceWarmup(instance: number): number {
    return this.served[instance] - this.servedBefore[instance];
  }

  /** Slot-milliseconds at work since warm-up; settle first. */
  busyAreaSinceWarmup(instance: number): number {
    return this.busyArea[instance] - this.busyAreaBefore[instance];
  }

  slots(instance: number): number {
    return this.services[this.service[instance]].slots;
  }
}
