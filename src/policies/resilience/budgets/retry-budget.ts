/** Retry budgets: whether a retry may be sent at all, so that retries stay a small part of the load when everything fails.
 *
 *  One object per client. The pipeline tells it about every request and every attempt's end, and asks before each retry (and before
 *  each hedged attempt). Nothing here allocates per request. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Ms } from '../../../core/time.ts';

export interface RetryBudget {
  /** A request starts (its first try is about to be sent). `active` counts this client's requests that have not ended, this one included. */
  onRequest(nowMs: Ms, active: number): void;
  /** An attempt ended well. */
  onSuccess(nowMs: Ms): void;
  /** An attempt ended in a way that the retry policy would try again. Called before `tryWithdraw` for that attempt. */
  onFailure(nowMs: Ms): void;
  /** Whether a retry may be sent now; true takes it from the budget. */
  tryWithdraw(nowMs: Ms, active: number): boolean;
  /** A retry that was granted has ended, however. */
  onRetryEnd(nowMs: Ms): void;
  /** How many retries it would grant now: for reports. */
  balance(nowMs: Ms, active: number): number;
}

export type RetryBudgetDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, object, RetryBudget>;

type Describe<Specs extends ParamSpecs> = Omit<RetryBudgetDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>): RetryBudget;
};

/** Declares a retry budget for the family's table. */
export const defineRetryBudget = <const Specs extends ParamSpecs>(description: Describe<Specs>): RetryBudgetDefinition<Specs> =>
  definePolicy<Specs, object, RetryBudget>({ family: 'budgets', ...description });
