/** A stream on which a control plane pushes every change; while it is down, the last good view holds.
 *
 *  Use it where a control plane knows all clients, as a service mesh does: changes arrive in one hop, and clients need no timers. It
 *  fails by silence: a client cannot tell a control plane that has no news from one that has stopped computing them, and everything that
 *  was pushed wrongly arrives everywhere at once.
 *
 *  The rules are Envoy's: a stream that breaks is opened again after a random wait below a bound that doubles from 500 ms to 30 s and
 *  starts over with the next answer. The new stream says which version the client has. */
import { duration } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import {
  defineDiscoveryClient,
  type DiscoveryDeps,
  emptyUpdates,
  type SourceFailure,
  type SourceView,
} from './discovery-client.ts';
import { AskingClient } from './parts/asking-client.ts';

export const xdsDiscovery = defineDiscoveryClient({
  name: 'xds',
  summary: 'Takes what a control plane pushes on a stream, and keeps the last good view while the stream is down.',
  useWhen: 'A control plane knows every client and changes must arrive at once.',
  failsWhen: 'The control plane hangs without closing streams, or pushes a mistake to everybody.',
  cost: 'one message per change',
  sources: [
    'envoyproxy/envoy: docs/root/api-docs/xds_protocol.rst',
    'envoyproxy/envoy: source/extensions/config_subscription/grpc/grpc_stream.h, on opening streams again',
  ],
  aliases: [
    { system: 'Envoy', name: 'EDS' },
    { system: 'Istio', name: 'ADS' },
  ],
  params: {
    retryInitialDelay: duration({
      default: 500,
      min: 1,
      about: 'Bound of the first random wait before a broken stream is opened again; each further bound is twice as high.',
      official: 'Envoy RetryInitialDelayMs',
    }),
    retryMaxDelay: duration({ default: 30_000, min: 1, about: 'No bound is higher.', official: 'Envoy RetryMaxDelayMs' }),
    emptyUpdates,
  },
  create: (params, deps) => new XdsDiscovery(params, deps),
});

/** Below which the n-th wait in a row lies. */
export function streamRetryBoundMs(failures: number, initialMs: Ms, maxMs: Ms): Ms {
  let ms = initialMs;
  for (let step = 1; step < failures && ms < maxMs; step++) ms *= 2;
  return Math.min(ms, maxMs);
}

interface XdsParams {
  readonly retryInitialDelay: Ms;
  readonly retryMaxDelay: Ms;
  readonly emptyUpdates: 'keep' | 'apply';
}

class XdsDiscovery extends AskingClient {
  readonly #params: XdsParams;
  readonly #rng: Rng;
  #index = 0;
  #failures = 0;

  constructor(params: XdsParams, deps: DiscoveryDeps) {
    super(deps, params.emptyUpdates);
    this.#params = params;
    this.#rng = deps.rng;
  }

  onFetched(id: number, answer: SourceView | SourceFailure, nowMs: Ms): void {
    if (!this.requester.isPending(id)) return;
    if (typeof answer === 'string') {
      this.requester.settle(id);
      this.fail(nowMs);
    } else {
      this.#failures = 0;
      this.#index = answer.index;
      this.view.accept(answer, nowMs);
    }
  }

  protected fail(nowMs: Ms): void {
    this.#failures++;
    this.view.fail();
    const { retryInitialDelay, retryMaxDelay } = this.#params;
    this.askAtMs = nowMs + this.#rng.next() * streamRetryBoundMs(this.#failures, retryInitialDelay, retryMaxDelay);
  }

  protected ask(nowMs: Ms): void {
    this.askAtMs = Infinity;
    this.requester.ask(this.#index, Infinity, Infinity, nowMs);
  }
}
