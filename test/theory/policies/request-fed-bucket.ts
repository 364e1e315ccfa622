/** A retry budget of the literature that no library ships: every first try pays a share of a token into a bucket that holds only so many,
 *  and every retry takes a whole one. It starts full. */
import type { RetryBudget } from '../../../src/policies/resilience/budgets/retry-budget.ts';

export class RequestFedBucket implements RetryBudget {
  readonly #perRequest: number;
  readonly #capacity: number;
  #tokens: number;

  constructor(_deps: object, { perRequest, capacity }: { readonly perRequest: number; readonly capacity: number }) {
    this.#perRequest = perRequest;
    this.#capacity = capacity;
    this.#tokens = capacity;
  }

  onRequest(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + this.#perRequest);
  }

  onSuccess(): void {}
  onFailure(): void {}

  tryWithdraw(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  onRetryEnd(): void {}

  balance(): number {
    return Math.floor(this.#tokens);
  }
}
