/** resilience4j's interval functions: constant or exponential, each of them exact or randomized by a share on either side.
 *
 *  Bring over the configuration of a Java service unchanged. By default it waits half a second each time, which fails as all
 *  constant waits do: clients stay in step and the load of retries does not fall.
 *
 *  Intervals are whole milliseconds: each step of the exponential and the randomized result are cut off, as a `long` there. */
import { boolean, duration, fraction, number } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { orNoLimit } from './parts/growth.ts';
import { defineRetry, retriable } from './retry.ts';

export const resilience4jRetry = defineRetry({
  name: 'resilience4j',
  summary: 'Waits a constant or exponentially growing time, randomized if wished.',
  useWhen: 'A service uses resilience4j and its settings are to be tried.',
  failsWhen: 'It is left at its defaults: constant waits keep clients in step.',
  cost: 'O(retries so far), one draw',
  sources: ['resilience4j/resilience4j: resilience4j-core/src/main/java/io/github/resilience4j/core/IntervalFunction.java'],
  aliases: [{ system: 'resilience4j', name: 'IntervalFunction' }],
  // maxAttempts is 3 and every exception is tried again.
  defaults: { retries: 2, on: retriable },
  params: {
    waitDuration: duration({
      default: 500,
      min: 1,
      about: 'The first wait, before randomization.',
      official: 'resilience4j waitDuration',
    }),
    enableExponentialBackoff: boolean({
      default: false,
      about: 'Whether waits grow.',
      official: 'resilience4j enableExponentialBackoff',
    }),
    exponentialBackoffMultiplier: number({
      default: 1.5,
      min: 1,
      max: 100,
      about: 'Each wait is this times the one before.',
      official: 'resilience4j exponentialBackoffMultiplier',
    }),
    exponentialMaxWaitDuration: duration({
      default: 0,
      min: 0,
      about: 'No wait is longer; 0 for no limit.',
      official: 'resilience4j exponentialMaxWaitDuration',
    }),
    enableRandomizedWait: boolean({
      default: false,
      about: 'Whether waits are drawn.',
      official: 'resilience4j enableRandomizedWait',
    }),
    randomizedWaitFactor: fraction({
      default: 0.5,
      about: 'How far a drawn wait may lie from the exact one, as a share of it.',
      official: 'resilience4j randomizedWaitFactor',
    }),
  },
  backoff: (params, { rng }) => {
    const multiplier = params.enableExponentialBackoff ? params.exponentialBackoffMultiplier : 1;
    const maxMs = params.enableExponentialBackoff ? orNoLimit(params.exponentialMaxWaitDuration) : Infinity;
    const factor = params.enableRandomizedWait ? params.randomizedWaitFactor : 0;
    return {
      delayMs: (retry) => {
        const exactMs = resilience4jExponentialMs(retry, params.waitDuration, multiplier, Infinity);
        return Math.min(resilience4jRandomizedMs(exactMs, factor, rng.next()), maxMs);
      },
    };
  },
});

/** initial · multiplier^(attempt − 1), cut to whole milliseconds at every step. */
export function resilience4jExponentialMs(attempt: number, initialMs: Ms, multiplier: number, maxMs: Ms): Ms {
  let ms = Math.trunc(initialMs);
  for (let step = 1; step < attempt; step++) ms = Math.min(Math.trunc(ms * multiplier), LONG_MAX);
  return Math.min(ms, maxMs);
}

/** A whole number of milliseconds within `factor` of the interval; `u` in [0, 1) places it. */
export function resilience4jRandomizedMs(intervalMs: Ms, factor: number, u: number): Ms {
  const deltaMs = factor * intervalMs;
  return Math.trunc(intervalMs - deltaMs + u * 2 * deltaMs);
}

/** Where Java's `long` ends. */
const LONG_MAX = 9.223372036854776e18;
