/** tower's exponential back-off: min · 2^(n−1), and a random part of up to `jitter` of it on top, at most `max` in all.
 *
 *  Never shorter than the exact exponential, so each retry has its rest. It fails to spread the first ones: all clients wait
 *  at least `min`, and with little jitter they stay in step. */
import { duration, number } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { geometricMs, orNoLimit } from './parts/growth.ts';
import { defineRetry } from './retry.ts';

export const towerRetry = defineRetry({
  name: 'tower',
  summary: 'Doubles the wait with every retry and adds a random part of up to 99 % of it.',
  useWhen: 'A tower service is to be modelled, or each retry needs at least its exponential rest.',
  failsWhen: 'An outage is long and `max` is not set: waits double without end.',
  cost: 'O(retries so far), one draw',
  sources: ['tower-rs/tower: tower/src/retry/backoff.rs, ExponentialBackoff'],
  aliases: [{ system: 'tower', name: 'ExponentialBackoff' }],
  params: {
    min: duration({ default: 50, min: 0, about: 'The first wait, before jitter.', official: 'tower min' }),
    max: duration({ default: 0, min: 0, about: 'No wait is longer; 0 for no limit.', official: 'tower max' }),
    jitter: number({
      default: 0.99,
      min: 0,
      max: 100,
      about: 'Largest random part, as a multiple of the exact wait.',
      official: 'tower jitter',
    }),
  },
  backoff: ({ min, max, jitter }, { rng }) => ({ delayMs: (retry) => towerMs(retry, min, orNoLimit(max), jitter, rng.next()) }),
});

/** `u` in [0, 1) places the wait. */
export function towerMs(retry: number, minMs: Ms, maxMs: Ms, jitter: number, u: number): Ms {
  const baseMs = geometricMs(minMs, 2, retry - 1, maxMs);
  return baseMs + Math.min(u * jitter * baseMs, maxMs - baseMs);
}
