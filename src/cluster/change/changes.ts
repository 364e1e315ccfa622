/** All that is rolled out in one world: what shall be and when, who decides, what becomes of it, and what it did to requests. Made only where
 *  something is. */
import type { Streams } from '../../core/streams.ts';
import { priorities } from '../../engine/index.ts';
import type { RolloutAction } from '../../policies/rollout/strategies/rollout.ts';
import type { PolicyMakers } from '../../scenario/makers.ts';
import type { ChangeSpec, Scenario, VersionSpec } from '../../scenario/spec.ts';
import { type ChangeResult, changesKept, type HostVersion, type PhaseChange, type RolloutKind } from '../../stats/result.ts';
import type { Client } from '../client.ts';
import type { Fleet } from '../fleet.ts';
import type { Errands } from '../orchestration/errands.ts';
import type { Orchestrator } from '../orchestration/orchestrator.ts';
import type { RequestTable } from '../request-table.ts';
import type { Servers } from '../servers.ts';
import { changeNumbers, type DeliveryNumbers } from './change-metrics.ts';
import type { ClientSplits } from './client-splits.ts';
import { ConfigChange } from './config-change.ts';
import { configHosts } from './config-hosts.ts';
import { Configuration } from './configuration.ts';
import { Controllers } from './controllers.ts';
import { Exposure, type Measured } from './exposure.ts';
import { isChanged } from './is-changed.ts';
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

export class Changes {
  private readonly parts: ChangesParts;
  private readonly controllers: Controllers;
  private readonly link: StoreLink;
  /** By service. */
  private readonly releases: readonly (Release | undefined)[];
  private readonly configs: readonly (ConfigChange | undefined)[];
  private readonly measured: readonly Measured[];
  /** On the path of requests. */
  readonly exposure: Exposure;
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
    const { services } = scenario;
    this.releases = services.map((_, service) => (isChanged(scenario, service, 'release') ? this.release(service) : undefined));
    this.configs = services.map((_, service) => (isChanged(scenario, service, 'config') ? this.config(service) : undefined));
    const byService = services.map((_, service) => [this.releases[service], this.configs[service]].filter(isThere));
    this.measured = byService.flat();
    this.exposure = new Exposure(
      {
        ...{ clock: errands, requests: parts.requests, clients: parts.clients },
        copyTo: this.releases.map((release) => release && (() => release.copyTo())),
      },
      byService,
      this.releases.map((release) => release?.track),
    );
    this.controllers = new Controllers({
      ...{ errands, streams, link: this.link, delivery: delivery!, makeElector: makers.cluster.election },
      subjects: [...this.releases, ...this.configs].filter(isThere),
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
      this.measured.flatMap(({ record }) => record.runs),
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
    const configs = this.configs.filter(isThere);
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
    const subjects = this.measured;
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
      ...{
        service,
        errands,
        track,
        first: versions[0],
        hosts: configHosts(service, { ...this.parts, isUp: (instance) => servers.isUp(instance) }),
      },
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
    for (const { track } of this.measured) track.scrape(this.parts.errands.nowMs);
  }

  private note(host: string, kind: RolloutKind, version: string): void {
    if (this.hosts.length < changesKept) this.hosts.push({ atMs: this.parts.errands.nowMs, host, kind, version });
  }

  private versionOf(service: number, name: string): VersionSpec | undefined {
    return this.parts.scenario.services[service].versions?.find((version) => version.name === name);
  }
}

const isThere = <Change>(change: Change | undefined): change is Change => change !== undefined;
