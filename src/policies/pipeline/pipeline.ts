/** One request's life on the client's side, as a state machine without input or output:
 *
 *      admit → pick → send → (attempt timeout, hedge) → answer, or wait and try again → outcome, or a fallback in its place
 *
 *  The simulator and a live proxy drive the same object. The pipeline says what to do through its `PipelineDriver` (`send`, timers,
 *  `finish`); the driver tells it what happened (`start`, `onResponse`, `onTimeout`, `onAttemptTimeout`, `onNext`; where answers are
 *  streams, `onCommit`). Every policy of the path is optional; a pipeline that has only a balancer takes a shorter way through the same steps. State per request lives in typed
 *  arrays, so nothing allocates per request.
 *
 *  One request, several attempts: after an attempt's timeout, and with hedging, attempts of one request are out at the same time. The
 *  first good answer wins; the others are dropped. A failed attempt is tried again once no other is out, unless the hedging policy
 *  sends the next one at once. */
import {
  type Balancer,
  NO_ENDPOINT,
  type LoadReport,
  type Outcome,
  outcomes,
  type PickContext,
  type Slot,
} from '../balancing/balancer.ts';
import type { EndpointSet } from '../balancing/endpoint-set.ts';
import type { Clock, Ms } from '../../core/time.ts';
import {
  type Admission,
  type AdmissionRequest,
  type AdmissionResult,
  admissionResults,
} from '../resilience/admission/admission.ts';
import { type Breaker, NO_PERMIT } from '../resilience/breakers/breaker.ts';
import type { RetryBudget } from '../resilience/budgets/retry-budget.ts';
import type { Hedge } from '../resilience/hedging/hedge.ts';
import type { RetryPolicy } from '../resilience/retries/retry.ts';
import { type AttemptTable, repeats, TRIED_MAX } from './attempt-table.ts';
import type { PipelineDriver } from './driver.ts';
import { type RequestResult, resultMask, results } from './results.ts';

/** Probes one pick may ask for. */
const PROBES_MAX = 64;
/** Picks repeated for a hedge to avoid endpoints already tried, where no retry policy says how often. */
const HOST_SELECTION_RETRIES = 5;

/** Results after which surely nobody has worked on the request. */
const UNSERVED = resultMask(['refused', 'shed', 'noEndpoint']);

const phases = { idle: 0, backoff: 1, hedge: 2, fallback: 3 } as const;

export interface PipelineParts {
  readonly endpoints: EndpointSet;
  /** Already bound to the endpoints. */
  readonly balancer: Balancer;
  readonly attempts: AttemptTable;
  readonly driver: PipelineDriver;
  readonly clock: Clock;
  /** Of a request, all attempts together; Infinity for none. */
  readonly timeoutMs?: Ms;
  /** Of one attempt; Infinity for none. */
  readonly attemptTimeoutMs?: Ms;
  readonly retry?: RetryPolicy | undefined;
  readonly budget?: RetryBudget | undefined;
  readonly hedge?: Hedge | undefined;
  readonly breaker?: Breaker | undefined;
  readonly admission?: Admission | undefined;
  /** Results that are replaced by a default answer, which takes a while. */
  readonly fallback?: { readonly on: readonly string[]; readonly takesMs: Ms } | undefined;
  /** Told how each attempt ended at its endpoint: passive outlier detection. */
  readonly outlier?: { onEnd(endpoint: Slot, outcome: Outcome, nowMs: Ms): void } | undefined;
  /** Whether `start` is ever given less time than the client's own timeout. */
  readonly hasDeadlines?: boolean;
}

/** Whether a pipeline with these parts needs the full `AttemptTable`. */
export const needsFullTable = (parts: Omit<PipelineParts, 'endpoints' | 'balancer' | 'attempts' | 'driver' | 'clock'>): boolean =>
  (parts.attemptTimeoutMs ?? Infinity) < Infinity ||
  [parts.retry, parts.budget, parts.hedge, parts.breaker, parts.admission, parts.fallback].some((part) => part !== undefined);

export class Pipeline {
  /** Requests that have not ended; only counted where a policy asks for it. */
  active: number;
  readonly breaker: Breaker | undefined;
  readonly admission: Admission | undefined;
  private readonly endpoints: EndpointSet;
  private readonly balancer: Balancer;
  private readonly attempts: AttemptTable;
  private readonly driver: PipelineDriver;
  private readonly clock: Clock;
  /** Whether it has only a balancer: then it keeps no count of attempts, which is one per request. */
  readonly isPlain: boolean;
  private readonly timeoutMs: Ms;
  private readonly hasTimeout: boolean;
  /** Whether a request may have a timer on it. */
  private readonly isTimed: boolean;
  private readonly hasAttemptTimeout: boolean;
  private readonly retry: RetryPolicy | undefined;
  private readonly retryMask: number;
  private readonly hostSelectionRetries: number;
  private readonly budget: RetryBudget | undefined;
  private readonly hedge: Hedge | undefined;
  private readonly outlier: PipelineParts['outlier'];
  private readonly fallbackMask: number;
  private readonly fallbackMs: Ms;
  private readonly context: PickContext;
  private readonly asked: AdmissionRequest;
  private isRepeatable: boolean;
  private readonly probeTargets: Int32Array;

  constructor(parts: PipelineParts) {
    this.active = 0;
    this.endpoints = parts.endpoints;
    this.balancer = parts.balancer;
    this.attempts = parts.attempts;
    this.driver = parts.driver;
    this.clock = parts.clock;
    this.isPlain = !needsFullTable(parts);
    this.timeoutMs = parts.timeoutMs ?? Infinity;
    this.hasTimeout = this.timeoutMs < Infinity;
    this.isTimed = this.hasTimeout || parts.hasDeadlines === true;
    this.hasAttemptTimeout = (parts.attemptTimeoutMs ?? Infinity) < Infinity;
    this.retry = parts.retry;
    this.retryMask = parts.retry === undefined ? 0 : resultMask(parts.retry.on);
    this.hostSelectionRetries = parts.retry?.hostSelectionRetries ?? HOST_SELECTION_RETRIES;
    this.budget = parts.budget;
    this.hedge = parts.hedge;
    this.breaker = parts.breaker;
    this.admission = parts.admission;
    this.outlier = parts.outlier;
    this.fallbackMask = parts.fallback === undefined ? 0 : resultMask(parts.fallback.on);
    this.fallbackMs = parts.fallback?.takesMs ?? 0;
    this.isRepeatable = true;
    this.probeTargets = new Int32Array(PROBES_MAX);
    this.context = { nowMs: -0, attempt: 0, previous: NO_ENDPOINT, hasHash: false, hashHigh: 0, hashLow: 0 };
    this.asked = { nowMs: -0, priority: 0, inFlight: 0, queued: 0, user: 0, partition: 0 };
  }

  /** The key of the request about to start, as two unsigned 32-bit halves of its hash. */
  setHash(high: number, low: number): void {
    this.context.hasHash = true;
    this.context.hashHigh = high;
    this.context.hashLow = low;
  }

  /** The request about to start has no key; needed only where some have. */
  clearHash(): void {
    this.context.hasHash = false;
  }

  /** What admission control may know of the request about to start. */
  setClass(priority: number, partition: number, user: number): void {
    this.asked.priority = priority;
    this.asked.partition = partition;
    this.asked.user = user;
  }

  /** Whether the requests about to start may be worked on twice, which they may unless this says otherwise. One that may not is never
   *  hedged, and tried again only where surely nobody has worked on it: refused, shed, or no endpoint. */
  setRepeatable(isRepeatable: boolean): void {
    this.isRepeatable = isRepeatable;
  }

  /** `leftMs`: what is left of the caller's own deadline, Infinity if it has none or does not pass it on. */
  start(request: number, leftMs: Ms = Infinity): void {
    const { context } = this;
    context.nowMs = this.clock.now();
    if (!this.isPlain) {
      this.startFully(request, leftMs);
      return;
    }
    if (leftMs <= 0) {
      this.driver.finish(request, results.timeout, false);
      return;
    }
    const endpoint = this.balancer.pick(context);
    if (!this.isUsable(request, endpoint)) {
      this.driver.finish(request, results.noEndpoint, false);
      return;
    }
    if (leftMs < this.timeoutMs) this.driver.armTimeout(request, leftMs, false);
    else if (this.hasTimeout) this.driver.armTimeout(request, this.timeoutMs, true);
    this.attempts.endpoint[request] = endpoint;
    if (this.balancer.onEnd !== undefined) this.attempts.sentMs[request] = context.nowMs;
    this.sendTo(request, request, endpoint, 0);
  }

  /** A load report arrived: a probe's answer, or what came with a response. */
  onReport(endpoint: Slot, report: LoadReport): void {
    if (this.balancer.onReport !== undefined) this.balancer.onReport(endpoint, this.clock.now(), report);
  }

  /** The answer to an attempt arrived, or the connection was refused or lost. */
  onResponse(attempt: number, outcome: Outcome): void {
    if (this.isPlain) {
      this.endAtEndpoint(attempt, outcome);
      if (this.isTimed) this.driver.cancelTimeout(attempt);
      this.driver.finish(attempt, outcome, false);
      return;
    }
    const request = this.attempts.request[attempt];
    this.endAttempt(request, attempt, outcome);
    if (outcome === outcomes.ok) this.finish(request, results.ok);
    else this.attemptFailed(request, outcome);
  }

  /** The answer to an attempt has begun to arrive and is being handed on to the caller, so that it is too late for another: other
   *  attempts are dropped and none will follow. The attempt goes on until `onResponse`, which may still say that it failed, or the
   *  request's timeout. For drivers whose answers are streams. */
  onCommit(attempt: number): void {
    if (this.isPlain) return;
    const { attempts } = this;
    const request = attempts.request[attempt];
    attempts.repeat[request] = repeats.never;
    this.cancelNext(request);
    if (this.hasAttemptTimeout) this.driver.cancelAttemptTimeout(attempt);
    this.dropOthers(request, attempt);
  }

  /** The attempt's own time is up. */
  onAttemptTimeout(attempt: number): void {
    const request = this.attempts.request[attempt];
    this.endAttempt(request, attempt, outcomes.timeout);
    this.driver.dropAttempt(attempt);
    this.attemptFailed(request, outcomes.timeout);
  }

  /** The request's time is up. */
  onTimeout(request: number): void {
    this.stop(request, outcomes.timeout);
  }

  /** The caller does not want it any more. */
  cancel(request: number): void {
    if (this.isTimed) this.driver.cancelTimeout(request);
    this.stop(request, outcomes.cancelled);
  }

  /** A back-off is over, a hedge is due, or the fallback's answer is there. */
  onNext(request: number): void {
    const phase = this.attempts.phase[request];
    this.attempts.phase[request] = phases.idle;
    this.context.nowMs = this.clock.now();
    if (phase === phases.backoff) this.tryOnce(request, true);
    else if (phase === phases.hedge) this.hedgeNow(request);
    else this.driver.finish(request, results.ok, true);
  }

  private startFully(request: number, leftMs: Ms): void {
    const { attempts, context } = this;
    const { nowMs } = context;
    attempts.firstOut[request] = -1;
    attempts.sent[request] = 0;
    attempts.retries[request] = 0;
    attempts.hedges[request] = 0;
    attempts.phase[request] = phases.idle;
    attempts.repeat[request] = this.isRepeatable ? repeats.always : repeats.unserved;
    attempts.backoffMs[request] = 0;
    attempts.waitedMs[request] = 0;
    attempts.startedMs[request] = nowMs;
    attempts.deadlineMs[request] = nowMs + Math.min(leftMs, this.timeoutMs);
    attempts.hashHigh[request] = context.hashHigh;
    attempts.hashLow[request] = context.hasHash ? context.hashLow : -1;
    attempts.partition[request] = this.asked.partition;
    attempts.endpoint[request] = NO_ENDPOINT;
    if (leftMs <= 0) {
      this.conclude(request, results.timeout);
      return;
    }
    if (this.admission !== undefined) {
      this.asked.nowMs = nowMs;
      this.asked.inFlight = this.active;
      if (!this.admission.admit(this.asked)) {
        this.conclude(request, results.shed);
        return;
      }
    }
    this.active++;
    attempts.inFlight[request] = this.active;
    if (this.budget !== undefined) this.budget.onRequest(nowMs, this.active);
    if (this.hedge !== undefined) this.hedge.onRequest(nowMs);
    if (leftMs < this.timeoutMs) this.driver.armTimeout(request, leftMs, false);
    else if (this.hasTimeout) this.driver.armTimeout(request, this.timeoutMs, true);
    this.tryOnce(request, false);
  }

  /** One attempt; `isGranted` when a budget paid for it. Expects the time in the context. */
  private tryOnce(request: number, isGranted: boolean): void {
    const { attempts, context } = this;
    const { nowMs } = context;
    const ordinal = attempts.sent[request];
    const endpoint = this.pickFor(request, ordinal);
    const isUsable = this.isUsable(request, endpoint);
    // Asked last: some breakers take a permit that is given back unused for a good sign.
    const permit = this.breaker === undefined || !isUsable ? 0 : this.breaker.acquire(nowMs);
    if (!isUsable || permit === NO_PERMIT) {
      if (isGranted && this.budget !== undefined) this.budget.onRetryEnd(nowMs);
      this.attemptFailed(request, isUsable ? results.circuitOpen : results.noEndpoint);
      return;
    }
    const attempt = ordinal === 0 ? request : this.driver.newAttempt(request);
    attempts.tried[request * TRIED_MAX + (ordinal % TRIED_MAX)] = endpoint;
    attempts.sent[request] = ordinal + 1;
    attempts.request[attempt] = request;
    attempts.endpoint[attempt] = endpoint;
    attempts.sentMs[attempt] = nowMs;
    attempts.permit[attempt] = permit;
    attempts.isGranted[attempt] = isGranted ? 1 : 0;
    this.link(request, attempt);
    // Before the message leaves: its answer may come before `send` returns.
    if (this.hasAttemptTimeout) this.driver.armAttemptTimeout(attempt);
    if (this.hedge !== undefined) this.armHedge(request, nowMs);
    this.sendTo(request, attempt, endpoint, ordinal);
  }

  private sendTo(request: number, attempt: number, endpoint: Slot, ordinal: number): void {
    const { nowMs } = this.context;
    this.endpoints.begin(endpoint);
    if (this.balancer.onStart !== undefined) this.balancer.onStart(endpoint, nowMs);
    if (this.balancer.probes !== undefined) this.sendProbes(request, nowMs);
    this.driver.send(request, attempt, endpoint, ordinal);
  }

  private pickFor(request: number, ordinal: number): Slot {
    const { attempts, context } = this;
    context.attempt = ordinal;
    if (ordinal > 0) context.previous = attempts.tried[request * TRIED_MAX + ((ordinal - 1) % TRIED_MAX)];
    // Other requests may have set theirs since this one began.
    context.hasHash = attempts.hashLow[request] >= 0;
    context.hashHigh = attempts.hashHigh[request];
    context.hashLow = Math.max(0, attempts.hashLow[request]);
    let endpoint = this.balancer.pick(context);
    for (let again = 0; again < this.hostSelectionRetries && this.wasTried(request, endpoint, ordinal); again++) {
      endpoint = this.balancer.pick(context);
    }
    context.attempt = 0;
    context.previous = NO_ENDPOINT;
    return endpoint;
  }

  private wasTried(request: number, endpoint: Slot, attempts: number): boolean {
    const count = Math.min(attempts, TRIED_MAX);
    for (let i = 0; i < count; i++) if (this.attempts.tried[request * TRIED_MAX + i] === endpoint) return true;
    return false;
  }

  private isUsable(request: number, endpoint: Slot): boolean {
    if (this.endpoints.isEligible(endpoint)) return true;
    if (endpoint !== NO_ENDPOINT) this.driver.invalidPick(request, endpoint);
    if (this.isPlain) this.attempts.endpoint[request] = NO_ENDPOINT;
    return false;
  }

  /** An attempt failed, or could not be sent: hedge, wait for the others, try again, or give up. */
  private attemptFailed(request: number, result: RequestResult): void {
    const { attempts, budget, retry } = this;
    const nowMs = this.clock.now();
    this.context.nowMs = nowMs;
    const isSent = result !== results.circuitOpen && result !== results.noEndpoint;
    const isRetriable = (this.retryMask & (1 << result)) !== 0;
    // Without a retry policy it is the hedging policy that tries again, after any failure of an attempt.
    const isFailure = retry === undefined ? isSent : isRetriable;
    if (budget !== undefined && isFailure) budget.onFailure(nowMs);
    const isAllowed = this.mayRepeat(request, result);
    if (this.hedge?.onFailure === true && isSent && isFailure && isAllowed && this.canHedge(request, nowMs)) {
      this.cancelNext(request);
      attempts.hedges[request]++;
      this.tryOnce(request, budget !== undefined);
      return;
    }
    if (attempts.firstOut[request] >= 0) return;
    this.cancelNext(request);
    if (retry === undefined || !isRetriable || !isAllowed || attempts.retries[request] >= retry.retries) {
      this.finish(request, result);
      return;
    }
    const delayMs = retry.delayMs(attempts.retries[request] + 1, attempts.backoffMs[request], attempts.waitedMs[request]);
    // A retry that would start at or after the deadline is not worth paying for.
    if (nowMs + delayMs >= attempts.deadlineMs[request] || (budget !== undefined && !budget.tryWithdraw(nowMs, this.active))) {
      this.finish(request, result);
      return;
    }
    attempts.retries[request]++;
    attempts.backoffMs[request] = delayMs;
    attempts.waitedMs[request] += delayMs;
    if (delayMs > 0) this.armNext(request, phases.backoff, delayMs);
    else this.tryOnce(request, true);
  }

  private mayRepeat(request: number, result: RequestResult): boolean {
    const repeat = this.attempts.repeat[request];
    return repeat === repeats.always || (repeat === repeats.unserved && (UNSERVED & (1 << result)) !== 0);
  }

  private armHedge(request: number, nowMs: Ms): void {
    if (this.attempts.repeat[request] !== repeats.always) return;
    const delayMs = this.hedge!.delayMs(this.attempts.sent[request], nowMs);
    if (this.attempts.phase[request] !== phases.idle) this.cancelNext(request);
    if (delayMs < Infinity) this.armNext(request, phases.hedge, delayMs);
  }

  private hedgeNow(request: number): void {
    const { nowMs } = this.context;
    if (!this.canHedge(request, nowMs)) return;
    this.attempts.hedges[request]++;
    this.tryOnce(request, this.budget !== undefined);
  }

  /** Whether the hedging policy and the retry budget pay for one more; takes it from both. */
  private canHedge(request: number, nowMs: Ms): boolean {
    const { hedge, budget } = this;
    if (hedge === undefined || hedge.delayMs(this.attempts.sent[request], nowMs) === Infinity) return false;
    return hedge.tryHedge(nowMs) && (budget === undefined || budget.tryWithdraw(nowMs, this.active));
  }

  private endAttempt(request: number, attempt: number, outcome: Outcome, isLoser = false): void {
    const { attempts, breaker, budget } = this;
    this.unlink(request, attempt);
    if (this.hasAttemptTimeout) this.driver.cancelAttemptTimeout(attempt);
    this.endAtEndpoint(attempt, outcome);
    const nowMs = this.clock.now();
    const tookMs = nowMs - attempts.sentMs[attempt];
    if (breaker !== undefined) {
      if (outcome === outcomes.cancelled) breaker.release(attempts.permit[attempt], nowMs);
      else breaker.settle(attempts.permit[attempt], outcome === outcomes.ok, tookMs, nowMs);
    }
    if (budget !== undefined) {
      if (outcome === outcomes.ok) budget.onSuccess(nowMs);
      if (attempts.isGranted[attempt] !== 0) budget.onRetryEnd(nowMs);
    }
    // Also those that lost: without them the learnt latency would shrink by the hedging's own success.
    if (this.hedge !== undefined && (outcome === outcomes.ok || isLoser)) this.hedge.onLatency(tookMs, nowMs);
  }

  private endAtEndpoint(attempt: number, outcome: Outcome): void {
    const endpoint = this.attempts.endpoint[attempt];
    this.endpoints.end(endpoint);
    if (this.outlier !== undefined) this.outlier.onEnd(endpoint, outcome, this.clock.now());
    if (this.balancer.onEnd !== undefined) {
      const nowMs = this.clock.now();
      this.balancer.onEnd(endpoint, nowMs, nowMs - this.attempts.sentMs[attempt], outcome);
    }
  }

  /** Ends the request from outside, with all its attempts that are out. */
  private stop(request: number, outcome: typeof outcomes.timeout | typeof outcomes.cancelled): void {
    if (this.isPlain) {
      this.endAtEndpoint(request, outcome);
      this.driver.dropAttempt(request);
      this.driver.finish(request, outcome, false);
      return;
    }
    const isOver = this.attempts.phase[request] === phases.fallback;
    if (isOver) {
      // It has its result and waits for the fallback, which a cancelled caller does not need.
      this.cancelNext(request);
      this.driver.finish(request, outcome, false);
      return;
    }
    // A retry that was paid for and will not be sent.
    if (this.budget !== undefined && this.attempts.phase[request] === phases.backoff) this.budget.onRetryEnd(this.clock.now());
    this.dropAll(request, outcome);
    this.finish(request, outcome);
  }

  /** `isLoser`: because another attempt won. */
  private dropAll(request: number, outcome: Outcome, isLoser = false): void {
    for (let attempt = this.attempts.firstOut[request]; attempt >= 0; attempt = this.attempts.firstOut[request]) {
      this.endAttempt(request, attempt, outcome, isLoser);
      this.driver.dropAttempt(attempt);
    }
  }

  /** Those that lost against this one. */
  private dropOthers(request: number, winner: number): void {
    const { attempts } = this;
    for (let attempt = attempts.firstOut[request]; attempt >= 0;) {
      const next = attempts.next[attempt];
      if (attempt !== winner) {
        this.endAttempt(request, attempt, outcomes.cancelled, true);
        this.driver.dropAttempt(attempt);
      }
      attempt = next;
    }
  }

  private finish(request: number, result: RequestResult): void {
    const { attempts } = this;
    this.dropAll(request, outcomes.cancelled, result === results.ok);
    this.cancelNext(request);
    if (attempts.deadlineMs[request] < Infinity) this.driver.cancelTimeout(request);
    this.active--;
    if (this.admission !== undefined) {
      const nowMs = this.clock.now();
      const tookMs = nowMs - attempts.startedMs[request];
      this.admission.onEnd(asAdmission(result), tookMs, attempts.inFlight[request], nowMs, attempts.partition[request]);
    }
    this.conclude(request, result);
  }

  /** The result is known; a fallback may stand in for it. */
  private conclude(request: number, result: RequestResult): void {
    if ((this.fallbackMask & (1 << result)) === 0) this.driver.finish(request, result, false);
    else if (this.fallbackMs > 0) this.armNext(request, phases.fallback, this.fallbackMs);
    else this.driver.finish(request, results.ok, true);
  }

  private armNext(request: number, phase: number, delayMs: Ms): void {
    this.attempts.phase[request] = phase;
    this.driver.armNext(request, delayMs);
  }

  private cancelNext(request: number): void {
    if (this.attempts.phase[request] === phases.idle) return;
    this.attempts.phase[request] = phases.idle;
    this.driver.cancelNext(request);
  }

  private sendProbes(request: number, nowMs: Ms): void {
    const count = this.balancer.probes?.(this.probeTargets, nowMs) ?? 0;
    for (let i = 0; i < count; i++) {
      const endpoint = this.probeTargets[i];
      if (this.endpoints.isEligible(endpoint)) this.driver.probe(request, endpoint);
      else this.driver.invalidPick(request, endpoint);
    }
  }

  private link(request: number, attempt: number): void {
    const { attempts } = this;
    const first = attempts.firstOut[request];
    attempts.next[attempt] = first;
    attempts.previous[attempt] = -1;
    if (first >= 0) attempts.previous[first] = attempt;
    attempts.firstOut[request] = attempt;
  }

  private unlink(request: number, attempt: number): void {
    const { attempts } = this;
    const before = attempts.previous[attempt];
    const after = attempts.next[attempt];
    if (before >= 0) attempts.next[before] = after;
    else attempts.firstOut[request] = after;
    if (after >= 0) attempts.previous[after] = before;
  }
}

/** What a request's end says about load. */
function asAdmission(result: RequestResult): AdmissionResult {
  switch (result) {
    case results.ok:
      return admissionResults.ok;
    case results.error:
    case results.lost:
      return admissionResults.failed;
    case results.timeout:
    case results.refused:
    case results.shed:
      return admissionResults.dropped;
    default:
      return admissionResults.ignored;
  }
}
