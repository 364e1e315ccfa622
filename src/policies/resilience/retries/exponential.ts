/** Waits that double: the n-th is min(cap, base · 2^(n−1)), without any randomness.
 *
 *  Takes load away from a service in trouble, more with every round. It fails by itself: clients that failed together come back
 *  together, in ever rarer but undiminished waves, which is what the jittered relatives are for. */
import { duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { geometricMs } from './parts/growth.ts';
import { defineRetry } from './retry.ts';

export const exponentialRetry = defineRetry({
  name: 'exponential',
  summary: 'Doubles the wait with every retry.',
  useWhen: 'As a yardstick for jitter, or where a single client retries.',
  failsWhen: 'Many clients fail together: their retries arrive in waves.',
  cost: 'O(retries so far)',
  sources: [
    'aws-samples/aws-arch-backoff-simulator: src/backoff_simulator.py, ExpoBackoff',
    'Brooker: Exponential Backoff And Jitter (AWS Architecture Blog, 2015)',
  ],
  aliases: [{ system: 'AWS', name: 'expo' }],
  defaults: { on: ['error', 'timeout', 'refused', 'lost', 'shed'] },
  params: {
    base: duration({ default: 100, min: 0, about: 'The first wait.', official: 'AWS simulator base, there 5 ms' }),
    cap: duration({ default: 20_000, min: 0, about: 'No wait is longer.', official: 'AWS simulator cap, there 2 s' }),
  },
  backoff: ({ base, cap }) => ({ delayMs: (retry) => exponentialMs(retry, base, cap) }),
});

/** min(cap, base · 2^(retry − 1)). */
export const exponentialMs = (retry: number, baseMs: Ms, capMs: Ms): Ms => geometricMs(baseMs, 2, retry - 1, capMs);
