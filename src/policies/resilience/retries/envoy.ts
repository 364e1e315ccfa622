/** Envoy's retry back-off: a whole number of milliseconds below min(base · 2^(n−1), max), all equally likely.
 *
 *  Full jitter by another name, with short intervals: it is meant for one more try at another host, not for riding out an outage.
 *  It fails there: at the default maximum of 250 ms a client is back four times a second.
 *
 *  Envoy takes a random 64-bit number modulo the bound; `below(bound)` is that without its bias, which is less than one in
 *  10^16. Intervals are whole milliseconds there, so fractions are cut off. Its documentation gives (2^n − 1) · base as the
 *  bound; the code doubles. */
import { duration } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { geometricMs } from './parts/growth.ts';
import { defineRetry } from './retry.ts';

/** A day: random bounds are 32-bit integers. */
const longest: Ms = 86_400_000;

export const envoyRetry = defineRetry({
  name: 'envoy',
  summary: 'Waits a random number of milliseconds below 25 ms, a bound that doubles up to 250 ms.',
  useWhen: 'A proxy tries another host: soon, but not in step with its neighbours.',
  failsWhen: 'An outage outlasts a second or so: the waits stay short and only a budget holds the load down.',
  cost: 'O(retries so far), one draw',
  sources: [
    'envoyproxy/envoy: source/common/common/backoff_strategy.cc, JitteredExponentialBackOffStrategy',
    'envoyproxy/envoy: api/envoy/config/route/v3/route_components.proto, RetryPolicy',
  ],
  aliases: [
    { system: 'Envoy', name: 'retry_back_off' },
    { system: 'Istio', name: 'HTTPRetry' },
  ],
  defaults: { retries: 1 },
  params: {
    baseInterval: duration({
      default: 25,
      min: 1,
      max: longest,
      about: 'Bound of the first wait.',
      official: 'Envoy retry_back_off.base_interval',
    }),
    maxInterval: duration({
      default: 250,
      min: 1,
      max: longest,
      about: 'No bound is higher.',
      official: 'Envoy retry_back_off.max_interval, there 10 · base_interval',
    }),
  },
  backoff: ({ baseInterval, maxInterval }, { rng }) => ({
    delayMs: (retry) => rng.below(envoyBoundMs(retry, baseInterval, maxInterval)),
  }),
});

/** What the wait before retry n stays below, in whole milliseconds. */
export const envoyBoundMs = (retry: number, baseIntervalMs: Ms, maxIntervalMs: Ms): Ms =>
  geometricMs(Math.floor(baseIntervalMs), 2, retry - 1, Math.floor(maxIntervalMs));

/** The wait that Envoy derives from one a server asked for (`rate_limited_retry_back_off`): as long, and up to half as much
 *  again. `minMs` is at least 2. */
export function envoyLowerBoundMs(minMs: Ms, rng: Rng): Ms {
  const wholeMs = Math.floor(minMs);
  return wholeMs + rng.below(Math.floor(wholeMs / 2));
}
