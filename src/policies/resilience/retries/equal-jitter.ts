/** Half of the doubling wait for certain, the other half drawn: v/2 + U(0, v/2) with v = min(cap, base · 2^(n−1)).
 *
 *  Every retry gets a rest, which full jitter does not promise. It fails by spreading over half the interval only: under
 *  contention it needs more time and no less work than full jitter. */
import { duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { exponentialMs } from './exponential.ts';
import { defineRetry } from './retry.ts';

export const equalJitterRetry = defineRetry({
  name: 'equal-jitter',
  summary: 'Waits half of a doubling interval and a random part of the other half.',
  useWhen: 'Each retry should be preceded by some rest, such as after being throttled.',
  failsWhen: 'Spread is what counts: half the interval stays unused.',
  cost: 'O(retries so far), one draw',
  sources: [
    'aws-samples/aws-arch-backoff-simulator: src/backoff_simulator.py, ExpoBackoffEqualJitter',
    'Brooker: Exponential Backoff And Jitter (AWS Architecture Blog, 2015)',
  ],
  aliases: [
    { system: 'AWS', name: 'equal' },
    { system: 'AWS', name: 'EqualJitterBackoffStrategy' },
  ],
  defaults: { on: ['error', 'timeout', 'refused', 'lost', 'shed'] },
  params: {
    base: duration({
      default: 100,
      min: 0,
      about: 'Longest first wait; the shortest is half of it.',
      official: 'AWS simulator base, there 5 ms',
    }),
    cap: duration({ default: 20_000, min: 0, about: 'No wait is longer.', official: 'AWS simulator cap, there 2 s' }),
  },
  backoff: ({ base, cap }, { rng }) => ({ delayMs: (retry) => equalJitterMs(retry, base, cap, rng.next()) }),
});

/** `u` in [0, 1) places the wait. */
export function equalJitterMs(retry: number, baseMs: Ms, capMs: Ms, u: number): Ms {
  const half = exponentialMs(retry, baseMs, capMs) / 2;
  return half + u * half;
}
