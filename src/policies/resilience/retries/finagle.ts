/** Finagle's back-offs: constant, linear, exponential, and three jittered ones; all begin with `start` itself.
 *
 *  `equalJittered` is what failure accrual there uses between probes: half of the interval and a draw of as much, until the
 *  maximum is reached and kept. The first wait being the same for all is where they fail: clients that failed together meet again
 *  once.
 *
 *  `exponentialJittered` draws from 0 to start · 2^n, as its documentation has it; the code multiplies the last draw by
 *  2^n instead, which gets to the maximum in leaps. */
import { choice, duration, int } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { geometricMs } from './parts/growth.ts';
import { constantSchedule, exponentialSchedule, linearSchedule, type Schedule } from './parts/schedule.ts';
import { defineRetry } from './retry.ts';

export const finagleRetry = defineRetry({
  name: 'finagle',
  summary: 'Waits as one of the back-offs of Finagle does.',
  useWhen: 'A Finagle client is to be modelled, or waits should settle at a maximum.',
  failsWhen: 'Many clients fail together: the first wait is the same for all of them.',
  cost: 'O(retries so far), one draw',
  sources: [
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/Backoff.scala',
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/service/RetryPolicy.scala',
  ],
  aliases: [
    { system: 'Finagle', name: 'Backoff' },
    { system: 'Finagle', name: 'RetryPolicy.backoff' },
  ],
  // RetryPolicy.tries: two tries, of what surely was not worked on.
  defaults: { retries: 1, on: ['refused', 'shed'] },
  params: {
    backoff: choice({
      default: 'equalJittered',
      choices: ['const', 'linear', 'exponential', 'exponentialJittered', 'equalJittered', 'decorrelatedJittered'],
      about: 'Which back-off.',
    }),
    start: duration({ default: 100, min: 0, about: 'The first wait.', official: 'Finagle start' }),
    offset: duration({ default: 100, min: 0, about: 'What linear adds each time.', official: 'Finagle offset' }),
    multiplier: int({
      default: 2,
      min: 0,
      max: 100,
      about: 'What exponential multiplies by each time.',
      official: 'Finagle multiplier',
    }),
    maximum: duration({ default: 10_000, min: 0, about: 'No wait is longer, save for const.', official: 'Finagle maximum' }),
  },
  backoff: ({ backoff, start, offset, multiplier, maximum }, { rng }) => {
    switch (backoff) {
      case 'const':
        return scheduled(constantSchedule(start));
      case 'linear':
        return scheduled(linearSchedule(start, offset, maximum));
      case 'exponential':
        return scheduled(exponentialSchedule(start, multiplier, maximum));
      case 'exponentialJittered':
        return { delayMs: (retry) => finagleExponentialJitteredMs(retry, start, maximum, rng.next()) };
      case 'equalJittered':
        return { delayMs: (retry, previousMs) => finagleEqualJitteredMs(retry, previousMs, start, maximum, rng.next()) };
      case 'decorrelatedJittered':
        return { delayMs: (retry, previousMs) => finagleDecorrelatedJitteredMs(retry, previousMs, start, maximum, rng.next()) };
    }
  },
});

const scheduled = (schedule: Schedule) => ({ delayMs: (retry: number): Ms => schedule.delayMs(retry) });

/** start, then U(0, start · 2^(retry − 1)) until that reaches the maximum, which is then kept. `u` in [0, 1) places the wait. */
export function finagleExponentialJitteredMs(retry: number, startMs: Ms, maximumMs: Ms, u: number): Ms {
  if (retry === 1) return Math.min(startMs, maximumMs);
  const boundMs = geometricMs(startMs, 2, retry - 1, maximumMs);
  return boundMs === maximumMs ? maximumMs : u * boundMs;
}

/** start, then h + U(0, h) with h = start · 2^(retry − 2) until that reaches the maximum, which is then kept. */
export function finagleEqualJitteredMs(retry: number, previousMs: Ms, startMs: Ms, maximumMs: Ms, u: number): Ms {
  if (retry === 1) return Math.min(startMs, maximumMs);
  const halfMs = geometricMs(startMs, 2, retry - 2, maximumMs);
  return previousMs >= maximumMs ? maximumMs : Math.min(halfMs + u * halfMs, maximumMs);
}

/** start, then previous + U(0, min(3 · previous, maximum) − previous): never shorter than the one before. */
export function finagleDecorrelatedJitteredMs(retry: number, previousMs: Ms, startMs: Ms, maximumMs: Ms, u: number): Ms {
  if (retry === 1) return Math.min(startMs, maximumMs);
  return previousMs + u * (Math.min(3 * previousMs, maximumMs) - previousMs);
}
