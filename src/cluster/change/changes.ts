/** All that is rolled out in one world: what shall be and when, who decides, what becomes of it, and what it did to requests. Made only where
 *  something is. */
import type { Ms } from '../../core/time.ts';
import type { Streams } from '../../core/streams.ts';
import { priorities } from '../../engine/index.ts';
import type { Outcome, Slot } from '../../policies/balancing/balancer.ts';
import type { RequestResult } from '../../policies/pipeline/results.ts';
import type { RolloutAction } from '../../policies/rollout/strategies/rollout.ts';
import type { PolicyMakers } from '../../scenario/makers.ts';
import type { ChangeSpec, Scenario, VersionSpec } from '../../scenario/spec.ts';
import { type ChangeResult, changesKept, type HostVersion, type PhaseChange, type RolloutKind } from '../../stats/result.ts';
import type { Client } from '../client.ts';
import type { Fleet } from '../fleet.ts';
import type { Errands } from '../orchestration/errands.ts';
import type { Orchestrator } from '../orchestration/orchestrator.ts';
import { ARRIVAL_MS, CLIENT, type RequestTable } from '../request-table.ts';
import type { Servers } from '../servers.ts';
import { changeNumbers, type DeliveryNumbers } from './change-metrics.ts';
import type { ChangeSubject } from './change-subject.ts';
import type { ClientSplits } from './client-splits.ts';
import { ConfigChange, type ConfigHostOf } from './config-change.ts';
import { Configuration } from './configuration.ts';
import { Controllers } from './controllers.ts';
import { Release } from './release.ts';
import { RolloutRecord } from './rollout-record.ts';
import { Router } from './router.ts';
import { StoreLink } from './store-link.ts';
import type { VersionEffects } from './version-effects.ts';
import { VersionTrack } from './version-track.ts';

export interface ChangesParts {
  readonly errands: Errands;
  readonly fleet: Fleet;
  readonly servers: Servers;
  readonly requests: RequestTable;
  readonly scenario: Omit<Scenario, 'variants'>;
  readonly makers: PolicyMakers;
  readonly streams: Streams;
  readonly clients: readonly Client[];
  /** By client; absent where nothing is released to the service it calls. */
  readonly splits: readonly (ClientSplits | undefined)[];
  readonly effects: VersionEffects;
  /** Present where something is released. */
  readonly orchestrator: Orchestrator | undefined;
  /** A client's balancer may want to be woken at another time. */
  wakeBalancer(client: Client): void;
  /** The client works with this version's settings from now on. */
  configure(client: Client, version: VersionSpec): void;
}

/** Changes of one kind to one service. */
interface Subject {
  readonly record: RolloutRecord;
  readonly track: VersionTrack;
  /** By row of the request table: the roll-out whose version the last attempt met, from 1 on; 0 for none. */
  exposed: Uint16Array;
}

/** Roll-outs in which a request can be told to have met the new version. */
const ROWS_AT_FIRST = 256;

export class Changes {
  private readonly parts: ChangesParts;
  private readonly controllers: Controllers;
  private readonly link: StoreLink;
  /** By service. */
  private readonly releases: readonly (Release | undefined)[];
  private readonly configs: readonly (ConfigChange | undefined)[];
  private readonly subjects: readonly (readonly Subject[])[];
  private readonly phases: PhaseChange[];
  private readonly hosts: HostVersion[];
  private metricOutages: number;
  /** By fault that pauses whoever leads: who that was. */
  private readonly paused: number[];

  constructor(parts: ChangesParts) {
    const { errands, streams, scenario, makers } = parts;
    const { delivery } = scenario;
    this.parts = parts;
    this.phases = [];
    this.hosts = [];
    this.metricOutages = 0;
    this.paused = [];
    this.link = new StoreLink({ errands, streams, makeStore: makers.cluster.store!, latency: delivery!.latency });
    const subjects: Subject[][] = scenario.services.map(() => []);
    this.subjects = subjects;
    const made = <Change extends ChangeSubject & Pick<Subject, 'record' | 'track'>>(change: Change): Change => {
      const { record, track } = change;
      subjects[change.service].push({ record, track, exposed: new Uint16Array(ROWS_AT_FIRST) });
      return change;
    };
    this.releases = scenario.services.map((_, service) =>
      this.isChanged(service, 'release') ? made(this.release(service)) : undefined,
    );
    this.configs = scenario.services.map((_, service) =>
      this.isChanged(service, 'config') ? made(this.config(service)) : undefined,
    );
    this.controllers = new Controllers({
      ...{ errands, streams, link: this.link, delivery: delivery!, makeElector: makers.cluster.election },
      subjects: [...this.releases, ...this.configs].filter((change) => change !== undefined),
      makeRollout: ({ service, kind }) => makers.services[service].rollout!({ unit: kind === 'release' ? 'replicas' : 'hosts' }),
    });
    const { scrapeMs } = scenario.pipeline;
    // Before anybody decides at the same instant.
    errands.every(scrapeMs, scrapeMs, () => this.scrape(), priorities.fault);
    // Before faults of the same instant, so that a controller can be stopped just when it has decided.
    for (const change of scenario.changes!) errands.later(change.atMs, () => this.ask(change), priorities.fault);
  }

  /** Once everything is in place. */
  start(): void {
    this.parts.effects.start();
    for (const config of this.configs) config?.start();
    this.controllers.start();
  }

  private ask(change: ChangeSpec): void {
    const subject = (change.kind === 'release' ? this.releases : this.configs)[change.service]!;
    subject.record.ask(change, this.parts.errands.nowMs);
    subject.lookSoon();
  }

  // What requests meet.

  /** A request begins, in this row. */
  begun(request: number): void {
    const { service } = this.clientOf(request).spec;
    for (const subject of this.subjects[service]) {
      if (request >= subject.exposed.length) subject.exposed = enlarged(subject.exposed, request + 1);
      subject.exposed[request] = 0;
    }
  }

  /** An attempt of it goes to the instance in this slot. */
  sent(request: number, slot: Slot): void {
    const client = this.clientOf(request);
    for (const subject of this.subjects[client.spec.service]) {
      const version = subject.track.met(client.number, slot);
      subject.exposed[request] = version < 0 ? 0 : subject.record.exposing(version, this.parts.errands.nowMs);
    }
  }

  attemptEnded(client: Client, slot: Slot, outcome: Outcome, latencyMs: Ms): void {
    for (const { track } of this.subjects[client.spec.service]) track.attemptEnded(client.number, slot, outcome, latencyMs);
  }

  /** Which instance gets a copy of a request that is on its way now; -1 for none. */
  copyTo(service: number): number {
    return this.releases[service]?.copyTo() ?? -1;
  }

  copyEnded(client: Client, instance: number, outcome: Outcome, latencyMs: Ms): void {
    this.releases[client.spec.service]?.track.copyEnded(instance - client.base, outcome, latencyMs);
  }

  ended(request: number, result: RequestResult): void {
    const { requests, errands } = this.parts;
    const arrivalMs = requests.reals[(request << 3) + ARRIVAL_MS];
    const user = requests.calls.key[request];
    for (const { record, exposed } of this.subjects[this.clientOf(request).spec.service]) {
      record.requestEnded(result, arrivalMs, errands.nowMs, user, exposed[request]);
    }
  }

  // Instances.

  /** A process with this version is put into a place, or was there at first. */
  placed(instance: number, group: string, versionName: string): void {
    const { fleet, effects, errands, clients, splits } = this.parts;
    const service = fleet.service[instance];
    const version = this.versionOf(service, versionName);
    const release = this.releases[service];
    // Where nothing is released, every process has the first version.
    if (version === undefined || release === undefined) return;
    effects.place(instance, version);
    const slot = instance - fleet.base[service];
    release.track.setInstance(slot, group, versionName, errands.nowMs);
    for (const client of clients) if (client.spec.service === service) splits[client.number]?.setGroup(slot, group);
    this.note(fleet.ids[instance], 'release', versionName);
  }

  /** False if it fails to start, and so is up for nobody. */
  cameUp(instance: number): boolean {
    const { fleet, effects } = this.parts;
    this.configs[fleet.service[instance]]?.cameUp(fleet.ids[instance]);
    return effects.cameUp(instance);
  }

  /** The process is gone, for good or until it is started again. */
  wentDown(instance: number, isGone: boolean): void {
    const { fleet, effects } = this.parts;
    effects.wentDown(instance);
    const name = fleet.ids[instance];
    this.configs[fleet.service[instance]]?.wentDown(name, isGone);
    if (isGone && this.releases[fleet.service[instance]] !== undefined) this.note(name, 'release', '');
  }

  replicasChanged(service: number): void {
    this.releases[service]?.lookSoon();
  }

  // Faults.

  /** While as many outages hold, nothing is measured or seen. */
  setMetrics(isReachable: boolean): void {
    this.metricOutages += isReachable ? -1 : 1;
  }

  setStore(isReachable: boolean): void {
    this.link.setReachable(isReachable);
  }

  setDistributors(isReachable: boolean): void {
    for (const config of this.configs) config?.configuration.setDistributing(isReachable);
  }

  pauseController(controller: number | 'leader', begins: boolean): void {
    if (begins) {
      const number = this.controllers.pause(controller);
      if (controller === 'leader') this.paused.push(number);
    } else this.controllers.resume(controller === 'leader' ? (this.paused.shift() ?? -1) : controller);
  }

  /** Nobody decides. */
  setControlPlane(isReachable: boolean): void {
    for (let number = 0; number < this.parts.scenario.delivery!.controllers; number++) {
      if (isReachable) this.controllers.resume(number);
      else this.controllers.pause(number);
    }
  }

  // Results.

  closeWindow(): void {
    const { scenario, orchestrator } = this.parts;
    this.releases.forEach((release, service) => {
      if (release === undefined) return;
      const groups = orchestrator!.groups(service, 0);
      const ready = (name: string): number => groups.reduce((sum, group) => sum + (group.version === name ? group.ready : 0), 0);
      release.track.closeWindow((scenario.services[service].versions ?? []).map(({ name }) => ready(name)));
    });
    this.configs.forEach((config, service) => {
      const counts = config?.counts();
      config?.track.closeWindow((scenario.services[service].versions ?? []).map(({ name }) => counts?.get(name) ?? 0));
    });
  }

  metrics(): Record<string, number> {
    return changeNumbers(
      this.all().flatMap(({ record }) => record.runs),
      { ...this.controllerNumbers(), ...this.configNumbers() },
    );
  }

  private controllerNumbers(): Pick<DeliveryNumbers, 'leaders' | 'splitMs' | 'stale' | 'fenced'> {
    const { controllers } = this;
    if (this.parts.scenario.delivery!.controllers === 1) return { leaders: NaN, splitMs: NaN, stale: NaN, fenced: NaN };
    return {
      leaders: controllers.changesOfLeader,
      splitMs: controllers.splitMs,
      stale: controllers.stale,
      fenced: controllers.fenced,
    };
  }

  private configNumbers(): Pick<DeliveryNumbers, 'lagMs' | 'lagMaxMs' | 'skew' | 'refused'> {
    const configs = this.configs.filter((config) => config !== undefined);
    const lags = configs.map(({ configuration }) => configuration.lags);
    const count = lags.reduce((sum, lag) => sum + lag.count, 0);
    const longest = configs.map(({ configuration }) => configuration.maxLagMs).filter((lagMs) => !Number.isNaN(lagMs));
    return {
      lagMs: count > 0 ? lags.reduce((sum, { sumMs }) => sum + sumMs, 0) / count : NaN,
      lagMaxMs: longest.length > 0 ? Math.max(...longest) : NaN,
      skew: configs.reduce((sum, config) => sum + config.skew(), 0) / configs.length,
      refused: configs.length > 0 ? configs.reduce((sum, { configuration }) => sum + configuration.refused, 0) : NaN,
    };
  }

  result(): ChangeResult {
    const subjects = this.all();
    return {
      rollouts: subjects.flatMap(({ record }) => record.results()).toSorted((x, y) => x.startedMs - y.startedMs),
      phases: this.phases,
      traffic: subjects.map(({ track }) => track.result()),
      hosts: this.hosts,
      leaders: this.controllers.spans,
    };
  }

  // Making.

  private release(service: number): Release {
    const { errands, streams, scenario, makers, clients, splits, orchestrator } = this.parts;
    const spec = scenario.services[service];
    const versions = spec.versions!;
    const track = this.track(service, 'release');
    const strategy = makers.services[service].rollout!({ unit: 'replicas' });
    const routed = clients.flatMap((client) => {
      const own = client.spec.service === service ? splits[client.number] : undefined;
      return own === undefined ? [] : [{ client, splits: own }];
    });
    const parts = { errands, streams, service: spec, clients: routed };
    const release: Release = new Release({
      ...{ service, errands, orchestrator: orchestrator!, track, strategy },
      record: this.record(service, 'release', track, (version) =>
        orchestrator!.groups(service, 0).reduce((sum, group) => {
          return sum + (group.version === version ? group.created + group.spec : 0);
        }, 0),
      ),
      router:
        strategy.routes === true
          ? new Router({ ...parts, changed: (client) => this.parts.wakeBalancer(client) }, { [versions[0].name]: 100 })
          : undefined,
      isMeasured: () => this.metricOutages === 0,
      changed: (subject) => this.controllers.changed(subject),
      phase: (action, turn) => this.phase(service, 'release', release.record, action, turn),
      rng: streams.stream(`mirror/${spec.name}`),
      instances: Array.from({ length: spec.instances.length }, (_, slot) => this.parts.fleet.base[service] + slot),
    });
    return release;
  }

  private config(service: number): ConfigChange {
    const { errands, streams, scenario, makers, fleet, servers, effects } = this.parts;
    const { name, versions = [] } = scenario.services[service];
    const track = this.track(service, 'config');
    const config: ConfigChange = new ConfigChange({
      ...{ service, errands, track, first: versions[0], hosts: this.configHosts(service) },
      record: this.record(service, 'config', track, (version) => config.counts().get(version) ?? 0),
      configurationOf: (hosts, applied) =>
        new Configuration({
          ...{ errands, streams, store: this.link, delivery: scenario.delivery!, service: name, versions, hosts, applied },
          makeAgent: makers.cluster.propagation!,
        }),
      domainOf: ({ instance, client }) => fleet.zoneNames[client === undefined ? fleet.zone[instance] : client.zone],
      isUp: (instance) => servers.isUp(instance),
      isMeasured: () => this.metricOutages === 0,
      configure: (host, version) => {
        if (host.client === undefined) effects.configure(host.instance, version);
        else this.parts.configure(host.client, version);
      },
      noted: (host, version) => this.note(host, 'config', version),
      changed: (subject) => this.controllers.changed(subject),
      phase: (action, turn) => this.phase(service, 'config', config.record, action, turn),
    });
    return config;
  }

  /** Instances where a version that comes or goes does something to them, clients where one sets something for them; clients, too, if all that
   *  is rolled out does nothing. */
  private configHosts(service: number): ConfigHosts {
    const { scenario, fleet, servers, clients, makers } = this.parts;
    const told = (scenario.changes ?? []).flatMap((change) => {
      const version =
        change.service === service && change.kind === 'config' ? this.versionOf(service, change.version) : undefined;
      return version === undefined ? [] : [version];
    });
    const hosts: ConfigHosts = new Map();
    // What the first version does ends with the next one, where that takes its place.
    const { versions = [] } = scenario.services[service];
    const isReplaced = !this.isChanged(service, 'release');
    const isOfInstances = [...told, ...(isReplaced ? versions.slice(0, 1) : [])].some(({ effects }) => effects.length > 0);
    if (isOfInstances) {
      for (let instance = fleet.base[service]; instance < fleet.base[service + 1]; instance++) {
        const of = { instance, slot: instance - fleet.base[service] };
        hosts.set(fleet.ids[instance], { of, isThere: servers.isUp(instance) });
      }
    }
    if (isOfInstances && told.every((version) => version.clients === undefined)) return hosts;
    const numbers = new Map<string, number>();
    for (const client of clients) {
      const { name, queue } = client.spec;
      if (client.spec.service !== service || queue >= 0) continue;
      const number = numbers.get(name) ?? 0;
      numbers.set(name, number + 1);
      const isConfigurable = makers.edges[client.edge].versions !== undefined || !isOfInstances;
      if (isConfigurable) hosts.set(`${name}#${number}`, { of: { client }, isThere: true });
    }
    return hosts;
  }

  private track(service: number, kind: RolloutKind): VersionTrack {
    const { scenario, fleet, clients } = this.parts;
    const { name, versions = [] } = scenario.services[service];
    return new VersionTrack({
      ...{ service: name, kind, versions: versions.map((version) => version.name) },
      instances: fleet.base[service + 1] - fleet.base[service],
      clients: clients.length,
      delayMs: scenario.pipeline.delayMs,
    });
  }

  private record(service: number, kind: RolloutKind, track: VersionTrack, count: (version: string) => number): RolloutRecord {
    const { name, versions = [] } = this.parts.scenario.services[service];
    return new RolloutRecord({
      ...{ service: name, kind, versions, count },
      exposure: (isExposed) => (track.isExposed = isExposed),
    });
  }

  private phase(
    service: number,
    kind: RolloutKind,
    record: RolloutRecord,
    { phase, reason }: Extract<RolloutAction, { kind: 'phase' }>,
    turn: number | undefined,
  ): void {
    const { errands, scenario } = this.parts;
    record.phase(phase, errands.nowMs, turn);
    if (this.phases.length >= changesKept) return;
    this.phases.push({ atMs: errands.nowMs, service: scenario.services[service].name, kind, phase, reason });
  }

  private scrape(): void {
    if (this.metricOutages > 0) return;
    for (const { track } of this.all()) track.scrape(this.parts.errands.nowMs);
  }

  private note(host: string, kind: RolloutKind, version: string): void {
    if (this.hosts.length < changesKept) this.hosts.push({ atMs: this.parts.errands.nowMs, host, kind, version });
  }

  private isChanged(service: number, kind: RolloutKind): boolean {
    return this.parts.scenario.changes!.some((change) => change.service === service && change.kind === kind);
  }

  private all(): Subject[] {
    return this.subjects.flat();
  }

  private versionOf(service: number, name: string): VersionSpec | undefined {
    return this.parts.scenario.services[service].versions?.find((version) => version.name === name);
  }

  private clientOf(request: number): Client {
    return this.parts.clients[this.parts.requests.ints[(request << 4) + CLIENT]];
  }
}

type ConfigHosts = Map<string, { readonly of: ConfigHostOf; readonly isThere: boolean }>;

function enlarged(column: Uint16Array, size: number): Uint16Array {
  const larger = new Uint16Array(Math.max(size, 2 * column.length));
  larger.set(column);
  return larger;
}
