/** The requests alive in the world, and their attempts: rows of one cache line each in typed arrays, with a free list; nothing is allocated per request.
 *  A request and its first attempt share a row; further attempts have rows of their own. A row lives until everybody is done with it:
 *  the client (answered or given up) and the server side (message on its way, queued, in service, or answer on its way).
 *
 *  Rows, not columns: what happens to one request touches most of its fields, and with thousands of requests in the system a column
 *  each would mean a cache miss each. `reals[(request << 3) + FIELD]` and `ints[(request << 4) + FIELD]` are two views of one buffer. */
import { NO_EVENT } from '../engine/index.ts';
import { AttemptTable } from '../policies/pipeline/attempt-table.ts';
import { CallTable } from './call-table.ts';

const INITIAL = 256;
const ROW_BYTES = 64;

// Doubles.
export const ARRIVAL_MS = 0;
/** Work left, in ms at speed 1; with processor sharing, the virtual time at which it is done. */
export const WORK_MS = 1;
/** While queued: when it reached the instance. In service: since when the current speed holds. */
export const SINCE_MS = 2;
/** Number of the request within its traffic source: key of its keyed draws. */
export const INDEX = 3;
// Integers, in the other half of the row.
export const CLIENT = 8;
export const INSTANCE = 9;
/** Pending completion; NO_EVENT when not in service. With processor sharing, the place in the instance's heap. */
export const EVENT = 10;
export const NEXT = 11;
export const PREV = 12;
export const HOLDERS = 13;
/** What the answer on its way says (an `Outcome`). */
export const OUTCOME = 14;
/** The request's class in the lower 16 bits, above them the number of the attempt within its request. */
export const TAG = 15;

/** Bits of HOLDERS. Of a request of the traffic: its client waits. */
export const HELD_BY_CLIENT = 1;
export const HELD_BY_SERVER = 2;
/** Set besides HELD_BY_SERVER while the request is queued or in service, or waits for others there; not on its way. */
export const AT_INSTANCE = 4;
/** Of an attempt: the pipeline wants its answer. */
export const AWAITED = 8;
/** Of a request between services: its caller's pipeline has not finished it. */
export const HELD_BY_CALLER = 16;
/** The answer lacks an optional part. */
export const DEGRADED = 32;
/** Of an attempt: a copy, for whose answer nobody waits but those who measure. */
export const COPY = 64;
/** Those that hold nothing. */
const NOTES = DEGRADED | COPY;

export class RequestTable {
  /** The pipeline's columns. */
  readonly attempts: AttemptTable;
  /** What only requests between services, and those of special edges, need. */
  readonly calls: CallTable;
  reals: Float64Array;
  ints: Int32Array;
  /** Rows in use. */
  live: number;
  /** What the last `countWaiting` found: how long those requests have been waiting, added up, and the last arrival. */
  waitingMs: number;
  latestArrivalMs: number;
  private free: number;
  private used: number;
  private capacity: number;

  /** `isFull`: some pipeline has resilience policies. `hasCalls`: somebody needs the call table. */
  constructor(isFull: boolean, hasCalls: boolean) {
    this.attempts = new AttemptTable(INITIAL, isFull);
    this.calls = new CallTable(hasCalls ? INITIAL : 0);
    const buffer = new ArrayBuffer(INITIAL * ROW_BYTES);
    this.reals = new Float64Array(buffer);
    this.ints = new Int32Array(buffer);
    this.live = 0;
    this.waitingMs = -0;
    this.latestArrivalMs = -0;
    this.free = -1;
    this.used = 0;
    this.capacity = INITIAL;
  }

  /** Rows ever in use at once. */
  get rows(): number {
    return this.used;
  }

  allocate(): number {
    this.live++;
    const request = this.free;
    if (request >= 0) {
      this.free = this.ints[(request << 4) + NEXT];
      return request;
    }
    if (this.used === this.capacity) this.grow();
    const fresh = this.used++;
    this.ints[(fresh << 4) + EVENT] = NO_EVENT;
    return fresh;
  }

  /** One side is done; the row is freed when both are. */
  release(request: number, holder: number): void {
    const holders = this.ints[(request << 4) + HOLDERS] & ~holder;
    this.ints[(request << 4) + HOLDERS] = holders;
    if ((holders & ~NOTES) !== 0) return;
    this.ints[(request << 4) + HOLDERS] = 0;
    this.live--;
    this.ints[(request << 4) + NEXT] = this.free;
    this.free = request;
  }

  isHeldByClient(request: number): boolean {
    return (this.ints[(request << 4) + HOLDERS] & HELD_BY_CLIENT) !== 0;
  }

  isAwaited(attempt: number): boolean {
    return (this.ints[(attempt << 4) + HOLDERS] & AWAITED) !== 0;
  }

  isCopy(attempt: number): boolean {
    return (this.ints[(attempt << 4) + HOLDERS] & COPY) !== 0;
  }

  classOf(request: number): number {
    return this.ints[(request << 4) + TAG] & 0xffff;
  }

  /** Number of the attempt within its request, 0 for the first. */
  ordinalOf(attempt: number): number {
    return this.ints[(attempt << 4) + TAG] >>> 16;
  }

  /** Calls `each` for every row in use. Linear in the rows ever in use at once, as the next. */
  forEachInUse(each: (request: number) => void): void {
    for (let request = 0; request < this.used; request++) {
      if (this.ints[(request << 4) + HOLDERS] !== 0) each(request);
    }
  }

  /** How many requests have a client that waits. A plain loop over locals: it runs over all rows in every window. */
  countWaiting(nowMs: number): number {
    const { reals, ints, used } = this;
    let waiting = 0;
    let waitingMs = 0;
    let latestArrivalMs = 0;
    for (let request = 0; request < used; request++) {
      if ((ints[(request << 4) + HOLDERS] & HELD_BY_CLIENT) === 0) continue;
      const arrivalMs = reals[(request << 3) + ARRIVAL_MS];
      if (arrivalMs > latestArrivalMs) latestArrivalMs = arrivalMs;
      waiting++;
      waitingMs += nowMs - arrivalMs;
    }
    this.waitingMs = waitingMs;
    this.latestArrivalMs = latestArrivalMs;
    return waiting;
  }

  /** Calls `each` for every request whose client still waits. */
  forEachHeldByClient(each: (request: number) => void): void {
    for (let request = 0; request < this.used; request++) {
      if (this.isHeldByClient(request)) each(request);
    }
  }

  private grow(): void {
    this.capacity *= 2;
    const buffer = new ArrayBuffer(this.capacity * ROW_BYTES);
    const ints = new Int32Array(buffer);
    ints.set(this.ints);
    this.reals = new Float64Array(buffer);
    this.ints = ints;
    this.attempts.grow(this.capacity);
    this.calls.grow(this.capacity);
  }
}
