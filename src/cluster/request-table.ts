/** The requests alive in the world, as columns of typed arrays with a free list: 70 bytes each, nothing allocated per request.
 *  A row lives until both sides are done with it: the client (answered or given up) and the server side (message on its way,
 *  queued, in service, or answer on its way). */
import { NO_EVENT } from '../engine/index.ts';
import { AttemptTable } from '../policies/pipeline.ts';

const INITIAL = 256;

/** Bits of `holders`. */
export const HELD_BY_CLIENT = 1;
export const HELD_BY_SERVER = 2;
/** Set besides HELD_BY_SERVER while the request is queued or in service, not on its way. */
export const AT_INSTANCE = 4;

export class RequestTable {
  /** The pipeline's columns. */
  readonly attempts: AttemptTable;
  arrivalMs: Float64Array;
  /** Work left, in ms at speed 1; with processor sharing, the virtual time at which it is done. */
  workMs: Float64Array;
  /** While queued: when it reached the instance. In service: since when the current speed holds. */
  sinceMs: Float64Array;
  /** Number of the request within its traffic source: key of its keyed draws. */
  index: Float64Array;
  client: Int32Array;
  instance: Int32Array;
  /** Pending completion; NO_EVENT when not in service. With processor sharing, the place in the instance's heap. */
  event: Int32Array;
  next: Int32Array;
  prev: Int32Array;
  holders: Uint8Array;
  /** What the answer on its way says (an `Outcome`). */
  outcome: Uint8Array;
  /** Rows in use. */
  live: number;
  private free: number;
  private used: number;

  constructor() {
    this.attempts = new AttemptTable(INITIAL);
    this.arrivalMs = new Float64Array(INITIAL);
    this.workMs = new Float64Array(INITIAL);
    this.sinceMs = new Float64Array(INITIAL);
    this.index = new Float64Array(INITIAL);
    this.client = new Int32Array(INITIAL);
    this.instance = new Int32Array(INITIAL);
    this.event = new Int32Array(INITIAL).fill(NO_EVENT);
    this.next = new Int32Array(INITIAL);
    this.prev = new Int32Array(INITIAL);
    this.holders = new Uint8Array(INITIAL);
    this.outcome = new Uint8Array(INITIAL);
    this.live = 0;
    this.free = -1;
    this.used = 0;
  }

  allocate(): number {
    this.live++;
    const request = this.free;
    if (request >= 0) {
      this.free = this.next[request];
      return request;
    }
    if (this.used === this.arrivalMs.length) this.grow();
    return this.used++;
  }

  /** One side is done; the row is freed when both are. */
  release(request: number, holder: number): void {
    const holders = this.holders[request] & ~holder;
    this.holders[request] = holders;
    if (holders !== 0) return;
    this.live--;
    this.next[request] = this.free;
    this.free = request;
  }

  isHeldByClient(request: number): boolean {
    return (this.holders[request] & HELD_BY_CLIENT) !== 0;
  }

  /** Calls `each` for every row in use. Linear in the rows ever in use at once, as the next. */
  forEachInUse(each: (request: number) => void): void {
    for (let request = 0; request < this.used; request++) {
      if (this.holders[request] !== 0) each(request);
    }
  }

  /** Calls `each` for every request whose client still waits. */
  forEachHeldByClient(each: (request: number) => void): void {
    for (let request = 0; request < this.used; request++) {
      if (this.isHeldByClient(request)) each(request);
    }
  }

  private grow(): void {
    const capacity = this.arrivalMs.length * 2;
    const floats = (from: Float64Array): Float64Array => {
      const to = new Float64Array(capacity);
      to.set(from);
      return to;
    };
    const ints = (from: Int32Array): Int32Array => {
      const to = new Int32Array(capacity);
      to.set(from);
      return to;
    };
    const bytes = (from: Uint8Array): Uint8Array => {
      const to = new Uint8Array(capacity);
      to.set(from);
      return to;
    };
    this.attempts.grow(capacity);
    this.arrivalMs = floats(this.arrivalMs);
    this.workMs = floats(this.workMs);
    this.sinceMs = floats(this.sinceMs);
    this.index = floats(this.index);
    this.client = ints(this.client);
    this.instance = ints(this.instance);
    const event = new Int32Array(capacity).fill(NO_EVENT);
    event.set(this.event);
    this.event = event;
    this.next = ints(this.next);
    this.prev = ints(this.prev);
    this.holders = bytes(this.holders);
    this.outcome = bytes(this.outcome);
  }
}
