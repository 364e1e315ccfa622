/** Envoy's circuit breaker: a limit on what is in use, here requests. It does not judge results at all.
 *
 *  It bounds what a slow callee can tie up, from the first moment on, and needs no probing: room comes back as requests end. It fails to
 *  notice a callee that fails fast, which never fills the limit; Envoy has outlier detection for that.
 *
 *  Envoy limits four resources per cluster and priority. Connections and pending requests are the connection pool's and retries the retry
 *  budget's; an attempt is a request. */
import { invariant } from '../../../core/errors.ts';
import { int } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { type Breaker, type BreakerState, breakerStates, defineBreaker, NO_PERMIT } from './breaker.ts';

/** What Envoy allows by default, per cluster and priority. */
export const envoyThresholds = { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024, maxRetries: 3 } as const;

export const envoy = defineBreaker({
  name: 'envoy',
  summary: 'Turns attempts away while as many as the limit are in flight, whatever their results.',
  useWhen: 'A slow callee must not tie up the caller.',
  failsWhen: 'The callee fails fast: few requests are ever in flight, and all of them fail.',
  cost: 'O(1)',
  sources: [
    'envoyproxy/envoy: source/common/upstream/resource_manager_impl.h',
    'envoyproxy/envoy: api/envoy/config/cluster/v3/circuit_breaker.proto',
  ],
  aliases: [{ system: 'Envoy', name: 'circuit_breakers' }],
  params: {
    maxRequests: int({
      default: envoyThresholds.maxRequests,
      min: 0,
      about: 'Attempts in flight, at most.',
      official: 'Envoy circuit_breakers thresholds max_requests',
    }),
  },
  create: (params) => new EnvoyBreaker(params.maxRequests),
});

/** Whether one more may be taken of a resource. */
export const envoyHasRoom = (inUse: number, max: number): boolean => inUse < max;

class EnvoyBreaker implements Breaker {
  readonly #maxRequests: number;
  #inUse = 0;

  constructor(maxRequests: number) {
    this.#maxRequests = maxRequests;
  }

  acquire(): number {
    if (!envoyHasRoom(this.#inUse, this.#maxRequests)) return NO_PERMIT;
    this.#inUse++;
    return 0;
  }

  settle(): void {
    invariant(this.#inUse > 0, 'a permit of the envoy breaker was settled twice');
    this.#inUse--;
  }

  release(): void {
    this.settle();
  }

  state(): BreakerState {
    return envoyHasRoom(this.#inUse, this.#maxRequests) ? breakerStates.closed : breakerStates.open;
  }

  retryAtMs(): Ms {
    return Infinity;
  }
}
