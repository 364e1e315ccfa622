/** How clients learn who there is: instances register themselves at their service's registry and renew, clients ask it in their own way
 *  (watch, poll, names with a time to live, files, pushes) and keep what they were told. The registry can be out of reach; instances
 *  that crash are forgotten when their lease runs out. */
import type { Streams } from '../core/streams.ts';
import type { Ms } from '../core/time.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import { type Engine } from '../engine/index.ts';
import type { FetchRequest, SourceFailure, SourceView } from '../policies/discovery/discovery-client.ts';
import type { Registry } from '../policies/discovery/registries/registry.ts';
import type { PolicyMakers } from '../scenario/makers.ts';
import type { Client } from './client.ts';
import { controlTimers, eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { Network } from './network.ts';
import type { Servers } from './servers.ts';

/** A registry that does not hold questions until there is news is asked again this often by what stands before it: a control plane, a proxy
 *  of watches. */
const POLL_MS = 1000;

/** A question or an answer on its way, or a question that the registry holds. */
interface Query {
  readonly client: Client;
  readonly id: number;
  readonly request: FetchRequest;
  answer: SourceView | SourceFailure | undefined;
  isOpen: boolean;
  /** When it reached the registry first; NaN before that. */
  sinceMs: Ms;
}

export class Discovery {
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly network: Network;
  private readonly servers: Servers;
  private readonly clients: readonly Client[];
  /** By service; empty where nobody asks. */
  private readonly registries: readonly (Registry | undefined)[];
  private readonly registryTimerMs: Float64Array;
  /** By service: version of what was last told. */
  private readonly indices: Float64Array;
  /** By instance: when its renewal is due next. */
  private readonly phases: Float64Array;
  /** By instance: it has left, or is not there yet, and does not renew. */
  private readonly isOut: Uint8Array;
  private readonly queries: (Query | undefined)[];
  private readonly freeQueries: number[];
  private readonly rng: Xoshiro128;
  private readonly wake: (client: Client) => void;
  private isReachable: boolean;
  private isStarted: boolean;
  /** The question that a registry is being asked at this moment; −1 for none. */
  private beingAsked: number;

  constructor(
    engine: Engine,
    fleet: Fleet,
    network: Network,
    servers: Servers,
    clients: readonly Client[],
    makers: PolicyMakers,
    streams: Streams,
    wake: (client: Client) => void,
  ) {
    this.engine = engine;
    this.fleet = fleet;
    this.network = network;
    this.servers = servers;
    this.clients = clients;
    this.rng = streams.stream('discovery');
    this.wake = wake;
    this.isReachable = true;
    this.isStarted = false;
    this.beingAsked = -1;
    this.queries = [];
    this.freeQueries = [];
    const asked = new Set(clients.filter((client) => client.discovery !== undefined).map((client) => client.spec.service));
    this.registries = fleet.services.map(({ name }, service) => {
      if (!asked.has(service)) return undefined;
      return makers.services[service].registry?.({
        rng: streams.stream(`registry/${name}`),
        host: { answer: (query, view) => this.answered(query, view) },
      });
    });
    this.indices = new Float64Array(fleet.services.length);
    this.registryTimerMs = new Float64Array(fleet.services.length).fill(Infinity);
    const rng = streams.stream('discovery/phase');
    this.phases = Float64Array.from({ length: fleet.count }, () => rng.next());
    this.isOut = new Uint8Array(fleet.count);
    for (let instance = 0; instance < fleet.count; instance++) {
      const registry = this.registries[fleet.service[instance]];
      if (registry === undefined) continue;
      // The cluster has been running: everybody has registered and reported before the first moment looked at.
      if (fleet.exists(instance)) {
        registry.register(instance - fleet.base[fleet.service[instance]], 0);
        registry.renew(instance - fleet.base[fleet.service[instance]], 'passing', 0);
      } else this.isOut[instance] = 1;
      const everyMs = registry.renewEveryMs;
      if (everyMs < Infinity) {
        engine.at(this.phases[instance] * everyMs, eventKinds.controlTimer, instance, controlTimers.renewal);
      }
    }
    this.registries.forEach((_, service) => this.wakeRegistry(service));
  }

  /** Clients begin; once everything is in place. */
  start(): void {
    this.isStarted = true;
    for (const client of this.clients) {
      client.discovery?.start(0);
      this.wake(client);
    }
  }

  /** The registries, or what leads to them, go out of reach or come back. Questions under way and held are lost with them. */
  setReachable(isReachable: boolean): void {
    this.isReachable = isReachable;
    if (isReachable) return;
    this.queries.forEach((query, number) => {
      if (query === undefined || !query.isOpen) return;
      this.registries[query.client.spec.service]?.forget(number);
      query.isOpen = false;
      this.sendBack(number, 'unreachable');
    });
  }

  /** An instance is up: it registers. */
  cameUp(instance: number): void {
    const service = this.fleet.service[instance];
    this.isOut[instance] = 0;
    if (!this.isReachable || this.network.isMute(instance) || this.registries[service] === undefined) return;
    this.registries[service].register(instance - this.fleet.base[service], this.engine.time);
    this.wakeRegistry(service);
  }

  /** An instance is going, and says so, if it can. */
  leaves(instance: number): void {
    const service = this.fleet.service[instance];
    this.isOut[instance] = 1;
    if (!this.isReachable || this.network.isMute(instance) || this.registries[service] === undefined) return;
    this.registries[service].deregister(instance - this.fleet.base[service], this.engine.time);
    this.wakeRegistry(service);
  }

  /** An instance says that it is still there, if it can. */
  renew(instance: number): void {
    const service = this.fleet.service[instance];
    const registry = this.registries[service];
    if (registry === undefined) return;
    const { engine } = this;
    const everyMs = registry.renewEveryMs * this.fleet.clockRate[instance];
    engine.at(engine.time + everyMs, eventKinds.controlTimer, instance, controlTimers.renewal);
    if (this.isOut[instance] === 1 || !this.isReachable) return;
    if (!this.servers.beats(instance) || this.network.isMute(instance)) return;
    const number = instance - this.fleet.base[service];
    if (!registry.renew(number, 'passing', engine.time)) registry.register(number, engine.time);
    this.wakeRegistry(service);
  }

  registryTimer(service: number): void {
    if (this.engine.time < this.registryTimerMs[service]) return;
    this.registryTimerMs[service] = Infinity;
    this.registries[service]?.onTimer(this.engine.time);
    this.wakeRegistry(service);
  }

  /** A client asks. */
  fetch(client: Client, request: FetchRequest): void {
    const number = this.freeQueries.pop() ?? this.queries.length;
    this.queries[number] = { client, id: request.id, request, answer: undefined, isOpen: false, sinceMs: NaN };
    this.later(number, controlTimers.query);
  }

  /** The question reaches the registry. */
  asked(number: number): void {
    const query = this.queries[number];
    if (query === undefined) return;
    const registry = this.registries[query.client.spec.service];
    if (!this.isReachable || registry === undefined) {
      this.sendBack(number, 'unreachable');
      return;
    }
    query.isOpen = true;
    if (Number.isNaN(query.sinceMs)) query.sinceMs = this.engine.time;
    this.beingAsked = number;
    registry.query(number, query.request.index, query.request.waitMs, this.engine.time);
    this.beingAsked = -1;
    this.wakeRegistry(query.client.spec.service);
  }

  /** The answer reaches the client. A stream goes on. */
  told(number: number): void {
    const query = this.queries[number];
    if (query?.answer === undefined) return;
    const { client, id, answer, request } = query;
    query.answer = undefined;
    const isStream = request.waitMs === Infinity && typeof answer !== 'string';
    if (!isStream) {
      this.queries[number] = undefined;
      this.freeQueries.push(number);
    }
    client.discovery?.onFetched(id, answer, this.engine.time);
    this.wake(client);
    if (!isStream || this.queries[number] === undefined || typeof answer === 'string') return;
    // The stream waits for the next change.
    this.queries[number] = { ...query, request: { ...request, index: answer.index }, answer: undefined, sinceMs: NaN };
    this.asked(number);
  }

  /** The registry answers a question it may have held. */
  private answered(number: number, view: SourceView): void {
    const query = this.queries[number];
    if (query === undefined || !query.isOpen) return;
    query.isOpen = false;
    const { index, waitMs } = query.request;
    const isNews = index === 0 || view.index !== index || this.engine.time >= query.sinceMs + waitMs;
    // Answered at once although nothing is new: it does not hold questions.
    if (this.beingAsked === number && !isNews) {
      this.engine.at(this.engine.time + POLL_MS, eventKinds.controlTimer, number, controlTimers.query);
    } else this.sendBack(number, view);
  }

  private sendBack(number: number, answer: SourceView | SourceFailure): void {
    const query = this.queries[number];
    if (query === undefined) return;
    query.answer = answer;
    this.later(number, controlTimers.answer);
  }

  /** The registry stands in the client's zone. By an event even where it takes no time: clients ask in the middle of other things. */
  private later(number: number, purpose: number): void {
    const { zone } = this.queries[number]!.client;
    const delayMs: Ms = this.network.sample(zone, zone, this.rng);
    this.engine.at(this.engine.time + delayMs, eventKinds.controlTimer, number, purpose);
  }

  /** Files that are written anew with every change are seen to change. */
  private tellOfChange(service: number): void {
    const index = this.registries[service]?.index ?? 0;
    if (index === this.indices[service]) return;
    this.indices[service] = index;
    if (!this.isStarted) return;
    for (const client of this.clients) {
      if (client.spec.service !== service || client.discovery?.onSourceChanged === undefined) continue;
      client.discovery.onSourceChanged(this.engine.time);
      this.wake(client);
    }
  }

  private wakeRegistry(service: number): void {
    this.tellOfChange(service);
    const at = this.registries[service]?.nextTimerMs() ?? Infinity;
    if (at >= this.registryTimerMs[service]) return;
    this.registryTimerMs[service] = at;
    this.engine.at(Math.max(at, this.engine.time), eventKinds.controlTimer, service, controlTimers.registry);
  }
}
