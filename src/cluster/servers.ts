/** The server side: instances that take requests in, or turn them away, work on them and answer, and their life: crash, start-up, cold
 *  start, slow-downs, pauses. Answers leave through `reply`; what a request does elsewhere before it is answered is `calls.ts`. */
import type { Ms } from '../core/time.ts';
import type { Streams } from '../core/streams.ts';
import { type Engine, priorities } from '../engine/index.ts';
import { type Outcome, outcomes } from '../policies/balancing/balancer.ts';
import type { Admission, AdmissionRequest, AdmissionResult } from '../policies/resilience/admission/admission.ts';
import { admissionResults } from '../policies/resilience/admission/admission.ts';
import type { QueuePolicy } from '../policies/resilience/queueing/queue-policy.ts';
import type { RestartPolicy } from '../policies/recovery/restarts/restart-policy.ts';
import type { PolicyMakers } from '../scenario/makers.ts';
import type { Calls } from './calls.ts';
import { controlTimers, eventKinds } from './events.ts';
import { type Fleet, instanceStates } from './fleet.ts';
import type { LoadMonitor } from './load-monitor.ts';
import type { Recorder } from './recorder.ts';
import { AT_INSTANCE, HOLDERS, INSTANCE, type RequestTable, SINCE_MS, WORK_MS } from './request-table.ts';
import { SharingStation } from './sharing-station.ts';
import { SlotStation } from './slot-station.ts';
import type { Station, StationHost } from './station.ts';
import type { Tracer } from './tracer.ts';
import type { Transport } from './transport.ts';

/** What the version of an instance does to a part of its requests. */
export interface VersionParts {
  /** How much longer this request takes. */
  workFactor(attempt: number, instance: number): number;
  /** Share of requests like this one that fail, besides those that fail anyway. */
  failingShare(attempt: number, instance: number): number;
}

export interface ServersHost {
  /** A number in [0, 1) of the attempt's own, by purpose: it is met by a fault when that is below the fault's share. */
  luck(attempt: number, purpose: number): number;
  /** The instance has crashed, or is up again. */
  wentDown(instance: number): void;
  cameUp(instance: number): void;
  /** The instance takes nothing new any more; it has nothing left to do; it is gone. */
  closed(instance: number): void;
  drained(instance: number): void;
  removed(instance: number): void;
}

/** Purposes of `luck`. */
const ERROR = 0;
const SLOW = 1;
const DROP = 2;

type ColdStart = Fleet['services'][number]['coldStart'];

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
  /** Set once the world is wired. */
  transport!: Transport;
  /** Present when some service calls others. */
  calls: Calls | undefined;
  /** Present when spans are recorded. */
  tracer: Tracer | undefined;
  /** Present when some version does something to a part of the requests. */
  versions: VersionParts | undefined;
  /** By instance; empty where nobody is turned away by policy. */
  private readonly doors: readonly (Admission | undefined)[];
  private readonly hasDoors: boolean;
  private readonly hasPartFaults: boolean;
  /** Whether requests only wait and are worked on: the short ways through the functions below. Set by `wired`. */
  private isSimple: boolean;
  private readonly priorities: readonly number[];
  private readonly users: readonly number[];
  /** By instance: requests let in and not yet ended, where there is a door. */
  private readonly inside: Int32Array;
  private readonly asked: AdmissionRequest;
  /** By service: whether requests do something after their own work. */
  private readonly hasSteps: readonly boolean[];
  /** By service: whether it matters that a request is at its instance. */
  private readonly marks: readonly boolean[];
  private readonly stations: readonly Station[];
  // By global instance number.
  private readonly downs: Int32Array;
  private readonly pauses: Int32Array;
  /** Reasons to send no heartbeats. */
  private readonly silences: Int32Array;
  /** How much slower while memory fills. */
  private readonly leak: Float64Array;
  private readonly slowdown: Float64Array;
  /** How much slower its version makes it. */
  private readonly versionFactor: Float64Array;
  /** Share of answers that are errors, by faults and by its version. */
  private readonly faultErrors: Float64Array;
  private readonly versionErrors: Float64Array;
  private readonly coldStarts: ColdStart[];
  private readonly coldFactor: Float64Array;
  /** By service. */
  private readonly restarts: readonly (RestartPolicy | undefined)[];
  private readonly startedMs: Float64Array;
  /** Counts start-ups, so that a timer of an earlier life is recognised. */
  private readonly lives: Int32Array;
  /** Instances that are draining. */
  private draining: number;
  private upCount: number;
  private upSinceMs: Ms;
  /** Time with exactly k instances up, by k; since warm-up. */
  readonly upTimeMs: Float64Array;

  constructor(
    engine: Engine,
    fleet: Fleet,
    requests: RequestTable,
    recorder: Recorder,
    policies: {
      readonly makers: PolicyMakers['services'];
      readonly streams: Streams;
      readonly priorities: readonly number[];
      readonly users: readonly number[];
      /** Whether some fault meets a part of the requests only. */
      readonly hasPartFaults: boolean;
    },
    host: ServersHost,
  ) {
    this.engine = engine;
    this.fleet = fleet;
    this.requests = requests;
    this.recorder = recorder;
    this.host = host;
    this.monitor = undefined;
    this.calls = undefined;
    this.tracer = undefined;
    this.versions = undefined;
    this.priorities = policies.priorities;
    this.users = policies.users;
    this.hasPartFaults = policies.hasPartFaults;
    this.doors = fleet.ids.map((id, instance) =>
      policies.makers[fleet.service[instance]].shedding?.({ rng: policies.streams.stream(`shedding/${id}`) }),
    );
    this.isSimple = false;
    this.hasDoors = this.doors.some((door) => door !== undefined);
    this.inside = new Int32Array(fleet.count);
    this.asked = { nowMs: -0, priority: 0, inFlight: 0, queued: 0, user: 0, partition: 0 };
    this.hasSteps = fleet.services.map(({ steps }) => steps.length > 0);
    this.marks = fleet.services.map(
      ({ steps, cancelAbandoned, dropsExpired }) => cancelAbandoned || dropsExpired || steps.length > 0,
    );
    this.stations = fleet.services.map((service, s) =>
      service.discipline === 'processor-sharing'
        ? new SharingStation(engine, fleet, requests, this, { cores: service.slots, queueLimit: service.queueLimit })
        : new SlotStation(engine, fleet, requests, this, {
            slots: service.slots,
            queueLimit: service.queueLimit,
            newestFirst: service.discipline === 'lifo',
            holdsSlot: service.steps.length > 0 && service.holdsSlot,
            dropsExpired: service.dropsExpired,
            policies: service.discipline === 'fifo' ? queuePolicies(policies.makers[s].queueing, service.instances.length) : [],
            priorities: policies.priorities,
            base: fleet.base[s],
          }),
    );
    this.downs = new Int32Array(fleet.count);
    this.pauses = new Int32Array(fleet.count);
    this.restarts = fleet.services.map(({ name }, s) =>
      policies.makers[s].restart?.({ rng: policies.streams.stream(`restart/${name}`) }),
    );
    this.startedMs = new Float64Array(fleet.count);
    this.silences = new Int32Array(fleet.count);
    this.leak = new Float64Array(fleet.count).fill(1);
    this.slowdown = new Float64Array(fleet.count).fill(1);
    this.versionFactor = new Float64Array(fleet.count).fill(1);
    this.faultErrors = new Float64Array(fleet.count);
    this.versionErrors = new Float64Array(fleet.count);
    this.coldStarts = Array.from(fleet.service, (service) => fleet.services[service].coldStart);
    this.coldFactor = new Float64Array(fleet.count).fill(1);
    this.lives = new Int32Array(fleet.count);
    this.draining = 0;
    this.upCount = fleet.state.filter((state) => state === instanceStates.up).length;
    this.upSinceMs = 0;
    this.upTimeMs = new Float64Array(fleet.count + 1);
  }

  /** To be called once all parts are in place. */
  wired(): void {
    const observers: readonly unknown[] = [this.monitor, this.tracer, this.versions];
    this.isSimple =
      !this.hasDoors &&
      !this.hasPartFaults &&
      !this.marks.includes(true) &&
      observers.every((observer) => observer === undefined);
  }

  /** An attempt reaches its instance. */
  receive(request: number): void {
    if (!this.isSimple) {
      this.receiveFully(request);
      return;
    }
    const instance = this.requests.ints[(request << 4) + INSTANCE];
    const { fleet } = this;
    const isTaken =
      fleet.state[instance] === instanceStates.up && this.stations[fleet.service[instance]].arrive(request, instance);
    if (!isTaken) this.turnAway(request, instance);
  }

  private receiveFully(request: number): void {
    const instance = this.requests.ints[(request << 4) + INSTANCE];
    const fleet = this.fleet;
    const service = fleet.service[instance];
    if (this.monitor !== undefined) this.monitor.reached(request, instance);
    if (fleet.state[instance] !== instanceStates.up) {
      this.transport.reply(request, outcomes.refused);
      return;
    }
    if (fleet.services[service].dropsExpired && this.requests.calls.deadlineMs[request] <= this.engine.time) {
      this.transport.reply(request, outcomes.shed);
      return;
    }
    if (this.hasDoors && !this.isLetIn(request, instance)) {
      this.transport.reply(request, outcomes.shed);
      return;
    }
    if (this.marks[service]) {
      if (this.hasSteps[service]) this.calls?.arrived(request);
      this.requests.ints[(request << 4) + HOLDERS] |= AT_INSTANCE;
    }
    if (this.tracer !== undefined) this.tracer.arrived(request);
    if (this.hasPartFaults && fleet.slowShare[instance] > this.host.luck(request, SLOW)) {
      this.requests.reals[(request << 3) + WORK_MS] *= fleet.slowFactor[instance];
    }
    if (this.versions !== undefined) this.requests.reals[(request << 3) + WORK_MS] *= this.versions.workFactor(request, instance);
    if (this.stations[service].arrive(request, instance)) return;
    if (this.hasDoors) this.leaves(request, instance, admissionResults.dropped);
    this.requests.ints[(request << 4) + HOLDERS] &= ~AT_INSTANCE;
    this.turnAway(request, instance);
  }

  /** No place, or nobody there: a machine that is down refuses, a full queue may drop without a word. */
  private turnAway(request: number, instance: number): void {
    const { fleet } = this;
    const isFull = fleet.state[instance] === instanceStates.up;
    if (isFull && fleet.services[fleet.service[instance]].dropsOverflow === true) this.transport.loseAnswer(request);
    else this.transport.reply(request, outcomes.refused);
  }

  complete(subject: number, instance: number): void {
    this.stations[this.fleet.service[instance]].complete(subject, instance);
    if (this.draining > 0) this.mayBeDrained(instance);
  }

  /** Takes out a request that is at its instance: the client gave up and the service cares. */
  abandon(request: number): void {
    const instance = this.requests.ints[(request << 4) + INSTANCE];
    const service = this.fleet.service[instance];
    const isOutside = this.isOutside(request, service);
    if (this.tracer !== undefined) this.tracer.stopped(request);
    if (this.hasSteps[service]) this.calls?.abandon(request);
    if (this.hasDoors) this.leaves(request, instance, admissionResults.ignored);
    if (!isOutside) this.stations[service].abandon(request, instance);
    if (this.draining > 0) this.drainedSoon(instance);
  }

  startedAtOnce(request: number): void {
    this.recorder.startedAtOnce(request);
    if (this.isSimple) return;
    if (this.hasDoors) this.tellStart(request, 0);
    if (this.tracer !== undefined) this.tracer.started(request);
  }

  startedAfterWait(request: number): void {
    this.recorder.startedAfterWait(request);
    if (!this.isSimple) this.startedFully(request);
  }

  private startedFully(request: number): void {
    if (this.hasDoors) this.tellStart(request, this.engine.time - this.requests.reals[(request << 3) + SINCE_MS]);
    if (this.tracer !== undefined) this.tracer.started(request);
  }

  served(request: number, instance: number): void {
    if (!this.isSimple) {
      this.servedFully(request, instance);
      return;
    }
    this.fleet.served[instance]++;
    const isError = this.fleet.errorShare[instance] > 0 && this.meetsError(request, instance);
    this.transport.reply(request, isError ? outcomes.error : outcomes.ok);
  }

  private servedFully(request: number, instance: number): void {
    if (this.hasSteps[this.fleet.service[instance]]) this.worked(request, instance);
    else this.finished(request, instance, this.meetsError(request, instance) ? outcomes.error : outcomes.ok);
  }

  /** Work is done where requests go on elsewhere. An error shows at once, before anybody is called. */
  worked(request: number, instance: number): void {
    const { calls } = this;
    if (this.tracer !== undefined) this.tracer.paused(request);
    if (calls === undefined) return;
    if (!calls.hasStarted(request) && this.meetsError(request, instance)) this.leaveWith(request, instance, outcomes.error);
    else calls.worked(request, instance);
  }

  /** Its program is over, too. */
  leaveWith(request: number, instance: number, outcome: Outcome): void {
    const service = this.fleet.service[instance];
    if (this.keepsSlot(service)) this.stations[service].leave(request, instance);
    this.finished(request, instance, outcome);
    if (this.draining > 0) this.drainedSoon(instance);
  }

  /** Goes on with work at its instance. */
  workAgain(request: number, instance: number): void {
    if (this.tracer !== undefined) this.tracer.started(request);
    this.stations[this.fleet.service[instance]].again(request, instance);
  }

  dropped(request: number, instance: number): void {
    if (this.hasSteps[this.fleet.service[instance]]) this.calls?.abandon(request);
    if (this.tracer !== undefined) this.tracer.stopped(request);
    if (this.hasDoors) this.leaves(request, instance, admissionResults.dropped);
    this.transport.replyLater(request, outcomes.shed);
  }

  private finished(request: number, instance: number, outcome: Outcome): void {
    const fleet = this.fleet;
    fleet.served[instance]++;
    const isError = outcome === outcomes.error;
    if (this.monitor !== undefined) {
      const service = fleet.service[instance];
      // After further steps, or with processor sharing, the time at work has left no trace: since it came.
      const isUnknown = fleet.services[service].discipline === 'processor-sharing' || this.hasSteps[service];
      this.monitor.answered(request, instance, isUnknown ? NaN : this.requests.reals[(request << 3) + SINCE_MS], isError);
    }
    if (this.tracer !== undefined) this.tracer.stopped(request);
    if (this.hasDoors) this.leaves(request, instance, isError ? admissionResults.failed : admissionResults.ok);
    if (this.hasPartFaults && fleet.dropShare[instance] > this.host.luck(request, DROP)) this.transport.loseAnswer(request);
    else this.transport.reply(request, outcome);
  }

  private meetsError(request: number, instance: number): boolean {
    let share = this.fleet.errorShare[instance];
    if (this.versions !== undefined) share = 1 - (1 - share) * (1 - this.versions.failingShare(request, instance));
    return share > 0 && this.host.luck(request, ERROR) < share;
  }

  private keepsSlot(service: number): boolean {
    const { holdsSlot, discipline } = this.fleet.services[service];
    return holdsSlot && this.hasSteps[service] && discipline !== 'processor-sharing';
  }

  /** Whether it waits for others without a place at its instance. */
  private isOutside(request: number, service: number): boolean {
    return this.hasSteps[service] && !this.keepsSlot(service) && this.calls?.isWaiting(request) === true;
  }

  private isLetIn(request: number, instance: number): boolean {
    const door = this.doors[instance];
    if (door === undefined) return true;
    const { asked, requests, fleet } = this;
    const cls = requests.classOf(request);
    asked.nowMs = this.engine.time;
    asked.priority = this.priorities[cls];
    asked.inFlight = this.inside[instance];
    asked.queued = fleet.present[instance] - fleet.busy[instance];
    asked.user = this.users[cls];
    asked.partition = cls;
    if (!door.admit(asked)) return false;
    requests.calls.admittedMs[request] = this.engine.time;
    requests.calls.admittedInFlight[request] = ++this.inside[instance];
    return true;
  }

  /** A request that was let in is out again. */
  private leaves(request: number, instance: number, result: AdmissionResult): void {
    const door = this.doors[instance];
    if (door === undefined) return;
    this.inside[instance]--;
    const { calls } = this.requests;
    const nowMs = this.engine.time;
    door.onEnd(result, nowMs - calls.admittedMs[request], calls.admittedInFlight[request], nowMs, this.requests.classOf(request));
  }

  private tellStart(request: number, waitMs: Ms): void {
    this.doors[this.requests.ints[(request << 4) + INSTANCE]]?.onStart?.(waitMs, this.engine.time);
  }

  isUp(instance: number): boolean {
    return this.fleet.state[instance] === instanceStates.up;
  }

  /** Requests at the instance, as a share of the slots it has. */
  load(instance: number): number {
    return this.fleet.present[instance] / this.fleet.slots(instance);
  }

  /** How long a request of this much work would take there if nothing else came; Infinity if it would be refused. */
  timeToFinish(instance: number, workMs: Ms): Ms {
    return this.isUp(instance) ? this.stations[this.fleet.service[instance]].timeToFinish(instance, workMs) : Infinity;
  }

  /** Alive and not silent: sends heartbeats. */
  beats(instance: number): boolean {
    return this.fleet.state[instance] === instanceStates.up && this.silences[instance] === 0;
  }

  /** Answers probes: alive, and neither frozen nor hung. */
  answers(instance: number): boolean {
    return this.fleet.state[instance] === instanceStates.up && this.pauses[instance] === 0;
  }

  crash(instance: number): void {
    if (this.downs[instance]++ > 0 || !this.fleet.exists(instance)) return;
    this.leaveState(instance, instanceStates.down);
    // Connections break first, so that retries of what is lost do not find them.
    this.host.wentDown(instance);
    this.loseAll(instance);
  }

  /** A process is put into an empty place, and accepts requests from then on. */
  create(instance: number, readyAtMs: Ms): void {
    this.lives[instance]++;
    this.restarts[this.fleet.service[instance]]?.forget(instance);
    const isHeld = this.downs[instance] > 0;
    this.fleet.setState(instance, isHeld ? instanceStates.down : instanceStates.starting);
    if (isHeld) return;
    const at = Math.max(readyAtMs, this.engine.time);
    this.engine.at(at, eventKinds.instanceReady, instance, this.lives[instance], priorities.fault);
  }

  /** Takes nothing new, and works off what it has; the host hears when it has nothing left. */
  drain(instance: number): void {
    if (!this.isUp(instance)) return;
    this.leaveState(instance, instanceStates.draining);
    this.draining++;
    this.host.closed(instance);
    this.mayBeDrained(instance);
  }

  /** The process ends, with everything that it has left. Returns how many requests that are. */
  remove(instance: number): number {
    this.leaveState(instance, instanceStates.absent);
    this.host.removed(instance);
    return this.loseAll(instance);
  }

  /** The cause of a crash is gone, and so is the process that it held. */
  release(instance: number): void {
    this.downs[instance]--;
  }

  /** Whether something keeps a process in this place from running. */
  isHeld(instance: number): boolean {
    return this.downs[instance] > 0;
  }

  private leaveState(instance: number, next: number): void {
    const before = this.fleet.state[instance];
    if (before === instanceStates.up) this.countUp(-1);
    else if (before === instanceStates.draining) this.draining--;
    this.lives[instance]++;
    this.fleet.setState(instance, next);
  }

  private loseAll(instance: number): number {
    const lost = this.outside(instance);
    this.stations[this.fleet.service[instance]].clear(instance, (request) => lost.push(request));
    // Nobody can be taken out any more: the loss of one may make a common caller give up the next.
    for (const request of lost) this.requests.ints[(request << 4) + HOLDERS] &= ~AT_INSTANCE;
    for (const request of lost) this.lose(request, instance);
    return lost.length;
  }

  /** By an event: whoever calls this is in the middle of something. */
  private drainedSoon(instance: number): void {
    if (!this.isDone(instance)) return;
    this.engine.at(this.engine.time, eventKinds.controlTimer, instance, controlTimers.drained);
  }

  mayBeDrained(instance: number): void {
    if (this.isDone(instance)) this.host.drained(instance);
  }

  private isDone(instance: number): boolean {
    const isEmpty = this.fleet.state[instance] === instanceStates.draining && this.fleet.present[instance] === 0;
    return isEmpty && this.outside(instance).length === 0;
  }

  /** Those that wait for others without a place at the instance. Linear in the rows: for crashes. */
  private outside(instance: number): number[] {
    const { requests } = this;
    const service = this.fleet.service[instance];
    const found: number[] = [];
    if (!this.hasSteps[service] || this.keepsSlot(service)) return found;
    requests.forEachInUse((request) => {
      const isHere =
        (requests.ints[(request << 4) + HOLDERS] & AT_INSTANCE) !== 0 && requests.ints[(request << 4) + INSTANCE] === instance;
      if (isHere && this.isOutside(request, service)) found.push(request);
    });
    return found;
  }

  private lose(request: number, instance: number): void {
    if (this.tracer !== undefined) this.tracer.stopped(request);
    if (this.hasSteps[this.fleet.service[instance]]) this.calls?.abandon(request);
    if (this.hasDoors) this.leaves(request, instance, admissionResults.ignored);
    this.transport.reply(request, outcomes.lost);
  }

  /** The cause of a crash is gone; with no other left, the instance starts up. */
  restart(instance: number): void {
    if (--this.downs[instance] > 0 || !this.fleet.exists(instance)) return;
    const service = this.fleet.service[instance];
    // From the end of the cause on: a process does not run in what made it crash.
    const restart = this.restarts[service];
    const nowMs = this.engine.time;
    const at = restart?.restartAtMs(instance, this.startedMs[instance], nowMs, true) ?? nowMs;
    if (at === Infinity) return;
    const startupMs = Math.max(0, at - nowMs) + this.fleet.services[service].startupMs;
    this.fleet.setState(instance, instanceStates.starting);
    this.lives[instance]++;
    if (startupMs === 0) this.ready(instance, this.lives[instance]);
    else this.engine.at(this.engine.time + startupMs, eventKinds.instanceReady, instance, this.lives[instance], priorities.fault);
  }

  /** Start-up is over. */
  ready(instance: number, life: number): void {
    if (this.lives[instance] !== life) return;
    this.fleet.setState(instance, instanceStates.up);
    this.startedMs[instance] = this.engine.time;
    this.restarts[this.fleet.service[instance]]?.onRestarted(instance, this.engine.time);
    this.countUp(1);
    this.host.cameUp(instance);
    const coldStart = this.coldStarts[instance];
    if (coldStart.forMs > 0 && coldStart.factor !== 1) {
      this.coldFactor[instance] = coldStart.factor;
      this.scheduleColdStep(instance, life);
    } else this.coldFactor[instance] = 1;
    this.applySpeed(instance);
  }

  coldStep(instance: number, life: number): void {
    if (this.lives[instance] !== life) return;
    const coldStart = this.coldStarts[instance];
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

  /** The share of its answers that are errors, by faults. */
  setFaultErrors(instance: number, share: number): void {
    this.faultErrors[instance] = share;
    this.applyErrors(instance);
  }

  /** What its version makes of it: this much longer for everything, and this share of errors. */
  setVersion(instance: number, factor: number, errors: number): void {
    this.versionErrors[instance] = errors;
    this.applyErrors(instance);
    if (this.versionFactor[instance] === factor) return;
    this.versionFactor[instance] = factor;
    this.applySpeed(instance);
  }

  /** From its next start on; without one, as its service. */
  setColdStart(instance: number, coldStart: ColdStart | undefined): void {
    this.coldStarts[instance] = coldStart ?? this.fleet.services[this.fleet.service[instance]].coldStart;
  }

  private applyErrors(instance: number): void {
    const version = this.versionErrors[instance];
    const fault = this.faultErrors[instance];
    this.fleet.errorShare[instance] = version === 0 ? fault : 1 - (1 - fault) * (1 - version);
  }

  /** Only this share of its processor is left to it. */
  setCpu(instance: number, share: number): void {
    this.stations[this.fleet.service[instance]].setCores(instance, share * this.fleet.slots(instance));
  }

  /** Stands still, and goes on where it was on `resume`. `isSilent`: its heartbeats stop, too. */
  pause(instance: number, isSilent: boolean): void {
    if (isSilent) this.silences[instance]++;
    if (this.pauses[instance]++ === 0) this.applySpeed(instance);
  }

  resume(instance: number, wasSilent: boolean): void {
    if (wasSilent) this.silences[instance]--;
    if (--this.pauses[instance] === 0) this.applySpeed(instance);
  }

  /** Memory fills: everything takes this much longer. */
  setLeak(instance: number, factor: number): void {
    this.leak[instance] = factor;
    this.applySpeed(instance);
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
    const coldStart = this.coldStarts[instance];
    const at = this.engine.time + coldStart.forMs / COLD_START_STEPS;
    this.engine.at(at, eventKinds.coldStartStep, instance, life, priorities.fault);
  }

  /** What it is made of has changed. */
  applySpeed(instance: number): void {
    const speed =
      this.pauses[instance] > 0
        ? 0
        : this.fleet.baseSpeed[instance] /
          (this.slowdown[instance] * this.coldFactor[instance] * this.leak[instance] * this.versionFactor[instance]);
    this.stations[this.fleet.service[instance]].setSpeed(instance, speed);
  }
}

function queuePolicies(make: PolicyMakers['services'][number]['queueing'], count: number): QueuePolicy[] {
  return make === undefined ? [] : Array.from({ length: count }, () => make({}));
}
