/** Envoy's retry budget: retries in flight are at most a share of the requests in flight, and at least a few are allowed.
 *
 *  Adapts to the client's size by itself and holds the load of retries below a known share. It fails to shrink in an outage: slow
 *  failures pile up requests in flight, and the budget grows with them. Many small clients each have the minimum, which together
 *  may be a lot.
 *
 *  A retry counts from its grant, the wait before it included, to its end. Requests in flight are those of this client that
 *  have not ended; Envoy leaves out the ones that wait for a retry. */
import { fraction, int } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { defineRetryBudget, type RetryBudget } from './retry-budget.ts';

export const envoyBudget = defineRetryBudget({
  name: 'envoy',
  summary: 'Allows as many retries in flight as a share of the requests in flight, and a few always.',
  useWhen: 'Clients differ in size and one setting must fit all of them.',
  failsWhen: 'Failures are slow: requests pile up and the budget grows with them; or many clients each use their minimum.',
  cost: 'O(1)',
  sources: ['envoyproxy/envoy: source/common/upstream/resource_manager_impl.h, RetryBudgetImpl'],
  aliases: [{ system: 'Envoy', name: 'retry_budget' }],
  params: {
    budgetPercent: fraction({
      default: 0.2,
      about: 'Retries in flight per request in flight.',
      official: 'Envoy retry_budget.budget_percent',
    }),
    minRetryConcurrency: int({
      default: 3,
      min: 0,
      about: 'Retries in flight that are always allowed.',
      official: 'Envoy retry_budget.min_retry_concurrency',
    }),
  },
  create: ({ budgetPercent, minRetryConcurrency }) =>
    new ConcurrentRetries((active) => envoyRetryLimit(active, budgetPercent, minRetryConcurrency)),
});

/** How many retries may be in flight beside so many requests: their share, cut to a whole number, or the minimum. */
export const envoyRetryLimit = (active: number, budgetShare: number, minRetryConcurrency: number): number =>
  Math.max(Math.floor(budgetShare * active), minRetryConcurrency);

/** Grants a retry while fewer are in flight than the limit for so many requests. */
export class ConcurrentRetries implements RetryBudget {
  readonly #limit: (active: number) => number;
  #inFlight = 0;

  constructor(limit: (active: number) => number) {
    this.#limit = limit;
  }

  onRequest(): void {}
  onSuccess(): void {}
  onFailure(): void {}

  tryWithdraw(_nowMs: Ms, active: number): boolean {
    if (this.#inFlight >= this.#limit(active)) return false;
    this.#inFlight++;
    return true;
  }

  onRetryEnd(): void {
    this.#inFlight--;
  }

  balance(_nowMs: Ms, active: number): number {
    return Math.max(0, this.#limit(active) - this.#inFlight);
  }
}
