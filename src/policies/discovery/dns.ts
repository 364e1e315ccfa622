/** DNS, asked again and again: every refresh interval, or whenever the answer's own time to live is over.
 *
 *  Use it where names are what there is. It fails by caching: an address taken away is used until the last cache on the way forgets
 *  it, resolvers add their caches to this one, and a name that vanishes by mistake is remembered as absent too. An answer lists
 *  addresses without saying who is healthy.
 *
 *  The rules are Envoy's for clusters of type STRICT_DNS: the next look-up is timed from the answer to the last, `respectDnsTtl` uses
 *  the answer's time to live unless that is 0, jitter is added on top, a failed look-up leaves the members as they are. A name that does
 *  not exist is an answer without members. */
import { boolean, duration } from '../../core/params.ts';
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

export const dnsDiscovery = defineDiscoveryClient({
  name: 'dns',
  summary: 'Looks its name up every refresh interval, or as often as the answer’s time to live says.',
  useWhen: 'Only names are there, and a few seconds of staleness are affordable.',
  failsWhen: 'Instances change faster than caches forget, or the name is answered by resolvers with caches of their own.',
  cost: 'one look-up per interval',
  sources: [
    'envoyproxy/envoy: source/extensions/clusters/strict_dns/strict_dns_cluster.cc',
    'RFC 1035 and RFC 2308, on times to live of answers and of their absence',
  ],
  aliases: [
    { system: 'Envoy', name: 'STRICT_DNS' },
    { system: 'HAProxy', name: 'resolvers' },
  ],
  params: {
    dnsRefreshRate: duration({
      default: 5000,
      min: 1,
      about: 'Time from an answer to the next look-up.',
      official: 'Envoy dns_refresh_rate',
    }),
    respectDnsTtl: boolean({
      default: false,
      about: 'Whether an answer’s time to live takes the place of the refresh rate.',
      official: 'Envoy respect_dns_ttl',
    }),
    dnsJitter: duration({ default: 0, min: 0, about: 'At most this is added to each interval.', official: 'Envoy dns_jitter' }),
    queryTimeout: duration({ default: 5000, min: 1, about: 'A look-up without an answer has failed after this.' }),
    emptyUpdates,
  },
  create: (params, deps) => new DnsDiscovery(params, deps),
});

/** Time until the next look-up. */
export const dnsRefreshMs = (answerTtlMs: Ms, respectsTtl: boolean, refreshRateMs: Ms): Ms =>
  respectsTtl && answerTtlMs > 0 && answerTtlMs < Infinity ? answerTtlMs : refreshRateMs;

interface DnsParams {
  readonly dnsRefreshRate: Ms;
  readonly respectDnsTtl: boolean;
  readonly dnsJitter: Ms;
  readonly queryTimeout: Ms;
  readonly emptyUpdates: 'keep' | 'apply';
}

class DnsDiscovery extends AskingClient {
  readonly #params: DnsParams;
  readonly #rng: Rng;

  constructor(params: DnsParams, deps: DiscoveryDeps) {
    super(deps, params.emptyUpdates);
    this.#params = params;
    this.#rng = deps.rng;
  }

  onFetched(id: number, answer: SourceView | SourceFailure, nowMs: Ms): void {
    if (!this.requester.settle(id)) return;
    if (typeof answer === 'string') this.fail(nowMs);
    else {
      this.#schedule(dnsRefreshMs(answer.ttlMs, this.#params.respectDnsTtl, this.#params.dnsRefreshRate), nowMs);
      this.view.accept(answer, nowMs);
    }
  }

  protected fail(nowMs: Ms): void {
    this.view.fail();
    this.#schedule(this.#params.dnsRefreshRate, nowMs);
  }

  #schedule(waitMs: Ms, nowMs: Ms): void {
    const { dnsJitter } = this.#params;
    this.askAtMs = nowMs + waitMs + (dnsJitter === 0 ? 0 : this.#rng.next() * dnsJitter);
  }

  protected ask(nowMs: Ms): void {
    this.askAtMs = Infinity;
    this.requester.ask(0, 0, this.#params.queryTimeout, nowMs);
  }
}
