/** What runs the cluster: keeps as many instances of each service as there should be, finds nodes for them, tells clients of those who come
 *  and go, gives up what is lost. Made only where instances come and go. The policies decide; here is what they are shown, and what
 *  becomes of their decisions. */
import type { Streams } from '../../core/streams.ts';
import type { Ms } from '../../core/time.ts';
import type { PodView } from '../../policies/placement/scheduler.ts';
import { type Budget, DisruptionBudget } from '../../policies/recovery/eviction/disruption-budget.ts';
import { isAvailable } from '../../policies/rollout/strategies/parts/deployment-progress.ts';
import type { GroupStatus } from '../../policies/rollout/strategies/rollout.ts';
import type { PolicyMakers } from '../../scenario/makers.ts';
import type { BudgetSpec, Scenario } from '../../scenario/spec.ts';
import type { AlarmChange, ElasticResult, SizeRecommendation } from '../../stats/result.ts';
import { isChanged } from '../change/is-changed.ts';
import type { Client } from '../client.ts';
import type { Discovery } from '../discovery.ts';
import type { Fleet } from '../fleet.ts';
import type { Servers } from '../servers.ts';
import { AlarmWatch } from './alarm-watch.ts';
import { Elasticity } from './elasticity.ts';
import { EndpointNews } from './endpoint-news.ts';
import type { Errands } from './errands.ts';
import { DirectMeter, MetricsPipeline } from './metrics-pipeline.ts';
import { NodeScaling } from './node-scaling.ts';
import { NodeWatch } from './node-watch.ts';
import { Nodes } from './nodes.ts';
import { Placing } from './placing.ts';
import { NO_NODE, Pods, podStates } from './pods.ts';
import { Sizing } from './sizing.ts';
import { type ReplicaGroup, ReplicaGroups } from './replica-groups.ts';
import { Scaling } from './scaling.ts';
import type { ServiceMeters } from './service-meters.ts';

const noAlarms = { 'alarm.time': NaN, 'alarm.missed': NaN, 'alarm.false': NaN };
/** An eviction that a disruption budget forbids is tried again so often. */
const EVICTION_RETRY_MS = 5000;

export interface OrchestratorParts {
  readonly errands: Errands;
  readonly fleet: Fleet;
  readonly servers: Servers;
  readonly meters: ServiceMeters;
  readonly scenario: Omit<Scenario, 'variants'>;
  readonly makers: PolicyMakers;
  readonly streams: Streams;
  readonly clients: readonly Client[];
  readonly discovery: Discovery | undefined;
  queueDepths(): Readonly<Record<string, number>>;
  /** A client's view has changed. */
  viewChanged(client: Client): void;
  /** A process is put into a place that was empty, or that was there at first. */
  placed(instance: number, group: string, version: string): void;
  /** Instances of the service have come, gone, become ready or ceased to be, or other numbers are wanted. */
  replicasChanged(service: number): void;
}

export class Orchestrator {
  readonly pipeline: MetricsPipeline;
  private readonly parts: OrchestratorParts;
  private readonly fleet: Fleet;
  private readonly errands: Errands;
  private readonly pods: Pods;
  private readonly news: EndpointNews;
  private readonly elasticity: Elasticity;
  /** By service; empty where instances are there for ever. */
  private readonly scalings: readonly (Scaling | undefined)[];
  private readonly budgets: readonly (DisruptionBudget | undefined)[];
  private readonly nodes: Nodes | undefined;
  private readonly placing: Placing | undefined;
  private readonly watch: NodeWatch | undefined;
  private readonly alarms: AlarmWatch | undefined;
  private readonly sizing: Sizing;
  private outages: number;
  /** By instance: whether it counts as ready; whether its node keeps it down. */
  private readonly isServing: Uint8Array;
  private readonly isHeldByNode: Uint8Array;
  /** Nodes that are being emptied: what to say of them when they have gone. */
  private readonly retiring = new Map<number, string>();
  /** By service: instances taken over from before the beginning. */
  private readonly begun: Int32Array;
  /** While the cluster is set up as if it had been running. */
  private isBeginning: boolean;

  constructor(parts: OrchestratorParts) {
    const { errands, fleet, servers, meters, scenario, makers, streams, clients } = parts;
    const { services, run } = scenario;
    this.parts = parts;
    this.fleet = fleet;
    this.errands = errands;
    this.outages = 0;
    this.isBeginning = true;
    this.isServing = Uint8Array.from(fleet.ids, (_, instance) => (fleet.exists(instance) ? 1 : 0));
    this.isHeldByNode = new Uint8Array(fleet.count);
    this.begun = new Int32Array(services.length);
    const clock = {
      get time(): Ms {
        return errands.nowMs;
      },
    };
    const isElastic = services.map((_, service) => makers.services[service].replicas !== undefined);
    this.elasticity = new Elasticity(clock, services, isElastic, meters, run.warmupMs);
    this.news = new EndpointNews(fleet, errands, clients, streams, parts.viewChanged);
    this.budgets = services.map(({ elastic }) => elastic.budget && new DisruptionBudget(budgetOf(elastic.budget)));
    this.pods = new Pods(fleet, servers, errands, streams, {
      untilPulled: (instance, pullMs) => this.untilPulled(instance, pullMs),
      ready: (instance) => this.readiness(instance, true),
      unready: (instance) => this.readiness(instance, false),
      leaves: (instance) => this.leaves(instance),
      gone: (instance, node, lost) => this.gone(instance, node, lost),
    });
    if (scenario.nodes.length > 0) {
      const windows = Math.ceil(run.durationMs / run.windowMs);
      this.nodes = new Nodes(scenario.nodes, fleet, errands, streams, windows, {
        joined: (node) => this.nodeJoined(node),
        left: (node) => this.nodeLeft(node),
        failed: (node) => this.nodeFailed(node),
        recovered: (node) => this.nodeRecovered(node),
        announced: (node) => void this.retire(node, Infinity, 'interrupted'),
      });
      const { scheduler, nodeDetector, eviction, nodeAutoscaler } = makers.cluster;
      this.placing = new Placing(errands, fleet, this.nodes, this.pods, scheduler!({ rng: streams.stream('scheduler') }), {
        isRunning: () => this.isRunning(),
        bind: (instance, node) => this.bind(instance, node),
        preempt: (instance) => this.evict(instance),
        budgetViolations: (instances) => this.budgetViolations(instances),
      });
      this.watch = new NodeWatch(
        errands,
        this.nodes,
        streams,
        { detector: nodeDetector!, eviction: eviction! },
        {
          isRunning: () => this.isRunning(),
          believed: (node, isAlive) => this.nodeBelieved(node, isAlive),
          tainted: () => this.placing?.happened('node-taints'),
          evict: (instance) => this.giveUp(instance),
        },
      );
      if (nodeAutoscaler !== undefined) this.scaleNodes(this.nodes, nodeAutoscaler);
    }
    this.scalings = services.map((_, service) => (isElastic[service] ? this.scalingOf(service) : undefined));
    this.pipeline = new MetricsPipeline({
      ...{ errands, fleet, servers, meters, streams, pods: this.pods, spec: scenario.pipeline },
      queueDepths: () => parts.queueDepths(),
    });
    const sized = services.flatMap((spec, service) => {
      const recommender = makers.services[service].vertical?.({});
      return recommender === undefined ? [] : [{ service, spec, recommender }];
    });
    this.sizing = new Sizing(sized, this.pipeline);
    const { watch, evaluateMs } = scenario.pipeline;
    const watched = services.map(({ name }, service) => ({ name, alarm: makers.services[service].alarm?.({}) }));
    if (watched.some(({ alarm }) => alarm !== undefined)) {
      this.alarms = new AlarmWatch({
        ...{ errands, services: watched, everyMs: evaluateMs, warmupMs: run.warmupMs },
        read: (service) => this.pipeline.metric(service, watch)?.value ?? NaN,
      });
    }
  }

  /** The cluster has been running before the first moment; once everything is in place. */
  start(): void {
    this.nodes?.start();
    this.scalings.forEach((scaling, service) => {
      if (scaling === undefined) return;
      scaling.groups.begin(scaling.desired);
      this.budgets[service]?.setWanted(scaling.desired);
    });
    this.isBeginning = false;
    for (const scaling of this.scalings) for (const group of scaling?.groups.all ?? []) group.wake();
    this.placing?.run();
  }

  /** Whether any service's requests may be held until there is an instance. */
  holdsRequests(): boolean[] {
    return this.scalings.map((scaling) => scaling?.autoscaler?.holdsRequests === true);
  }

  isManaged(instance: number): boolean {
    return this.scalings[this.fleet.service[instance]] !== undefined;
  }

  wentDown(instance: number): void {
    if (!this.isManaged(instance)) return;
    this.serves(instance, false);
    // A node that is lost cannot say so.
    if (this.pods.state[instance] === podStates.leaving || this.isHeldByNode[instance] === 0) this.pods.wentDown(instance);
  }

  cameUp(instance: number): void {
    if (!this.isManaged(instance)) return;
    this.groupOf(instance)?.controller.onRestarted(this.indexOf(instance), this.errands.nowMs);
    this.pods.cameUp(instance);
  }

  drained(instance: number): void {
    this.pods.drained(instance);
  }

  /** Nothing is decided, and no node is heard, until as many outages are over. */
  setControlPlane(isReachable: boolean): void {
    const wasRunning = this.isRunning();
    this.outages += isReachable ? -1 : 1;
    if (this.isRunning() === wasRunning) return;
    this.watch?.setRunning(this.isRunning());
    this.placing?.run();
  }

  failNode(node: number, begins: boolean): void {
    this.nodes?.fail(node, begins);
  }

  /** Number of a node by group and place. */
  nodeNumber(group: number, place: number): number {
    return this.nodes === undefined ? -1 : this.nodes.base[group] + place;
  }

  markWarmup(): void {
    this.elasticity.markWarmup();
    this.nodes?.markWarmup();
  }

  closeWindow(): void {
    this.elasticity.closeWindow();
    this.nodes?.closeWindow();
  }

  metrics(durationMs: Ms): Record<string, number> {
    const { waitedMs, placed } = this.pods;
    return {
      ...this.elasticity.metrics(durationMs, this.nodes?.costSinceWarmup() ?? NaN),
      'scaling.pending': placed > 0 ? waitedMs / placed : NaN,
      ...(this.alarms?.metrics() ?? noAlarms),
    };
  }

  serviceMetrics(service: number, durationMs: Ms): Record<string, number> | undefined {
    return this.elasticity.serviceMetrics(service, durationMs);
  }

  /** null where instances are there for ever. */
  results(durationMs: Ms): ElasticResult | null {
    if (this.scalings.every((scaling) => scaling === undefined)) return null;
    return {
      services: this.elasticity.results(durationMs),
      changes: this.elasticity.changes,
      nodes: this.nodes?.results() ?? [],
    };
  }

  sizes(): SizeRecommendation[] {
    return this.sizing.results();
  }

  get alarmChanges(): readonly AlarmChange[] {
    return this.alarms?.changes ?? [];
  }

  /** Some fault of the scenario begins, or ends. */
  fault(begins: boolean): void {
    this.alarms?.fault(begins);
  }

  /** Renewals of nodes' leases sent so far. */
  get leases(): number {
    return this.watch?.sent ?? 0;
  }

  private isRunning(): boolean {
    return this.outages === 0;
  }

  private scalingOf(service: number): Scaling {
    const { errands, meters, scenario, makers, streams } = this.parts;
    const { name, instances, initial = instances.length } = scenario.services[service];
    const { replicas, autoscaler } = makers.services[service];
    const made = autoscaler?.({
      rng: streams.stream(`autoscaler/${name}`),
      epochMs: scenario.run.epochMs,
      specReplicas: initial,
      readyReplicas: initial,
    });
    const { versions = [] } = scenario.services[service];
    const isRolledOut = isChanged(scenario, service, 'release');
    const groups = new ReplicaGroups(errands, name, versions[0]?.name ?? '', isRolledOut, instances.length, {
      make: (host) => replicas!({ host }),
      create: (group, nowMs) => this.create(service, group, nowMs),
      remove: (index) => this.pods.terminate(this.fleet.base[service] + index),
      wantedChanged: () => this.parts.replicasChanged(service),
    });
    const meter = made?.sampleEveryMs === undefined ? undefined : new DirectMeter(errands, meters, service);
    return new Scaling(errands, name, groups, made, initial, meter, {
      isRunning: () => this.isRunning(),
      observe: (directly) => this.pipeline.observe(service, this.counts(service), directly),
      scaled: (from, to, reason) => {
        this.elasticity.wanted(service, from, to, reason);
        this.budgets[service]?.setWanted(to);
      },
    });
  }

  /** The node autoscaler asks and acts by itself. */
  private scaleNodes(nodes: Nodes, make: NonNullable<PolicyMakers['cluster']['nodeAutoscaler']>): void {
    const { errands, fleet, streams } = this.parts;
    void new NodeScaling(errands, fleet, nodes, streams, make, {
      isRunning: () => this.isRunning(),
      isAlive: (node) => this.watch!.believesAlive(node),
      podView: (instance): PodView => this.placing!.podView(instance),
      pending: () => this.placing!.pending(),
      mayEvict: (instances) => this.budgetViolations(instances) === 0,
      retire: (node, graceMs, failed) => this.retire(node, graceMs, 'removed', failed),
    });
  }

  /** One more of the group is wanted. */
  private create(service: number, group: ReplicaGroup, nowMs: Ms): void {
    const instance = !this.isRunning() ? -1 : this.isBeginning ? this.begin(service) : this.pods.create(service);
    if (instance === -1) {
      group.controller.onCreateFailed(nowMs);
      return;
    }
    this.scalings[service]!.groups.take(this.indexOf(instance), group);
    this.parts.placed(instance, group.name, group.version);
    if (!this.isBeginning) this.elasticity.present(service, 1);
    group.controller.onCreated(this.indexOf(instance), NO_NODE, nowMs);
    if (this.isBeginning) this.wasReady(instance);
    else this.place(instance);
    this.parts.replicasChanged(service);
  }

  /** The instances of the service by group, as the control plane sees them. */
  groups(service: number, minReadyMs: Ms): readonly GroupStatus[] {
    const { groups } = this.scalings[service]!;
    const { state, readyChangedMs } = this.pods;
    const counts = new Map(groups.all.map((group) => [group, { created: 0, ready: 0, available: 0 }]));
    for (let instance = this.fleet.base[service]; instance < this.fleet.base[service + 1]; instance++) {
      if (state[instance] === podStates.empty) continue;
      const count = counts.get(groups.of(this.indexOf(instance)))!;
      count.created++;
      if (state[instance] !== podStates.ready) continue;
      count.ready++;
      if (isAvailable(readyChangedMs[instance], minReadyMs, this.errands.nowMs)) count.available++;
    }
    return groups.all.map((group) => ({ group: group.name, version: group.version, spec: group.spec, ...counts.get(group)! }));
  }

  scaleGroup(service: number, name: string, version: string, replicas: number): void {
    this.scalings[service]!.groups.scale(name, version, replicas);
  }

  /** How many instances of the service are wanted in all. */
  wanted(service: number): number {
    return this.scalings[service]?.desired ?? this.fleet.base[service + 1] - this.fleet.base[service];
  }

  groupOf(instance: number): ReplicaGroup | undefined {
    return this.scalings[this.fleet.service[instance]]?.groups.of(this.indexOf(instance));
  }

  isReady(instance: number): boolean {
    return this.isManaged(instance) ? this.pods.state[instance] === podStates.ready : this.parts.servers.isUp(instance);
  }

  private counts(service: number): { specReplicas: number; statusReplicas: number; readyReplicas: number } {
    const { fleet, pods } = this;
    let statusReplicas = 0;
    let readyReplicas = 0;
    for (let instance = fleet.base[service]; instance < fleet.base[service + 1]; instance++) {
      const state = pods.state[instance];
      if (state !== podStates.empty && state !== podStates.leaving) statusReplicas++;
      if (state === podStates.ready) readyReplicas++;
    }
    return { specReplicas: this.scalings[service]!.desired, statusReplicas, readyReplicas };
  }

  // The beginning: instances are taken in order, and have run on their nodes for long.

  private begin(service: number): number {
    const { instances, initial = instances.length } = this.fleet.services[service];
    return this.begun[service] < initial ? this.fleet.base[service] + this.begun[service]++ : -1;
  }

  private wasReady(instance: number): void {
    const service = this.fleet.service[instance];
    const { controller } = this.groupOf(instance)!;
    const index = this.indexOf(instance);
    const node = this.placing === undefined ? NO_NODE : this.placing.first(instance);
    if (node !== NO_NODE || this.placing === undefined) {
      this.pods.wasThere(instance, node);
      if (node !== NO_NODE) this.settle(instance, node);
      controller.onReady(index, true, 0);
      this.budgets[service]?.setHealth(instance, true);
      return;
    }
    // There is no room for it: it waits for a place, like any other.
    this.parts.servers.remove(instance);
    this.pods.waits(instance);
    this.news.tell(instance, false);
    this.serves(instance, false);
    this.placing.add(instance);
  }

  private indexOf(instance: number): number {
    return instance - this.fleet.base[this.fleet.service[instance]];
  }

  // Places.

  private place(instance: number): void {
    if (this.placing === undefined) this.pods.bind(instance, NO_NODE);
    else this.placing.add(instance);
  }

  private bind(instance: number, node: number): void {
    this.settle(instance, node);
    this.pods.bind(instance, node);
    // Nobody knows yet that the node is lost.
    if (!this.nodes!.isUp(node)) this.hold(instance);
  }

  /** Its node is down, and it with it. */
  private hold(instance: number): void {
    this.isHeldByNode[instance] = 1;
    this.parts.servers.crash(instance);
  }

  /** The instance is where its node is. */
  private settle(instance: number, node: number): void {
    const { fleet, nodes, watch } = this;
    const service = fleet.service[instance];
    const { elastic, instances } = fleet.services[service];
    fleet.zone[instance] = nodes!.zone[node];
    fleet.baseSpeed[instance] = instances[this.indexOf(instance)].speed * nodes!.view(node).speed;
    this.groupOf(instance)?.controller.onPlaced(this.indexOf(instance), node, this.errands.nowMs);
    watch!.placed(instance, node, elastic.staysMs);
    if (!this.isBeginning) return;
    this.parts.servers.applySpeed(instance);
    nodes!.untilPulled(service, node, () => 0);
  }

  private untilPulled(instance: number, pullMs: () => Ms): Ms {
    const node = this.pods.node[instance];
    return node === NO_NODE ? pullMs() : this.nodes!.untilPulled(this.fleet.service[instance], node, pullMs);
  }

  // Readiness and the end.

  private readiness(instance: number, isReady: boolean): void {
    this.serves(instance, isReady);
    if (isReady) this.parts.discovery?.cameUp(instance);
    this.heard(instance, isReady);
  }

  private serves(instance: number, isServing: boolean): void {
    if ((this.isServing[instance] === 1) === isServing) return;
    this.isServing[instance] = isServing ? 1 : 0;
    this.elasticity.ready(this.fleet.service[instance], isServing ? 1 : -1);
  }

  /** The control plane hears whether it is ready. */
  private heard(instance: number, isReady: boolean): void {
    const service = this.fleet.service[instance];
    this.news.tell(instance, isReady);
    this.budgets[service]?.setHealth(instance, isReady);
    this.groupOf(instance)?.controller.onReady(this.indexOf(instance), isReady, this.errands.nowMs);
    this.parts.replicasChanged(service);
  }

  private leaves(instance: number): void {
    this.serves(instance, false);
    this.placing?.drop(instance);
    this.news.tell(instance, false);
    // Who is lost says good-bye to nobody.
    if (this.parts.servers.isUp(instance)) this.parts.discovery?.leaves(instance);
  }

  private gone(instance: number, node: number, lost: number): void {
    const service = this.fleet.service[instance];
    this.elasticity.present(service, -1);
    this.elasticity.took(service, lost);
    this.budgets[service]?.onGone(instance);
    if (node !== NO_NODE && this.nodes !== undefined) {
      this.nodes.take(instance, node, this.fleet.services[service]);
      this.watch?.gone(instance);
    }
    if (this.isHeldByNode[instance] === 1) {
      this.isHeldByNode[instance] = 0;
      this.parts.servers.release(instance);
    }
    this.replaced(instance);
    if (node === NO_NODE) return;
    this.placing?.happened('pod-delete');
    this.emptied(node);
  }

  /** Told to go by somebody other than its controller, which replaces it. */
  private evict(instance: number): void {
    const isAlready = this.pods.state[instance] === podStates.leaving;
    this.pods.terminate(instance);
    if (!isAlready) this.replaced(instance);
  }

  /** Its controller counts it no longer. */
  private replaced(instance: number): void {
    const group = this.groupOf(instance);
    group?.controller.onGone(this.indexOf(instance), this.errands.nowMs);
    group?.wake();
    this.parts.replicasChanged(this.fleet.service[instance]);
  }

  /** Its node is believed lost: it is written off, whatever it does there. */
  private giveUp(instance: number): void {
    this.pods.drop(instance);
  }

  // Nodes.

  private nodeJoined(node: number): void {
    this.watch?.joined(node);
    if (!this.isBeginning) this.placing?.happened('node-add');
  }

  private nodeLeft(node: number): void {
    for (const instance of [...this.nodes!.pods[node]]) this.giveUp(instance);
    this.watch?.left(node);
    this.retiring.delete(node);
    this.placing?.happened('node-delete');
  }

  private nodeFailed(node: number): void {
    for (const instance of [...this.nodes!.pods[node]]) this.hold(instance);
  }

  private nodeRecovered(node: number): void {
    for (const instance of [...this.nodes!.pods[node]]) {
      this.isHeldByNode[instance] = 0;
      this.parts.servers.restart(instance);
    }
  }

  private nodeBelieved(node: number, isAlive: boolean): void {
    for (const instance of this.nodes!.pods[node]) {
      const state = this.pods.state[instance];
      if (state !== podStates.ready) continue;
      if (!isAlive) this.heard(instance, false);
      else if (this.parts.servers.isUp(instance)) this.heard(instance, true);
    }
    this.placing?.happened('node-taints');
  }

  private retire(node: number, graceMs: Ms, end: string, failed: () => void = () => undefined): void {
    const { nodes, errands } = this;
    if (nodes === undefined || this.retiring.has(node)) return;
    nodes.cordon(node, true);
    this.retiring.set(node, end);
    const joinedMs = nodes.joinedMs[node];
    const isSame = (): boolean => this.retiring.has(node) && nodes.joinedMs[node] === joinedMs;
    const untilMs = errands.nowMs + graceMs;
    const empty = (): void => {
      if (!isSame()) return;
      let isBlocked = false;
      for (const instance of [...nodes.pods[node]]) {
        if (this.pods.state[instance] === podStates.leaving) continue;
        // Who announces that a node goes does not ask.
        const may =
          end === 'interrupted' || this.budgets[this.fleet.service[instance]]?.tryDisrupt(instance, errands.nowMs) !== false;
        if (may) this.evict(instance);
        else isBlocked = true;
      }
      if (!isSame()) return;
      if (isBlocked && errands.nowMs >= untilMs) {
        this.retiring.delete(node);
        nodes.cordon(node, false);
        failed();
        this.placing?.happened('node-taints');
      } else if (isBlocked) errands.later(Math.min(EVICTION_RETRY_MS, untilMs - errands.nowMs), empty);
    };
    empty();
    this.emptied(node);
  }

  private emptied(node: number): void {
    const end = this.retiring.get(node);
    if (end === undefined || end === 'interrupted' || this.nodes!.pods[node].size > 0) return;
    this.retiring.delete(node);
    this.nodes!.remove(node, false, end);
  }

  private budgetViolations(instances: readonly number[]): number {
    const taken = new Map<number, number>();
    let violations = 0;
    for (const instance of instances) {
      const service = this.fleet.service[instance];
      const budget = this.budgets[service];
      if (budget === undefined) continue;
      const before = taken.get(service) ?? 0;
      if (before >= budget.status(this.errands.nowMs).disruptionsAllowed) violations++;
      taken.set(service, before + 1);
    }
    return violations;
  }
}

function budgetOf({ kind, amount, isShare }: BudgetSpec): Budget {
  const value = isShare ? { percent: amount * 100 } : { count: amount };
  return kind === 'minAvailable' ? { minAvailable: value } : { maxUnavailable: value };
}
