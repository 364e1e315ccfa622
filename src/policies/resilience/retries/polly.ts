/** Polly's waits: constant, linear or exponential; with jitter the first two move by up to a quarter on either side, and the
 *  third follows the decorrelated formula of G. Polevoy.
 *
 *  That formula is the reason to take it: with f(t) = 2^t · tanh(√(4t)) and t = n + u, the time waited in all is f(t) / 1.4 ·
 *  base. Its median is near base · 2^n, and it piles up nowhere, unlike that of full jitter. It fails to bound a wait by its
 *  predecessor: a late draw is followed by a short wait. By default Polly waits 2 s each time without any jitter.
 *
 *  Polly keeps f of the last draw. The waits of a request add up to f / 1.4 · base, so their sum holds the same; where a
 *  maximum cut one off, later ones reach the maximum a little sooner than there. */
import { expm1, pow } from '../../../core/math.ts';
import { boolean, choice, duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { geometricMs, orNoLimit } from './parts/growth.ts';
import { defineRetry, retriable } from './retry.ts';

const backoffTypes = ['constant', 'linear', 'exponential'] as const;
export type PollyBackoffType = (typeof backoffTypes)[number];

export const pollyRetry = defineRetry({
  name: 'polly',
  summary: 'Waits a constant, linear or exponential time; exponential with jitter is decorrelated.',
  useWhen: 'A .NET service uses Polly, or jitter should be smooth without piling up at the ends.',
  failsWhen: 'It is left at its defaults: two seconds each time, and all clients in step.',
  cost: 'O(retries so far), one draw',
  sources: [
    'App-vNext/Polly: src/Polly.Core/Retry/RetryHelper.cs',
    'App-vNext/Polly: src/Polly.Core/Retry/RetryStrategyOptions.TResult.cs',
  ],
  aliases: [
    { system: 'Polly', name: 'RetryStrategyOptions' },
    { system: 'Polly', name: 'DecorrelatedJitterBackoffV2' },
  ],
  defaults: { retries: 3, on: retriable },
  params: {
    delay: duration({ default: 2000, min: 0, about: 'The base of the waits.', official: 'Polly Delay' }),
    backoffType: choice({ default: 'constant', choices: backoffTypes, about: 'How waits grow.', official: 'Polly BackoffType' }),
    useJitter: boolean({ default: false, about: 'Whether waits are drawn.', official: 'Polly UseJitter' }),
    maxDelay: duration({ default: 0, min: 0, about: 'No wait is longer; 0 for no limit.', official: 'Polly MaxDelay' }),
  },
  backoff: ({ delay, backoffType, useJitter, maxDelay }, { rng }) => {
    const maxMs = orNoLimit(maxDelay);
    const isDecorrelated = backoffType === 'exponential' && useJitter;
    return {
      delayMs: (retry, previousMs, waitedMs = previousMs) => {
        const u = rng.next();
        if (!isDecorrelated) return pollyMs(backoffType, retry - 1, delay, maxMs, useJitter ? u : undefined);
        const grown = delay === 0 ? 0 : (waitedMs * MEDIAN_SCALE) / delay;
        return pollyDecorrelatedMs(pollyGrowth(retry - 1 + u), grown, delay, maxMs);
      },
    };
  },
});

/** The wait after `attempt` failed retries, 0 for none. `u` in [0, 1) draws it, for the types whose jitter needs no memory. */
export function pollyMs(type: PollyBackoffType, attempt: number, baseMs: Ms, maxMs: Ms, u?: number): Ms {
  const exactMs =
    type === 'constant' ? baseMs : type === 'linear' ? (attempt + 1) * baseMs : geometricMs(baseMs, 2, attempt, Infinity);
  return Math.min(u === undefined ? exactMs : exactMs * (1 - JITTER / 2 + JITTER * u), maxMs);
}

/** (f − f of the retry before) / 1.4 · base; see `pollyGrowth`, which is 0 before the first. */
export const pollyDecorrelatedMs = (growth: number, previousGrowth: number, baseMs: Ms, maxMs: Ms): Ms =>
  Math.min(Math.max(0, ((growth - previousGrowth) / MEDIAN_SCALE) * baseMs), maxMs);

/** f(t) = 2^t · tanh(√(4t)), with t the number of retries before plus a draw from [0, 1). */
export function pollyGrowth(t: number): number {
  const twice = expm1(2 * Math.sqrt(4 * t));
  return pow(2, t) * (twice / (twice + 2));
}

/** √2 · tanh(…) at the median draw, rounded, so that medians of the time waited are near base, 2 · base, 4 · base. */
const MEDIAN_SCALE = 1.4;
/** Full width of the jitter of constant and linear waits. */
const JITTER = 0.5;
