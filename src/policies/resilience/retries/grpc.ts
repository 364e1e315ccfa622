/** gRPC's retry back-off: min(initial · multiplier^(n−1), max), give or take a fifth.
 *
 *  Waits long enough to matter, so it can be left on by default behind a throttle (`grpc-throttle`). It fails to take many
 *  clients out of step: a spread of 20 % on either side turns waves into humps.
 *
 *  Here too the back-off between attempts to connect, which is gRPC's other one: base 1 s, multiplier 1.6, at most 2 minutes. */
import { duration, number } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { geometricMs } from './parts/growth.ts';
import { defineRetry } from './retry.ts';

export const grpcRetry = defineRetry({
  name: 'grpc',
  summary: 'Waits an exponentially growing time, give or take 20 %.',
  useWhen: 'Calls have deadlines of seconds and servers say UNAVAILABLE when they mean try again.',
  failsWhen: 'Many clients fail together: the spread is too small to keep them apart.',
  cost: 'O(retries so far), one draw',
  sources: ['grpc/proposal: A6-client-retries.md', 'grpc/grpc-go: internal/backoff/backoff.go, for connections'],
  aliases: [
    { system: 'gRPC', name: 'retryPolicy' },
    { system: 'gRPC', name: 'A6' },
  ],
  // A deadline that has passed is the call's, so that there is nothing to try again; maxAttempts is 4 in the proposal's example.
  defaults: { retries: 3, on: ['error', 'refused', 'lost'] },
  params: {
    initialBackoff: duration({ default: 100, min: 0, about: 'Mean of the first wait.', official: 'gRPC initialBackoff' }),
    maxBackoff: duration({ default: 1000, min: 0, about: 'No mean is higher.', official: 'gRPC maxBackoff' }),
    backoffMultiplier: number({
      default: 2,
      min: 0,
      max: 100,
      exclusiveMin: true,
      about: 'Each mean is this times the one before.',
      official: 'gRPC backoffMultiplier',
    }),
  },
  backoff: ({ initialBackoff, maxBackoff, backoffMultiplier }, { rng }) => ({
    delayMs: (retry) => grpcRetryMs(retry, initialBackoff, backoffMultiplier, maxBackoff, rng.next()),
  }),
});

/** `u` in [0, 1) places the wait between 0.8 and 1.2 of its mean. */
export const grpcRetryMs = (retry: number, initialMs: Ms, multiplier: number, maxMs: Ms, u: number): Ms =>
  geometricMs(initialMs, multiplier, retry - 1, maxMs) * (0.8 + 0.4 * u);

/** The wait before another attempt to connect, after `retries` repeated ones failed: the first is the base itself, without
 *  jitter. `u` in [0, 1) places the wait. */
export const grpcConnectionMs = (retries: number, baseMs: Ms, multiplier: number, jitter: number, maxMs: Ms, u: number): Ms =>
  retries === 0 ? baseMs : Math.max(0, geometricMs(baseMs, multiplier, retries, maxMs) * (1 + jitter * (2 * u - 1)));
