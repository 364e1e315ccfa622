/** Fetching the registry's list every interval, into a cache from which the balancer takes it at intervals of its own.
 *
 *  Use it where a registry serves many clients cheaply: answers can be cached anywhere. It fails by adding up: the registry's response
 *  cache, the fetch interval and the refresh of the balancer's list each may hold an address that is gone, 90 seconds with Eureka's
 *  defaults, on top of the time until the registry itself notices.
 *
 *  The rules are Eureka's. The next fetch is timed from the end of the last. A fetch that outlasts the whole interval doubles the wait up
 *  to a bound, whereas one that fails in time does not. The first answer is used at once. */
import { duration, int } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import {
  defineDiscoveryClient,
  type DiscoveryClient,
  type DiscoveryDeps,
  emptyUpdates,
  type SourceFailure,
  type SourceView,
} from './discovery-client.ts';
import { KeptView } from './parts/kept-view.ts';
import { Requester } from './parts/requester.ts';

export const registryPollDiscovery = defineDiscoveryClient({
  name: 'registry-poll',
  summary: 'Fetches the registry’s list every interval and refreshes the balancer’s list from that cache.',
  useWhen: 'A registry serves many clients, and a minute of staleness is covered by retries.',
  failsWhen: 'Instances die often or deployments are quick: caches in a row add up to minutes.',
  cost: 'one fetch per interval',
  sources: [
    'Netflix/eureka: eureka-client/src/main/java/com/netflix/discovery/DiscoveryClient.java and TimedSupervisorTask.java',
    'Netflix/ribbon: ribbon-loadbalancer/src/main/java/com/netflix/loadbalancer/PollingServerListUpdater.java',
  ],
  aliases: [{ system: 'Netflix', name: 'Eureka' }],
  params: {
    registryFetchInterval: duration({
      default: 30_000,
      min: 1,
      about: 'Time from one fetch to the next.',
      official: 'Eureka registryFetchIntervalSeconds',
    }),
    serverListRefreshInterval: duration({
      default: 30_000,
      min: 0,
      about: 'How often the balancer’s list is taken from the fetched one; 0: with every fetch.',
      official: 'Ribbon ServerListRefreshInterval',
    }),
    readTimeout: duration({
      default: 8000,
      min: 1,
      about: 'A fetch without an answer has failed after this.',
      official: 'Eureka eurekaServerReadTimeoutSeconds',
    }),
    exponentialBackOffBound: int({
      default: 10,
      min: 1,
      about: 'The wait grows up to this many fetch intervals while fetches outlast theirs.',
      official: 'Eureka cacheRefreshExecutorExponentialBackOffBound',
    }),
    emptyUpdates,
  },
  create: (params, deps) => new RegistryPollDiscovery(params, deps),
});

interface RegistryPollParams {
  readonly registryFetchInterval: Ms;
  readonly serverListRefreshInterval: Ms;
  readonly readTimeout: Ms;
  readonly exponentialBackOffBound: number;
  readonly emptyUpdates: 'keep' | 'apply';
}

class RegistryPollDiscovery implements DiscoveryClient {
  readonly #params: RegistryPollParams;
  readonly #view: KeptView;
  readonly #requester: Requester;
  readonly #timeoutMs: Ms;
  #waitMs: Ms;
  #fetchAtMs: Ms = Infinity;
  #startedAtMs: Ms = 0;
  #refreshes = 0;
  #isFirst = true;
  /** What was fetched and not shown yet. */
  #fetched: SourceView | undefined;
  #fetchedAtMs: Ms = 0;
  #hasFailed = false;

  constructor(params: RegistryPollParams, deps: DiscoveryDeps) {
    this.#params = params;
    this.#view = new KeptView(deps, params.emptyUpdates);
    this.#requester = new Requester(deps.host);
    this.#timeoutMs = Math.min(params.readTimeout, params.registryFetchInterval);
    this.#waitMs = params.registryFetchInterval;
  }

  start(nowMs: Ms): void {
    this.#startedAtMs = nowMs;
    this.#refreshes = 1;
    this.#view.start(nowMs);
    this.#fetch(nowMs);
  }

  onFetched(id: number, answer: SourceView | SourceFailure, nowMs: Ms): void {
    if (!this.#requester.settle(id)) return;
    this.#scheduleFetch(this.#params.registryFetchInterval, nowMs);
    if (typeof answer === 'string') {
      this.#fail();
      return;
    }
    this.#hasFailed = false;
    this.#fetched = answer;
    this.#fetchedAtMs = nowMs;
    if (this.#isFirst || this.#params.serverListRefreshInterval === 0) this.#refresh(nowMs);
  }

  nextTimerMs(): Ms {
    const refreshMs = this.#fetched === undefined ? Infinity : this.#refreshMs();
    return Math.min(this.#fetchAtMs, this.#requester.deadlineMs, refreshMs);
  }

  onTimer(nowMs: Ms): void {
    if (this.#requester.expire(nowMs)) {
      const { readTimeout, registryFetchInterval, exponentialBackOffBound } = this.#params;
      const isOverlong = readTimeout >= registryFetchInterval;
      const longestMs = registryFetchInterval * exponentialBackOffBound;
      this.#scheduleFetch(isOverlong ? Math.min(this.#waitMs * 2, longestMs) : registryFetchInterval, nowMs);
      this.#fail();
    }
    if (this.#refreshMs() <= nowMs) this.#refresh(nowMs);
    if (nowMs >= this.#fetchAtMs) this.#fetch(nowMs);
  }

  ageMs(nowMs: Ms): Ms {
    return this.#view.ageMs(nowMs);
  }

  isStale(): boolean {
    return this.#view.isStale;
  }

  #refreshMs(): Ms {
    const { serverListRefreshInterval } = this.#params;
    return serverListRefreshInterval === 0 ? Infinity : this.#startedAtMs + this.#refreshes * serverListRefreshInterval;
  }

  #refresh(nowMs: Ms): void {
    while (this.#refreshMs() <= nowMs) this.#refreshes++;
    const fetched = this.#fetched;
    if (fetched === undefined) return;
    this.#isFirst = false;
    this.#fetched = undefined;
    this.#view.accept({ ...fetched, ageMs: fetched.ageMs + nowMs - this.#fetchedAtMs }, nowMs);
    if (this.#hasFailed) this.#view.fail();
  }

  #fail(): void {
    this.#hasFailed = true;
    this.#view.fail();
  }

  #scheduleFetch(waitMs: Ms, nowMs: Ms): void {
    this.#waitMs = waitMs;
    this.#fetchAtMs = nowMs + waitMs;
  }

  #fetch(nowMs: Ms): void {
    this.#fetchAtMs = Infinity;
    this.#requester.ask(0, 0, this.#timeoutMs, nowMs);
  }
}
