/** One request's life on the client's side, as a state machine without input or output: discover, pick, attempt, outcome.
 *
 *  The simulator and a live proxy drive the same object. The pipeline says what to do through its `PipelineDriver` (`send`,
 *  `armTimeout`, `finish`); the driver tells it what happened (`start`, `onResponse`, `onTimeout`). Requests are small integers
 *  chosen by the driver and reused after `finish`; state per request lives in typed arrays, so nothing allocates per request. */
import {
  type Balancer,
  NO_ENDPOINT,
  type LoadReport,
  type Outcome,
  outcomes,
  type PickContext,
  type Slot,
} from './balancing/balancer.ts';
import type { EndpointSet } from './balancing/endpoint-set.ts';
import type { Clock, Ms } from '../core/time.ts';

/** How a request ended for its caller: an attempt's outcome, or `noEndpoint`. */
export const NO_ENDPOINT_RESULT = 6;
/** Probes one pick may ask for. */
const PROBES_MAX = 64;
export type RequestResult = Outcome | typeof NO_ENDPOINT_RESULT;

export interface PipelineDriver {
  /** Put the request on the wire to this endpoint. The answer comes back through `onResponse`, at most once. */
  send(request: number, endpoint: Slot): void;
  /** Call `onTimeout(request)` after the client's timeout, unless `cancelTimeout` comes first. */
  armTimeout(request: number): void;
  cancelTimeout(request: number): void;
  /** The request is over for its caller. After a timeout the answer may still arrive; `onResponse` must not be called then. */
  finish(request: number, result: RequestResult): void;
  /** Ask this endpoint for its load, beside the request; the answer comes back through `onReport`, if at all. Only called when the
   *  balancer has `probes`. */
  probe(request: number, endpoint: Slot): void;
  /** The balancer chose an endpoint outside its view, to serve the request or to be probed: a bug in the policy. In the first case the
   *  request ends as if there were no endpoint; a probe is left out. */
  invalidPick(request: number, endpoint: Slot): void;
}

/** State per request, grown by the driver before it uses a number. */
export class AttemptTable {
  endpoint: Int32Array;
  sentMs: Float64Array;

  constructor(capacity: number) {
    this.endpoint = new Int32Array(capacity);
    this.sentMs = new Float64Array(capacity);
  }

  grow(capacity: number): void {
    const endpoint = new Int32Array(capacity);
    endpoint.set(this.endpoint);
    this.endpoint = endpoint;
    const sentMs = new Float64Array(capacity);
    sentMs.set(this.sentMs);
    this.sentMs = sentMs;
  }
}

export interface PipelineParts {
  readonly endpoints: EndpointSet;
  /** Already bound to the endpoints. */
  readonly balancer: Balancer;
  readonly attempts: AttemptTable;
  readonly driver: PipelineDriver;
  readonly clock: Clock;
  /** Whether requests of this client have a timeout. */
  readonly hasTimeout: boolean;
}

export class Pipeline {
  private readonly endpoints: EndpointSet;
  private readonly balancer: Balancer;
  private readonly attempts: AttemptTable;
  private readonly driver: PipelineDriver;
  private readonly clock: Clock;
  private readonly hasTimeout: boolean;
  private readonly context: PickContext;
  private readonly probeTargets: Int32Array;

  constructor(parts: PipelineParts) {
    this.endpoints = parts.endpoints;
    this.balancer = parts.balancer;
    this.attempts = parts.attempts;
    this.driver = parts.driver;
    this.clock = parts.clock;
    this.hasTimeout = parts.hasTimeout;
    this.probeTargets = new Int32Array(PROBES_MAX);
    this.context = { nowMs: -0, attempt: 0, hasHash: false, hashHigh: 0, hashLow: 0 };
  }

  /** The key of the request about to start, as two unsigned 32-bit halves of its hash. */
  setHash(high: number, low: number): void {
    this.context.hasHash = true;
    this.context.hashHigh = high;
    this.context.hashLow = low;
  }

  start(request: number): void {
    const nowMs = this.clock.now();
    this.context.nowMs = nowMs;
    const endpoint = this.balancer.pick(this.context);
    if (!this.endpoints.isEligible(endpoint)) {
      if (endpoint !== NO_ENDPOINT) this.driver.invalidPick(request, endpoint);
      this.attempts.endpoint[request] = NO_ENDPOINT;
      this.driver.finish(request, NO_ENDPOINT_RESULT);
      return;
    }
    this.attempts.endpoint[request] = endpoint;
    if (this.balancer.onEnd !== undefined) this.attempts.sentMs[request] = nowMs;
    this.endpoints.begin(endpoint);
    if (this.balancer.onStart !== undefined) this.balancer.onStart(endpoint, nowMs);
    if (this.hasTimeout) this.driver.armTimeout(request);
    if (this.balancer.probes !== undefined) this.sendProbes(request, nowMs);
    this.driver.send(request, endpoint);
  }

  /** A load report arrived: a probe's answer, or what came with a response. */
  onReport(endpoint: Slot, report: LoadReport): void {
    if (this.balancer.onReport !== undefined) this.balancer.onReport(endpoint, this.clock.now(), report);
  }

  /** The answer arrived, or the connection was refused or lost. */
  onResponse(request: number, outcome: Outcome): void {
    if (this.hasTimeout) this.driver.cancelTimeout(request);
    this.end(request, outcome);
  }

  onTimeout(request: number): void {
    this.end(request, outcomes.timeout);
  }

  private sendProbes(request: number, nowMs: Ms): void {
    const count = this.balancer.probes?.(this.probeTargets, nowMs) ?? 0;
    for (let i = 0; i < count; i++) {
      const endpoint = this.probeTargets[i];
      if (this.endpoints.isEligible(endpoint)) this.driver.probe(request, endpoint);
      else this.driver.invalidPick(request, endpoint);
    }
  }

  private end(request: number, outcome: Outcome): void {
    const endpoint = this.attempts.endpoint[request];
    this.endpoints.end(endpoint);
    if (this.balancer.onEnd !== undefined) {
      const nowMs = this.clock.now();
      this.balancer.onEnd(endpoint, nowMs, nowMs - this.attempts.sentMs[request], outcome);
    }
    this.driver.finish(request, outcome);
  }
}
