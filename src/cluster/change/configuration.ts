/** The configuration of one service on its way from the store to its hosts: decisions become revisions of one document, which goes down a tree
 *  of distributors to an agent on every host.
 *
 *  Before the first moment all hosts have the first version, and have heard so. What cannot be used is refused by the host, which keeps
 *  what it has. A host on a new machine runs the first version until it hears of another; one that restarts in place has what was on its
 *  disk, if its agent keeps it there. */
import { PolicyFault } from '../../core/errors.ts';
import type { Streams } from '../../core/streams.ts';
import type { Ms } from '../../core/time.ts';
import type { AgentDeps, ConfigAgent, ConfigUpdate } from '../../policies/rollout/propagation/config-agent.ts';
import type { HostStatus } from '../../policies/rollout/strategies/rollout.ts';
import { type CommitResult, VersionLog } from '../../policies/rollout/versions/version-log.ts';
import type { DeliverySpec, VersionSpec } from '../../scenario/spec.ts';
import type { Errands } from '../orchestration/errands.ts';
import { documentOf, DocumentReader, hostsIn, type VersionsByHost } from './config-document.ts';
import { ConfigHost } from './config-host.ts';
import { ConfigLag } from './config-lag.ts';
import { ConfigLink } from './config-link.ts';
import { ConfigTree } from './config-tree.ts';
import type { StoreLink } from './store-link.ts';

export interface HostPlace {
  /** Of each only one. */
  readonly host: string;
  /** What it shares its fate with. */
  readonly domain: string;
}

export interface ConfigurationParts {
  readonly errands: Errands;
  readonly streams: Streams;
  readonly store: Pick<StoreLink, 'store' | 'wake'>;
  readonly delivery: Pick<DeliverySpec, 'latency' | 'loss' | 'distributors' | 'pushesPerSecond' | 'ackTimeoutMs'>;
  /** Name of the service. */
  readonly service: string;
  /** The first one is there at first. */
  readonly versions: readonly VersionSpec[];
  /** Those there are at first. */
  readonly hosts: readonly HostPlace[];
  /** Called once per host and machine. */
  readonly makeAgent: (deps: AgentDeps) => ConfigAgent;
  /** The host uses this version from now on. Not called for the first version at the first moment. */
  applied(host: string, version: VersionSpec): void;
}

export class Configuration {
  /** All revisions of the document, with their differences. */
  readonly log: VersionLog;
  private readonly parts: ConfigurationParts;
  private readonly link: ConfigLink;
  private readonly tree: ConfigTree;
  /** By name, in order of their first coming. */
  private readonly hosts: Map<string, ConfigHost>;
  private readonly reader: DocumentReader;
  private readonly lag: ConfigLag;
  /** What the current revision says. */
  private decided: VersionsByHost;
  private refusals: number;
  /** Outages that hold. */
  private outages: number;

  constructor(parts: ConfigurationParts) {
    const { errands, streams, delivery, service } = parts;
    this.parts = parts;
    this.link = new ConfigLink(errands, streams, service, delivery);
    this.tree = new ConfigTree({
      ...{ errands, streams, link: this.link, name: service, delivery },
      sendToHost: (host, message) => this.hosts.get(host)!.send(message),
    });
    this.log = new VersionLog({
      store: parts.store.store,
      prefix: `config/${service}/`,
      check: (content) => this.problems(hostsIn(content)),
    });
    this.hosts = new Map(parts.hosts.map((place) => [place.host, this.makeHost(place)]));
    this.reader = new DocumentReader();
    this.lag = new ConfigLag();
    this.decided = new Map();
    this.refusals = 0;
    this.outages = 0;
  }

  /** To be called at the first moment. */
  start(): void {
    this.commit(new Map(), 'As it was at first');
    this.tree.start();
    for (const host of this.hosts.values()) host.start();
    this.link.begin();
    for (const host of this.hosts.values()) host.wake();
  }

  /** A decision that has reached the store: these hosts shall have this version. */
  push(version: string, hosts: readonly string[]): CommitResult {
    const news = new Set(hosts.filter((host) => this.decided.get(host) !== version));
    const decided = new Map([...this.decided, ...hosts.map((host) => [host, version] as const)]);
    const result = this.commit(decided, `${version} for ${hosts.length} ${hosts.length === 1 ? 'host' : 'hosts'}`);
    for (const name of news) {
      const host = this.hosts.get(name);
      if (host?.isGone === false) this.lag.decided(name, version, host.version.name, this.parts.errands.nowMs);
    }
    return result;
  }

  /** Those there are, in order of their first coming. */
  statuses(): readonly Omit<HostStatus, 'isHealthy'>[] {
    return [...this.hosts.values()].flatMap(({ name, domain, version, isGone }) =>
      isGone ? [] : [{ host: name, domain, version: version.name, told: this.decided.get(name) }],
    );
  }

  /** The version in force; of a host that is not there, the last one. */
  versionOf(host: string): VersionSpec {
    return this.hosts.get(host)?.version ?? this.first;
  }

  /** Outages may overlap: distributors work again when each that began has ended. */
  setDistributing(isDistributing: boolean): void {
    this.outages += isDistributing ? -1 : 1;
    const isWorking = this.outages === 0;
    this.link.setWorking(isWorking);
    if (isDistributing || this.outages > 1) return;
    this.tree.onOutage();
    for (const host of this.hosts.values()) host.onDisconnected();
  }

  /** Its process ends; it stays a host. */
  hostDown(name: string): void {
    this.hosts.get(name)?.end();
    this.tree.onDisconnected(name);
  }

  /** Its process starts again in place. */
  hostRestarted(name: string): void {
    const host = this.hosts.get(name)!;
    this.hostDown(name);
    host.isGone = false;
    host.restart();
    this.use(host, host.active === undefined ? this.first : this.versionIn(this.reader.read(host.active), name));
  }

  /** It is no host any more. */
  hostGone(name: string): void {
    this.hostDown(name);
    const host = this.hosts.get(name);
    if (host !== undefined) host.isGone = true;
    this.lag.gone(name);
  }

  /** A new machine, also one with a name that was there before. */
  hostCame(place: HostPlace): void {
    let host = this.hosts.get(place.host);
    if (host === undefined) {
      host = this.makeHost(place);
      this.hosts.set(place.host, host);
    } else {
      this.hostGone(place.host);
      host.replace();
      host.isGone = false;
      host.domain = place.domain;
      this.use(host, this.first);
    }
    host.start();
    host.wake();
  }

  /** Waits that ended, to be added up with those of other services. */
  get lags(): { readonly count: number; readonly sumMs: Ms } {
    return this.lag.ended;
  }

  /** The longest wait, those under way with their time so far; NaN if there was none. */
  get maxLagMs(): Ms {
    return this.lag.maxMs(this.parts.errands.nowMs);
  }

  /** Times that a host refused a version. The same version again counts when something else was taken in between. */
  get refused(): number {
    return this.refusals;
  }

  private get first(): VersionSpec {
    return this.parts.versions[0];
  }

  private makeHost({ host, domain }: HostPlace): ConfigHost {
    const { errands, streams, service, makeAgent } = this.parts;
    const made: ConfigHost = new ConfigHost(host, domain, this.first, {
      ...{ errands, streams, makeAgent, link: this.link, streamName: `config/${service}/${host}` },
      onMessage: (message) => this.tree.onMessage(host, message),
      apply: (update) => this.apply(made, update),
    });
    return made;
  }

  private commit(decided: VersionsByHost, message: string): CommitResult {
    const { errands, store, service } = this.parts;
    const base = this.log.head?.version ?? 0;
    const result = this.log.commit({ base, content: documentOf(decided), author: 'rollout', message }, errands.nowMs);
    store.wake();
    if (result.kind === 'refused')
      throw new PolicyFault('rollout', `the roll-out of ${service} pushed what is not there: ${result.problems.join('; ')}`);
    if (result.kind === 'committed') {
      this.decided = decided;
      this.tree.publish(this.log.update(result.entry.version)!);
    }
    return result;
  }

  private problems(hosts: VersionsByHost): readonly string[] {
    return [...hosts].flatMap(([host, version]) =>
      this.named(version) === undefined ? [`${host}: there is no version ${version}`] : [],
    );
  }

  private apply(host: ConfigHost, update: ConfigUpdate): string | undefined {
    const version = this.versionIn(this.reader.read(update), host.name);
    if (version.isMalformed && version !== host.version) return this.refuse(host, version.name);
    host.refused = undefined;
    this.use(host, version);
    return undefined;
  }

  private refuse(host: ConfigHost, version: string): string {
    if (host.refused !== version) this.refusals++;
    host.refused = version;
    this.lag.refused(host.name, version);
    return `${version} cannot be used`;
  }

  private use(host: ConfigHost, version: VersionSpec): void {
    if (host.version === version) return;
    host.version = version;
    this.lag.applied(host.name, version.name, this.parts.errands.nowMs);
    this.parts.applied(host.name, version);
  }

  private versionIn(hosts: VersionsByHost, host: string): VersionSpec {
    const name = hosts.get(host);
    return (name === undefined ? undefined : this.named(name)) ?? this.first;
  }

  private named(name: string): VersionSpec | undefined {
    return this.parts.versions.find((version) => version.name === name);
  }
}
