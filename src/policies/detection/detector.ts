/** Failure detection: which endpoints a client believes alive, from the messages that reach it.
 *
 *  A detector is passive: it is told what arrived and when, says when it wants to be woken, and returns what it changed its mind
 *  about. One object per client; endpoints by slot, as in `balancing/balancer.ts`. */
import type { ParamSpecs, ParamValues } from '../../core/params.ts';
import { definePolicy, type Policy } from '../../core/policy.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';

/** Told about every change of belief, as it happens. */
export interface BeliefSink {
  /** `alive` is what the detector now believes of `slot`. */
  believe(slot: number, alive: boolean, nowMs: Ms): void;
}

export interface Detector {
  /** How often each endpoint should send a heartbeat; Infinity if this detector needs none. */
  readonly heartbeatEveryMs: Ms;
  /** Start watching an endpoint believed alive. */
  watch(slot: number, nowMs: Ms): void;
  unwatch(slot: number): void;
  /** A heartbeat of `slot` arrived. No allocation. `sequence` is its number: number i is due i periods after number 0, and one that its
   *  sender left out, being down or frozen, leaves a gap. */
  onHeartbeat(slot: number, nowMs: Ms, sequence: number): void;
  /** When `onTimer` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
  /** How suspicious the silence of a watched endpoint is by now, for reports: finite, from 0, and never falling while the silence lasts.
   *  What the number means (phi, milliseconds overdue) is the detector's own. */
  suspicion?(slot: number, nowMs: Ms): number;
}

export interface DetectorDeps {
  readonly rng: Rng;
  readonly sink: BeliefSink;
}

export type DetectorDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, DetectorDeps, Detector>;

type Describe<Specs extends ParamSpecs> = Omit<DetectorDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: DetectorDeps): Detector;
};

/** Declares a detector for the family's table. */
export const defineDetector = <const Specs extends ParamSpecs>(description: Describe<Specs>): DetectorDefinition<Specs> =>
  definePolicy<Specs, DetectorDeps, Detector>({ family: 'detection', ...description });
