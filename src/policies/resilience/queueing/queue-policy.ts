/** Queue disciplines that judge: which of the waiting requests is served next, and which has waited too long to be worth it.
 *
 *  One object per instance. The queue itself is the driver's (lists in the simulator, an array in a live server); the policy says from
 *  which end to take and whether to run what was taken. Nothing here allocates per request. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Ms } from '../../../core/time.ts';

export interface QueuePolicy {
  /** Requests of a smaller priority number are always served first; within one priority the rest of the policy holds. */
  readonly byPriority: boolean;
  /** A request joins the queue, which then holds `queued`. */
  onEnqueue(queued: number, nowMs: Ms): void;
  /** A slot is free: whether the newest request is next, instead of the oldest. `queued` ≥ 1. */
  takesNewest(queued: number, nowMs: Ms): boolean;
  /** The request taken has waited `waitMs`, and `left` remain: run it, or drop it (false) and take the next. To be called also for a
   *  request that found a free slot (0 waited, 0 left): a policy that hears of waiting requests only takes every burst for overload. */
  onDequeue(waitMs: Ms, left: number, nowMs: Ms): boolean;
}

export type QueuePolicyDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, object, QueuePolicy>;

type Describe<Specs extends ParamSpecs> = Omit<QueuePolicyDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>): QueuePolicy;
};

/** Declares a queue discipline for the family's table. */
export const defineQueuePolicy = <const Specs extends ParamSpecs>(description: Describe<Specs>): QueuePolicyDefinition<Specs> =>
  definePolicy<Specs, object, QueuePolicy>({ family: 'queueing', ...description });

/** For disciplines that only order: nothing to remember, and whatever is taken is run. */
export const alwaysRuns: Pick<QueuePolicy, 'onEnqueue' | 'onDequeue'> = { onEnqueue: () => {}, onDequeue: () => true };
