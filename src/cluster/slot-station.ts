/** Instances with a number of slots, each serving one request at a time, and a bounded queue in order of arrival (FIFO) or with
 *  the newest first (LIFO). Every operation is O(1) plus the calendar's; a change of speed is O(requests in service). */
import { type Engine, NO_EVENT } from '../engine/index.ts';
import { eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { RequestTable } from './request-table.ts';
import type { Station, StationHost } from './station.ts';

const NONE = -1;

export class SlotStation implements Station {
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly host: StationHost;
  private readonly slots: number;
  private readonly capacity: number;
  private readonly newestFirst: boolean;
  // By global instance number. Requests at work and in the queue are doubly linked lists over the request table.
  private readonly speed: Float64Array;
  private readonly working: Int32Array;
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
    this.working = new Int32Array(fleet.count).fill(NONE);
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
    this.requests.event[request] = NO_EVENT;
    this.unlinkWorking(request, instance);
    this.fleet.present[instance]--;
    this.freeSlot(instance);
    this.host.served(request, instance);
  }

  abandon(request: number, instance: number): void {
    this.fleet.present[instance]--;
    if (this.isQueued(request, instance)) {
      this.unlinkQueued(request, instance);
      return;
    }
    this.cancelCompletion(request);
    this.unlinkWorking(request, instance);
    this.freeSlot(instance);
  }

  setSpeed(instance: number, speed: number): void {
    const old = this.speed[instance];
    this.speed[instance] = speed;
    const requests = this.requests;
    for (let request = this.working[instance]; request !== NONE; request = requests.next[request]) {
      const done = (this.engine.time - requests.sinceMs[request]) * old;
      requests.workMs[request] = Math.max(0, requests.workMs[request] - done);
      this.cancelCompletion(request);
      this.scheduleCompletion(request, instance);
    }
  }

  clear(instance: number, lose: (request: number) => void): void {
    const requests = this.requests;
    const lost: number[] = [];
    for (let request = this.working[instance]; request !== NONE; request = requests.next[request]) {
      this.cancelCompletion(request);
      lost.push(request);
    }
    for (let request = this.queueFirst[instance]; request !== NONE; request = requests.next[request]) lost.push(request);
    this.working[instance] = NONE;
    this.queueFirst[instance] = NONE;
    this.queueLast[instance] = NONE;
    this.fleet.setBusy(instance, 0);
    this.fleet.present[instance] = 0;
    for (const request of lost) lose(request);
  }

  private begin(request: number, instance: number): void {
    const requests = this.requests;
    const first = this.working[instance];
    requests.next[request] = first;
    requests.prev[request] = NONE;
    if (first !== NONE) requests.prev[first] = request;
    this.working[instance] = request;
    this.scheduleCompletion(request, instance);
  }

  private scheduleCompletion(request: number, instance: number): void {
    const requests = this.requests;
    const now = this.engine.time;
    const speed = this.speed[instance];
    requests.sinceMs[request] = now;
    requests.event[request] =
      speed > 0 ? this.engine.at(now + requests.workMs[request] / speed, eventKinds.slotDone, request, instance) : NO_EVENT;
  }

  private cancelCompletion(request: number): void {
    const event = this.requests.event[request];
    if (event === NO_EVENT) return;
    this.engine.cancel(event);
    this.requests.event[request] = NO_EVENT;
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
    requests.sinceMs[request] = this.engine.time;
    requests.event[request] = NO_EVENT;
    const first = this.queueFirst[instance];
    if (this.newestFirst || first === NONE) {
      requests.prev[request] = NONE;
      requests.next[request] = first;
      if (first === NONE) this.queueLast[instance] = request;
      else requests.prev[first] = request;
      this.queueFirst[instance] = request;
      return;
    }
    const last = this.queueLast[instance];
    requests.prev[request] = last;
    requests.next[request] = NONE;
    requests.next[last] = request;
    this.queueLast[instance] = request;
  }

  private isQueued(request: number, instance: number): boolean {
    // A frozen instance has requests at work without an event, so the event alone does not tell.
    if (this.requests.event[request] !== NO_EVENT) return false;
    if (this.speed[instance] > 0) return true;
    for (let other = this.working[instance]; other !== NONE; other = this.requests.next[other]) {
      if (other === request) return false;
    }
    return true;
  }

  private unlinkQueued(request: number, instance: number): void {
    const before = this.requests.prev[request];
    const after = this.requests.next[request];
    if (before === NONE) this.queueFirst[instance] = after;
    else this.requests.next[before] = after;
    if (after === NONE) this.queueLast[instance] = before;
    else this.requests.prev[after] = before;
  }

  private unlinkWorking(request: number, instance: number): void {
    const before = this.requests.prev[request];
    const after = this.requests.next[request];
    if (before === NONE) this.working[instance] = after;
    else this.requests.next[before] = after;
    if (after !== NONE) this.requests.prev[after] = before;
  }
}
