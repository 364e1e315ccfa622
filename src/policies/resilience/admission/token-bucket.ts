/** Token bucket: tokens come in at `rate` per second up to `burst`, and every request admitted takes one.
 *
 *  Use it to hold a client, or all together, to an agreed average while short bursts pass. It fails as overload protection: the rate is
 *  a guess about capacity that ages with every release, and a server that got slower is sent as much as before.
 *
 *  The rule is that of Go's `rate.Limiter.Allow`: the bucket starts full, refills continuously, refused requests take nothing, and a
 *  token that is due within a nanosecond counts as there, which also absorbs the rounding of times. Envoy's local rate
 *  limit adds its tokens in lumps, one per fill interval, instead. */
import { int, number } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { type Admission, type AdmissionRequest, defineAdmission } from './admission.ts';

export const tokenBucket = defineAdmission({
  name: 'token-bucket',
  summary: 'Admits `rate` requests per second on average, and up to `burst` at once.',
  useWhen: 'A quota was agreed on: per client, per tenant, or for a dependency that bills by the request.',
  failsWhen: 'It stands in for a concurrency limit: when the server gets slower, the rate stays and the queue grows.',
  cost: 'O(1)',
  sources: ['golang/time: rate/rate.go', 'Turner: New Directions in Communications (1986), where the leaky bucket comes from'],
  aliases: [
    { system: 'Go', name: 'rate.Limiter' },
    { system: 'Guava', name: 'SmoothBursty' },
    { system: 'Envoy', name: 'local_ratelimit' },
  ],
  params: {
    rate: number({
      default: 100,
      min: 0,
      exclusiveMin: true,
      about: 'Tokens per second.',
      official: 'Go Limit, Envoy tokens_per_fill / fill_interval',
    }),
    burst: int({ default: 100, min: 1, about: 'Tokens that the bucket holds at most.', official: 'Go burst, Envoy max_tokens' }),
  },
  create: ({ rate, burst }) => new TokenBucket(rate, burst),
});

/** Tokens in a bucket that held `tokens` before `elapsedMs`. */
export const refilled = (tokens: number, elapsedMs: Ms, ratePerSecond: number, burst: number): number =>
  Math.min(burst, tokens + (Math.max(0, elapsedMs) * ratePerSecond) / 1000);

class TokenBucket implements Admission {
  readonly #rate: number;
  readonly #burst: number;
  readonly #enough: number;
  #tokens: number;
  #sinceMs = 0;

  constructor(ratePerSecond: number, burst: number) {
    this.#rate = ratePerSecond;
    this.#burst = burst;
    this.#enough = 1 - ratePerSecond * A_NANOSECOND_IN_SECONDS;
    this.#tokens = burst;
  }

  admit(request: AdmissionRequest): boolean {
    const tokens = refilled(this.#tokens, request.nowMs - this.#sinceMs, this.#rate, this.#burst);
    if (tokens < this.#enough) return false;
    this.#tokens = tokens - 1;
    this.#sinceMs = request.nowMs;
    return true;
  }

  onEnd(): void {}

  limit(): number {
    return Infinity;
  }
}

const A_NANOSECOND_IN_SECONDS = 1e-9;
