/** A bucket that successes fill, a tenth of a token each, and retries empty, one token each.
 *
 *  Its point is where the tokens come from: in an outage nothing succeeds, so after the few retries that the bucket holds the
 *  load is what it is without retries, and a collapse cannot be sustained by them. It fails to help with partial failures: from
 *  about a tenth of requests failing, retries become too rare to hide them.
 *
 *  After M. Brooker, whose simulation grants a retry while strictly more than one token is left. */
import { number } from '../../../core/params.ts';
import { defineRetryBudget, type RetryBudget } from './retry-budget.ts';

export const tokenBucketBudget = defineRetryBudget({
  name: 'token-bucket',
  summary: 'Pays for retries from a bucket that successes fill.',
  useWhen: 'Retries must not be able to sustain an overload: a good default.',
  failsWhen: 'More than about a tenth of requests fails for long: retries become too rare to hide it.',
  cost: 'O(1)',
  sources: ['mbrooker/simulator_example: sim.py', 'Brooker: Fixing retries with token buckets and circuit breakers (2022)'],
  aliases: [{ system: 'literature', name: 'adaptive-retry' }],
  params: {
    capacity: number({ default: 5, min: 0, about: 'Tokens at most.' }),
    initial: number({ default: 5, min: 0, about: 'Tokens at the start.' }),
    fillPerSuccess: number({ default: 0.1, min: 0, about: 'Tokens that a success adds.' }),
    cost: number({ default: 1, min: 0, exclusiveMin: true, about: 'Tokens that a retry takes.' }),
    threshold: number({ default: 1, min: 0, about: 'Strictly more tokens than this must be there for a retry.' }),
  },
  create: ({ capacity, initial, fillPerSuccess, cost, threshold }) =>
    new SuccessFedBucket(capacity, initial, fillPerSuccess, cost, threshold),
});

class SuccessFedBucket implements RetryBudget {
  readonly #capacity: number;
  readonly #fill: number;
  readonly #cost: number;
  readonly #threshold: number;
  readonly #tokens: Float64Array;

  constructor(capacity: number, initial: number, fill: number, cost: number, threshold: number) {
    this.#capacity = capacity;
    this.#fill = fill;
    this.#cost = cost;
    this.#threshold = threshold;
    this.#tokens = Float64Array.of(Math.min(initial, capacity));
  }

  onRequest(): void {}

  onSuccess(): void {
    this.#tokens[0] = Math.min(this.#tokens[0] + this.#fill, this.#capacity);
  }

  onFailure(): void {}

  tryWithdraw(): boolean {
    if (this.#tokens[0] <= this.#threshold) return false;
    // A cost above the threshold may not leave a debt.
    this.#tokens[0] = Math.max(0, this.#tokens[0] - this.#cost);
    return true;
  }

  onRetryEnd(): void {}

  balance(): number {
    return Math.max(0, Math.ceil((this.#tokens[0] - this.#threshold) / this.#cost));
  }
}
