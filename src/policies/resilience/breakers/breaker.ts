/** Circuit breakers: fail at once, for a while, what is failing anyway, so that caller and callee can recover.
 *
 *  One object per client and called service. The pipeline asks for a permit before each attempt and settles every permit exactly once.
 *  Time-driven transitions happen when the breaker is next asked, so an idle breaker costs no timer. Time 0 of its clock is when it was
 *  made, and times do not go back. Nothing here allocates per request.
 *
 *  Breakers differ in whom they believe: most take any result for what it is, whenever the attempt was sent; the permit is for those that
 *  do not. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';

export const breakerStates = { closed: 0, open: 1, halfOpen: 2 } as const;
export type BreakerState = (typeof breakerStates)[keyof typeof breakerStates];

/** What `acquire` returns when the attempt must not be sent. */
export const NO_PERMIT = -1;

export interface Breaker {
  /** A permit for one attempt: a number ≥ 0 (the breaker's generation, so that results from before a change of state can be told), or
   *  NO_PERMIT. */
  acquire(nowMs: Ms): number;
  /** The attempt that got this permit ended, well or badly, after `durationMs`. */
  settle(permit: number, isGood: boolean, durationMs: Ms, nowMs: Ms): void;
  /** The attempt was not sent after all, or was cancelled, or ended in a way that says nothing about the callee. */
  release(permit: number, nowMs: Ms): void;
  /** Pure: does not change the state. */
  state(nowMs: Ms): BreakerState;
  /** When it will next let an attempt through although it is open, for reports; Infinity if not open or not known. */
  retryAtMs(nowMs: Ms): Ms;
}

export interface BreakerDeps {
  readonly rng: Rng;
}

export type BreakerDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, BreakerDeps, Breaker>;

type Describe<Specs extends ParamSpecs> = Omit<BreakerDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: BreakerDeps): Breaker;
};

/** Declares a circuit breaker for the family's table. */
export const defineBreaker = <const Specs extends ParamSpecs>(description: Describe<Specs>): BreakerDefinition<Specs> =>
  definePolicy<Specs, BreakerDeps, Breaker>({ family: 'breakers', ...description });
