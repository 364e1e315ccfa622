/** A list in a file that somebody else writes: read when it changes, after the time a change needs to arrive, and anyway once per
 *  refresh interval.
 *
 *  Use it where a deployment tool or an agent on the host already distributes files: the client then needs no network to know its
 *  members, and an outage of the control plane leaves it with the last file. It fails by being as old as whatever writes the file;
 *  without change notifications, a refresh interval is added to that.
 *
 *  Prometheus watches its files and re-reads them every five minutes in case a notification was lost; Envoy reads when a file is
 *  moved into place, and only then. */
import { boolean, duration } from '../../core/params.ts';
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

export const fileDiscovery = defineDiscoveryClient({
  name: 'file',
  summary: 'Reads its list from a file: on change, and once per refresh interval.',
  useWhen: 'Files are distributed already, and discovery must survive an outage of the control plane.',
  failsWhen: 'Whatever writes the file is slow or stops: nothing tells the reader.',
  cost: 'one read per change and per refresh interval',
  sources: [
    'prometheus/prometheus: discovery/file/file.go',
    'envoyproxy/envoy: api/envoy/config/core/v3/config_source.proto, path_config_source',
  ],
  aliases: [
    { system: 'Prometheus', name: 'file_sd_configs' },
    { system: 'Envoy', name: 'path_config_source' },
  ],
  params: {
    refreshInterval: duration({
      default: 300_000,
      min: 1,
      about: 'The file is read this often although nothing said that it changed.',
      official: 'Prometheus refresh_interval',
    }),
    watch: boolean({ default: true, about: 'Whether the file is also read when the host says that it changed.' }),
    delay: duration({ default: 1000, min: 0, about: 'Time from a change at the source until the file here has changed.' }),
    emptyUpdates,
  },
  create: (params, deps) => new FileDiscovery(params, deps),
});

interface FileParams {
  readonly refreshInterval: Ms;
  readonly watch: boolean;
  readonly delay: Ms;
  readonly emptyUpdates: 'keep' | 'apply';
}

class FileDiscovery implements DiscoveryClient {
  readonly #params: FileParams;
  readonly #view: KeptView;
  readonly #requester: Requester;
  #startedAtMs: Ms = 0;
  #rounds = 0;
  #changeArrivesMs: Ms = Infinity;

  constructor(params: FileParams, deps: DiscoveryDeps) {
    this.#params = params;
    this.#view = new KeptView(deps, params.emptyUpdates);
    this.#requester = new Requester(deps.host);
  }

  start(nowMs: Ms): void {
    this.#startedAtMs = nowMs;
    this.#rounds = 1;
    this.#view.start(nowMs);
    this.#read(nowMs);
  }

  onSourceChanged(nowMs: Ms): void {
    // Several changes on the way arrive with the first.
    if (this.#params.watch && this.#changeArrivesMs === Infinity) this.#changeArrivesMs = nowMs + this.#params.delay;
  }

  onFetched(id: number, answer: SourceView | SourceFailure, nowMs: Ms): void {
    if (!this.#requester.settle(id)) return;
    if (typeof answer === 'string') this.#view.fail();
    else this.#view.accept(answer, nowMs);
  }

  nextTimerMs(): Ms {
    return Math.min(this.#refreshMs(), this.#changeArrivesMs);
  }

  onTimer(nowMs: Ms): void {
    if (nowMs < this.nextTimerMs()) return;
    if (nowMs >= this.#changeArrivesMs) this.#changeArrivesMs = Infinity;
    while (this.#refreshMs() <= nowMs) this.#rounds++;
    this.#read(nowMs);
  }

  ageMs(nowMs: Ms): Ms {
    return this.#view.ageMs(nowMs);
  }

  isStale(): boolean {
    return this.#view.isStale;
  }

  #refreshMs(): Ms {
    return this.#rounds === 0 ? Infinity : this.#startedAtMs + this.#rounds * this.#params.refreshInterval;
  }

  #read(nowMs: Ms): void {
    // A read that is still going on after all this time has failed.
    if (this.#requester.isWaiting) this.#view.fail();
    this.#requester.ask(0, 0, Infinity, nowMs);
  }
}
