/** What a pipeline decided, one by one: for logs, metrics and tests. */
import type { Ms } from '../core/time.ts';

interface AttemptDecision {
  /** Counts requests from 0. */
  readonly request: number;
  /** Counts the request's attempts from 0. */
  readonly attempt: number;
  readonly endpoint: string;
  readonly atMs: Ms;
}
export interface Sent extends AttemptDecision {
  readonly kind: 'sent';
  readonly why: 'first' | 'retry' | 'hedge';
}
/** The attempt has ended by itself: its answer is there to its last byte, or there will be none. */
export interface Ended extends AttemptDecision {
  readonly kind: 'ended';
  /** Name of an outcome: `ok`, `error`, `refused`, `lost`, `shed`. */
  readonly outcome: string;
}
/** Nobody waits for the attempt any more: it or the request timed out, another one won, or the caller left. */
export interface Dropped extends AttemptDecision {
  readonly kind: 'dropped';
}
export interface Finished {
  readonly kind: 'finished';
  readonly request: number;
  /** Name of a result: of an outcome, or `noEndpoint`, `circuitOpen`, `timeout`, `cancelled`. */
  readonly result: string;
  /** The fallback answered. */
  readonly isDegraded: boolean;
  readonly atMs: Ms;
}
/** The balancer chose an endpoint outside its view, which is a mistake in the balancer; the attempt counts as one without endpoint. */
export interface InvalidPick {
  readonly kind: 'invalidPick';
  readonly request: number;
  readonly slot: number;
  readonly atMs: Ms;
}
export type Decision = Sent | Ended | Dropped | Finished | InvalidPick;
