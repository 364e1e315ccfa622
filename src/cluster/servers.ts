/** The server side: instances that take requests in, work on them and answer, and their life: crash, start-up, cold start,
 *  slow-downs, pauses. Answers leave through `reply`. */
import type { Ms } from '../core/time.ts';
import type { KeyedDraws } from '../core/streams.ts';
import { type Engine, priorities } from '../engine/index.ts';
import { type Outcome, outcomes } from '../policies/balancing/balancer.ts';
import { eventKinds } from './events.ts';
import { type Fleet, instanceStates } from './fleet.ts';
import type { LoadMonitor } from './load-monitor.ts';
import type { Recorder } from './recorder.ts';
import { AT_INSTANCE, HOLDERS, INDEX, INSTANCE, type RequestTable, SINCE_MS } from './request-table.ts';
import { SharingStation } from './sharing-station.ts';
import { SlotStation } from './slot-station.ts';
import type { Station, StationHost } from './station.ts';

export interface ServersHost {
  /** The instance answers. */
  reply(request: number, outcome: Outcome): void;
  /** Keyed draws of the request's source. */
  errorDraws(request: number): KeyedDraws;
}

/** Steps in which a cold instance comes up to speed. */
const COLD_START_STEPS = 10;

export class Servers implements StationHost {
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly recorder: Recorder;
  private readonly host: ServersHost;
  /** Present when a balancer listens to load reports. */
  monitor: LoadMonitor | undefined;
  private readonly stations: readonly Station[];
  // By global instance number.
  private readonly downs: Int32Array;
  private readonly pauses: Int32Array;
  private readonly slowdown: Float64Array;
  private readonly coldFactor: Float64Array;
  /** Counts start-ups, so that a timer of an earlier life is recognised. */
  private readonly lives: Int32Array;
  private upCount: number;
  private upSinceMs: Ms;
  /** Time with exactly k instances up, by k; since warm-up. */
  readonly upTimeMs: Float64Array;

  constructor(engine: Engine, fleet: Fleet, requests: RequestTable, recorder: Recorder, host: ServersHost) {
    this.engine = engine;
    this.fleet = fleet;
    this.requests = requests;
    this.recorder = recorder;
    this.host = host;
    this.monitor = undefined;
    this.stations = fleet.services.map((service) =>
      service.discipline === 'processor-sharing'
        ? new SharingStation(engine, fleet, requests, this, { cores: service.slots, queueLimit: service.queueLimit })
        : new SlotStation(engine, fleet, requests, this, {
            slots: service.slots,
            queueLimit: service.queueLimit,
            newestFirst: service.discipline === 'lifo',
          }),
    );
    this.downs = new Int32Array(fleet.count);
    this.pauses = new Int32Array(fleet.count);
    this.slowdown = new Float64Array(fleet.count).fill(1);
    this.coldFactor = new Float64Array(fleet.count).fill(1);
    this.lives = new Int32Array(fleet.count);
    this.upCount = fleet.count;
    this.upSinceMs = 0;
    this.upTimeMs = new Float64Array(fleet.count + 1);
  }

  /** A request reaches its instance. */
  receive(request: number): void {
    const instance = this.requests.ints[(request << 4) + INSTANCE];
    const fleet = this.fleet;
    const service = fleet.service[instance];
    if (this.monitor !== undefined) this.monitor.reached(request, instance);
    const isTaken = fleet.state[instance] === instanceStates.up && this.stations[service].arrive(request, instance);
    if (!isTaken) this.host.reply(request, outcomes.refused);
    else if (fleet.services[service].cancelAbandoned) this.requests.ints[(request << 4) + HOLDERS] |= AT_INSTANCE;
  }

  complete(subject: number, instance: number): void {
    this.stations[this.fleet.service[instance]].complete(subject, instance);
  }

  /** Takes out a request that is at its instance: the client gave up and the service cares. */
  abandon(request: number): void {
    const instance = this.requests.ints[(request << 4) + INSTANCE];
    this.stations[this.fleet.service[instance]].abandon(request, instance);
  }

  startedAtOnce(request: number): void {
    this.recorder.startedAtOnce(request);
  }

  startedAfterWait(request: number): void {
    this.recorder.startedAfterWait(request);
  }

  served(request: number, instance: number): void {
    const fleet = this.fleet;
    fleet.served[instance]++;
    const share = fleet.errorShare[instance];
    const isError =
      share > 0 &&
      this.host.errorDraws(request).unit(this.requests.reals[(request << 3) + INDEX], this.requests.attempts.count[request]) <
        share;
    if (this.monitor !== undefined) {
      const isShared = fleet.services[fleet.service[instance]].discipline === 'processor-sharing';
      this.monitor.answered(request, instance, isShared ? NaN : this.requests.reals[(request << 3) + SINCE_MS], isError);
    }
    this.host.reply(request, isError ? outcomes.error : outcomes.ok);
  }

  isUp(instance: number): boolean {
    return this.fleet.state[instance] === instanceStates.up;
  }

  /** How long a request of this much work would take there if nothing else came; Infinity if it would be refused. */
  timeToFinish(instance: number, workMs: Ms): Ms {
    return this.isUp(instance) ? this.stations[this.fleet.service[instance]].timeToFinish(instance, workMs) : Infinity;
  }

  /** Alive and not frozen: sends heartbeats. */
  isResponsive(instance: number): boolean {
    return this.fleet.state[instance] === instanceStates.up && this.pauses[instance] === 0;
  }

  crash(instance: number): void {
    if (this.downs[instance]++ > 0) return;
    if (this.fleet.state[instance] === instanceStates.up) this.countUp(-1);
    this.fleet.state[instance] = instanceStates.down;
    this.lives[instance]++;
    this.stations[this.fleet.service[instance]].clear(instance, (request) => this.host.reply(request, outcomes.lost));
  }

  /** The cause of a crash is gone; with no other left, the instance starts up. */
  restart(instance: number): void {
    if (--this.downs[instance] > 0) return;
    const { startupMs } = this.fleet.services[this.fleet.service[instance]];
    this.fleet.state[instance] = instanceStates.starting;
    this.lives[instance]++;
    if (startupMs === 0) this.ready(instance, this.lives[instance]);
    else this.engine.at(this.engine.time + startupMs, eventKinds.instanceReady, instance, this.lives[instance], priorities.fault);
  }

  /** Start-up is over. */
  ready(instance: number, life: number): void {
    if (this.lives[instance] !== life) return;
    this.fleet.state[instance] = instanceStates.up;
    this.countUp(1);
    const { coldStart } = this.fleet.services[this.fleet.service[instance]];
    if (coldStart.forMs > 0 && coldStart.factor !== 1) {
      this.coldFactor[instance] = coldStart.factor;
      this.scheduleColdStep(instance, life);
    } else this.coldFactor[instance] = 1;
    this.applySpeed(instance);
  }

  coldStep(instance: number, life: number): void {
    if (this.lives[instance] !== life) return;
    const { coldStart } = this.fleet.services[this.fleet.service[instance]];
    const left = this.coldFactor[instance] - (coldStart.factor - 1) / COLD_START_STEPS;
    // The last step lands on 1 exactly, not on what ten subtractions leave.
    const isDone = coldStart.factor > 1 ? left < 1 + 1e-9 : left > 1 - 1e-9;
    this.coldFactor[instance] = isDone ? 1 : left;
    if (!isDone) this.scheduleColdStep(instance, life);
    this.applySpeed(instance);
  }

  /** Every service time is this much longer from now on. */
  setSlowdown(instance: number, factor: number): void {
    this.slowdown[instance] = factor;
    this.applySpeed(instance);
  }

  pause(instance: number): void {
    if (this.pauses[instance]++ === 0) this.applySpeed(instance);
  }

  resume(instance: number): void {
    if (--this.pauses[instance] === 0) this.applySpeed(instance);
  }

  warmupOver(): void {
    this.settleUp();
    this.upTimeMs.fill(0);
  }

  /** Brings the time by instances up to now. */
  settleUp(): void {
    this.upTimeMs[this.upCount] += this.engine.time - this.upSinceMs;
    this.upSinceMs = this.engine.time;
  }

  private countUp(change: number): void {
    this.settleUp();
    this.upCount += change;
  }

  private scheduleColdStep(instance: number, life: number): void {
    const { coldStart } = this.fleet.services[this.fleet.service[instance]];
    const at = this.engine.time + coldStart.forMs / COLD_START_STEPS;
    this.engine.at(at, eventKinds.coldStartStep, instance, life, priorities.fault);
  }

  private applySpeed(instance: number): void {
    const speed =
      this.pauses[instance] > 0 ? 0 : this.fleet.baseSpeed[instance] / (this.slowdown[instance] * this.coldFactor[instance]);
    this.stations[this.fleet.service[instance]].setSpeed(instance, speed);
  }
}
