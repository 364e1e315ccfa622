/** Leaky bucket as a meter: a level that drains at `rate` per second and rises by one with every request; a request that would make it
 *  overflow is refused.
 *
 *  Use it for the same quotas as the token bucket, of which it is the mirror image, where the familiar words are nginx's: with burst 0 it
 *  spaces requests evenly, no two closer than 1 / rate. It fails as overload protection for the same reason as the token bucket.
 *
 *  The rule is that of nginx's `limit_req` with `nodelay`: what exceeds the rate may add up to `burst`, the first request of all does not
 *  count as excess, so that burst + 1 pass at once, and refused requests leave the level as it was. nginx counts thousandths of requests
 *  and whole milliseconds; here both are exact. The leaky bucket as a queue, which delays instead of refusing, is something else. */
import { int, number } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { type Admission, type AdmissionRequest, defineAdmission } from './admission.ts';

export const leakyBucket = defineAdmission({
  name: 'leaky-bucket',
  summary: 'Admits requests as long as their excess over `rate` stays within `burst` (nginx).',
  useWhen: 'Requests of a client shall be spaced evenly, with little or no burst.',
  failsWhen: 'Arrivals are bursty by nature: with burst 0 even a client far below its rate is refused now and then.',
  cost: 'O(1)',
  sources: ['nginx/nginx: src/http/modules/ngx_http_limit_req_module.c', 'ITU-T I.371: the continuous-state leaky bucket'],
  aliases: [
    { system: 'nginx', name: 'limit_req' },
    { system: 'ITU', name: 'gcra' },
  ],
  params: {
    rate: number({ default: 100, min: 0, exclusiveMin: true, about: 'Requests per second that drain.', official: 'nginx rate' }),
    burst: int({ default: 0, min: 0, about: 'Excess over the rate that still passes, in requests.', official: 'nginx burst' }),
  },
  create: ({ rate, burst }) => new LeakyBucket(rate, burst),
});

/** The excess right after one more request, `elapsedMs` after it was `excess`. */
export const excessAfter = (excess: number, elapsedMs: Ms, ratePerSecond: number): number =>
  Math.max(0, excess - (Math.max(0, elapsedMs) * ratePerSecond) / 1000 + 1);

class LeakyBucket implements Admission {
  readonly #rate: number;
  readonly #burst: number;
  #excess = 0;
  #sinceMs = -Infinity;

  constructor(ratePerSecond: number, burst: number) {
    this.#rate = ratePerSecond;
    this.#burst = burst;
  }

  admit(request: AdmissionRequest): boolean {
    const excess = excessAfter(this.#excess, request.nowMs - this.#sinceMs, this.#rate);
    if (excess > this.#burst) return false;
    this.#excess = excess;
    this.#sinceMs = request.nowMs;
    return true;
  }

  onEnd(): void {}

  limit(): number {
    return Infinity;
  }
}
