/** DNS as Java programs see it: looked up when a connection is to be made and the cache has nothing fresh, with times to live that
 *  the virtual machine sets and the records do not.
 *
 *  This is what a Java client does unless told otherwise. It fails when the cache is set to keep answers for ever, as it was under a
 *  security manager: an address that moved is called until the process restarts. Names that did not exist for a moment are missed for
 *  the negative time to live.
 *
 *  An answer is fresh until exactly its time to live after it came. A look-up that fails leaves the old answer in use and is tried
 *  again at the next demand after the negative time to live. */
import { boolean, duration } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import {
  defineDiscoveryClient,
  type DiscoveryDeps,
  emptyUpdates,
  type SourceFailure,
  type SourceView,
} from './discovery-client.ts';
import { AskingClient } from './parts/asking-client.ts';

export const dnsJvmDiscovery = defineDiscoveryClient({
  name: 'dns-jvm',
  summary: 'Looks its name up on demand and keeps the answer for a fixed time, or for ever.',
  useWhen: 'Reproducing clients on the Java virtual machine, or what caching for ever costs.',
  failsWhen: 'Addresses move: records’ times to live are ignored, and with caching for ever so is every change.',
  cost: 'one look-up per time to live, when there is demand',
  sources: ['OpenJDK: java.net.InetAddress, InetAddressCachePolicy; networking properties networkaddress.cache.ttl'],
  aliases: [{ system: 'Java', name: 'InetAddress' }],
  params: {
    cacheTtl: duration({
      default: 30_000,
      min: 0,
      about: 'How long an answer is kept.',
      official: 'Java networkaddress.cache.ttl',
    }),
    cacheForever: boolean({
      default: false,
      about: 'Whether the first answer with members is the last look-up.',
      official: 'Java networkaddress.cache.ttl = -1',
    }),
    negativeTtl: duration({
      default: 10_000,
      min: 0,
      about: 'How long it is remembered that there was no answer, or nobody in it.',
      official: 'Java networkaddress.cache.negative.ttl',
    }),
    queryTimeout: duration({ default: 5000, min: 1, about: 'A look-up without an answer has failed after this.' }),
    emptyUpdates,
  },
  create: (params, deps) => new DnsJvmDiscovery(params, deps),
});

interface DnsJvmParams {
  readonly cacheTtl: Ms;
  readonly cacheForever: boolean;
  readonly negativeTtl: Ms;
  readonly queryTimeout: Ms;
  readonly emptyUpdates: 'keep' | 'apply';
}

class DnsJvmDiscovery extends AskingClient {
  readonly #params: DnsJvmParams;
  #freshUntilMs: Ms = -Infinity;

  constructor(params: DnsJvmParams, deps: DiscoveryDeps) {
    super(deps, params.emptyUpdates);
    this.#params = params;
  }

  resolveNow(nowMs: Ms): void {
    if (nowMs < this.#freshUntilMs || this.requester.isWaiting) return;
    this.ask(nowMs);
  }

  onFetched(id: number, answer: SourceView | SourceFailure, nowMs: Ms): void {
    if (!this.requester.settle(id)) return;
    if (typeof answer === 'string') {
      this.fail(nowMs);
      return;
    }
    const { cacheForever, cacheTtl, negativeTtl } = this.#params;
    const ttlMs = answer.members.length === 0 ? negativeTtl : cacheForever ? Infinity : cacheTtl;
    this.#freshUntilMs = nowMs + ttlMs;
    this.view.accept(answer, nowMs);
  }

  protected ask(nowMs: Ms): void {
    this.requester.ask(0, 0, this.#params.queryTimeout, nowMs);
  }

  protected fail(nowMs: Ms): void {
    this.#freshUntilMs = nowMs + this.#params.negativeTtl;
    this.view.fail();
  }
}
