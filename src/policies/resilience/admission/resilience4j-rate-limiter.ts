/** Rate limiting in fixed cycles: time is cut into periods, and each period has `limitForPeriod` permissions.
 *
 *  Use it to rehearse a service that runs resilience4j's RateLimiter. It fails at the seams: twice the limit can pass within one period
 *  length, at the end of one cycle and the start of the next, and after each refill a crowd of clients arrives in step. The default,
 *  50 per 500 ns, is no limit to speak of: whoever enables the module without configuring it is not protected.
 *
 *  Admission is without waiting (`timeoutDuration` 0), so no permission is ever reserved ahead and a new cycle starts with all of them.
 *  Cycles count from the origin of the clock, in whole nanoseconds, as there. */
import { duration, int } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { type Admission, type AdmissionRequest, defineAdmission } from './admission.ts';

export const resilience4jRateLimiter = defineAdmission({
  name: 'resilience4j-rate-limiter',
  summary: 'Admits `limitForPeriod` requests in each fixed period of time.',
  useWhen: 'A service uses resilience4j’s RateLimiter, or a partner counts calls per calendar second.',
  failsWhen: 'Bursts matter: twice the limit passes around the border of two periods.',
  cost: 'O(1)',
  sources: [
    'resilience4j/resilience4j: resilience4j-ratelimiter/src/main/java/io/github/resilience4j/ratelimiter/internal/AtomicRateLimiter.java',
  ],
  aliases: [
    { system: 'resilience4j', name: 'RateLimiter' },
    { system: 'literature', name: 'fixed-window' },
  ],
  params: {
    limitForPeriod: int({ default: 50, min: 1, about: 'Permissions of one period.' }),
    limitRefreshPeriod: duration({ default: 0.0005, min: 0.000001, about: 'Length of a period.' }),
  },
  create: ({ limitForPeriod, limitRefreshPeriod }) => new CycleLimiter(limitForPeriod, limitRefreshPeriod),
});

/** The number of the period that this instant lies in. */
export const cycleAt = (nowMs: Ms, periodMs: Ms): number =>
  Math.floor(Math.round(nowMs * NANOSECONDS) / Math.round(periodMs * NANOSECONDS));

class CycleLimiter implements Admission {
  readonly #limit: number;
  readonly #periodMs: Ms;
  #cycle = -1;
  #left = 0;

  constructor(limitForPeriod: number, periodMs: Ms) {
    this.#limit = limitForPeriod;
    this.#periodMs = periodMs;
  }

  admit(request: AdmissionRequest): boolean {
    const cycle = cycleAt(request.nowMs, this.#periodMs);
    if (cycle > this.#cycle) {
      this.#cycle = cycle;
      this.#left = this.#limit;
    }
    if (this.#left === 0) return false;
    this.#left--;
    return true;
  }

  onEnd(): void {}

  limit(): number {
    return Infinity;
  }
}

/** In a millisecond. */
const NANOSECONDS = 1e6;
