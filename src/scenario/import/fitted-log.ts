/** Everything measured from a log: plain data, from which the scenario is written and which `--json` prints. */
import type { Ms } from '../../core/time.ts';
import type { FittedArrivals } from './burstiness.ts';
import type { FittedService } from './service-fit.ts';
import type { FittedSessions } from './session-meter.ts';
import type { FittedKeys } from './zipf-fit.ts';

export interface FittedLog {
  /** Of the scenario to be. */
  readonly name: string;
  /** Names of the files without their folders, made harmless. */
  readonly sources: readonly string[];
  readonly format: string;
  readonly lines: { readonly read: number; readonly bad: number };
  readonly requests: number;
  /** Of the first request, in milliseconds since 1970 or since the log's own zero. */
  readonly startMs: Ms;
  /** From the first to the last request. */
  readonly spanMs: Ms;
  /** What the log's clock resolves: a second, a millisecond, or less. */
  readonly tickMs: Ms;
  /** Whether requests of one second were spread over it. */
  readonly spread: boolean;
  /** Lines earlier than one before them, which were put in order, and by how much at most. */
  readonly disorder: { readonly lines: number; readonly mostMs: Ms };
  readonly rate: FittedRate;
  readonly arrivals: FittedArrivals;
  /** By requests, falling; `other` is last. */
  readonly classes: readonly FittedClass[];
  readonly total: ClassMeasure;
  readonly keys?: FittedKeys;
  readonly sessions?: FittedSessions;
}

export interface FittedRate {
  readonly perSecond: number;
  /** Of the busiest window. */
  readonly peakPerSecond: number;
  readonly windowMs: Ms;
  /** Requests per window from the first request on; the last window may be cut short by the end. */
  readonly counts: readonly number[];
}

export interface ClassMeasure {
  readonly requests: number;
  /** Answers of 400 to 498. */
  readonly clientErrors: number;
  /** Answers of 500 and more, and no answer. */
  readonly serverErrors: number;
  /** The client went away. */
  readonly abandoned: number;
  /** Absent when the log has no durations. */
  readonly service?: FittedService;
}

export interface FittedClass extends ClassMeasure {
  readonly name: string;
}
