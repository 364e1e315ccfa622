/** Processor sharing: everybody present is worked on at once. With n requests on c cores each gets speed · min(1, c/n), so that one
 *  request never uses more than one core (the egalitarian model; M/G/1-PS for c = 1).
 *
 *  A virtual clock runs at the speed of one request's share; a request is done when the clock reaches its arrival reading plus its
 *  work. A binary heap per instance orders these readings, so an arrival or a departure costs O(log n), not O(n). */
import { InvariantViolation } from '../core/errors.ts';
import { grownInts } from '../core/grow.ts';
import { type Engine, NO_EVENT } from '../engine/index.ts';
import { eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import { EVENT, type RequestTable, WORK_MS } from './request-table.ts';
import type { Station, StationHost } from './station.ts';

export class SharingStation implements Station {
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly host: StationHost;
  private readonly cores: number;
  private readonly capacity: number;
  // By global instance number.
  /** Cores that are left. */
  private readonly left: Float64Array;
  private readonly speed: Float64Array;
  private readonly virtualMs: Float64Array;
  private readonly virtualAtMs: Float64Array;
  private readonly completion: Int32Array;
  private readonly heaps: Int32Array[];

  constructor(
    engine: Engine,
    fleet: Fleet,
    requests: RequestTable,
    host: StationHost,
    options: { readonly cores: number; readonly queueLimit: number },
  ) {
    this.engine = engine;
    this.fleet = fleet;
    this.requests = requests;
    this.host = host;
    this.cores = options.cores;
    this.capacity = options.cores + options.queueLimit;
    this.left = new Float64Array(fleet.count).fill(options.cores);
    this.speed = Float64Array.from(fleet.baseSpeed);
    this.virtualMs = new Float64Array(fleet.count);
    this.virtualAtMs = new Float64Array(fleet.count);
    this.completion = new Int32Array(fleet.count).fill(NO_EVENT);
    this.heaps = Array.from({ length: fleet.count }, () => new Int32Array(16));
  }

  arrive(request: number, instance: number): boolean {
    const present = this.fleet.present[instance];
    if (present >= this.capacity) return false;
    this.enter(request, instance, present);
    this.host.startedAtOnce(request);
    return true;
  }

  private enter(request: number, instance: number, present: number): void {
    this.advance(instance);
    this.requests.reals[(request << 3) + WORK_MS] += this.virtualMs[instance];
    if (present === this.heaps[instance].length) this.heaps[instance] = grownInts(this.heaps[instance], present * 2);
    this.setPresent(instance, present + 1);
    this.siftUp(instance, present, request);
    this.reschedule(instance);
  }

  again(request: number, instance: number): void {
    this.enter(request, instance, this.fleet.present[instance]);
  }

  /** Requests wait for others outside: the cores are not theirs meanwhile. */
  leave(): void {
    throw new InvariantViolation('a request leaves a slot where there are none');
  }

  complete(instance: number): void {
    this.completion[instance] = NO_EVENT;
    this.advance(instance);
    const request = this.heaps[instance][0];
    this.takeOut(request, instance);
    this.reschedule(instance);
    this.host.served(request, instance);
  }

  abandon(request: number, instance: number): void {
    this.advance(instance);
    this.takeOut(request, instance);
    this.reschedule(instance);
  }

  setSpeed(instance: number, speed: number): void {
    this.advance(instance);
    this.speed[instance] = speed;
    this.reschedule(instance);
  }

  setCores(instance: number, cores: number): void {
    this.advance(instance);
    this.left[instance] = cores;
    this.reschedule(instance);
  }

  timeToFinish(instance: number, workMs: number): number {
    const present = this.fleet.present[instance];
    if (present >= this.capacity || this.speed[instance] === 0) return Infinity;
    // Works through the departures in order; between them everybody present, the newcomer included, advances alike.
    // Read only: to advance the clock here would round it differently from a run that nobody asks to explain.
    const clock = this.virtualMs[instance] + (this.engine.time - this.virtualAtMs[instance]) * this.rate(instance);
    const left = Array.from(
      this.heaps[instance].subarray(0, present),
      (request) => this.requests.reals[(request << 3) + WORK_MS] - clock,
    );
    left.push(workMs);
    left.sort((x, y) => x - y);
    let elapsedMs = 0;
    let done = 0;
    for (let gone = 0; gone < left.length; gone++) {
      const share = this.speed[instance] * Math.min(1, this.left[instance] / (left.length - gone));
      elapsedMs += (left[gone] - done) / share;
      done = left[gone];
      if (done >= workMs) break;
    }
    return elapsedMs;
  }

  clear(instance: number, lose: (request: number) => void): void {
    this.advance(instance);
    const lost = Array.from(this.heaps[instance].subarray(0, this.fleet.present[instance]));
    this.setPresent(instance, 0);
    this.reschedule(instance);
    for (const request of lost) {
      this.requests.ints[(request << 4) + EVENT] = NO_EVENT;
      lose(request);
    }
  }

  /** Work that each request present gets per ms. */
  private rate(instance: number): number {
    const present = this.fleet.present[instance];
    const cores = this.left[instance];
    return present <= cores ? this.speed[instance] : (this.speed[instance] * cores) / present;
  }

  private advance(instance: number): void {
    const now = this.engine.time;
    this.virtualMs[instance] += (now - this.virtualAtMs[instance]) * this.rate(instance);
    this.virtualAtMs[instance] = now;
  }

  private setPresent(instance: number, present: number): void {
    this.fleet.present[instance] = present;
    this.fleet.setBusy(instance, Math.min(present, this.cores));
    // Starting again from zero whenever the instance is idle keeps the clock's precision.
    if (present === 0) this.virtualMs[instance] = 0;
  }

  private reschedule(instance: number): void {
    if (this.completion[instance] !== NO_EVENT) this.engine.cancel(this.completion[instance]);
    this.completion[instance] = NO_EVENT;
    const rate = this.rate(instance);
    if (this.fleet.present[instance] === 0 || rate === 0) return;
    const left = Math.max(0, this.requests.reals[(this.heaps[instance][0] << 3) + WORK_MS] - this.virtualMs[instance]);
    this.completion[instance] = this.engine.at(this.engine.time + left / rate, eventKinds.sharedDone, instance, instance);
  }

  private takeOut(request: number, instance: number): void {
    const heap = this.heaps[instance];
    const place = this.requests.ints[(request << 4) + EVENT];
    const last = this.fleet.present[instance] - 1;
    this.setPresent(instance, last);
    this.requests.ints[(request << 4) + EVENT] = NO_EVENT;
    if (place === last) return;
    const moved = heap[last];
    const work = this.requests.reals;
    if (place > 0 && work[(moved << 3) + WORK_MS] < work[(heap[(place - 1) >>> 1] << 3) + WORK_MS])
      this.siftUp(instance, place, moved);
    else this.siftDown(instance, place, moved);
  }

  private siftUp(instance: number, from: number, request: number): void {
    const heap = this.heaps[instance];
    const work = this.requests.reals;
    const place = this.requests.ints;
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const other = heap[parent];
      if (work[(request << 3) + WORK_MS] >= work[(other << 3) + WORK_MS]) break;
      heap[index] = other;
      place[(other << 4) + EVENT] = index;
      index = parent;
    }
    heap[index] = request;
    place[(request << 4) + EVENT] = index;
  }

  private siftDown(instance: number, from: number, request: number): void {
    const heap = this.heaps[instance];
    const size = this.fleet.present[instance];
    const work = this.requests.reals;
    const place = this.requests.ints;
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= size) break;
      if (child + 1 < size && work[(heap[child + 1] << 3) + WORK_MS] < work[(heap[child] << 3) + WORK_MS]) child++;
      const other = heap[child];
      if (work[(other << 3) + WORK_MS] >= work[(request << 3) + WORK_MS]) break;
      heap[index] = other;
      place[(other << 4) + EVENT] = index;
      index = child;
    }
    heap[index] = request;
    place[(request << 4) + EVENT] = index;
  }
}
