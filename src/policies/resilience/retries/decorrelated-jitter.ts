/** A wait drawn between the base and three times the last one: min(cap, U(base, 3 · previous)).
 *
 *  Grows on average without counting retries, and two clients soon lose step. It fails to promise growth: a short draw is
 *  followed by another short bound, and once at the cap it stays near it. */
import { duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { defineRetry } from './retry.ts';

export const decorrelatedJitterRetry = defineRetry({
  name: 'decorrelated-jitter',
  summary: 'Waits a random time between the base and three times the previous wait.',
  useWhen: 'Clients should lose step quickly and keep a minimum of rest.',
  failsWhen: 'Waits must grow steadily: a short draw shortens those after it.',
  cost: 'O(1), one draw',
  sources: [
    'aws-samples/aws-arch-backoff-simulator: src/backoff_simulator.py, ExpoBackoffDecorr',
    'Brooker: Exponential Backoff And Jitter (AWS Architecture Blog, 2015)',
  ],
  aliases: [{ system: 'AWS', name: 'decorr' }],
  defaults: { on: ['error', 'timeout', 'refused', 'lost', 'shed'] },
  params: {
    base: duration({ default: 100, min: 0, about: 'Shortest wait.', official: 'AWS simulator base, there 5 ms' }),
    cap: duration({ default: 20_000, min: 0, about: 'No wait is longer.', official: 'AWS simulator cap, there 2 s' }),
  },
  backoff: ({ base, cap }, { rng }) => ({
    delayMs: (retry, previousMs) => decorrelatedJitterMs(retry === 1 ? base : previousMs, base, cap, rng.next()),
  }),
});

/** `previousMs` is the base before the first retry; `u` in [0, 1) places the wait. */
export const decorrelatedJitterMs = (previousMs: Ms, baseMs: Ms, capMs: Ms, u: number): Ms =>
  Math.min(capMs, baseMs + u * (3 * previousMs - baseMs));
