/** What pipelines remember, as columns by request and by attempt. Both are small integers of the driver's; a request's first attempt has
 *  the request's own number. Pipelines without resilience policies need only the first two columns. */
import { grown } from '../../core/grow.ts';

/** Endpoints of earlier attempts that are remembered, to avoid them. */
export const TRIED_MAX = 8;

/** Whether a request may be tried again. `unserved`: only where surely nobody has worked on it. */
export const repeats = { always: 0, unserved: 1, never: 2 } as const;

export class AttemptTable {
  // By attempt.
  endpoint: Int32Array;
  sentMs: Float64Array;
  request: Int32Array;
  /** The breaker's permit. */
  permit: Int32Array;
  /** Whether a retry budget granted it. */
  isGranted: Uint8Array;
  /** Attempts of one request that are out, as a list. */
  next: Int32Array;
  previous: Int32Array;
  // By request.
  /** First attempt that is out, or -1. */
  firstOut: Int32Array;
  /** Attempts sent, and of those, retries and hedges. */
  sent: Uint16Array;
  retries: Uint16Array;
  hedges: Uint16Array;
  /** What the next timer is for. */
  phase: Uint8Array;
  /** One of `repeats`. */
  repeat: Uint8Array;
  /** The wait before the last retry. */
  backoffMs: Float64Array;
  /** All waits before retries, added up. */
  waitedMs: Float64Array;
  startedMs: Float64Array;
  deadlineMs: Float64Array;
  /** Requests in flight at the client when this one was admitted. */
  inFlight: Int32Array;
  /** Its class, for admission control. */
  partition: Uint16Array;
  /** The configuration it lives by; only where there can be several. */
  generation: Int32Array;
  /** Hash of the key, for picks after the first; -1 in `hashLow` for none. */
  hashHigh: Float64Array;
  hashLow: Float64Array;
  tried: Int32Array;
  private readonly isFull: boolean;

  /** `isFull`: some pipeline has resilience policies. */
  constructor(capacity: number, isFull: boolean) {
    const rest = isFull ? capacity : 0;
    this.isFull = isFull;
    this.endpoint = new Int32Array(capacity);
    this.sentMs = new Float64Array(capacity);
    this.request = new Int32Array(rest);
    this.permit = new Int32Array(rest);
    this.isGranted = new Uint8Array(rest);
    this.next = new Int32Array(rest);
    this.previous = new Int32Array(rest);
    this.firstOut = new Int32Array(rest);
    this.sent = new Uint16Array(rest);
    this.retries = new Uint16Array(rest);
    this.hedges = new Uint16Array(rest);
    this.phase = new Uint8Array(rest);
    this.repeat = new Uint8Array(rest);
    this.backoffMs = new Float64Array(rest);
    this.waitedMs = new Float64Array(rest);
    this.startedMs = new Float64Array(rest);
    this.deadlineMs = new Float64Array(rest);
    this.inFlight = new Int32Array(rest);
    this.partition = new Uint16Array(rest);
    this.generation = new Int32Array(rest);
    this.hashHigh = new Float64Array(rest);
    this.hashLow = new Float64Array(rest);
    this.tried = new Int32Array(rest * TRIED_MAX);
  }

  /** To be called by the driver before it uses a number beyond the capacity. */
  grow(capacity: number): void {
    const ints = (column: Int32Array): Int32Array => grown(column, new Int32Array(capacity));
    const reals = (column: Float64Array): Float64Array => grown(column, new Float64Array(capacity));
    const shorts = (column: Uint16Array): Uint16Array => grown(column, new Uint16Array(capacity));
    this.endpoint = ints(this.endpoint);
    this.sentMs = reals(this.sentMs);
    if (!this.isFull) return;
    this.request = ints(this.request);
    this.permit = ints(this.permit);
    this.isGranted = grown(this.isGranted, new Uint8Array(capacity));
    this.next = ints(this.next);
    this.previous = ints(this.previous);
    this.firstOut = ints(this.firstOut);
    this.sent = shorts(this.sent);
    this.retries = shorts(this.retries);
    this.hedges = shorts(this.hedges);
    this.phase = grown(this.phase, new Uint8Array(capacity));
    this.repeat = grown(this.repeat, new Uint8Array(capacity));
    this.backoffMs = reals(this.backoffMs);
    this.waitedMs = reals(this.waitedMs);
    this.startedMs = reals(this.startedMs);
    this.deadlineMs = reals(this.deadlineMs);
    this.inFlight = ints(this.inFlight);
    this.partition = shorts(this.partition);
    this.generation = ints(this.generation);
    this.hashHigh = reals(this.hashHigh);
    this.hashLow = reals(this.hashLow);
    this.tried = grown(this.tried, new Int32Array(capacity * TRIED_MAX));
  }
}
