/** Passive outlier detection: which endpoints do worse than the others in the requests they get, and are left out for a while.
 *
 *  A detector is passive: it is told how attempts ended, wakes at intervals to compare endpoints, and tells a sink whom to
 *  leave out and whom to let back. One object per client and service; endpoints by slot, as in `detector.ts`. Nothing here
 *  allocates per attempt. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';

/** How an attempt ended. The numbers are those of `balancing/balancer.ts`, so that a driver passes on what it tells its
 *  balancer; the families do not know each other, and a test holds the two together. */
export const attemptOutcomes = { ok: 0, error: 1, timeout: 2, refused: 3, lost: 4, cancelled: 5, shed: 7 } as const;
export type AttemptOutcome = (typeof attemptOutcomes)[keyof typeof attemptOutcomes];

export type EjectionReason =
  | 'consecutive-5xx'
  | 'consecutive-gateway-failure'
  | 'consecutive-local-origin-failure'
  | 'success-rate'
  | 'failure-percentage'
  | 'local-origin-success-rate'
  | 'local-origin-failure-percentage'
  /** Let back: its time is over. */
  | 'time-served'
  /** Let back: an active health check found it well. */
  | 'health-check';

export interface EjectionSink {
  /** `slot` is to be left out, or let back, from now on; told once per change. */
  eject(slot: number, isEjected: boolean, nowMs: Ms, reason: EjectionReason): void;
}

/** What a detector tells of itself in reports. */
export interface OutlierStats {
  /** Endpoints left out now. */
  readonly ejected: number;
  /** Ejections that the limit on their number prevented. */
  readonly overflow: number;
  /** Of the last comparison, in percent; −1 if there were too few endpoints with enough requests. */
  readonly averageSuccessRate: number;
  readonly successRateThreshold: number;
  /** Endpoints with enough requests in it. */
  readonly comparedHosts: number;
}

export interface OutlierDetector {
  /** Start watching an endpoint that is not left out. */
  watch(slot: number, nowMs: Ms): void;
  /** Forget it; if it was left out, the sink is not told. */
  unwatch(slot: number): void;
  /** An attempt ended. Those that were cancelled say nothing of the endpoint. */
  onEnd(slot: number, outcome: AttemptOutcome, nowMs: Ms): void;
  /** An active health check found the endpoint well. */
  onHealthCheckOk?(slot: number, nowMs: Ms): void;
  /** When `onTimer` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
  stats(): OutlierStats;
}

export interface OutlierDetectorDeps {
  readonly rng: Rng;
  readonly sink: EjectionSink;
}

export type OutlierDetectorDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<
  Specs,
  OutlierDetectorDeps,
  OutlierDetector
>;

type Describe<Specs extends ParamSpecs> = Omit<OutlierDetectorDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: OutlierDetectorDeps): OutlierDetector;
};

/** Declares an outlier detector for the family's table. */
export const defineOutlierDetector = <const Specs extends ParamSpecs>(
  description: Describe<Specs>,
): OutlierDetectorDefinition<Specs> =>
  definePolicy<Specs, OutlierDetectorDeps, OutlierDetector>({ family: 'outliers', ...description });
