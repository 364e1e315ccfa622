/** A fixed list: the members written into the client's configuration, for ever.
 *
 *  Use it where addresses do not change, and behind a virtual address. It fails when they do: a replaced instance is called until the
 *  client is deployed anew, and a new one never. It needs no source, so nothing can take it down either. */
import type { Ms } from '../../core/time.ts';
import { defineDiscoveryClient, type DiscoveryClient, type DiscoveryDeps } from './discovery-client.ts';
import { KeptView } from './parts/kept-view.ts';

export const staticDiscovery = defineDiscoveryClient({
  name: 'static',
  summary: 'Goes by the list in its configuration.',
  useWhen: 'Addresses never change, or as the yardstick that no source can take down.',
  failsWhen: 'Instances come, go or move: the list is as old as the last deployment.',
  cost: 'nothing after the start',
  sources: ['envoyproxy/envoy: api/envoy/config/cluster/v3/cluster.proto, STATIC'],
  aliases: [
    { system: 'Envoy', name: 'STATIC' },
    { system: 'Prometheus', name: 'static_configs' },
  ],
  params: {},
  create: (_, deps) => new StaticDiscovery(deps),
});

class StaticDiscovery implements DiscoveryClient {
  readonly #view: KeptView;
  #startedAtMs: Ms = 0;

  constructor(deps: DiscoveryDeps) {
    this.#view = new KeptView(deps, 'apply');
  }

  start(nowMs: Ms): void {
    this.#startedAtMs = nowMs;
    this.#view.start(nowMs);
  }

  onFetched(): void {}

  nextTimerMs(): Ms {
    return Infinity;
  }

  onTimer(): void {}

  ageMs(nowMs: Ms): Ms {
    return nowMs - this.#startedAtMs;
  }

  isStale(): boolean {
    return false;
  }
}
