/** Instances with a number of slots, each serving one request at a time, and a bounded queue in order of arrival (FIFO), with the newest
 *  first (LIFO), or as a queueing policy decides. Every operation is O(1) plus the calendar's; a change of speed is O(requests in
 *  service). */
import { type Engine, NO_EVENT } from '../engine/index.ts';
import { eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { QueuePolicy } from '../policies/resilience/queueing/queue-policy.ts';
import { EVENT, INSTANCE, NEXT, PREV, type RequestTable, SINCE_MS, WORK_MS } from './request-table.ts';
import type { Station, StationHost } from './station.ts';

const NONE = -1;
/** In place of a pending completion: the request is at work on an instance that stands still. */
const FROZEN = -2;
/** The request keeps its slot while it waits for others. */
const HELD = -3;

export interface SlotOptions {
  readonly slots: number;
  readonly queueLimit: number;
  readonly newestFirst: boolean;
  /** Whether requests keep their slot after their work, until `leave`. */
  readonly holdsSlot: boolean;
  /** Whether those whose deadline has passed are dropped. */
  readonly dropsExpired: boolean;
  /** One per instance, from the service's first; none: as `newestFirst` says. */
  readonly policies: readonly QueuePolicy[];
  /** By class; one queue per distinct priority where the policies go by it. */
  readonly priorities: readonly number[];
  /** Global number of the service's first instance. */
  readonly base: number;
}

export class SlotStation implements Station {
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly host: StationHost;
  private readonly slots: number;
  private readonly capacity: number;
  private readonly newestFirst: boolean;
  private readonly holdsSlot: boolean;
  private readonly dropsExpired: boolean;
  private readonly policies: readonly QueuePolicy[];
  private readonly base: number;
  /** Queues per instance, and the queue of each class. */
  private readonly levels: number;
  private readonly levelOf: Int32Array;
  // By global instance number. The queue is a doubly linked list over the request table; requests at work are not listed, because
  // only faults ask for them: they are the rows with a pending completion.
  private readonly speed: Float64Array;
  /** The same before those at work share too few cores; and these cores, if they are fewer than slots. */
  private readonly fullSpeed: Float64Array;
  private readonly cores: Float64Array;
  /** Whether any instance has too few. */
  private isCrowded: boolean;
  private readonly queueFirst: Int32Array;
  private readonly queueLast: Int32Array;

  constructor(engine: Engine, fleet: Fleet, requests: RequestTable, host: StationHost, options: SlotOptions) {
    this.engine = engine;
    this.fleet = fleet;
    this.requests = requests;
    this.host = host;
    this.slots = options.slots;
    this.capacity = options.slots + options.queueLimit;
    this.newestFirst = options.newestFirst;
    this.holdsSlot = options.holdsSlot;
    this.dropsExpired = options.dropsExpired;
    this.policies = options.policies;
    this.base = options.base;
    const isByPriority = options.policies.some((policy) => policy.byPriority);
    const levels = isByPriority ? [...new Set(options.priorities)].sort((x, y) => x - y) : [0];
    this.levels = levels.length;
    this.levelOf = Int32Array.from(options.priorities, (priority) => (isByPriority ? levels.indexOf(priority) : 0));
    this.speed = Float64Array.from(fleet.baseSpeed);
    this.fullSpeed = Float64Array.from(fleet.baseSpeed);
    this.cores = new Float64Array(fleet.count).fill(Infinity);
    this.isCrowded = false;
    this.queueFirst = new Int32Array(fleet.count * this.levels).fill(NONE);
    this.queueLast = new Int32Array(fleet.count * this.levels).fill(NONE);
  }

  arrive(request: number, instance: number): boolean {
    const present = this.fleet.present[instance];
    if (present >= this.capacity) return false;
    this.fleet.present[instance] = present + 1;
    const busy = this.fleet.busy[instance];
    if (busy < this.slots) {
      this.fleet.setBusy(instance, busy + 1);
      if (this.isCrowded) this.reshare(instance);
      this.begin(request, instance);
      if (this.policies.length > 0) this.passThrough(instance);
      this.host.startedAtOnce(request);
    } else this.enqueue(request, instance);
    return true;
  }

  again(request: number, instance: number): void {
    if (this.holdsSlot) {
      this.begin(request, instance);
      return;
    }
    this.fleet.present[instance]++;
    const busy = this.fleet.busy[instance];
    if (busy < this.slots) {
      this.fleet.setBusy(instance, busy + 1);
      if (this.isCrowded) this.reshare(instance);
      this.begin(request, instance);
    } else this.enqueue(request, instance);
  }

  leave(request: number, instance: number): void {
    this.requests.ints[(request << 4) + EVENT] = NO_EVENT;
    this.fleet.present[instance]--;
    this.freeSlot(instance);
  }

  complete(request: number, instance: number): void {
    if (this.holdsSlot) {
      this.requests.ints[(request << 4) + EVENT] = HELD;
      this.host.worked(request, instance);
      return;
    }
    this.requests.ints[(request << 4) + EVENT] = NO_EVENT;
    this.fleet.present[instance]--;
    this.freeSlot(instance);
    this.host.served(request, instance);
  }

  abandon(request: number, instance: number): void {
    this.fleet.present[instance]--;
    if (this.requests.ints[(request << 4) + EVENT] === NO_EVENT) {
      this.unlinkQueued(request, instance);
      return;
    }
    this.cancelCompletion(request);
    this.freeSlot(instance);
  }

  setSpeed(instance: number, speed: number): void {
    this.fullSpeed[instance] = speed;
    this.share(instance);
  }

  setCores(instance: number, cores: number): void {
    this.cores[instance] = cores < this.slots ? cores : Infinity;
    this.isCrowded = this.cores.some((left) => left < Infinity);
    this.share(instance);
  }

  /** Those at work get their share of the cores, if they are too few. Linear in the rows: for faults, not for requests. */
  private share(instance: number): void {
    const busy = this.fleet.busy[instance];
    const cores = this.cores[instance];
    this.changeSpeed(instance, busy > cores ? (this.fullSpeed[instance] * cores) / busy : this.fullSpeed[instance]);
  }

  /** One more, or one less, is at work. */
  private reshare(instance: number): void {
    if (this.speed[instance] !== this.fullSpeed[instance] || this.cores[instance] < Infinity) this.share(instance);
  }

  private changeSpeed(instance: number, speed: number): void {
    const old = this.speed[instance];
    this.speed[instance] = speed;
    const requests = this.requests;
    for (const request of this.atWork(instance)) {
      if (requests.ints[(request << 4) + EVENT] === HELD) continue;
      const done = (this.engine.time - requests.reals[(request << 3) + SINCE_MS]) * old;
      requests.reals[(request << 3) + WORK_MS] = Math.max(0, requests.reals[(request << 3) + WORK_MS] - done);
      this.cancelCompletion(request);
      this.begin(request, instance);
    }
  }

  timeToFinish(instance: number, workMs: number): number {
    const speed = this.speed[instance];
    if (this.fleet.present[instance] >= this.capacity || speed === 0) return Infinity;
    const { requests } = this;
    // When each slot is free, in ms from now; requests in the queue take them in turn, the newcomer last (or first, newest first).
    const free = this.atWork(instance).map((request) =>
      requests.ints[(request << 4) + EVENT] === HELD
        ? 0
        : Math.max(
            0,
            requests.reals[(request << 3) + WORK_MS] / speed - (this.engine.time - requests.reals[(request << 3) + SINCE_MS]),
          ),
    );
    while (free.length < this.slots) free.push(0);
    const takeEarliest = (lastsMs: number): number => {
      let earliest = 0;
      for (let slot = 1; slot < free.length; slot++) if (free[slot] < free[earliest]) earliest = slot;
      free[earliest] += lastsMs;
      return free[earliest];
    };
    for (let level = 0; level < this.levels && !this.newestFirst; level++) {
      for (
        let request = this.queueFirst[instance * this.levels + level];
        request !== NONE;
        request = requests.ints[(request << 4) + NEXT]
      ) {
        takeEarliest(requests.reals[(request << 3) + WORK_MS] / speed);
      }
    }
    return takeEarliest(workMs / speed);
  }

  clear(instance: number, lose: (request: number) => void): void {
    const requests = this.requests;
    const lost = this.atWork(instance);
    for (const request of lost) this.cancelCompletion(request);
    for (let queue = instance * this.levels; queue < (instance + 1) * this.levels; queue++) {
      for (let request = this.queueFirst[queue]; request !== NONE; request = requests.ints[(request << 4) + NEXT])
        lost.push(request);
      this.queueFirst[queue] = NONE;
      this.queueLast[queue] = NONE;
    }
    this.fleet.setBusy(instance, 0);
    this.fleet.present[instance] = 0;
    if (this.isCrowded) this.reshare(instance);
    for (const request of lost) lose(request);
  }

  /** Requests in service at the instance, in the order of their rows. Linear in the rows: for faults, not for requests. */
  private atWork(instance: number): number[] {
    const requests = this.requests;
    const found: number[] = [];
    requests.forEachInUse((request) => {
      if (requests.ints[(request << 4) + INSTANCE] === instance && requests.ints[(request << 4) + EVENT] !== NO_EVENT)
        found.push(request);
    });
    return found;
  }

  /** Starts, or goes on with, the work that is left. */
  private begin(request: number, instance: number): void {
    const requests = this.requests;
    const now = this.engine.time;
    const speed = this.speed[instance];
    requests.reals[(request << 3) + SINCE_MS] = now;
    requests.ints[(request << 4) + EVENT] =
      speed > 0
        ? this.engine.at(now + requests.reals[(request << 3) + WORK_MS] / speed, eventKinds.slotDone, request, instance)
        : FROZEN;
  }

  private cancelCompletion(request: number): void {
    const event = this.requests.ints[(request << 4) + EVENT];
    if (event !== FROZEN && event !== HELD) this.engine.cancel(event);
    this.requests.ints[(request << 4) + EVENT] = NO_EVENT;
  }

  /** A slot is free: the next in the queue takes it. */
  private freeSlot(instance: number): void {
    const request = this.takeNext(instance);
    if (request === NONE) {
      this.fleet.setBusy(instance, this.fleet.busy[instance] - 1);
      if (this.isCrowded) this.reshare(instance);
      return;
    }
    this.host.startedAfterWait(request);
    this.begin(request, instance);
  }

  /** Policies judge by all requests, also those that need not wait. */
  private passThrough(instance: number): void {
    const policy = this.policies[instance - this.base];
    policy.onEnqueue(1, this.engine.time);
    policy.onDequeue(0, 0, this.engine.time);
  }

  /** Out of the queue; NONE when nobody waits. */
  private takeNext(instance: number): number {
    if (this.policies.length === 0 && !this.dropsExpired) {
      const request = this.queueFirst[instance];
      if (request !== NONE) this.unlinkQueued(request, instance);
      return request;
    }
    return this.takeWorthy(instance);
  }

  /** The same where a policy chooses, and where some are not worth serving any more. */
  private takeWorthy(instance: number): number {
    const { requests, fleet, engine } = this;
    const policy = this.policies.length === 0 ? undefined : this.policies[instance - this.base];
    for (;;) {
      let queue = instance * this.levels;
      const end = queue + this.levels;
      while (queue < end && this.queueFirst[queue] === NONE) queue++;
      if (queue === end) return NONE;
      const queued = fleet.present[instance] - fleet.busy[instance] + 1;
      const isNewest = policy !== undefined && policy.takesNewest(queued, engine.time);
      const request = isNewest ? this.queueLast[queue] : this.queueFirst[queue];
      this.unlinkQueued(request, instance);
      const waitedMs = engine.time - requests.reals[(request << 3) + SINCE_MS];
      const isExpired = this.dropsExpired && requests.calls.deadlineMs[request] <= engine.time;
      if (!isExpired && (policy === undefined || policy.onDequeue(waitedMs, queued - 1, engine.time))) return request;
      fleet.present[instance]--;
      this.host.dropped(request, instance);
    }
  }

  private queueOf(request: number, instance: number): number {
    return this.levels === 1 ? instance : instance * this.levels + this.levelOf[this.requests.classOf(request)];
  }

  private enqueue(request: number, instance: number): void {
    const requests = this.requests;
    const queue = this.queueOf(request, instance);
    requests.reals[(request << 3) + SINCE_MS] = this.engine.time;
    if (this.policies.length > 0) {
      this.policies[instance - this.base].onEnqueue(this.fleet.present[instance] - this.fleet.busy[instance], this.engine.time);
    }
    const first = this.queueFirst[queue];
    if (this.newestFirst || first === NONE) {
      requests.ints[(request << 4) + PREV] = NONE;
      requests.ints[(request << 4) + NEXT] = first;
      if (first === NONE) this.queueLast[queue] = request;
      else requests.ints[(first << 4) + PREV] = request;
      this.queueFirst[queue] = request;
      return;
    }
    const last = this.queueLast[queue];
    requests.ints[(request << 4) + PREV] = last;
    requests.ints[(request << 4) + NEXT] = NONE;
    requests.ints[(last << 4) + NEXT] = request;
    this.queueLast[queue] = request;
  }

  private unlinkQueued(request: number, instance: number): void {
    const queue = this.queueOf(request, instance);
    const before = this.requests.ints[(request << 4) + PREV];
    const after = this.requests.ints[(request << 4) + NEXT];
    if (before === NONE) this.queueFirst[queue] = after;
    else this.requests.ints[(before << 4) + NEXT] = after;
    if (after === NONE) this.queueLast[queue] = before;
    else this.requests.ints[(after << 4) + PREV] = before;
  }
}
