/** The client side of every request: drives the pipelines of `policies/pipeline.ts` with simulated messages and timers. The live
 *  proxy is the other driver of the same object. */
import { InvariantViolation, PolicyFault } from '../core/errors.ts';
import type { Engine, TimerLanes } from '../engine/index.ts';
import { type LoadReport, type Outcome, outcomes, type Slot } from '../policies/balancing/balancer.ts';
import type { PipelineDriver, RequestResult } from '../policies/pipeline.ts';
import type { Client } from './client.ts';
import type { Explainer } from './explainer.ts';
import type { Fleet } from './fleet.ts';
import type { LoadMonitor } from './load-monitor.ts';
import { channels, type Network } from './network.ts';
import { emptyReport, type Probes } from './probes.ts';
import type { Recorder } from './recorder.ts';
import {
  AT_INSTANCE,
  CLIENT,
  HELD_BY_CLIENT,
  HELD_BY_SERVER,
  HOLDERS,
  INDEX,
  INSTANCE,
  OUTCOME,
  type RequestTable,
} from './request-table.ts';
import type { Servers } from './servers.ts';

export interface GatewayParts {
  readonly engine: Engine;
  readonly fleet: Fleet;
  readonly requests: RequestTable;
  readonly recorder: Recorder;
  readonly timeouts: TimerLanes;
  readonly network: Network;
  /** Set once the world is wired. */
  servers: Servers;
  clients: readonly Client[];
  /** Present when a balancer listens to load reports. */
  monitor: LoadMonitor | undefined;
  probes: Probes | undefined;
  /** Present when decisions are to be recorded. */
  explainer: Explainer | undefined;
  /** Gives a retried request its work: the first try may have used up part of it. */
  redrawWork(request: number, attempt: number): void;
  readonly balancerName: string;
  readonly isUserPolicy: boolean;
}

/** Apart from the salts of heartbeats and probes. */
const SOURCES_MAX = 100_000;
const REQUEST_HOP = 0;
const RESPONSE_HOP = 1;

export class Gateway implements PipelineDriver {
  private readonly parts: GatewayParts;
  private readonly engine: Engine;
  private readonly requests: RequestTable;
  private readonly recorder: Recorder;
  private readonly report: LoadReport;

  constructor(parts: GatewayParts) {
    this.report = emptyReport();
    this.parts = parts;
    this.engine = parts.engine;
    this.requests = parts.requests;
    this.recorder = parts.recorder;
  }

  /** A request has arrived at its client. */
  start(request: number): void {
    this.recorder.offered();
    this.clientOf(request).pipeline.start(request);
  }

  send(request: number, endpoint: Slot, attempt: number): void {
    const { requests, parts } = this;
    this.recorder.attempts++;
    if (attempt > 0) parts.redrawWork(request, attempt);
    const client = this.clientOf(request);
    const instance = client.base + endpoint;
    requests.ints[(request << 4) + INSTANCE] = instance;
    requests.ints[(request << 4) + HOLDERS] = HELD_BY_CLIENT | HELD_BY_SERVER;
    if (parts.explainer !== undefined) parts.explainer.decided(client, request, endpoint);
    if (parts.network.isInstant || !this.hop(channels.request, request, client.zone, parts.fleet.zone[instance], REQUEST_HOP)) {
      parts.servers.receive(request);
    }
  }

  /** The message reaches the instance; a client that has given up in the meantime may have taken it back. */
  requestDelivered(request: number): void {
    const { requests, parts } = this;
    if (!requests.isHeldByClient(request) && this.cancelsAbandoned(request)) requests.release(request, HELD_BY_SERVER);
    else parts.servers.receive(request);
  }

  /** The instance answers (or its machine refuses, or the connection breaks). */
  reply(request: number, outcome: Outcome): void {
    const { requests, parts } = this;
    if (!requests.isHeldByClient(request)) {
      requests.release(request, HELD_BY_SERVER | AT_INSTANCE);
      return;
    }
    if (!parts.network.isInstant) {
      const client = this.clientOf(request);
      const zone = parts.fleet.zone[requests.ints[(request << 4) + INSTANCE]];
      requests.ints[(request << 4) + OUTCOME] = outcome;
      requests.ints[(request << 4) + HOLDERS] &= ~AT_INSTANCE;
      if (this.hop(channels.response, request, zone, client.zone, RESPONSE_HOP)) return;
    }
    requests.ints[(request << 4) + HOLDERS] = HELD_BY_CLIENT;
    this.answer(request, outcome);
  }

  responseDelivered(request: number): void {
    const { requests } = this;
    const isAwaited = requests.isHeldByClient(request);
    requests.release(request, HELD_BY_SERVER);
    if (isAwaited) this.answer(request, requests.ints[(request << 4) + OUTCOME] as Outcome);
  }

  private answer(request: number, outcome: Outcome): void {
    const client = this.clientOf(request);
    const endpoint = this.requests.attempts.endpoint[request];
    client.pipeline.onResponse(request, outcome);
    if (this.parts.explainer !== undefined) this.parts.explainer.heard(client, endpoint);
    if (!client.listens || this.parts.monitor === undefined || (outcome !== outcomes.ok && outcome !== outcomes.error)) return;
    // The row is free by now, but nobody can have taken it yet.
    this.parts.monitor.readCarried(request, this.report);
    client.pipeline.onReport(endpoint, this.report);
  }

  probe(request: number, endpoint: Slot): void {
    const client = this.clientOf(request);
    this.parts.probes?.send(client, client.base + endpoint);
  }

  armTimeout(request: number): void {
    this.parts.timeouts.arm(this.clientOf(request).timeoutLane, request);
  }

  cancelTimeout(request: number): void {
    this.parts.timeouts.cancel(request);
  }

  timedOut(request: number): void {
    this.clientOf(request).pipeline.onTimeout(request);
  }

  finish(request: number, result: RequestResult): void {
    const { requests, parts } = this;
    this.recorder.ended(request, result);
    requests.release(request, HELD_BY_CLIENT);
    // Where the service notices that nobody waits any more, the work is taken out at once. It may also still be under way there.
    if (
      result === outcomes.timeout &&
      this.cancelsAbandoned(request) &&
      (requests.ints[(request << 4) + HOLDERS] & AT_INSTANCE) !== 0
    ) {
      parts.servers.abandon(request);
      requests.release(request, HELD_BY_SERVER | AT_INSTANCE);
    }
  }

  invalidPick(request: number, endpoint: Slot): void {
    const { balancerName, isUserPolicy } = this.parts;
    const message = `balancer ${balancerName} chose endpoint ${String(endpoint)}, which is not in its view, for request ${this.requests.reals[(request << 3) + INDEX]} at ${this.engine.time} ms`;
    if (isUserPolicy) throw new PolicyFault(balancerName, message);
    throw new InvariantViolation(message);
  }

  private clientOf(request: number): Client {
    return this.parts.clients[this.requests.ints[(request << 4) + CLIENT]];
  }

  private hop(
    channel: typeof channels.request | typeof channels.response,
    request: number,
    from: number,
    to: number,
    hop: number,
  ): boolean {
    // Source and attempt keep hops apart that belong to the n-th request of different ones.
    const client = this.clientOf(request);
    const attempt = client.retries ? this.requests.attempts.count[request] : 0;
    const salt = attempt * SOURCES_MAX + client.source * 2 + hop;
    return this.parts.network.send(channel, from, to, request, 0, this.requests.reals[(request << 3) + INDEX], salt);
  }

  private cancelsAbandoned(request: number): boolean {
    const { fleet } = this.parts;
    return fleet.services[fleet.service[this.requests.ints[(request << 4) + INSTANCE]]].cancelAbandoned;
  }
}
