/** What the request table does not hold because few requests need it: deadlines, where an attempt is on its way through proxies and
 *  connections, what a request waits for at its instance, and who called it. Columns by row of the request table. */
import { grown, grownFloats, grownInts } from '../core/grow.ts';

/** How far an attempt has come on its client's side. */
export const stages = { wire: 0, proxy: 1, pool: 2, cacheHit: 3, cacheJoin: 4, cacheAgain: 5, departing: 6 } as const;
/** Values of `pc` besides the number of a step. */
export const NOT_STARTED = -1;
export const DONE = -2;

export class CallTable {
  /** Whether anybody uses it; if not, it has no columns. */
  readonly isUsed: boolean;
  // By attempt.
  /** When nobody wants the answer any more, as far as the callee was told; Infinity if it was not. */
  deadlineMs: Float64Array;
  stage: Uint8Array;
  /** The event of a passage through the proxy, or of leaving after a wait for a connection. */
  passage: Int32Array;
  /** When the instance let it in, and how many it had then: for its admission control. */
  admittedMs: Float64Array;
  admittedInFlight: Int32Array;
  /** Next step of its program; DONE or NOT_STARTED. */
  pc: Int32Array;
  /** Calls that are out, how many good ones are still needed, and how many more may fail. */
  open: Int32Array;
  needed: Int32Array;
  spare: Int32Array;
  firstChild: Int32Array;
  /** 1 while its calls are being started. */
  isLaunching: Uint8Array;
  // By request.
  /** When its caller wants no answer any more; attempts may have less. */
  requestDeadlineMs: Float64Array;
  /** The attempt that waits for it; -1 for nobody. */
  parent: Int32Array;
  nextSibling: Int32Array;
  previousSibling: Int32Array;
  /** Which call of the program it is. */
  call: Int32Array;
  /** Dense number of its key; -1 for none. */
  key: Int32Array;
  /** Events of the timers that are not of one constant delay; NO_EVENT for none. */
  deadlineEvent: Int32Array;
  nextEvent: Int32Array;
  /** The user or message behind it; -1 for none. */
  origin: Int32Array;
  /** How often its user has asked before. */
  repeats: Int32Array;

  constructor(capacity: number) {
    this.isUsed = capacity > 0;
    this.deadlineMs = new Float64Array(capacity);
    this.stage = new Uint8Array(capacity);
    this.passage = new Int32Array(capacity);
    this.admittedMs = new Float64Array(capacity);
    this.admittedInFlight = new Int32Array(capacity);
    this.pc = new Int32Array(capacity);
    this.open = new Int32Array(capacity);
    this.needed = new Int32Array(capacity);
    this.spare = new Int32Array(capacity);
    this.firstChild = new Int32Array(capacity);
    this.isLaunching = new Uint8Array(capacity);
    this.requestDeadlineMs = new Float64Array(capacity);
    this.parent = new Int32Array(capacity);
    this.nextSibling = new Int32Array(capacity);
    this.previousSibling = new Int32Array(capacity);
    this.call = new Int32Array(capacity);
    this.key = new Int32Array(capacity);
    this.deadlineEvent = new Int32Array(capacity);
    this.nextEvent = new Int32Array(capacity);
    this.origin = new Int32Array(capacity);
    this.repeats = new Int32Array(capacity);
  }

  grow(capacity: number): void {
    if (!this.isUsed) return;
    this.deadlineMs = grownFloats(this.deadlineMs, capacity);
    this.stage = grown(this.stage, new Uint8Array(capacity));
    this.passage = grownInts(this.passage, capacity);
    this.admittedMs = grownFloats(this.admittedMs, capacity);
    this.admittedInFlight = grownInts(this.admittedInFlight, capacity);
    this.pc = grownInts(this.pc, capacity);
    this.open = grownInts(this.open, capacity);
    this.needed = grownInts(this.needed, capacity);
    this.spare = grownInts(this.spare, capacity);
    this.firstChild = grownInts(this.firstChild, capacity);
    this.isLaunching = grown(this.isLaunching, new Uint8Array(capacity));
    this.requestDeadlineMs = grownFloats(this.requestDeadlineMs, capacity);
    this.parent = grownInts(this.parent, capacity);
    this.nextSibling = grownInts(this.nextSibling, capacity);
    this.previousSibling = grownInts(this.previousSibling, capacity);
    this.call = grownInts(this.call, capacity);
    this.key = grownInts(this.key, capacity);
    this.deadlineEvent = grownInts(this.deadlineEvent, capacity);
    this.nextEvent = grownInts(this.nextEvent, capacity);
    this.origin = grownInts(this.origin, capacity);
    this.repeats = grownInts(this.repeats, capacity);
  }
}
