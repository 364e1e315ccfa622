/** Admission control: whether a request may go in at all. The same objects stand on both sides: in a client's pipeline, before its first
 *  attempt (rate limit, bulkhead, client-side throttling), and at an instance's door, before its queue (adaptive concurrency, load
 *  shedding by priority). Nothing here allocates per request. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';

/** How an admitted request ended. `dropped`: overload, as seen from here (timed out, refused, shed further on). `failed`: an error that
 *  says nothing about load. `ignored`: cancelled, or not sent. */
export const admissionResults = { ok: 0, failed: 1, dropped: 2, ignored: 3 } as const;
export type AdmissionResult = (typeof admissionResults)[keyof typeof admissionResults];

/** One mutable object per door, reused for every request: do not keep it. */
export interface AdmissionRequest {
  nowMs: Ms;
  /** 0 is the most important class. */
  priority: number;
  /** Admitted here and not yet ended, without this one. */
  inFlight: number;
  /** Of those, waiting in the queue (always 0 at a client). */
  queued: number;
  /** Hash of the user or tenant as an unsigned 32-bit number; 0 if none. */
  user: number;
  /** Index of the request's class; 0 if there are none. */
  partition: number;
}

export interface Admission {
  /** Whether the request may go in. */
  admit(request: AdmissionRequest): boolean;
  /** An admitted request began to be worked on after waiting `waitMs` in the queue behind this door (0: at once). Only at instances. */
  onStart?(waitMs: Ms, nowMs: Ms): void;
  /** An admitted request ended: `rttMs` since it was admitted, `inFlight` counted at its admission and including it. */
  onEnd(result: AdmissionResult, rttMs: Ms, inFlight: number, nowMs: Ms, partition: number): void;
  /** The present limit on requests in flight, for reports; Infinity where there is none. */
  limit(): number;
}

export interface AdmissionDeps {
  readonly rng: Rng;
}

export type AdmissionDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, AdmissionDeps, Admission>;

type Describe<Specs extends ParamSpecs> = Omit<AdmissionDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: AdmissionDeps): Admission;
};

/** Declares an admission policy for the family's table. */
export const defineAdmission = <const Specs extends ParamSpecs>(description: Describe<Specs>): AdmissionDefinition<Specs> =>
  definePolicy<Specs, AdmissionDeps, Admission>({ family: 'admission', ...description });
