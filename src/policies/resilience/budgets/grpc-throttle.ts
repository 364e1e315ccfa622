/** gRPC's retry throttling: a failure takes a token, a success puts a fraction of one back, and retries stop while half of the
 *  tokens or fewer are left.
 *
 *  Fed by successes only, so it closes within a few failures of an outage and stays closed until enough calls succeed: it ends
 *  a retry storm instead of bounding it. It fails with partial failures above the ratio: at the default, more than one failure in
 *  eleven calls for long stops all retries, also those that would have helped. */
import { number } from '../../../core/params.ts';
import { defineRetryBudget, type RetryBudget } from './retry-budget.ts';

export const grpcThrottleBudget = defineRetryBudget({
  name: 'grpc-throttle',
  summary: 'Stops retries while failures outweigh successes: a token per failure, a tenth back per success.',
  useWhen: 'Retries should vanish in an outage and come back with success.',
  failsWhen: 'A steady share of calls fails: more than about a tenth stops all retries.',
  cost: 'O(1)',
  sources: ['grpc/proposal: A6-client-retries.md, throttling retry attempts', 'grpc/grpc-go: clientconn.go, retryThrottler'],
  aliases: [{ system: 'gRPC', name: 'retryThrottling' }],
  params: {
    maxTokens: number({
      default: 10,
      min: 0,
      max: 1000,
      exclusiveMin: true,
      about: 'Tokens at the start and at most.',
      official: 'gRPC maxTokens',
    }),
    tokenRatio: number({
      default: 0.1,
      min: 0,
      exclusiveMin: true,
      about: 'Tokens that a success puts back.',
      official: 'gRPC tokenRatio',
    }),
  },
  create: ({ maxTokens, tokenRatio }) => new GrpcThrottle(maxTokens, tokenRatio),
});

export class GrpcThrottle implements RetryBudget {
  readonly #max: number;
  readonly #ratio: number;
  readonly #state: Float64Array;

  constructor(maxTokens: number, tokenRatio: number) {
    this.#max = maxTokens;
    this.#ratio = tokenRatio;
    this.#state = Float64Array.of(maxTokens);
  }

  get tokens(): number {
    return this.#state[0];
  }

  onRequest(): void {}

  onSuccess(): void {
    this.#state[0] = Math.min(this.#state[0] + this.#ratio, this.#max);
  }

  onFailure(): void {
    this.#state[0] = Math.max(this.#state[0] - 1, 0);
  }

  /** Costs nothing: what a retry costs is the failure before it. */
  tryWithdraw(): boolean {
    return this.#state[0] > this.#max / 2;
  }

  onRetryEnd(): void {}

  /** Failures in a row that would still be retried, the present one included. */
  balance(): number {
    return Math.max(0, Math.ceil(this.#state[0] - this.#max / 2));
  }
}
