/** The client side of every request: drives the pipelines of `policies/pipeline` with simulated messages and timers, and keeps the books
 *  by edge. The live proxy is the other driver of the same object. */
import { InvariantViolation, PolicyFault } from '../core/errors.ts';
import type { Ms } from '../core/time.ts';
import { type Engine, NO_EVENT, type TimerLanes } from '../engine/index.ts';
import { type LoadReport, type Outcome, outcomes, type Slot } from '../policies/balancing/balancer.ts';
import type { PipelineDriver } from '../policies/pipeline/driver.ts';
import { type RequestResult, results } from '../policies/pipeline/results.ts';
import type { Client } from './client.ts';
import { stages } from './call-table.ts';
import type { Exposure } from './change/exposure.ts';
import type { EdgeDraws } from './edge-draws.ts';
import { eventKinds } from './events.ts';
import type { Explainer } from './explainer.ts';
import type { Fleet } from './fleet.ts';
import type { Activator } from './orchestration/activator.ts';
import type { ServiceMeters } from './orchestration/service-meters.ts';
import type { Network } from './network.ts';
import type { LoadMonitor } from './load-monitor.ts';
import { emptyReport, type Probes } from './probes.ts';
import type { Recorder } from './recorder.ts';
import { setKey } from './request-keys.ts';
import {
  ARRIVAL_MS,
  AT_INSTANCE,
  AWAITED,
  CLIENT,
  COPY,
  DEGRADED,
  HELD_BY_CALLER,
  HELD_BY_CLIENT,
  HELD_BY_SERVER,
  HOLDERS,
  INDEX,
  INSTANCE,
  type RequestTable,
  TAG,
  WORK_MS,
} from './request-table.ts';
import type { Servers } from './servers.ts';
import type { Tracer } from './tracer.ts';
import type { Transport } from './transport.ts';
import type { Views } from './views.ts';

export interface GatewayParts {
  readonly engine: Engine;
  readonly fleet: Fleet;
  readonly requests: RequestTable;
  readonly recorder: Recorder;
  readonly timeouts: TimerLanes;
  readonly attemptTimeouts: TimerLanes;
  /** By edge. */
  readonly draws: readonly EdgeDraws[];
  /** By edge: who makes its balancer, for complaints. */
  readonly balancers: readonly { readonly balancerName: string; readonly isUserPolicy: boolean }[];
  /** By class. */
  readonly priorities: readonly number[];
  readonly users: readonly number[];
  /** Set once the world is wired. */
  servers: Servers;
  clients: readonly Client[];
  /** Present when a balancer listens to load reports. */
  monitor: LoadMonitor | undefined;
  probes: Probes | undefined;
  /** Present when decisions are to be recorded. */
  explainer: Explainer | undefined;
  /** Present when parts of the requests are looked at separately. */
  views: Views | undefined;
  /** Present when spans are recorded. */
  tracer: Tracer | undefined;
  /** Present when instances come and go, or alarms watch: counts by service. */
  meters: ServiceMeters | undefined;
  /** Present when requests may have to wait for an instance to come. */
  activator: Activator | undefined;
  /** Present when something is rolled out. */
  exposure: Exposure | undefined;
  /** A connection is used, or has failed: discovery on demand looks again. */
  resolve(client: Client, isFailure: boolean): void;
  /** A request has begun that is a message. */
  publish(request: number, queue: number): void;
  /** A queue's delivery is answered. */
  deliveryAnswered(delivery: number, outcome: Outcome): void;
  /** A request of the traffic is over; its row is about to be freed. */
  rootEnded(request: number, client: Client, result: RequestResult): void;
  /** A request between services is over; its row is about to be freed. `parent` is -1 for messages. */
  callEnded(parent: number, call: number, request: number, result: RequestResult, isDegraded: boolean): void;
}

/** Number of a copy among the attempts of its request; no request has so many. */
const COPY_ORDINAL = 0x7ff;

export class Gateway implements PipelineDriver {
  /** By edge: requests begun and ended. */
  readonly begun: Float64Array;
  readonly over: Float64Array;
  /** Set once the world is wired. */
  transport!: Transport;
  private readonly parts: GatewayParts;
  private readonly engine: Engine;
  private readonly requests: RequestTable;
  private readonly recorder: Recorder;
  private readonly report: LoadReport;
  private readonly hasClasses: boolean;
  /** Whether nothing but balancers and timeouts has to be looked after: the short ways through the functions below. Set by `wired`. */
  private isSimple: boolean;
  /** Then: whether messages take no time, and whether anybody wants to know of the end of requests. */
  private isInstant: boolean;
  private isListenedTo: boolean;

  constructor(parts: GatewayParts) {
    this.report = emptyReport();
    this.parts = parts;
    this.engine = parts.engine;
    this.requests = parts.requests;
    this.recorder = parts.recorder;
    this.begun = new Float64Array(parts.draws.length);
    this.over = new Float64Array(parts.draws.length);
    this.hasClasses = parts.priorities.length > 1;
    this.isSimple = false;
    this.isInstant = false;
    this.isListenedTo = true;
  }

  /** To be called once all parts are in place. */
  wired(network: Network, isListenedTo: boolean): void {
    const { parts } = this;
    this.isInstant = network.isInstant;
    this.isListenedTo = isListenedTo;
    const observers: readonly unknown[] = [
      ...[parts.monitor, parts.explainer, parts.views, parts.tracer, parts.meters, parts.activator, parts.exposure],
    ];
    const resolves = parts.clients.some(({ discovery }) => discovery?.resolveNow !== undefined);
    this.isSimple =
      !resolves && !this.requests.calls.isUsed && !this.hasClasses && observers.every((observer) => observer === undefined);
  }

  /** A request of the traffic has arrived at its client. */
  start(request: number): void {
    this.recorder.offered();
    if (!this.isSimple) {
      this.begin(request, Infinity);
      return;
    }
    const client = this.clientOf(request);
    this.begun[client.edge]++;
    client.pipeline.start(request);
  }

  /** A request begins, with what its caller's deadline leaves it. */
  begin(request: number, leftMs: Ms): void {
    const { parts, requests } = this;
    const client = this.clientOf(request);
    this.begun[client.edge]++;
    if (parts.views !== undefined) parts.views.offered(request, client.edge);
    if (parts.tracer !== undefined) parts.tracer.begun(request, client.edge);
    if (parts.exposure !== undefined) parts.exposure.begun(request);
    if (this.hasClasses) {
      const cls = requests.classOf(request);
      client.pipeline.setClass(parts.priorities[cls], cls, parts.users[cls]);
    }
    if (requests.calls.isUsed) {
      const { calls } = requests;
      calls.deadlineEvent[request] = NO_EVENT;
      calls.nextEvent[request] = NO_EVENT;
      calls.stage[request] = stages.wire;
      calls.requestDeadlineMs[request] = this.engine.time + Math.min(leftMs, client.timeoutMs);
    }
    if (client.spec.queue >= 0) {
      this.recorder.sent(client.isInternal, 0);
      parts.publish(request, client.spec.queue);
      return;
    }
    if (parts.meters !== undefined) parts.meters.begin(client.spec.service, requests.reals[(request << 3) + WORK_MS]);
    if (leftMs > 0 && parts.activator?.holds(client) === true) parts.activator.hold(client, request, leftMs);
    else client.pipeline.start(request, leftMs);
  }

  get meters(): ServiceMeters | undefined {
    return this.parts.meters;
  }

  /** A request that was held goes on, with what is left of its time. */
  goOn(request: number, leftMs: Ms): void {
    const { parts, requests } = this;
    const { pipeline } = this.clientOf(request);
    if (this.hasClasses) {
      const cls = requests.classOf(request);
      pipeline.setClass(parts.priorities[cls], cls, parts.users[cls]);
    }
    setKey(pipeline, requests.calls.key[request]);
    pipeline.start(request, leftMs);
  }

  newAttempt(request: number): number {
    const { requests } = this;
    const attempt = requests.allocate();
    requests.reals[(attempt << 3) + ARRIVAL_MS] = requests.reals[(request << 3) + ARRIVAL_MS];
    requests.reals[(attempt << 3) + INDEX] = requests.reals[(request << 3) + INDEX];
    requests.ints[(attempt << 4) + CLIENT] = requests.ints[(request << 4) + CLIENT];
    requests.ints[(attempt << 4) + TAG] = requests.classOf(request);
    requests.ints[(attempt << 4) + HOLDERS] = 0;
    if (requests.calls.isUsed) {
      const { calls } = requests;
      calls.stage[attempt] = stages.wire;
      calls.key[attempt] = calls.key[request];
      calls.requestDeadlineMs[attempt] = calls.requestDeadlineMs[request];
    }
    return attempt;
  }

  send(request: number, attempt: number, endpoint: Slot, ordinal: number): void {
    if (!this.isSimple) {
      this.sendFully(request, attempt, endpoint, ordinal);
      return;
    }
    const { requests } = this;
    this.recorder.attempts++;
    requests.ints[(attempt << 4) + INSTANCE] = this.clientOf(attempt).base + endpoint;
    requests.ints[(attempt << 4) + HOLDERS] |= HELD_BY_SERVER | AWAITED;
    if (this.isInstant) this.parts.servers.receive(attempt);
    else this.transport.depart(attempt);
  }

  private sendFully(request: number, attempt: number, endpoint: Slot, ordinal: number): void {
    const { requests, parts } = this;
    const client = this.clientOf(attempt);
    this.recorder.sent(client.isInternal, ordinal);
    if (ordinal > 0) {
      requests.ints[(attempt << 4) + TAG] |= ordinal << 16;
      parts.draws[client.edge].redrawWork(attempt, ordinal);
    }
    requests.ints[(attempt << 4) + INSTANCE] = client.base + endpoint;
    requests.ints[(attempt << 4) + HOLDERS] |= HELD_BY_SERVER | AWAITED;
    if (requests.calls.isUsed) {
      requests.calls.deadlineMs[attempt] = client.propagates
        ? Math.min(requests.calls.requestDeadlineMs[attempt], this.engine.time + client.attemptTimeoutMs)
        : Infinity;
    }
    if (client.discovery?.resolveNow !== undefined) parts.resolve(client, false);
    if (parts.explainer !== undefined) parts.explainer.decided(client, attempt, endpoint);
    if (parts.tracer !== undefined) parts.tracer.sent(request, attempt);
    if (parts.exposure !== undefined) {
      parts.exposure.sent(request, endpoint);
      const instance = ordinal === 0 ? parts.exposure.copyTo(client.spec.service) : -1;
      if (instance >= 0) this.sendCopy(request, instance);
    }
    this.transport.depart(attempt);
  }

  /** A copy of the request goes to this instance. */
  private sendCopy(request: number, instance: number): void {
    const { requests } = this;
    const copy = this.newAttempt(request);
    requests.reals[(copy << 3) + ARRIVAL_MS] = this.engine.time;
    requests.reals[(copy << 3) + WORK_MS] = requests.reals[(request << 3) + WORK_MS];
    requests.ints[(copy << 4) + TAG] |= COPY_ORDINAL << 16;
    requests.ints[(copy << 4) + INSTANCE] = instance;
    requests.ints[(copy << 4) + HOLDERS] = HELD_BY_SERVER | COPY;
    const { calls, attempts } = requests;
    calls.parent[copy] = calls.parent[request];
    calls.deadlineMs[copy] = Infinity;
    if (!this.clientOf(request).pipeline.isPlain) attempts.request[copy] = copy;
    this.transport.departCopy(copy);
  }

  /** The instance is done with a copy. */
  copyEnded(copy: number, outcome: Outcome): void {
    const { requests } = this;
    const latencyMs = this.engine.time - requests.reals[(copy << 3) + ARRIVAL_MS];
    this.parts.exposure?.copyEnded(this.clientOf(copy), requests.ints[(copy << 4) + INSTANCE], outcome, latencyMs);
  }

  dropAttempt(attempt: number): void {
    const { requests, parts } = this;
    if (parts.tracer !== undefined) parts.tracer.dropped(attempt);
    if (this.transport.recall(attempt)) {
      requests.release(attempt, AWAITED | HELD_BY_SERVER);
      return;
    }
    // Where the service notices that nobody waits any more, the work is taken out at once. It may also still be under way there.
    if ((requests.ints[(attempt << 4) + HOLDERS] & AT_INSTANCE) !== 0 && this.cancelsAbandoned(attempt)) {
      parts.servers.abandon(attempt);
      requests.release(attempt, AWAITED | HELD_BY_SERVER | AT_INSTANCE);
    } else requests.release(attempt, AWAITED);
  }

  /** The answer to an attempt is there. */
  answer(attempt: number, outcome: Outcome): void {
    if (this.isSimple) this.clientOf(attempt).pipeline.onResponse(attempt, outcome);
    else this.answerFully(attempt, outcome);
  }

  private answerFully(attempt: number, outcome: Outcome): void {
    const { requests, parts } = this;
    const client = this.clientOf(attempt);
    if (client.isDelivery) {
      parts.deliveryAnswered(attempt, outcome);
      return;
    }
    const endpoint = requests.attempts.endpoint[attempt];
    // A further attempt has a row of its own, which is not needed once the pipeline has heard of its end.
    const isExtra = requests.ordinalOf(attempt) > 0;
    if (parts.tracer !== undefined) parts.tracer.answered(attempt, outcome);
    if (client.discovery?.resolveNow !== undefined && isOfConnection(outcome)) parts.resolve(client, true);
    // The request shares a row with its first attempt, which may lack something that this one, the winner, does not.
    if (isExtra && outcome === outcomes.ok) {
      const place = (requests.attempts.request[attempt] << 4) + HOLDERS;
      requests.ints[place] = (requests.ints[place] & ~DEGRADED) | (requests.ints[(attempt << 4) + HOLDERS] & DEGRADED);
    }
    client.pipeline.onResponse(attempt, outcome);
    if (isExtra) requests.release(attempt, AWAITED);
    if (parts.explainer !== undefined) parts.explainer.heard(client, endpoint);
    if (!client.listens || parts.monitor === undefined || (outcome !== outcomes.ok && outcome !== outcomes.error)) return;
    // The report lies in columns of the monitor's that nobody has written since, though the row may be free by now.
    parts.monitor.readCarried(attempt, this.report);
    client.pipeline.onReport(endpoint, this.report);
  }

  probe(request: number, endpoint: Slot): void {
    const client = this.clientOf(request);
    this.parts.probes?.send(client, client.base + endpoint);
  }

  armTimeout(request: number, delayMs: Ms, isUsual: boolean): void {
    if (isUsual) this.parts.timeouts.arm(this.clientOf(request).timeoutLane, request);
    else this.requests.calls.deadlineEvent[request] = this.engine.at(this.engine.time + delayMs, eventKinds.deadline, request, 0);
  }

  cancelTimeout(request: number): void {
    this.parts.timeouts.cancel(request);
    const { calls } = this.requests;
    if (!calls.isUsed || calls.deadlineEvent[request] === NO_EVENT) return;
    this.engine.cancel(calls.deadlineEvent[request]);
    calls.deadlineEvent[request] = NO_EVENT;
  }

  timedOut(request: number): void {
    this.clientOf(request).pipeline.onTimeout(request);
  }

  deadlinePassed(request: number): void {
    this.requests.calls.deadlineEvent[request] = NO_EVENT;
    this.timedOut(request);
  }

  armAttemptTimeout(attempt: number, delayMs: Ms): void {
    const { attemptTimeouts } = this.parts;
    const client = this.clientOf(attempt);
    // Where configurations change, attempts keep the timeout that their request began with.
    attemptTimeouts.arm(client.isConfigurable ? attemptTimeouts.laneFor(delayMs) : client.attemptLane, attempt);
  }

  cancelAttemptTimeout(attempt: number): void {
    this.parts.attemptTimeouts.cancel(attempt);
  }

  attemptTimedOut(attempt: number): void {
    this.clientOf(attempt).pipeline.onAttemptTimeout(attempt);
  }

  armNext(request: number, delayMs: Ms): void {
    this.requests.calls.nextEvent[request] = this.engine.at(this.engine.time + delayMs, eventKinds.next, request, 0);
  }

  cancelNext(request: number): void {
    const { calls } = this.requests;
    if (calls.nextEvent[request] === NO_EVENT) return;
    this.engine.cancel(calls.nextEvent[request]);
    calls.nextEvent[request] = NO_EVENT;
  }

  next(request: number): void {
    this.requests.calls.nextEvent[request] = NO_EVENT;
    this.clientOf(request).pipeline.onNext(request);
  }

  /** The caller of a request does not want it any more. */
  cancel(request: number): void {
    const client = this.clientOf(request);
    if (this.parts.activator?.cancel(client, request) === true) this.finish(request, results.cancelled, false);
    else client.pipeline.cancel(request);
  }

  finish(request: number, result: RequestResult, isFallback: boolean): void {
    if (!this.isSimple) {
      this.finishFully(request, result, isFallback);
      return;
    }
    const client = this.clientOf(request);
    this.over[client.edge]++;
    this.recorder.ended(request, result, false);
    if (this.isListenedTo) this.parts.rootEnded(request, client, result);
    this.requests.release(request, HELD_BY_CLIENT | AWAITED);
  }

  private finishFully(request: number, result: RequestResult, isFallback: boolean): void {
    const { requests, parts } = this;
    const client = this.clientOf(request);
    const holders = requests.ints[(request << 4) + HOLDERS];
    const isDegraded = isFallback || (result === results.ok && (holders & DEGRADED) !== 0);
    this.over[client.edge]++;
    if (parts.views !== undefined) parts.views.ended(request, client.edge, result, isDegraded);
    if (parts.tracer !== undefined) parts.tracer.ended(request, result);
    if (parts.exposure !== undefined) parts.exposure.ended(request, result);
    if (parts.meters !== undefined && client.spec.queue < 0) {
      const lastedMs = this.engine.time - requests.reals[(request << 3) + ARRIVAL_MS];
      parts.meters.end(client.spec.service, lastedMs, result === results.ok, result === results.cancelled);
    }
    if (!client.isInternal) {
      this.recorder.ended(request, result, isDegraded);
      if (!client.pipeline.isPlain) {
        this.recorder.retries += requests.attempts.retries[request];
        this.recorder.hedges += requests.attempts.hedges[request];
      }
      parts.rootEnded(request, client, result);
      requests.release(request, HELD_BY_CLIENT | AWAITED);
      return;
    }
    const parent = requests.calls.parent[request];
    const call = requests.calls.call[request];
    parts.callEnded(parent, call, request, result, isDegraded);
    requests.release(request, HELD_BY_CALLER | AWAITED);
  }

  invalidPick(request: number, endpoint: Slot): void {
    const { balancerName, isUserPolicy } = this.parts.balancers[this.clientOf(request).edge];
    const message = `balancer ${balancerName} chose endpoint ${String(endpoint)}, which is not in its view, for request ${this.requests.reals[(request << 3) + INDEX]} at ${this.engine.time} ms`;
    if (isUserPolicy) throw new PolicyFault(balancerName, message);
    throw new InvariantViolation(message);
  }

  /** Whether the attempt's service drops what nobody waits for. */
  cancelsAbandoned(attempt: number): boolean {
    const { fleet } = this.parts;
    return fleet.services[fleet.service[this.requests.ints[(attempt << 4) + INSTANCE]]].cancelAbandoned;
  }

  private clientOf(request: number): Client {
    return this.parts.clients[this.requests.ints[(request << 4) + CLIENT]];
  }
}

/** Whether it says that a connection could not be made or broke. */
const isOfConnection = (outcome: Outcome): boolean => outcome === outcomes.refused || outcome === outcomes.lost;
