/** A wait drawn evenly between nothing and the doubling one: U(0, min(cap, base · 2^(n−1))).
 *
 *  Spreads a wave of retries over the whole interval, so that they arrive as a steady trickle; the usual choice under
 *  contention. It fails where a minimum of rest matters, for some draws are near nothing, and it cannot save a service that is
 *  overloaded for good: the number of retries is the same, which only a budget bounds. */
import { duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { exponentialMs } from './exponential.ts';
import { defineRetry } from './retry.ts';

export const fullJitterRetry = defineRetry({
  name: 'full-jitter',
  summary: 'Waits a random time up to a bound that doubles with every retry.',
  useWhen: 'Many clients may fail together: a good default.',
  failsWhen: 'Every retry needs some rest before it; or overload lasts, which takes a budget and not a wait.',
  cost: 'O(retries so far), one draw',
  sources: [
    'aws-samples/aws-arch-backoff-simulator: src/backoff_simulator.py, ExpoBackoffFullJitter',
    'Brooker: Exponential Backoff And Jitter (AWS Architecture Blog, 2015)',
  ],
  aliases: [
    { system: 'AWS', name: 'full' },
    { system: 'AWS', name: 'FullJitterBackoffStrategy' },
  ],
  defaults: { on: ['error', 'timeout', 'refused', 'lost', 'shed'] },
  params: {
    base: duration({ default: 100, min: 0, about: 'Bound of the first wait.', official: 'AWS simulator base, there 5 ms' }),
    cap: duration({ default: 20_000, min: 0, about: 'No bound is higher.', official: 'AWS simulator cap, there 2 s' }),
  },
  backoff: ({ base, cap }, { rng }) => ({ delayMs: (retry) => fullJitterMs(retry, base, cap, rng.next()) }),
});

/** `u` in [0, 1) places the wait. */
export const fullJitterMs = (retry: number, baseMs: Ms, capMs: Ms, u: number): Ms => u * exponentialMs(retry, baseMs, capMs);
