/** Instances with a number of slots, each serving one request at a time, and a bounded queue in order of arrival (FIFO) or with
 *  the newest first (LIFO). Every operation is O(1) plus the calendar's; a change of speed is O(requests in service). */
import { type Engine, NO_EVENT } from '../engine/index.ts';
import { eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import { EVENT, INSTANCE, NEXT, PREV, type RequestTable, SINCE_MS, WORK_MS } from './request-table.ts';
import type { Station, StationHost } from './station.ts';

const NONE = -1;
/** In place of a pending completion: the request is at work on an instance that stands still. */
const FROZEN = -2;

export class SlotStation implements Station {
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly host: StationHost;
  private readonly slots: number;
  private readonly capacity: number;
  private readonly newestFirst: boolean;
  // By global instance number. The queue is a doubly linked list over the request table; requests at work are not listed, because
  // only faults ask for them: they are the rows with a pending completion.
  private readonly speed: Float64Array;
  private readonly queueFirst: Int32Array;
  private readonly queueLast: Int32Array;

  constructor(
    engine: Engine,
    fleet: Fleet,
    requests: RequestTable,
    host: StationHost,
    options: { readonly slots: number; readonly queueLimit: number; readonly newestFirst: boolean },
  ) {
    this.engine = engine;
    this.fleet = fleet;
    this.requests = requests;
    this.host = host;
    this.slots = options.slots;
    this.capacity = options.slots + options.queueLimit;
    this.newestFirst = options.newestFirst;
    this.speed = Float64Array.from(fleet.baseSpeed);
    this.queueFirst = new Int32Array(fleet.count).fill(NONE);
    this.queueLast = new Int32Array(fleet.count).fill(NONE);
  }

  arrive(request: number, instance: number): boolean {
    const present = this.fleet.present[instance];
    if (present >= this.capacity) return false;
    this.fleet.present[instance] = present + 1;
    const busy = this.fleet.busy[instance];
    if (busy < this.slots) {
      this.fleet.setBusy(instance, busy + 1);
      this.begin(request, instance);
      this.host.startedAtOnce(request);
    } else this.enqueue(request, instance);
    return true;
  }

  complete(request: number, instance: number): void {
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
    const old = this.speed[instance];
    this.speed[instance] = speed;
    const requests = this.requests;
    for (const request of this.atWork(instance)) {
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
      Math.max(
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
    if (!this.newestFirst) {
      for (let request = this.queueFirst[instance]; request !== NONE; request = requests.ints[(request << 4) + NEXT]) {
        takeEarliest(requests.reals[(request << 3) + WORK_MS] / speed);
      }
    }
    return takeEarliest(workMs / speed);
  }

  clear(instance: number, lose: (request: number) => void): void {
    const requests = this.requests;
    const lost = this.atWork(instance);
    for (const request of lost) this.cancelCompletion(request);
    for (let request = this.queueFirst[instance]; request !== NONE; request = requests.ints[(request << 4) + NEXT])
      lost.push(request);
    this.queueFirst[instance] = NONE;
    this.queueLast[instance] = NONE;
    this.fleet.setBusy(instance, 0);
    this.fleet.present[instance] = 0;
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
    if (event !== FROZEN) this.engine.cancel(event);
    this.requests.ints[(request << 4) + EVENT] = NO_EVENT;
  }

  /** A slot is free: the next in the queue takes it. */
  private freeSlot(instance: number): void {
    const request = this.queueFirst[instance];
    if (request === NONE) {
      this.fleet.setBusy(instance, this.fleet.busy[instance] - 1);
      return;
    }
    this.unlinkQueued(request, instance);
    this.host.startedAfterWait(request);
    this.begin(request, instance);
  }

  private enqueue(request: number, instance: number): void {
    const requests = this.requests;
    requests.reals[(request << 3) + SINCE_MS] = this.engine.time;
    const first = this.queueFirst[instance];
    if (this.newestFirst || first === NONE) {
      requests.ints[(request << 4) + PREV] = NONE;
      requests.ints[(request << 4) + NEXT] = first;
      if (first === NONE) this.queueLast[instance] = request;
      else requests.ints[(first << 4) + PREV] = request;
      this.queueFirst[instance] = request;
      return;
    }
    const last = this.queueLast[instance];
    requests.ints[(request << 4) + PREV] = last;
    requests.ints[(request << 4) + NEXT] = NONE;
    requests.ints[(last << 4) + NEXT] = request;
    this.queueLast[instance] = request;
  }

  private unlinkQueued(request: number, instance: number): void {
    const before = this.requests.ints[(request << 4) + PREV];
    const after = this.requests.ints[(request << 4) + NEXT];
    if (before === NONE) this.queueFirst[instance] = after;
    else this.requests.ints[(before << 4) + NEXT] = after;
    if (after === NONE) this.queueLast[instance] = before;
    else this.requests.ints[(after << 4) + PREV] = before;
  }
}
