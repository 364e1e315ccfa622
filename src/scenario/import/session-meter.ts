/** Sessions: requests of one client, as long as it does not pause for half an hour. A client is what the log calls a session, or an
 *  address with its user agent: people behind one address with equal browsers become one. Numbers the sessions in order of appearance
 *  and measures requests per session and the pauses between them. Memory is that of the clients of the last half hour, up to a million;
 *  beyond, the half of them that has been silent for longest is taken to have left. */
import { grownFloats, grownInts } from '../../core/grow.ts';
import type { Ms } from '../../core/time.ts';
import { DurationSketch } from './duration-sketch.ts';
import { NumberTable } from './number-table.ts';

export interface FittedSessions {
  readonly count: number;
  readonly requestsPerSession: { readonly mean: number; readonly p50: number; readonly p99: number; readonly max: number };
  /** From one request's end, or where durations are unknown its start, to the start of the next. Absent when no session has two. */
  readonly thinkTime?: { readonly meanMs: Ms; readonly p50: Ms; readonly p90: Ms; readonly p99: Ms };
}

export const sessionPauseMs: Ms = 30 * 60_000;
const maxClients = 1_000_000;
const sweepEvery = 1 << 19;

export class SessionMeter {
  /** Client to the place of its visit in the columns below. */
  declare private places: NumberTable;
  declare private sessions: Int32Array;
  declare private requests: Int32Array;
  declare private lasts: Float64Array;
  /** When the answer to the last request was there. */
  declare private readies: Float64Array;
  declare private count: number;
  declare private sinceSweep: number;
  declare private readonly lengths: DurationSketch;
  declare private readonly pauses: DurationSketch;

  constructor(tickMs: Ms) {
    this.places = new NumberTable();
    this.sessions = new Int32Array(1024);
    this.requests = new Int32Array(1024);
    this.lasts = new Float64Array(1024);
    this.readies = new Float64Array(1024);
    this.count = 0;
    this.sinceSweep = 0;
    this.lengths = new DurationSketch(1);
    this.pauses = new DurationSketch(tickMs);
  }

  /** The session of this request, from 1. Times must not fall. */
  add(client: number, timeMs: Ms, durationMs: Ms): number {
    if (++this.sinceSweep >= sweepEvery) this.keepSince(timeMs - sessionPauseMs);
    let place = this.places.get(client);
    if (place !== -1 && timeMs - this.lasts[place] <= sessionPauseMs) {
      this.pauses.record(Math.max(0, timeMs - this.readies[place]));
      this.requests[place]++;
    } else {
      if (place === -1) place = this.enter(client);
      else this.lengths.record(this.requests[place]);
      this.sessions[place] = ++this.count;
      this.requests[place] = 1;
    }
    this.lasts[place] = timeMs;
    this.readies[place] = timeMs + (durationMs >= 0 ? durationMs : 0);
    return this.sessions[place];
  }

  /** Undefined when no request had a client. */
  fit(): FittedSessions | undefined {
    if (this.count === 0) return undefined;
    this.keepSince(Infinity);
    const { lengths, pauses } = this;
    return {
      count: this.count,
      requestsPerSession: {
        mean: lengths.mean(),
        p50: Math.round(lengths.quantile(0.5)),
        p99: Math.round(lengths.quantile(0.99)),
        max: lengths.max,
      },
      ...(pauses.count === 0
        ? {}
        : {
            thinkTime: {
              meanMs: pauses.mean(),
              p50: pauses.quantile(0.5),
              p90: pauses.quantile(0.9),
              p99: pauses.quantile(0.99),
            },
          }),
    };
  }

  /** A place for somebody new. */
  private enter(client: number): number {
    if (this.places.size >= maxClients) {
      const lasts = this.lasts.slice(0, this.places.size).sort();
      // The next one up, so that at least half of them go even when many were heard at the same instant.
      this.keepSince(lasts[lasts.length >> 1] + 1e-3);
    }
    const place = this.places.size;
    if (place === this.lasts.length) {
      this.sessions = grownInts(this.sessions, place * 2);
      this.requests = grownInts(this.requests, place * 2);
      this.lasts = grownFloats(this.lasts, place * 2);
      this.readies = grownFloats(this.readies, place * 2);
    }
    this.places.set(client, place);
    return place;
  }

  /** Whoever was silent since before then has left. */
  private keepSince(sinceMs: Ms): void {
    this.sinceSweep = 0;
    const before = [...this.places.entries()].sort(([, a], [, b]) => a - b);
    this.places = new NumberTable();
    // In order of their places, so that each moves to one that is free already.
    for (const [client, from] of before) {
      if (this.lasts[from] < sinceMs) {
        this.lengths.record(this.requests[from]);
        continue;
      }
      const to = this.places.size;
      this.sessions[to] = this.sessions[from];
      this.requests[to] = this.requests[from];
      this.lasts[to] = this.lasts[from];
      this.readies[to] = this.readies[from];
      this.places.set(client, to);
    }
  }
}
