/** Builds the world of one scenario, variant and seed, runs it, and returns what came out. Wiring only: each part is a file of
 *  its own. The order in which parts are made is part of the determinism: equal times fire in insertion order. */
import { InvariantViolation } from '../core/errors.ts';
import { Streams } from '../core/streams.ts';
import { Engine, type EngineLimits, type EventHandler, priorities, TimerLanes } from '../engine/index.ts';
import type { Scenario } from '../scenario/spec.ts';
import type { CellResult } from '../stats/result.ts';
import { Checkers } from './checkers.ts';
import { Client, type PolicyMakers } from './client.ts';
import { ControlPlane } from './control-plane.ts';
import { eventKinds, eventName } from './events.ts';
import { Explainer } from './explainer.ts';
import { Faults } from './faults.ts';
import { Fleet } from './fleet.ts';
import { Gateway, type GatewayParts } from './gateway.ts';
import { InstanceSeries } from './instance-series.ts';
import { LoadMonitor } from './load-monitor.ts';
import { Network } from './network.ts';
import { Probes } from './probes.ts';
import { Recorder } from './recorder.ts';
import { CLIENT, RequestTable } from './request-table.ts';
import { Servers } from './servers.ts';
import { TrafficSource } from './traffic.ts';
import { summarize } from './summary.ts';

export interface WorldInput {
  readonly scenario: Omit<Scenario, 'variants'>;
  /** Index of the variant, for the result. */
  readonly variant: number;
  readonly seed: string;
  readonly makers: PolicyMakers & { readonly isUserPolicy: boolean };
  readonly limits?: EngineLimits;
  /** Decisions to record, from the end of warm-up on. */
  readonly explain?: number;
  /** Told the simulated time now and then. */
  onWindow?(simulatedMs: number): void;
}

export function simulate(input: WorldInput): CellResult {
  const world = new World(input);
  try {
    return world.run();
  } catch (error) {
    if (error instanceof InvariantViolation && error.evidence.length === 0) error.evidence = world.evidence();
    throw error;
  }
}

class World implements EventHandler {
  private readonly input: WorldInput;
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly recorder: Recorder;
  private readonly timeouts: TimerLanes;
  private readonly network: Network;
  private readonly gateway: Gateway;
  private readonly servers: Servers;
  private readonly faults: Faults;
  private readonly controlPlane: ControlPlane;
  private readonly checkers: Checkers;
  private readonly instanceSeries: InstanceSeries;
  private readonly probes: Probes | undefined;
  private readonly explainer: Explainer | undefined;
  private readonly sources: TrafficSource[];
  private windows: number;
  private littleResidual: number;

  constructor(input: WorldInput) {
    const { scenario, makers } = input;
    const { run } = scenario;
    this.input = input;
    const streams = new Streams(input.seed);
    const engine = new Engine(input.limits);
    this.engine = engine;
    this.windows = 0;
    this.littleResidual = 0;
    const fleet = new Fleet(engine, scenario.services, zonesOf(scenario));
    this.fleet = fleet;
    const requests = new RequestTable();
    this.requests = requests;
    this.recorder = new Recorder(engine, requests, run.warmupMs, run.windowMs);
    this.timeouts = new TimerLanes(engine, eventKinds.timeout);
    this.network = new Network(engine, scenario.network, fleet.zoneNames, streams, [
      { line: eventKinds.requestLine, delivered: eventKinds.requestDelivered },
      { line: eventKinds.responseLine, delivered: eventKinds.responseDelivered },
      { line: eventKinds.heartbeatLine, delivered: eventKinds.heartbeatDelivered },
      { line: eventKinds.probeLine, delivered: eventKinds.probeDelivered },
      { line: eventKinds.probeAnswerLine, delivered: eventKinds.probeAnswered },
    ]);
    this.sources = [];
    this.servers = new Servers(engine, fleet, requests, this.recorder, {
      reply: (request, outcome) => this.gateway.reply(request, outcome),
      errorDraws: (request) => this.sources[this.controlled(request).source].keyed,
    });
    const clients: Client[] = [];
    const parts: GatewayParts = {
      engine,
      fleet,
      requests,
      recorder: this.recorder,
      timeouts: this.timeouts,
      network: this.network,
      servers: this.servers,
      clients,
      monitor: undefined,
      probes: undefined,
      explainer: undefined,
      redrawWork: (request, attempt) => this.sources[this.controlled(request).source].redrawWork(request, attempt),
      balancerName: makers.balancerName,
      isUserPolicy: makers.isUserPolicy,
    };
    this.gateway = new Gateway(parts);
    this.clients = clients;
    scenario.traffic.forEach((spec, source) => {
      for (let ordinal = 0; ordinal < spec.balancers; ordinal++) {
        const client = new Client({
          number: clients.length,
          source,
          spec,
          ordinal,
          fleet,
          attempts: requests.attempts,
          driver: this.gateway,
          clock: engine,
          streams,
          makers,
          onBelief: (...change) => this.controlPlane.believed(...change),
        });
        if (spec.timeoutMs < Infinity) client.timeoutLane = this.timeouts.laneFor(spec.timeoutMs);
        clients.push(client);
      }
    });
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
    this.controlPlane = new ControlPlane(engine, fleet, this.network, clients, this.servers, streams);
    this.controlPlane.explainer = this.explainer;
    this.faults = new Faults(engine, this.servers, fleet, scenario.faults, streams);
    scenario.traffic.forEach((spec, source) => {
      const own = clients.filter((client) => client.source === source);
      this.sources.push(new TrafficSource(engine, requests, streams, source, spec, scenario.services[spec.service], own));
    });
    this.checkers = new Checkers(fleet, requests, this.recorder);
    this.instanceSeries = new InstanceSeries(fleet, run.windowMs, Math.ceil(run.durationMs / run.windowMs));
    engine.at(run.warmupMs, eventKinds.warmupOver, 0, 0, priorities.stop);
    this.scheduleWindow();
  }

  private readonly clients: readonly Client[];

  run(): CellResult {
    const { run } = this.input.scenario;
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
      probesSent: this.probes?.sent ?? 0,
      decisions: this.explainer?.decisions ?? [],
      littleResidual: this.littleResidual,
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
        this.gateway.requestDelivered(request);
        return;
      }
      case eventKinds.responseLine: {
        const line = this.network.line(a);
        const request = line.headA();
        line.advance();
        this.gateway.responseDelivered(request);
        return;
      }
      case eventKinds.requestDelivered:
        this.gateway.requestDelivered(a);
        return;
      case eventKinds.responseDelivered:
        this.gateway.responseDelivered(a);
        return;
      case eventKinds.heartbeat:
        this.controlPlane.beat(a);
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
      case eventKinds.detectorTimer:
        this.controlPlane.detectorTimer(a);
        return;
      case eventKinds.balancerTimer:
        this.controlPlane.balancerTimer(a);
        return;
      case eventKinds.probeLine:
      case eventKinds.probeAnswerLine: {
        const line = this.network.line(a);
        const probe = line.headA();
        line.advance();
        if (kind === eventKinds.probeLine) this.probes?.delivered(probe);
        else this.probes?.answered(probe);
        return;
      }
      case eventKinds.probeDelivered:
        this.probes?.delivered(a);
        return;
      case eventKinds.probeAnswered:
        this.probes?.answered(a);
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
        this.recorder.warmupOver();
        this.fleet.markWarmup();
        this.servers.warmupOver();
        return;
      default:
        throw new InvariantViolation(`an event of unknown kind ${kind}`);
    }
  }

  /** Where it happened, then the last events, oldest first. */
  evidence(): string[] {
    const { scenario, seed } = this.input;
    const where = `scenario ${scenario.name}, seed ${seed}, ${this.engine.time} ms of simulated time, ${this.engine.events} events`;
    return [where, ...this.lastEvents()];
  }

  private lastEvents(): string[] {
    return this.engine.trace.last().map(({ time, kind, a, b }) => `${time} ms  ${eventName(kind)}  ${a}  ${b}`);
  }

  private controlled(request: number): Client {
    return this.clients[this.requests.ints[(request << 4) + CLIENT]];
  }

  private scheduleWindow(): void {
    const { windowMs, durationMs } = this.input.scenario.run;
    const at = (this.windows + 1) * windowMs;
    // Before anything else at that instant, which belongs to the next window. The run's end closes the last window itself.
    if (at < durationMs) this.engine.at(at, eventKinds.window, 0, 0, priorities.stop);
  }

  private closeWindow(): void {
    const now = this.engine.time;
    this.windows++;
    this.recorder.closeWindow();
    this.instanceSeries.closeWindow(now);
    this.littleResidual = Math.max(this.littleResidual, this.checkers.check(now));
    this.input.onWindow?.(now);
  }
}

function zonesOf(scenario: Omit<Scenario, 'variants'>): string[] {
  const zones = new Set<string>();
  for (const service of scenario.services) for (const instance of service.instances) zones.add(instance.zone);
  for (const traffic of scenario.traffic) for (const zone of traffic.balancerZones) zones.add(zone);
  return [...zones];
}
