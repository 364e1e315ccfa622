/** One request's life on the client's side, as a state machine without input or output: discover, pick, attempt, retry, outcome.
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
import { grown } from '../core/grow.ts';
import type { Clock, Ms } from '../core/time.ts';

/** How a request ended for its caller: an attempt's outcome, or `noEndpoint`. */
export const NO_ENDPOINT_RESULT = 6;
/** Probes one pick may ask for. */
const PROBES_MAX = 64;
export type RequestResult = Outcome | typeof NO_ENDPOINT_RESULT;

export interface PipelineDriver {
  /** Put the request on the wire to this endpoint. The answer comes back through `onResponse`, at most once. `attempt` is 0 for the
   *  first try. */
  send(request: number, endpoint: Slot, attempt: number): void;
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

/** What is tried again, and where. Tried at once and without a budget: what did not get an answer of its own (refused, connection lost)
 *  or got an error; never after a timeout, because that is the request's as a whole. */
export interface RetryRules {
  /** Tries after the first; at most RETRIES_MAX. */
  readonly retries: number;
  /** Picks repeated for one retry while the balancer offers endpoints that were tried before; then the last is taken anyway
   *  (Envoy's predicate `previous_hosts` with `host_selection_retry_max_attempts`). */
  readonly hostSelectionRetries: number;
}
export const RETRIES_MAX = 8;
export const noRetries: RetryRules = { retries: 0, hostSelectionRetries: 0 };

/** State per request, grown by the driver before it uses a number. */
export class AttemptTable {
  endpoint: Int32Array;
  sentMs: Float64Array;
  /** Tries so far, without the present one; only kept where requests are retried, as all that follows. */
  count: Uint8Array;
  /** Endpoints of earlier tries, RETRIES_MAX per request. */
  tried: Int32Array;
  /** Hash of the key, for picks after the first; −1 in `hashLow` for none. */
  hashHigh: Float64Array;
  hashLow: Float64Array;

  constructor(capacity: number) {
    this.endpoint = new Int32Array(capacity);
    this.sentMs = new Float64Array(capacity);
    this.count = new Uint8Array(capacity);
    this.tried = new Int32Array(capacity * RETRIES_MAX);
    this.hashHigh = new Float64Array(capacity);
    this.hashLow = new Float64Array(capacity);
  }

  grow(capacity: number): void {
    this.endpoint = grown(this.endpoint, new Int32Array(capacity));
    this.sentMs = grown(this.sentMs, new Float64Array(capacity));
    this.count = grown(this.count, new Uint8Array(capacity));
    this.tried = grown(this.tried, new Int32Array(capacity * RETRIES_MAX));
    this.hashHigh = grown(this.hashHigh, new Float64Array(capacity));
    this.hashLow = grown(this.hashLow, new Float64Array(capacity));
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
  /** None by default. */
  readonly retry?: RetryRules;
}

export class Pipeline {
  private readonly endpoints: EndpointSet;
  private readonly balancer: Balancer;
  private readonly attempts: AttemptTable;
  private readonly driver: PipelineDriver;
  private readonly clock: Clock;
  private readonly hasTimeout: boolean;
  private readonly retry: RetryRules;
  private readonly context: PickContext;
  private readonly probeTargets: Int32Array;

  constructor(parts: PipelineParts) {
    this.endpoints = parts.endpoints;
    this.balancer = parts.balancer;
    this.attempts = parts.attempts;
    this.driver = parts.driver;
    this.clock = parts.clock;
    this.hasTimeout = parts.hasTimeout;
    this.retry = parts.retry ?? noRetries;
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
    const { context } = this;
    context.nowMs = this.clock.now();
    if (this.retry.retries > 0) this.remember(request);
    const endpoint = this.balancer.pick(context);
    if (this.isUsable(request, endpoint)) {
      if (this.hasTimeout) this.driver.armTimeout(request);
      this.sendTo(request, endpoint, 0);
    } else this.driver.finish(request, NO_ENDPOINT_RESULT);
  }

  private sendTo(request: number, endpoint: Slot, attempt: number): void {
    const { nowMs } = this.context;
    this.attempts.endpoint[request] = endpoint;
    if (this.balancer.onEnd !== undefined) this.attempts.sentMs[request] = nowMs;
    this.endpoints.begin(endpoint);
    if (this.balancer.onStart !== undefined) this.balancer.onStart(endpoint, nowMs);
    if (this.balancer.probes !== undefined) this.sendProbes(request, nowMs);
    this.driver.send(request, endpoint, attempt);
  }

  private isUsable(request: number, endpoint: Slot): boolean {
    if (this.endpoints.isEligible(endpoint)) return true;
    if (endpoint !== NO_ENDPOINT) this.driver.invalidPick(request, endpoint);
    this.attempts.endpoint[request] = NO_ENDPOINT;
    return false;
  }

  /** What a retry needs to know, which the context, shared by all requests, forgets. */
  private remember(request: number): void {
    const { attempts, context } = this;
    attempts.count[request] = 0;
    attempts.hashHigh[request] = context.hashHigh;
    attempts.hashLow[request] = context.hasHash ? context.hashLow : -1;
  }

  private tryAgain(request: number): void {
    const { attempts, context, retry } = this;
    const attempt = attempts.count[request] + 1;
    attempts.tried[request * RETRIES_MAX + attempt - 1] = attempts.endpoint[request];
    attempts.count[request] = attempt;
    context.nowMs = this.clock.now();
    context.attempt = attempt;
    context.hasHash = attempts.hashLow[request] >= 0;
    context.hashHigh = attempts.hashHigh[request];
    context.hashLow = Math.max(0, attempts.hashLow[request]);
    let endpoint = this.balancer.pick(context);
    for (let again = 0; again < retry.hostSelectionRetries && this.wasTried(request, endpoint, attempt); again++) {
      endpoint = this.balancer.pick(context);
    }
    context.attempt = 0;
    if (this.isUsable(request, endpoint)) this.sendTo(request, endpoint, attempt);
    else this.finish(request, NO_ENDPOINT_RESULT);
  }

  private wasTried(request: number, endpoint: Slot, attempts: number): boolean {
    for (let i = 0; i < attempts; i++) if (this.attempts.tried[request * RETRIES_MAX + i] === endpoint) return true;
    return false;
  }

  /** A load report arrived: a probe's answer, or what came with a response. */
  onReport(endpoint: Slot, report: LoadReport): void {
    if (this.balancer.onReport !== undefined) this.balancer.onReport(endpoint, this.clock.now(), report);
  }

  /** The answer arrived, or the connection was refused or lost. */
  onResponse(request: number, outcome: Outcome): void {
    this.endAttempt(request, outcome);
    if (outcome !== outcomes.ok && this.retry.retries > this.attempts.count[request]) this.tryAgain(request);
    else this.finish(request, outcome);
  }

  onTimeout(request: number): void {
    this.endAttempt(request, outcomes.timeout);
    this.finish(request, outcomes.timeout);
  }

  private sendProbes(request: number, nowMs: Ms): void {
    const count = this.balancer.probes?.(this.probeTargets, nowMs) ?? 0;
    for (let i = 0; i < count; i++) {
      const endpoint = this.probeTargets[i];
      if (this.endpoints.isEligible(endpoint)) this.driver.probe(request, endpoint);
      else this.driver.invalidPick(request, endpoint);
    }
  }

  private endAttempt(request: number, outcome: Outcome): void {
    const endpoint = this.attempts.endpoint[request];
    this.endpoints.end(endpoint);
    if (this.balancer.onEnd !== undefined) {
      const nowMs = this.clock.now();
      this.balancer.onEnd(endpoint, nowMs, nowMs - this.attempts.sentMs[request], outcome);
    }
  }

  private finish(request: number, result: RequestResult): void {
    if (this.hasTimeout) this.driver.cancelTimeout(request);
    // The number is reused, perhaps by a client that does not retry.
    if (this.retry.retries > 0) this.attempts.count[request] = 0;
    this.driver.finish(request, result);
  }
}
