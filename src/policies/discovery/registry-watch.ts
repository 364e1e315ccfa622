/** Asking the registry for anything newer than what is known, and letting it hold the answer until there is.
 *
 *  Use it where changes must arrive within a round trip and polling would cost too much. It fails by crowds: a change wakes every
 *  client at once, and all of them ask again at once. Every watcher is a request that the registry has to hold.
 *
 *  The rules are those of Consul's blocking queries: an index to compare, a wait that the server caps and lengthens by up to a
 *  sixteenth, an index that starts over when it goes backwards. After failures in a row the client waits 5 s times their square, up to
 *  3 minutes, and asks for everything. A source that forgot the index (etcd calls its history compacted) is asked for everything at
 *  once. */
import { duration } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import {
  defineDiscoveryClient,
  type DiscoveryDeps,
  emptyUpdates,
  type SourceFailure,
  type SourceView,
} from './discovery-client.ts';
import { AskingClient } from './parts/asking-client.ts';
import { WAIT_JITTER_SHARE } from '../shared/blocking-queries.ts';

export const registryWatchDiscovery = defineDiscoveryClient({
  name: 'registry-watch',
  summary: 'Keeps a query open at the registry, which answers as soon as something changes.',
  useWhen: 'Changes must arrive at once, and the registry can hold one open query per client.',
  failsWhen: 'Very many clients watch one service: each change makes all of them ask at the same moment.',
  cost: 'one query per change and per wait',
  sources: [
    'hashicorp/consul: agent/blockingquery/blockingquery.go and api/watch/plan.go; documentation, Blocking Queries',
    'etcd-io/etcd: server/storage/mvcc/watchable_store.go, on compaction',
  ],
  aliases: [
    { system: 'Consul', name: 'blocking-query' },
    { system: 'etcd', name: 'watch' },
  ],
  params: {
    wait: duration({ default: 300_000, min: 1, about: 'How long the registry may hold a query.', official: 'Consul wait' }),
    retryInterval: duration({
      default: 5000,
      min: 1,
      about: 'After the n-th failure in a row the wait is n² of these.',
      official: 'Consul retryInterval',
    }),
    maxBackoffTime: duration({ default: 180_000, min: 1, about: 'No such wait is longer.', official: 'Consul maxBackoffTime' }),
    answerTimeout: duration({
      default: 10_000,
      min: 1,
      about: 'A query has failed when there is no answer this long after the registry should have given one.',
    }),
    emptyUpdates,
  },
  create: (params, deps) => new RegistryWatchDiscovery(params, deps),
});

/** The index to ask with, after `previous` was known and `returned` came back: 0, which asks for everything, if the index went
 *  backwards, and never less than 1 otherwise, because a query with index 0 is answered at once and again and again. */
export function nextIndex(previous: number, returned: number): number {
  if (returned < 1) return 1;
  return returned < previous ? 0 : returned;
}

/** The wait after the n-th failure in a row. */
export const watchRetryMs = (failures: number, retryIntervalMs: Ms, maxBackoffMs: Ms): Ms =>
  Math.min(retryIntervalMs * failures * failures, maxBackoffMs);

interface RegistryWatchParams {
  readonly wait: Ms;
  readonly retryInterval: Ms;
  readonly maxBackoffTime: Ms;
  readonly answerTimeout: Ms;
  readonly emptyUpdates: 'keep' | 'apply';
}

class RegistryWatchDiscovery extends AskingClient {
  readonly #params: RegistryWatchParams;
  #index = 0;
  #failures = 0;

  constructor(params: RegistryWatchParams, deps: DiscoveryDeps) {
    super(deps, params.emptyUpdates);
    this.#params = params;
  }

  onFetched(id: number, answer: SourceView | SourceFailure, nowMs: Ms): void {
    if (!this.requester.settle(id)) return;
    if (answer === 'compacted' && this.#index > 0) {
      this.#index = 0;
      this.view.fail();
      this.ask(nowMs);
    } else if (typeof answer === 'string') this.fail(nowMs);
    else {
      this.#failures = 0;
      this.#index = nextIndex(this.#index, answer.index);
      this.view.accept(answer, nowMs);
      this.ask(nowMs);
    }
  }

  protected fail(nowMs: Ms): void {
    this.#failures++;
    this.#index = 0;
    this.view.fail();
    this.askAtMs = nowMs + watchRetryMs(this.#failures, this.#params.retryInterval, this.#params.maxBackoffTime);
  }

  protected ask(nowMs: Ms): void {
    const { wait, answerTimeout } = this.#params;
    this.askAtMs = Infinity;
    // With index 0 the registry does not wait.
    const heldMs = this.#index === 0 ? 0 : wait * (1 + WAIT_JITTER_SHARE);
    this.requester.ask(this.#index, wait, heldMs + answerTimeout, nowMs);
  }
}
