/** Builds the world of one scenario, variant and seed, runs it, and returns what came out. Wiring only: each part is a file of
 *  its own. The order in which parts are made is part of the determinism: equal times fire in insertion order. */
import { InvariantViolation } from '../core/errors.ts';
import { hashString } from '../core/hash.ts';
import { Streams } from '../core/streams.ts';
import { Engine, type EngineLimits, type EventHandler, priorities, TimerLanes } from '../engine/index.ts';
import { type Outcome, outcomes } from '../policies/balancing/balancer.ts';
import { doubts } from '../policies/balancing/endpoint-health.ts';
import { type RequestResult, results } from '../policies/pipeline/results.ts';
import type { PolicyMakers } from '../scenario/makers.ts';
import type { EdgeSpec, Scenario, VersionSpec } from '../scenario/spec.ts';
import type { CellResult } from '../stats/result.ts';
import { Calls } from './calls.ts';
import { Changes } from './change/changes.ts';
import { type ClientSplits, divided, splitsOf } from './change/client-splits.ts';
import { isChanged } from './change/is-changed.ts';
import { hasPartEffects, VersionEffects } from './change/version-effects.ts';
import { Checkers } from './checkers.ts';
import { CHECK, Checks } from './checks.ts';
import { Client, clientZones, TRAFFIC } from './client.ts';
import { ControlPlane } from './control-plane.ts';
import { DetectionQuality } from './detection-quality.ts';
import { Discovery } from './discovery.ts';
import { EdgeDraws } from './edge-draws.ts';
import { controlTimers, eventKinds, eventName } from './events.ts';
import { Explainer } from './explainer.ts';
import { Faults } from './faults.ts';
import { Fleet } from './fleet.ts';
import { Gossip } from './gossip.ts';
import { Gateway, type GatewayParts } from './gateway.ts';
import { InstanceSeries } from './instance-series.ts';
import { LoadMonitor } from './load-monitor.ts';
import { Messages } from './messages.ts';
import { needsCallTable, needsFullTable } from './needs.ts';
import { Network } from './network.ts';
import { NetworkFaults } from './network-faults.ts';
import { Activator } from './orchestration/activator.ts';
import { Errands } from './orchestration/errands.ts';
import { Orchestrator } from './orchestration/orchestrator.ts';
import { withPlaces } from './orchestration/places.ts';
import { ServiceMeters } from './orchestration/service-meters.ts';
import { Probes } from './probes.ts';
import { Recorder } from './recorder.ts';
import { ARRIVAL_MS, CLIENT, INDEX, INSTANCE, RequestTable, WORK_MS } from './request-table.ts';
import { Servers } from './servers.ts';
import { type SlowRequest, Slowest } from './slowest.ts';
import { summarize } from './summary.ts';
import { Tracer } from './tracer.ts';
import { TrafficSource } from './traffic.ts';
import { Transport } from './transport.ts';
import { Views } from './views.ts';

export interface WorldInput {
  readonly scenario: Omit<Scenario, 'variants'>;
  /** Index of the variant, for the result. */
  readonly variant: number;
  readonly seed: string;
  readonly makers: PolicyMakers;
  readonly limits?: EngineLimits;
  /** Decisions to record, from the end of warm-up on. */
  readonly explain?: number;
  /** Slowest requests to record spans of; runs the world a second time. */
  readonly waterfall?: number;
  /** Told the simulated time now and then. */
  onWindow?(simulatedMs: number): void;
}

export function simulate(input: WorldInput): CellResult {
  const world = new World(input, []);
  const result = runOut(world);
  const { slowest } = world;
  if (slowest.length === 0) return result;
  const { onWindow: _, ...again } = input;
  const traced = new World(again, slowest);
  const { digest } = runOut(traced);
  if (digest !== result.digest) throw new InvariantViolation(`a world run twice came out as ${result.digest} and as ${digest}`);
  return { ...result, waterfalls: traced.waterfalls() };
}

function runOut(world: World): CellResult {
  try {
    return world.run();
  } catch (error) {
    if (error instanceof InvariantViolation && error.evidence.length === 0) error.evidence = world.evidence();
    throw error;
  }
}

class World implements EventHandler {
  private readonly input: WorldInput;
  /** With places for instances that are yet to come. */
  private readonly scenario: Omit<Scenario, 'variants'>;
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly recorder: Recorder;
  private readonly timeouts: TimerLanes;
  private readonly attemptTimeouts: TimerLanes;
  private readonly network: Network;
  private readonly transport: Transport;
  private readonly gateway: Gateway;
  private readonly servers: Servers;
  private readonly calls: Calls | undefined;
  private readonly messages: Messages | undefined;
  private readonly views: Views | undefined;
  private readonly faults: Faults;
  private readonly controlPlane: ControlPlane;
  private readonly checkers: Checkers;
  private readonly instanceSeries: InstanceSeries;
  private readonly probes: Probes | undefined;
  private readonly checks: Checks | undefined;
  private readonly discovery: Discovery | undefined;
  private readonly gossip: Gossip | undefined;
  private readonly quality: DetectionQuality;
  private readonly orchestrator: Orchestrator | undefined;
  private readonly activator: Activator | undefined;
  private readonly errands: Errands;
  private readonly effects: VersionEffects | undefined;
  private readonly changes: Changes | undefined;
  private readonly explainer: Explainer | undefined;
  private readonly tracer: Tracer | undefined;
  private readonly slowestFinder: Slowest | undefined;
  private readonly draws: readonly EdgeDraws[];
  private readonly clients: readonly Client[];
  private readonly sources: TrafficSource[];
  /** Whether everything is in place. */
  private isWired: boolean;
  private windows: number;
  /** Heartbeats and checks sent before the end of warm-up. */
  private messagesInWarmup: number;
  private littleResidual: number;
  private probesAtWarmup: number;

  constructor(input: WorldInput, traced: readonly SlowRequest[]) {
    const { makers } = input;
    const scenario = withPlaces(input.scenario, makers);
    const { run, edges } = scenario;
    this.input = input;
    this.scenario = scenario;
    const streams = new Streams(input.seed);
    const engine = new Engine(input.limits);
    this.engine = engine;
    this.isWired = false;
    this.windows = 0;
    this.messagesInWarmup = 0;
    this.littleResidual = 0;
    this.probesAtWarmup = 0;
    const fleet = new Fleet(engine, scenario.services, zonesOf(scenario));
    this.fleet = fleet;
    const requests = new RequestTable(needsFullTable(edges, makers), needsCallTable(scenario, makers));
    this.requests = requests;
    this.recorder = new Recorder(engine, requests, run.warmupMs, run.windowMs);
    this.errands = new Errands(engine);
    this.timeouts = new TimerLanes(engine, eventKinds.timeout);
    this.attemptTimeouts = new TimerLanes(engine, eventKinds.attemptTimeout);
    const hasNetworkFaults = scenario.faults.some(
      ({ type }) => type === 'partition' || type === 'packet-loss' || type === 'latency',
    );
    const networkFaults = hasNetworkFaults ? new NetworkFaults(fleet.zoneNames, fleet.count, streams) : undefined;
    this.network = new Network(
      engine,
      scenario.network,
      fleet.zoneNames,
      streams,
      [
        { line: eventKinds.requestLine, delivered: eventKinds.requestDelivered },
        { line: eventKinds.responseLine, delivered: eventKinds.responseDelivered },
        { line: eventKinds.heartbeatLine, delivered: eventKinds.heartbeatDelivered },
        { line: eventKinds.probeLine, delivered: eventKinds.probeDelivered },
        { line: eventKinds.probeAnswerLine, delivered: eventKinds.probeAnswered },
      ],
      networkFaults,
    );
    this.sources = [];
    this.draws = edges.map(
      (edge) => new EdgeDraws(requests, streams, edge, scenario.services[edge.service], scenario.classes.length),
    );
    const priorityOf = scenario.classes.map(({ priority }) => priority);
    const users = scenario.classes.map(({ tenant }) => (tenant === '' ? 0 : hashOf(tenant)));
    this.servers = new Servers(
      engine,
      fleet,
      requests,
      this.recorder,
      { makers: makers.services, streams, priorities: priorityOf, users, hasPartFaults: hasPartFaults(scenario) },
      {
        luck: (attempt, purpose) => this.draws[this.clientOf(attempt).edge].luck(attempt, purpose),
        wentDown: (instance) => {
          this.changes?.wentDown(instance, false);
          this.quality.wentDown(instance);
          this.messages?.wentDown(instance);
          this.transport.instanceLost(instance);
          this.orchestrator?.wentDown(instance);
        },
        closed: (instance) => {
          this.quality.removed(instance);
          this.messages?.wentDown(instance);
        },
        drained: (instance) => this.orchestrator?.drained(instance),
        removed: (instance) => {
          this.changes?.wentDown(instance, true);
          this.quality.removed(instance);
          this.messages?.wentDown(instance);
          this.transport.instanceLost(instance);
        },
        cameUp: (instance) => {
          // Who fails to start is up for nobody.
          if (this.changes?.cameUp(instance) === false) return;
          this.messages?.cameUp(instance);
          // Who is managed registers when it is ready.
          if (this.orchestrator?.isManaged(instance) !== true) this.discovery?.cameUp(instance);
          this.gossip?.cameUp(instance);
          this.faults.cameUp(instance);
          this.quality.cameUp(instance);
          for (const client of this.clients) {
            const slot = instance - client.base;
            if (client.checker === undefined || slot < 0 || slot >= client.instances) continue;
            client.registered(slot, engine.time);
            this.controlPlane.wakePart(client, controlTimers.checker);
          }
          this.orchestrator?.cameUp(instance);
        },
      },
    );
    const clients: Client[] = [];
    this.clients = clients;
    const parts: GatewayParts = {
      engine,
      fleet,
      requests,
      recorder: this.recorder,
      timeouts: this.timeouts,
      attemptTimeouts: this.attemptTimeouts,
      draws: this.draws,
      balancers: makers.edges,
      priorities: priorityOf,
      users,
      servers: this.servers,
      clients,
      monitor: undefined,
      probes: undefined,
      explainer: undefined,
      views: undefined,
      tracer: undefined,
      meters: undefined,
      activator: undefined,
      exposure: undefined,
      resolve: (client, isFailure) => {
        client.discovery?.resolveNow?.(engine.time, isFailure);
        this.controlPlane.wakePart(client, controlTimers.discovery);
      },
      publish: (request, queue) => this.messages?.publish(request, queue),
      deliveryAnswered: (delivery, outcome) => this.messages?.answered(delivery, outcome),
      rootEnded: (request, client, result) => this.rootEnded(request, client, result),
      callEnded: (parent, call, request, result, isDegraded) => {
        if (parent >= 0) this.calls?.ended(parent, call, request, result, isDegraded);
      },
    };
    this.gateway = new Gateway(parts);
    const firstClient = new Int32Array(edges.length);
    const hasDeadlines = edges.some(({ propagatesDeadline }) => propagatesDeadline);
    const splits: (ClientSplits | undefined)[] = [];
    edges.forEach((spec, edge) => {
      firstClient[edge] = clients.length;
      const zones = clientZones(spec, fleet);
      zones.forEach((_, ordinal) => {
        // Queues are no clients: nobody balances there, and nobody watches.
        const { balancerName, isUserPolicy, balancer } = makers.edges[edge];
        const own = splitsOf(scenario, spec, ordinal, engine, streams);
        splits.push(own);
        const client = new Client({
          number: clients.length,
          edge,
          spec,
          ordinal,
          zones,
          fleet,
          attempts: requests.attempts,
          driver: this.gateway,
          clock: engine,
          streams,
          makers: spec.queue >= 0 ? { balancerName, isUserPolicy, balancer } : divided(makers.edges[edge], own),
          hasDeadlines: (hasDeadlines && spec.caller >= 0) || makers.services[spec.service].autoscaler !== undefined,
          onUse: (user, slot, _, isWell, doubt, nowMs) => {
            // Clients make up their minds about where to go before anything else is there.
            if (!this.isWired) return;
            if (doubt !== doubts.elsewhere) this.quality.believed(user, slot, isWell);
            const isBelief = doubt !== doubts.elsewhere && doubt !== doubts.absent;
            if (isBelief) this.controlPlane.believed(user, slot, isWell, nowMs);
            else this.controlPlane.wakeBalancer(user);
            user.failover?.changed(nowMs);
            if (user.failover !== undefined) this.controlPlane.wakePart(user, controlTimers.failover);
            this.activator?.changed(user);
          },
          check: (from, slot, probe, timeoutMs) => this.checks?.send(from, slot, probe, timeoutMs),
          // By an event: the checker is in the middle of something, and what comes of a crash may touch it.
          kill: (from, slot) => {
            engine.at(engine.time, eventKinds.controlTimer, from.base + slot, controlTimers.kill);
          },
          fetch: (from, request) => this.discovery?.fetch(from, request),
          attemptEnded: isChanged(scenario, spec.service)
            ? (from, slot, outcome, latencyMs) => this.changes?.exposure.attemptEnded(from, slot, outcome, latencyMs)
            : undefined,
        });
        this.setLanes(client);
        clients.push(client);
      });
    });
    this.transport = new Transport(engine, this.network, fleet, requests, clients, streams, this.servers, this.gateway);
    this.servers.transport = this.transport;
    this.gateway.transport = this.transport;
    if (scenario.services.some(({ steps }) => steps.length > 0)) {
      this.calls = new Calls(engine, fleet, requests, this.draws, streams, scenario, firstClient, {
        begin: (request, leftMs) => this.gateway.begin(request, leftMs),
        cancel: (request) => this.gateway.cancel(request),
        workAgain: (attempt, instance) => this.servers.workAgain(attempt, instance),
        finished: (attempt, instance, outcome) => this.servers.leaveWith(attempt, instance, outcome),
        publish: (edge, attempt, index) => this.messages?.publishFrom(edge, attempt, index) ?? false,
        clients,
      });
      this.servers.calls = this.calls;
    }
    if (scenario.queues.length > 0) {
      this.messages = new Messages(engine, requests, fleet, scenario, this.draws, clients, firstClient, {
        begin: (request) => this.gateway.begin(request, Infinity),
        finish: (request, result) => this.gateway.finish(request, result, false),
        deliveryBegun: (delivery, edge, times) => this.deliveryBegun(delivery, edge, times),
        deliveryOver: (delivery, edge, outcome) => this.deliveryOver(delivery, edge, outcome),
        isUp: (instance) => this.servers.isUp(instance),
      });
    }
    if (scenario.views.length > 0) {
      const counts = edges.map((_, edge) => clients[firstClient[edge]].pipeline.isPlain === false);
      this.views = new Views(engine, requests, scenario.views, edges, counts);
      this.recorder.views = this.views;
      this.recorder.clients = clients;
      parts.views = this.views;
    }
    if (clients.some((client) => client.listens)) {
      const monitor = new LoadMonitor(engine, fleet);
      this.servers.monitor = monitor;
      parts.monitor = monitor;
      this.probes = new Probes(this.network, fleet, this.servers, monitor, clients);
      parts.probes = this.probes;
    }
    const explain = input.explain ?? 0;
    this.explainer = explain > 0 ? new Explainer(engine, fleet, requests, this.servers, explain, run.warmupMs) : undefined;
    parts.explainer = this.explainer;
    this.slowestFinder = traced.length === 0 && (input.waterfall ?? 0) > 0 ? new Slowest(input.waterfall ?? 0) : undefined;
    this.tracer = traced.length > 0 ? new Tracer(engine, requests, fleet, clients, scenario, traced) : undefined;
    parts.tracer = this.tracer;
    this.transport.tracer = this.tracer;
    this.servers.tracer = this.tracer;
    if (this.calls !== undefined) this.calls.tracer = this.tracer;
    if (scenario.changes !== undefined) {
      this.effects = new VersionEffects(fleet, this.servers, this.errands, streams, scenario.changes, {
        callerOf: (attempt) => this.callerOf(attempt),
        flushCaches: (instance) => this.calls?.flush(instance),
      });
      if (hasPartEffects(scenario.services)) this.servers.versions = this.effects;
    }
    this.servers.wired();
    if (clients.some((client) => client.checker !== undefined)) {
      const wake = (client: Client): void => this.controlPlane.wakePart(client, controlTimers.checker);
      this.checks = new Checks(engine, this.network, fleet, this.servers, clients, streams, wake);
    }
    if (makers.edges.some(({ membership }) => membership !== undefined)) {
      const wake = (client: Client): void => this.controlPlane.wakeBalancer(client);
      this.gossip = new Gossip(engine, fleet, this.network, this.servers, clients, makers.edges, streams, wake);
    }
    if (clients.some((client) => client.discovery !== undefined)) {
      const wake = (client: Client): void => this.controlPlane.wakePart(client, controlTimers.discovery);
      this.discovery = new Discovery(engine, fleet, this.network, this.servers, clients, makers, streams, wake);
    }
    this.quality = new DetectionQuality(engine, fleet, clients, makers.edges, run.warmupMs, networkFaults);
    this.controlPlane = new ControlPlane(engine, fleet, this.network, clients, this.servers, streams);
    this.controlPlane.explainer = this.explainer;
    if (
      makers.services.some(({ replicas, alarm, vertical }) =>
        [replicas, alarm, vertical].some((part: unknown) => part !== undefined),
      )
    ) {
      const meters = new ServiceMeters(engine, scenario.services.length);
      parts.meters = meters;
      const orchestrator = new Orchestrator({
        ...{ errands: this.errands, fleet, servers: this.servers, meters, scenario, makers, streams, clients },
        discovery: this.discovery,
        queueDepths: () => this.messages?.depths() ?? {},
        viewChanged: (client) => {
          for (let purpose = controlTimers.detector; purpose <= controlTimers.outlier; purpose++) {
            this.controlPlane.wakePart(client, purpose);
          }
          // The sizes of sites have changed even where nobody's use has.
          client.failover?.changed(engine.time);
        },
        placed: (instance, group, version) => this.changes?.placed(instance, group, version),
        replicasChanged: (service) => this.changes?.replicasChanged(service),
      });
      this.orchestrator = orchestrator;
      const holds = orchestrator.holdsRequests();
      if (holds.includes(true)) {
        this.activator = new Activator(this.errands, holds, {
          start: (request, leftMs) => this.gateway.goOn(request, leftMs),
          timedOut: (request) => this.gateway.finish(request, results.timeout, false),
        });
        parts.activator = this.activator;
      }
    }
    if (this.effects !== undefined) {
      this.changes = new Changes({
        ...{ errands: this.errands, fleet, servers: this.servers, requests, scenario, makers, streams, clients, splits },
        effects: this.effects,
        orchestrator: this.orchestrator,
        wakeBalancer: (client) => this.controlPlane.wakeBalancer(client),
        configure: (client, version) => this.configure(client, version, splits[client.number]),
      });
      parts.exposure = this.changes.exposure;
    }
    this.discovery?.start();
    this.gossip?.start();
    this.faults = new Faults(engine, this.servers, fleet, scenario.faults, streams, networkFaults, {
      flushCaches: (instance) => this.calls?.flush(instance),
      setClockRate: (instance, rate) => this.controlPlane.setClockRate(instance, rate),
      setDiscovery: (isReachable) => this.discovery?.setReachable(isReachable),
      setControlPlane: (isReachable) => {
        this.orchestrator?.setControlPlane(isReachable);
        this.changes?.setControlPlane(isReachable);
      },
      holds: (begins) => this.orchestrator?.fault(begins),
      setMetrics: (isReachable) => {
        this.orchestrator?.pipeline.setOutage(!isReachable);
        this.changes?.setMetrics(isReachable);
      },
      setStore: (isReachable) => this.changes?.setStore(isReachable),
      setDistributors: (isReachable) => this.changes?.setDistributors(isReachable),
      pauseController: (controller, begins) => this.changes?.pauseController(controller, begins),
      failNode: ({ group, node }, begins) => this.orchestrator?.failNode(this.orchestrator.nodeNumber(group, node), begins),
      fault: (instance, spec, begins) => this.quality.fault(instance, spec, begins),
      networkChanges: () => this.quality.networkChanges(),
    });
    scenario.traffic.forEach((spec, source) => {
      const own = clients.filter((client) => client.edge === spec.edge);
      this.sources.push(
        new TrafficSource({ engine, requests, streams, source, spec, draws: this.draws[spec.edge], clients: own }),
      );
    });
    this.gateway.wired(this.network, this.slowestFinder !== undefined || this.sources.some((source) => source.isListening));
    this.checkers = new Checkers(fleet, requests, this.recorder, this.gateway, clients);
    this.instanceSeries = new InstanceSeries(fleet, run.windowMs, Math.ceil(run.durationMs / run.windowMs));
    this.isWired = true;
    this.orchestrator?.start();
    this.changes?.start();
    engine.at(run.warmupMs, eventKinds.warmupOver, 0, 0, priorities.stop);
    this.scheduleWindow();
  }

  get slowest(): readonly SlowRequest[] {
    return this.slowestFinder?.all ?? [];
  }

  waterfalls(): CellResult['waterfalls'] {
    return this.tracer?.waterfalls() ?? [];
  }

  run(): CellResult {
    const { run } = this.scenario;
    this.engine.run(run.durationMs, this);
    this.closeWindow();
    return summarize({
      variant: this.input.variant,
      seed: this.input.seed,
      run,
      engine: this.engine,
      fleet: this.fleet,
      requests: this.requests,
      recorder: this.recorder,
      servers: this.servers,
      controlPlane: this.controlPlane,
      instanceSeries: this.instanceSeries,
      probesSent: (this.probes?.sent ?? 0) - this.probesAtWarmup,
      quality: this.quality,
      controlMessages: this.controlMessages - this.messagesInWarmup,
      decisions: this.explainer?.decisions ?? [],
      littleResidual: this.littleResidual,
      scenario: this.scenario,
      gateway: this.gateway,
      views: this.views,
      calls: this.calls,
      messages: this.messages,
      transport: this.transport,
      orchestrator: this.orchestrator,
      changes: this.changes,
    });
  }

  handle(kind: number, a: number, b: number): void {
    switch (kind) {
      case eventKinds.arrival:
        this.gateway.start(this.sources[a].arrive());
        return;
      case eventKinds.slotDone:
      case eventKinds.sharedDone:
        this.servers.complete(a, b);
        return;
      case eventKinds.timeout:
        this.gateway.timedOut(this.timeouts.take(a));
        return;
      case eventKinds.requestLine: {
        const line = this.network.line(a);
        const request = line.headA();
        line.advance();
        this.transport.requestDelivered(request);
        return;
      }
      case eventKinds.responseLine: {
        const line = this.network.line(a);
        const request = line.headA();
        line.advance();
        this.transport.responseDelivered(request);
        return;
      }
      case eventKinds.requestDelivered:
        this.transport.requestDelivered(a);
        return;
      case eventKinds.responseDelivered:
        this.transport.responseDelivered(a);
        return;
      case eventKinds.attemptTimeout:
        this.gateway.attemptTimedOut(this.attemptTimeouts.take(a));
        return;
      case eventKinds.deadline:
        this.gateway.deadlinePassed(a);
        return;
      case eventKinds.next:
        this.gateway.next(a);
        return;
      case eventKinds.passage:
        this.transport.passed(a, b);
        return;
      case eventKinds.connected:
        this.transport.connected(a, b);
        return;
      case eventKinds.cacheAnswer:
        if (b === 0) this.calls?.cacheAnswered(a);
        else this.calls?.fetchInstead(a);
        return;
      case eventKinds.userWakes:
        this.gateway.start(this.sources[a].userWakes(b));
        return;
      case eventKinds.visibility:
        this.messages?.expire(a);
        return;
      case eventKinds.heartbeat:
        this.controlPlane.beat(a, b);
        return;
      case eventKinds.heartbeatLine: {
        const line = this.network.line(a);
        const instance = line.headA();
        const client = line.headB();
        line.advance();
        this.controlPlane.heartbeatDelivered(instance, client);
        return;
      }
      case eventKinds.heartbeatDelivered:
        this.controlPlane.heartbeatDelivered(a, b);
        return;
      case eventKinds.controlTimer:
        this.controlTimer(a, b);
        return;
      case eventKinds.balancerTimer:
        this.controlPlane.balancerTimer(a);
        return;
      case eventKinds.probeLine:
      case eventKinds.probeAnswerLine: {
        const line = this.network.line(a);
        const probe = line.headA();
        line.advance();
        if (kind === eventKinds.probeLine) this.probeDelivered(probe);
        else this.probeAnswered(probe);
        return;
      }
      case eventKinds.probeDelivered:
        this.probeDelivered(a);
        return;
      case eventKinds.probeAnswered:
        this.probeAnswered(a);
        return;
      case eventKinds.faultBegins:
        this.faults.begin(a, b);
        return;
      case eventKinds.faultEnds:
        this.faults.end(a, b);
        return;
      case eventKinds.instanceReady:
        this.servers.ready(a, b);
        return;
      case eventKinds.coldStartStep:
        this.servers.coldStep(a, b);
        return;
      case eventKinds.window:
        this.closeWindow();
        this.scheduleWindow();
        return;
      case eventKinds.warmupOver:
        this.probesAtWarmup = this.probes?.sent ?? 0;
        this.recorder.warmupOver();
        this.fleet.markWarmup();
        this.servers.warmupOver();
        this.transport.markWarmup();
        this.calls?.markWarmup();
        this.messages?.markWarmup();
        this.orchestrator?.markWarmup();
        this.messagesInWarmup = this.controlMessages;
        return;
      default:
        throw new InvariantViolation(`an event of unknown kind ${kind}`);
    }
  }

  private controlTimer(a: number, purpose: number): void {
    switch (purpose) {
      case controlTimers.checkTimeout:
        this.checks?.timedOut(a);
        return;
      case controlTimers.renewal:
        this.discovery?.renew(a);
        return;
      case controlTimers.registry:
        this.discovery?.registryTimer(a);
        return;
      case controlTimers.query:
        this.discovery?.asked(a);
        return;
      case controlTimers.letter:
        this.gossip?.delivered(a);
        return;
      case controlTimers.member:
        this.gossip?.timer(a);
        return;
      case controlTimers.answer:
        this.discovery?.told(a);
        return;
      case controlTimers.errand:
        this.errands.run(a);
        return;
      case controlTimers.drained:
        this.servers.mayBeDrained(a);
        return;
      case controlTimers.kill:
        if (!this.servers.isUp(a)) return;
        this.servers.crash(a);
        this.servers.restart(a);
        return;
      default:
        this.controlPlane.timer(a, purpose);
    }
  }

  /** Heartbeats, health checks and messages of gossip groups sent so far. */
  private get controlMessages(): number {
    const beats = this.controlPlane.heartbeats + (this.orchestrator?.leases ?? 0);
    return beats + (this.checks?.count ?? 0) + (this.gossip?.sent ?? 0);
  }

  /** Probes of balancers and health checks share their channels. */
  private probeDelivered(row: number): void {
    if ((row & CHECK) !== 0) this.checks?.delivered(row & ~CHECK);
    else this.probes?.delivered(row);
  }

  private probeAnswered(row: number): void {
    if ((row & CHECK) !== 0) this.checks?.answered(row & ~CHECK);
    else this.probes?.answered(row);
  }

  /** Where it happened, then the last events, oldest first. */
  evidence(): string[] {
    const { scenario } = this;
    const { seed } = this.input;
    const where = `scenario ${scenario.name}, seed ${seed}, ${this.engine.time} ms of simulated time, ${this.engine.events} events`;
    return [where, ...this.lastEvents()];
  }

  private lastEvents(): string[] {
    return this.engine.trace.last().map(({ time, kind, a, b }) => `${time} ms  ${eventName(kind)}  ${a}  ${b}`);
  }

  private clientOf(request: number): Client {
    return this.clients[this.requests.ints[(request << 4) + CLIENT]];
  }

  private rootEnded(request: number, client: Client, result: RequestResult): void {
    const source = this.sources[client.edge];
    if (source.isListening) source.ended(request, result);
    if (this.slowestFinder === undefined) return;
    const { reals } = this.requests;
    const arrivalMs = reals[(request << 3) + ARRIVAL_MS];
    if (arrivalMs < this.scenario.run.warmupMs) return;
    this.slowestFinder.ended(client.edge, reals[(request << 3) + INDEX], this.engine.time - arrivalMs, result);
  }

  /** The client works with this version's settings from now on. */
  private configure(client: Client, { name, clients: settings }: VersionSpec, splits: ClientSplits | undefined): void {
    if (!client.isConfigurable) return;
    const { spec } = client;
    const makers = this.input.makers.edges[client.edge];
    const { timeoutMs = spec.timeoutMs, attemptTimeoutMs = spec.attemptTimeoutMs } = settings ?? {};
    client.configure(divided(makers.versions?.[name] ?? makers, splits), timeoutMs, attemptTimeoutMs);
    this.setLanes(client);
    this.controlPlane.wakeBalancer(client);
  }

  private setLanes(client: Client): void {
    const { timeoutMs, attemptTimeoutMs } = client;
    client.timeoutLane = timeoutMs < Infinity ? this.timeouts.laneFor(timeoutMs) : -1;
    client.attemptLane = attemptTimeoutMs < Infinity ? this.attemptTimeouts.laneFor(attemptTimeoutMs) : -1;
  }

  /** The instance at which the request that this attempt belongs to was made; -1 if it is nobody's call. */
  private callerOf(attempt: number): number {
    const { requests } = this;
    const { isInternal, pipeline } = this.clientOf(attempt);
    if (!isInternal) return -1;
    const parent = requests.calls.parent[pipeline.isPlain ? attempt : requests.attempts.request[attempt]];
    return parent < 0 ? -1 : requests.ints[(parent << 4) + INSTANCE];
  }

  private deliveryBegun(delivery: number, edge: number, times: number): void {
    this.gateway.begun[edge]++;
    this.gateway.meters?.begin(this.scenario.edges[edge].service, this.requests.reals[(delivery << 3) + WORK_MS]);
    // The first delivery is what publishing counts; those that follow are repeats.
    if (times > 0) this.recorder.sent(true, times);
    this.tracer?.begun(delivery, edge);
    this.changes?.exposure.begun(delivery);
    this.changes?.exposure.sent(delivery, this.consumerOf(delivery, edge));
    this.views?.offered(delivery, edge);
  }

  private deliveryOver(delivery: number, edge: number, outcome: Outcome): void {
    this.gateway.over[edge]++;
    const lastedMs = this.engine.time - this.requests.reals[(delivery << 3) + ARRIVAL_MS];
    const isOk = outcome === outcomes.ok;
    this.changes?.exposure.attemptEnded(this.clientOf(delivery), this.consumerOf(delivery, edge), outcome, lastedMs);
    this.changes?.exposure.ended(delivery, outcome);
    this.gateway.meters?.end(this.scenario.edges[edge].service, lastedMs, isOk, outcome === outcomes.cancelled);
    this.views?.ended(delivery, edge, outcome === outcomes.cancelled ? outcomes.lost : outcome, false);
  }

  /** Place in its service of the instance that the message is delivered to. */
  private consumerOf(delivery: number, edge: number): number {
    return this.requests.ints[(delivery << 4) + INSTANCE] - this.fleet.base[this.scenario.edges[edge].service];
  }

  private scheduleWindow(): void {
    const { windowMs, durationMs } = this.scenario.run;
    const at = (this.windows + 1) * windowMs;
    // Before anything else at that instant, which belongs to the next window. The run's end closes the last window itself.
    if (at < durationMs) this.engine.at(at, eventKinds.window, 0, 0, priorities.stop);
  }

  private closeWindow(): void {
    const now = this.engine.time;
    this.windows++;
    this.recorder.closeWindow();
    this.instanceSeries.closeWindow(now);
    this.messages?.closeWindow(now);
    this.orchestrator?.closeWindow();
    this.changes?.closeWindow();
    this.littleResidual = Math.max(this.littleResidual, this.checkers.check(now));
    this.input.onWindow?.(now);
  }
}

function zonesOf(scenario: Omit<Scenario, 'variants'>): string[] {
  const zones = new Set<string>();
  for (const service of scenario.services) for (const instance of service.instances) zones.add(instance.zone);
  for (const group of scenario.nodes) for (const zone of group.zones) zones.add(zone);
  for (const edge of scenario.edges) for (const zone of proxyZones(edge)) zones.add(zone);
  return [...zones];
}

/** Whether some fault meets a part of the requests of an instance only. */
const hasPartFaults = ({ faults }: Omit<Scenario, 'variants'>): boolean =>
  faults.some((fault) => fault.type === 'drop-responses' || (fault.type === 'slow' && fault.requests < 1));

/** Sidecars stand where their instances do. */
const proxyZones = (edge: EdgeSpec): readonly string[] =>
  edge.caller === TRAFFIC || edge.balancers > 0 ? edge.balancerZones : [];

/** A user as admission control sees it: the same number for the same tenant in every run. */
function hashOf(tenant: string): number {
  const words = new Int32Array(4);
  hashString(tenant, new Int32Array(4), words);
  return words[0] >>> 0;
}
