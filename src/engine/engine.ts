/** The run loop: takes the earliest event of all, advances the clock, hands the event to the world.
 *
 *  Events come from two places. The calendar holds what can happen at any time. *Tracks* are sequences that are sorted by
 *  themselves and only show their earliest element: a traffic source's next arrival, a lane of timers of one delay
 *  (`timer-lanes.ts`), messages with one latency (`delay-line.ts`). A small heap orders the tracks' heads; the loop compares
 *  its root with the calendar's head. So the commonest events never enter the calendar.
 *
 *  Order: (time, priority, insertion). Priority and insertion number share one double: `priority · 2^48 + insertion`. */
import { grownFloats, grownInts } from '../core/grow.ts';
import { InvariantViolation, ResourceLimit } from '../core/errors.ts';
import type { Clock, Ms } from '../core/time.ts';
import { Calendar, type EventHandle, NO_EVENT } from './calendar.ts';
import { EventTrace } from './event-trace.ts';

/** Lower fires first at equal times. */
export const priorities = { stop: 0, fault: 1, normal: 2, observer: 3 } as const;
const PRIORITY_STEP = 281474976710656; // 2^48: room for 2.8e14 events

/** The simulated world: told of every event. `kind` is the world's own; 0 is reserved for the end of the run. */
export interface EventHandler {
  handle(kind: number, a: number, b: number): void;
}
export const STOP = 0;
const NO_TRACK = -1;
const BURST = 1024;

export interface EngineLimits {
  /** Events pending in the calendar at once. */
  readonly pending: number;
  /** Events at one instant, a sign of an endless loop. */
  readonly atOneInstant: number;
}
export const defaultLimits: EngineLimits = { pending: 5_000_000, atOneInstant: 2_000_000 };

export class Engine implements Clock {
  /** Simulated time of the event being handled. */
  time: Ms;
  /** Events handled so far. */
  events: number;
  readonly trace: EventTrace;
  private readonly calendar: Calendar;
  private readonly limits: EngineLimits;
  private insertions: number;
  private instantEvents: number;
  private stopping: boolean;
  /** The pending end of the run. */
  private end: EventHandle;

  /** By track: its earliest element's time (Infinity for none) and order. Written by the track's owner, then `trackChanged`;
   *  arrays rather than arguments, because a double passed to a function that is not inlined is boxed. */
  trackTime: Float64Array;
  trackOrder: Float64Array;
  // `heap` holds the tracks with a finite head time.
  private trackKind: Int32Array;
  private trackA: Int32Array;
  private trackPlace: Int32Array;
  private heap: Int32Array;
  private heapSize: number;
  private tracks: number;

  constructor(limits: EngineLimits = defaultLimits) {
    this.time = -0; // a double from the start
    this.events = 0;
    this.trace = new EventTrace(64);
    this.calendar = new Calendar();
    this.limits = limits;
    this.insertions = 0;
    this.instantEvents = 0;
    this.stopping = false;
    this.end = NO_EVENT;
    this.trackTime = new Float64Array(16);
    this.trackOrder = new Float64Array(16);
    this.trackKind = new Int32Array(16);
    this.trackA = new Int32Array(16);
    this.trackPlace = new Int32Array(16);
    this.heap = new Int32Array(16);
    this.heapSize = 0;
    this.tracks = 0;
  }

  now(): Ms {
    return this.time;
  }

  /** The order number of an event inserted now: for tracks, which keep it beside each of their elements. */
  nextOrder(priority: number = priorities.normal): number {
    return priority * PRIORITY_STEP + this.insertions++;
  }

  /** Schedules an event; `time` must be finite and not in the past. */
  at(time: Ms, kind: number, a: number, b: number, priority: number = priorities.normal): EventHandle {
    if (!(time >= this.time && time < Infinity))
      throw new InvariantViolation(`an event was scheduled at ${time} ms, now is ${this.time} ms`);
    if (this.calendar.size >= this.limits.pending) {
      throw new ResourceLimit(`more than ${this.limits.pending} events are pending at ${this.time} ms of simulated time`);
    }
    return this.calendar.add(time, this.nextOrder(priority), kind, a, b);
  }

  cancel(handle: EventHandle): void {
    this.calendar.cancel(handle);
  }

  /** Adds a track; its events arrive as (kind, a, 0). It is silent until it shows an element. */
  addTrack(kind: number, a: number): number {
    const track = this.tracks++;
    if (track === this.trackTime.length) this.growTracks();
    this.trackTime[track] = Infinity;
    this.trackKind[track] = kind;
    this.trackA[track] = a;
    this.trackPlace[track] = -1;
    return track;
  }

  /** To be called whenever the owner has written `trackTime[track]` and `trackOrder[track]`, also while handling the track's own
   *  event, which does not remove itself. */
  trackChanged(track: number): void {
    const place = this.trackPlace[track];
    if (this.trackTime[track] === Infinity) {
      if (place >= 0) this.dropTrack(place);
    } else if (!(this.trackTime[track] >= this.time)) {
      // Also NaN, which would stand at the root of the heap and hide everybody else.
      throw clockWentBack(this.time, this.trackTime[track]);
    } else if (place < 0) this.siftUp(this.heapSize++, track);
    else if (place > 0 && this.trackBefore(track, this.heap[(place - 1) >>> 1])) this.siftUp(place, track);
    else this.siftDown(place, track);
  }

  /** Runs until `until` (events at `until` itself do not happen: the run covers [0, until)). */
  run(until: Ms, world: EventHandler): void {
    if (!(until >= this.time && until < Infinity))
      throw new InvariantViolation(`a run until ${until} ms, now is ${this.time} ms`);
    this.stopping = false;
    // Before all others of its priority.
    this.end = this.calendar.add(until, priorities.stop * PRIORITY_STEP - 1, STOP, 0, 0);
    // In bursts: a function that is entered often is compiled from what it has seen, one endless loop from its first seconds.
    while (!this.stopping) this.burst(world);
    // Stopped early: the next run has an end of its own.
    if (this.end !== NO_EVENT) this.calendar.cancel(this.end);
  }

  private burst(world: EventHandler): void {
    const { calendar, trace, limits } = this;
    for (let i = 0; i < BURST && !this.stopping; i++) {
      const track = this.heapSize > 0 ? this.heap[0] : NO_TRACK;
      const isTrackFirst =
        track !== NO_TRACK &&
        (this.trackTime[track] < calendar.headTime ||
          (this.trackTime[track] === calendar.headTime && this.trackOrder[track] < calendar.headOrder));
      const time = isTrackFirst ? this.trackTime[track] : calendar.headTime;
      if (time !== this.time) {
        if (!(time > this.time)) throw clockWentBack(this.time, time);
        this.time = time;
        this.instantEvents = 0;
      } else if (++this.instantEvents > limits.atOneInstant) throw endlessLoop(limits.atOneInstant, time);
      let kind: number;
      if (isTrackFirst) {
        kind = this.trackKind[track];
        const a = this.trackA[track];
        trace.record(time, kind, a, 0);
        this.events++;
        world.handle(kind, a, 0);
      } else {
        kind = calendar.headKind();
        const a = calendar.headA();
        const b = calendar.headB();
        calendar.pop();
        trace.record(time, kind, a, b);
        if (kind === STOP) {
          this.end = NO_EVENT;
          this.stopping = true;
          return;
        }
        this.events++;
        world.handle(kind, a, b);
      }
    }
  }

  /** Ends the run after the event being handled. */
  stop(): void {
    this.stopping = true;
  }

  private trackBefore(x: number, y: number): boolean {
    const tx = this.trackTime[x];
    const ty = this.trackTime[y];
    return tx < ty || (tx === ty && this.trackOrder[x] < this.trackOrder[y]);
  }

  private siftUp(from: number, track: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const other = this.heap[parent];
      if (!this.trackBefore(track, other)) break;
      this.heap[index] = other;
      this.trackPlace[other] = index;
      index = parent;
    }
    this.heap[index] = track;
    this.trackPlace[track] = index;
  }

  private siftDown(from: number, track: number): void {
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.heapSize) break;
      if (child + 1 < this.heapSize && this.trackBefore(this.heap[child + 1], this.heap[child])) child++;
      const other = this.heap[child];
      if (!this.trackBefore(other, track)) break;
      this.heap[index] = other;
      this.trackPlace[other] = index;
      index = child;
    }
    this.heap[index] = track;
    this.trackPlace[track] = index;
  }

  private dropTrack(place: number): void {
    this.trackPlace[this.heap[place]] = -1;
    const moved = this.heap[--this.heapSize];
    if (place === this.heapSize) return;
    if (place > 0 && this.trackBefore(moved, this.heap[(place - 1) >>> 1])) this.siftUp(place, moved);
    else this.siftDown(place, moved);
  }

  private growTracks(): void {
    const size = this.trackTime.length * 2;
    this.trackTime = grownFloats(this.trackTime, size);
    this.trackOrder = grownFloats(this.trackOrder, size);
    this.trackKind = grownInts(this.trackKind, size);
    this.trackA = grownInts(this.trackA, size);
    this.trackPlace = grownInts(this.trackPlace, size);
    this.heap = grownInts(this.heap, size);
  }
}

const clockWentBack = (from: Ms, to: Ms): Error => new InvariantViolation(`the clock would go back from ${from} ms to ${to} ms`);
const endlessLoop = (limit: number, at: Ms): Error =>
  new ResourceLimit(`more than ${limit} events at one instant, ${at} ms: an endless loop`);
