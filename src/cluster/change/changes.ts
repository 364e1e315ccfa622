/** All that is rolled out in one world: what shall be and when, who decides, what becomes of it, and what it did to requests. Made only where
 *  something is. */
import type { Ms } from '../../core/time.ts';
import type { Streams } from '../../core/streams.ts';
import { priorities } from '../../engine/index.ts';
import type { Outcome, Slot } from '../../policies/balancing/balancer.ts';
import type { RequestResult } from '../../policies/pipeline/results.ts';
import type { RolloutAction } from '../../policies/rollout/strategies/rollout.ts';
import type { PolicyMakers } from '../../scenario/makers.ts';
import type { Scenario, VersionSpec } from '../../scenario/spec.ts';
import { type ChangeResult, changesKept, type HostVersion, type PhaseChange, type RolloutKind } from '../../stats/result.ts';
import type { Client } from '../client.ts';
import type { Fleet } from '../fleet.ts';
import type { Errands } from '../orchestration/errands.ts';
import type { Orchestrator } from '../orchestration/orchestrator.ts';
import { ARRIVAL_MS, CLIENT, type RequestTable } from '../request-table.ts';
import type { Servers } from '../servers.ts';
import { changeNumbers } from './change-metrics.ts';
import type { ClientSplits } from './client-splits.ts';
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
    this.releases = scenario.services.map((_, service) => {
      if (!this.isChanged(service, 'release')) return undefined;
      const release = this.release(service);
      subjects[service].push({ record: release.record, track: release.track, exposed: new Uint16Array(ROWS_AT_FIRST) });
      return release;
    });
    this.controllers = new Controllers({
      ...{ errands, streams, link: this.link, delivery: delivery!, makeElector: makers.cluster.election },
      subjects: this.releases.filter((release) => release !== undefined),
      makeRollout: ({ service, kind }) => makers.services[service].rollout!({ unit: kind === 'release' ? 'replicas' : 'hosts' }),
    });
    const { scrapeMs } = scenario.pipeline;
    // Before anybody decides at the same instant.
    errands.every(scrapeMs, scrapeMs, () => this.scrape(), priorities.fault);
  }

  /** Once everything is in place. */
  start(): void {
    const { errands, scenario } = this.parts;
    this.parts.effects.start();
    for (const change of scenario.changes ?? []) {
      errands.later(change.atMs, () => {
        this.subjectOf(change.service, change.kind).record.ask(change, errands.nowMs);
        this.releases[change.service]?.lookSoon();
      });
    }
    this.controllers.start();
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
    if (version === undefined) return;
    effects.place(instance, version);
    const slot = instance - fleet.base[service];
    this.releases[service]?.track.setInstance(slot, group, versionName, errands.nowMs);
    for (const client of clients) if (client.spec.service === service) splits[client.number]?.setGroup(slot, group);
    this.note(fleet.ids[instance], 'release', versionName);
  }

  /** The process is gone, for good or until it is started again. */
  wentDown(instance: number, isGone: boolean): void {
    const { fleet, effects } = this.parts;
    effects.wentDown(instance);
    if (isGone && this.releases[fleet.service[instance]] !== undefined) this.note(fleet.ids[instance], 'release', '');
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

  setDistributors(_isReachable: boolean): void {}

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
      const ready = (name: string): number =>
        groups.reduce((sum, group) => sum + (group.version === name ? group.ready : 0), 0);
      release.track.closeWindow((scenario.services[service].versions ?? []).map(({ name }) => ready(name)));
    });
  }

  metrics(): Record<string, number> {
    const { controllers } = this;
    const isAlone = this.parts.scenario.delivery!.controllers === 1;
    return changeNumbers(
      this.all().flatMap(({ record }) => record.runs),
      {
        leaders: isAlone ? NaN : controllers.changesOfLeader,
        splitMs: isAlone ? NaN : controllers.splitMs,
        stale: isAlone ? NaN : controllers.stale,
        fenced: isAlone ? NaN : controllers.fenced,
        lagMs: NaN,
        lagMaxMs: NaN,
        skew: NaN,
        refused: NaN,
      },
    );
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
      router: strategy.routes === true
        ? new Router({ ...parts, changed: (client) => this.parts.wakeBalancer(client) }, { [versions[0].name]: 100 })
        : undefined,
      isMeasured: () => this.metricOutages === 0,
      changed: (subject) => this.controllers.changed(subject),
      phase: (action) => this.phase(service, 'release', release.record, action),
    });
    return release;
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
  ): void {
    const { errands, scenario } = this.parts;
    record.phase(phase, errands.nowMs);
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

  private subjectOf(service: number, _kind: RolloutKind): { readonly record: RolloutRecord } {
    return this.releases[service]!;
  }

  private versionOf(service: number, name: string): VersionSpec | undefined {
    return this.parts.scenario.services[service].versions?.find((version) => version.name === name);
  }

  private clientOf(request: number): Client {
    return this.parts.clients[this.parts.requests.ints[(request << 4) + CLIENT]];
  }
}

function enlarged(column: Uint16Array, size: number): Uint16Array {
  const larger = new Uint16Array(2 ** Math.ceil(Math.log2(size)));
  larger.set(column);
  return larger;
}
