/** One request's life on the client's side, as a state machine without input or output:
 *
 *      admit → pick → send → (attempt timeout, hedge) → answer, or wait and try again → outcome, or a fallback in its place
 *
 *  The simulator and a live proxy drive the same object. The pipeline says what to do through its `PipelineDriver` (`send`, timers,
 *  `finish`); the driver tells it what happened (`start`, `onResponse`, `onTimeout`, `onAttemptTimeout`, `onNext`; where answers are
 *  streams, `onCommit`). Every policy of the path is optional; a pipeline that has only a balancer takes a shorter way through the same steps. State per request lives in typed
 *  arrays, so nothing allocates per request.
 *
 *  A pipeline that was made for it can be given other settings while requests are out: those live on by the settings they began with,
 *  retries, hedges and ends included, as in Envoy when its routes change.
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
import { invariant } from '../../core/errors.ts';
import type { Clock, Ms } from '../../core/time.ts';
import {
  type Admission,
  type AdmissionRequest,
  type AdmissionResult,
  admissionResults,
} from '../resilience/admission/admission.ts';
import { type Breaker, NO_PERMIT } from '../resilience/breakers/breaker.ts';
import type { Hedge } from '../resilience/hedging/hedge.ts';
import { type AttemptTable, repeats, TRIED_MAX } from './attempt-table.ts';
import type { PipelineDriver } from './driver.ts';
import type { Generation, PipelineSettings } from './generation.ts';
import { Generations } from './generations.ts';
import { type RequestResult, resultMask, results } from './results.ts';

/** Probes one pick may ask for. */
const PROBES_MAX = 64;

/** Results after which surely nobody has worked on the request. */
const UNSERVED = resultMask(['refused', 'shed', 'noEndpoint']);

const phases = { idle: 0, backoff: 1, hedge: 2, fallback: 3 } as const;

/** The settings to begin with, their balancer bound to the endpoints, and what stays for the client's life. */
export interface PipelineParts extends PipelineSettings {
  readonly endpoints: EndpointSet;
  readonly attempts: AttemptTable;
  readonly driver: PipelineDriver;
  readonly clock: Clock;
  /** Told how each attempt ended at its endpoint, and how long it took: passive outlier detection. */
  readonly outlier?: { onEnd(endpoint: Slot, outcome: Outcome, nowMs: Ms, latencyMs: Ms): void } | undefined;
  /** Whether `start` is ever given less time than the client's own timeout. */
  readonly hasDeadlines?: boolean;
  /** Whether `reconfigure` is ever called. */
  readonly isReconfigurable?: boolean;
}

/** Whether a pipeline with these parts needs the full `AttemptTable`. */
export const needsFullTable = (parts: Omit<PipelineParts, 'endpoints' | 'balancer' | 'attempts' | 'driver' | 'clock'>): boolean =>
  parts.isReconfigurable === true ||
  (parts.attemptTimeoutMs ?? Infinity) < Infinity ||
  [parts.retry, parts.budget, parts.hedge, parts.breaker, parts.admission, parts.fallback].some((part) => part !== undefined);

export class Pipeline {
  /** Requests that have not ended, whatever settings they live by; only counted where a policy asks for it. */
  active: number;
  private readonly endpoints: EndpointSet;
  private readonly attempts: AttemptTable;
  private readonly driver: PipelineDriver;
  private readonly clock: Clock;
  /** Whether it has only a balancer: then it keeps no count of attempts, which is one per request. */
  readonly isPlain: boolean;
  private readonly isReconfigurable: boolean;
  private readonly generations: Generations;
  // The current settings.
  private current: Generation;
  private currentBalancer: Balancer;
  private readonly timeoutMs: Ms;
  private readonly hasTimeout: boolean;
  /** Whether a request may have a timer on it. */
  private readonly isTimed: boolean;
  /** Whether somebody wants to know how long a plain attempt took. */
  private readonly isMeasured: boolean;
  private readonly outlier: PipelineParts['outlier'];
  private readonly context: PickContext;
  private readonly asked: AdmissionRequest;
  private isRepeatable: boolean;
  private readonly probeTargets: Int32Array;

  constructor(parts: PipelineParts) {
    this.active = 0;
    this.endpoints = parts.endpoints;
    this.attempts = parts.attempts;
    this.driver = parts.driver;
    this.clock = parts.clock;
    this.isPlain = !needsFullTable(parts);
    this.isReconfigurable = parts.isReconfigurable === true;
    this.generations = new Generations(parts, parts.endpoints);
    this.current = this.generations.current;
    this.currentBalancer = parts.balancer;
    this.timeoutMs = this.current.timeoutMs;
    this.hasTimeout = this.current.hasTimeout;
    this.isTimed = this.hasTimeout || parts.hasDeadlines === true || this.isReconfigurable;
    this.isMeasured = parts.balancer.onEnd !== undefined || parts.outlier !== undefined;
    this.outlier = parts.outlier;
    this.isRepeatable = true;
    this.probeTargets = new Int32Array(PROBES_MAX);
    this.context = { nowMs: -0, attempt: 0, previous: NO_ENDPOINT, hasHash: false, hashHigh: 0, hashLow: 0 };
    this.asked = { nowMs: -0, priority: 0, inFlight: 0, queued: 0, user: 0, partition: 0 };
  }

  /** Requests that begin from now on live by these settings, all of them; what is to stay is given again. Those that are out live on by
   *  the settings they began with. The balancer is bound here, and hears of the endpoints until its last request has ended. Usual
   *  timeouts have another length from now on. */
  reconfigure(settings: PipelineSettings): void {
    invariant(this.isReconfigurable, 'a pipeline was reconfigured that was not made for it');
    this.generations.replace(settings, this.clock.now());
    this.current = this.generations.current;
    this.currentBalancer = settings.balancer;
  }

  /** Of requests that begin now. */
  get balancer(): Balancer {
    return this.currentBalancer;
  }

  get breaker(): Breaker | undefined {
    return this.current.breaker;
  }

  get admission(): Admission | undefined {
    return this.current.admission;
  }

  /** How many settings requests live by, the current ones included. */
  get settingsInUse(): number {
    return this.generations.count;
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
    const balancer = this.currentBalancer;
    const endpoint = balancer.pick(context);
    if (!this.endpoints.isEligible(endpoint)) {
      this.refusePick(request, endpoint);
      this.attempts.endpoint[request] = NO_ENDPOINT;
      this.driver.finish(request, results.noEndpoint, false);
      return;
    }
    if (leftMs < this.timeoutMs) this.driver.armTimeout(request, leftMs, false);
    else if (this.hasTimeout) this.driver.armTimeout(request, this.timeoutMs, true);
    this.attempts.endpoint[request] = endpoint;
    if (this.isMeasured) this.attempts.sentMs[request] = context.nowMs;
    this.sendTo(request, request, endpoint, 0, balancer);
  }

  /** A load report arrived: a probe's answer, or what came with a response. */
  onReport(endpoint: Slot, report: LoadReport): void {
    const balancer = this.currentBalancer;
    if (balancer.onReport !== undefined) balancer.onReport(endpoint, this.clock.now(), report);
  }

  /** The answer to an attempt arrived, or the connection was refused or lost. */
  onResponse(attempt: number, outcome: Outcome): void {
    if (this.isPlain) {
      this.endAtEndpoint(attempt, outcome, this.currentBalancer);
      if (this.isTimed) this.driver.cancelTimeout(attempt);
      this.driver.finish(attempt, outcome, false);
      return;
    }
    const request = this.attempts.request[attempt];
    const settings = this.settingsOf(request);
    this.endAttempt(request, attempt, outcome, settings);
    if (outcome === outcomes.ok) this.finish(request, results.ok, settings);
    else this.attemptFailed(request, outcome, settings);
  }

  /** The answer to an attempt has begun to arrive and is being handed on to the caller, so that it is too late for another: other
   *  attempts are dropped and none will follow. The attempt goes on until `onResponse`, which may still say that it failed, or the
   *  request's timeout. For drivers whose answers are streams. */
  onCommit(attempt: number): void {
    if (this.isPlain) return;
    const { attempts } = this;
    const request = attempts.request[attempt];
    const settings = this.settingsOf(request);
    attempts.repeat[request] = repeats.never;
    this.cancelNext(request);
    if (settings.hasAttemptTimeout) this.driver.cancelAttemptTimeout(attempt);
    this.dropOthers(request, attempt, settings);
  }

  /** The attempt's own time is up. */
  onAttemptTimeout(attempt: number): void {
    const request = this.attempts.request[attempt];
    const settings = this.settingsOf(request);
    this.endAttempt(request, attempt, outcomes.timeout, settings);
    this.driver.dropAttempt(attempt);
    this.attemptFailed(request, outcomes.timeout, settings);
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
    const settings = this.settingsOf(request);
    if (phase === phases.backoff) this.tryOnce(request, true, settings);
    else if (phase === phases.hedge) this.hedgeNow(request, settings);
    else this.leave(request, results.ok, true, settings);
  }

  /** The settings that the request began with. */
  private settingsOf(request: number): Generation {
    return this.isReconfigurable ? this.generations.of(this.attempts.generation[request]) : this.current;
  }

  private startFully(request: number, leftMs: Ms): void {
    const { attempts, context, current: settings } = this;
    const { nowMs } = context;
    if (this.isReconfigurable) {
      attempts.generation[request] = settings.number;
      settings.requests++;
    }
    attempts.firstOut[request] = -1;
    attempts.sent[request] = 0;
    attempts.retries[request] = 0;
    attempts.hedges[request] = 0;
    attempts.phase[request] = phases.idle;
    attempts.repeat[request] = this.isRepeatable ? repeats.always : repeats.unserved;
    attempts.backoffMs[request] = 0;
    attempts.waitedMs[request] = 0;
    attempts.startedMs[request] = nowMs;
    attempts.deadlineMs[request] = nowMs + Math.min(leftMs, settings.timeoutMs);
    attempts.hashHigh[request] = context.hashHigh;
    attempts.hashLow[request] = context.hasHash ? context.hashLow : -1;
    attempts.partition[request] = this.asked.partition;
    attempts.endpoint[request] = NO_ENDPOINT;
    if (leftMs <= 0) {
      this.conclude(request, results.timeout, settings);
      return;
    }
    if (settings.admission !== undefined) {
      this.asked.nowMs = nowMs;
      this.asked.inFlight = this.active;
      if (!settings.admission.admit(this.asked)) {
        this.conclude(request, results.shed, settings);
        return;
      }
    }
    this.active++;
    attempts.inFlight[request] = this.active;
    if (settings.budget !== undefined) settings.budget.onRequest(nowMs, this.active);
    if (settings.hedge !== undefined) settings.hedge.onRequest(nowMs);
    if (leftMs < settings.timeoutMs) this.driver.armTimeout(request, leftMs, false);
    else if (settings.hasTimeout) this.driver.armTimeout(request, settings.timeoutMs, true);
    this.tryOnce(request, false, settings);
  }

  /** One attempt; `isGranted` when a budget paid for it. Expects the time in the context. */
  private tryOnce(request: number, isGranted: boolean, settings: Generation): void {
    const { attempts, context } = this;
    const { breaker, budget } = settings;
    const { nowMs } = context;
    const ordinal = attempts.sent[request];
    const endpoint = this.pickFor(request, ordinal, settings);
    const isUsable = this.endpoints.isEligible(endpoint, settings.judgesHealth);
    if (!isUsable) this.refusePick(request, endpoint);
    // Asked last: some breakers take a permit that is given back unused for a good sign.
    const permit = breaker === undefined || !isUsable ? 0 : breaker.acquire(nowMs);
    if (!isUsable || permit === NO_PERMIT) {
      if (isGranted && budget !== undefined) budget.onRetryEnd(nowMs);
      this.attemptFailed(request, isUsable ? results.circuitOpen : results.noEndpoint, settings);
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
    if (settings.hasAttemptTimeout) this.driver.armAttemptTimeout(attempt, settings.attemptTimeoutMs);
    if (settings.hedge !== undefined) this.armHedge(request, nowMs, settings.hedge);
    this.sendTo(request, attempt, endpoint, ordinal, settings.balancer);
  }

  private sendTo(request: number, attempt: number, endpoint: Slot, ordinal: number, balancer: Balancer): void {
    const { nowMs } = this.context;
    this.endpoints.begin(endpoint);
    if (balancer.onStart !== undefined) balancer.onStart(endpoint, nowMs);
    // The answers go to the current balancer: nobody asks for those of one before it.
    if (balancer.probes !== undefined && balancer === this.currentBalancer) this.sendProbes(request, nowMs, balancer);
    this.driver.send(request, attempt, endpoint, ordinal);
  }

  private pickFor(request: number, ordinal: number, { balancer, hostSelectionRetries }: Generation): Slot {
    const { attempts, context } = this;
    context.attempt = ordinal;
    if (ordinal > 0) context.previous = attempts.tried[request * TRIED_MAX + ((ordinal - 1) % TRIED_MAX)];
    // Other requests may have set theirs since this one began.
    context.hasHash = attempts.hashLow[request] >= 0;
    context.hashHigh = attempts.hashHigh[request];
    context.hashLow = Math.max(0, attempts.hashLow[request]);
    let endpoint = balancer.pick(context);
    for (let again = 0; again < hostSelectionRetries && this.wasTried(request, endpoint, ordinal); again++) {
      endpoint = balancer.pick(context);
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

  private refusePick(request: number, endpoint: Slot): void {
    if (endpoint !== NO_ENDPOINT) this.driver.invalidPick(request, endpoint);
  }

  /** An attempt failed, or could not be sent: hedge, wait for the others, try again, or give up. */
  private attemptFailed(request: number, result: RequestResult, settings: Generation): void {
    const { attempts } = this;
    const { budget, hedge, retry } = settings;
    const nowMs = this.clock.now();
    this.context.nowMs = nowMs;
    const isSent = result !== results.circuitOpen && result !== results.noEndpoint;
    const isRetriable = (settings.retryMask & (1 << result)) !== 0;
    // Without a retry policy it is the hedging policy that tries again, after any failure of an attempt.
    const isFailure = retry === undefined ? isSent : isRetriable;
    if (budget !== undefined && isFailure) budget.onFailure(nowMs);
    const isAllowed = this.mayRepeat(request, result);
    if (hedge?.onFailure === true && isSent && isFailure && isAllowed && this.canHedge(request, nowMs, settings)) {
      this.cancelNext(request);
      attempts.hedges[request]++;
      this.tryOnce(request, budget !== undefined, settings);
      return;
    }
    if (attempts.firstOut[request] >= 0) return;
    this.cancelNext(request);
    if (retry === undefined || !isRetriable || !isAllowed || attempts.retries[request] >= retry.retries) {
      this.finish(request, result, settings);
      return;
    }
    const delayMs = retry.delayMs(attempts.retries[request] + 1, attempts.backoffMs[request], attempts.waitedMs[request]);
    // A retry that would start at or after the deadline is not worth paying for.
    if (nowMs + delayMs >= attempts.deadlineMs[request] || (budget !== undefined && !budget.tryWithdraw(nowMs, this.active))) {
      this.finish(request, result, settings);
      return;
    }
    attempts.retries[request]++;
    attempts.backoffMs[request] = delayMs;
    attempts.waitedMs[request] += delayMs;
    if (delayMs > 0) this.armNext(request, phases.backoff, delayMs);
    else this.tryOnce(request, true, settings);
  }

  private mayRepeat(request: number, result: RequestResult): boolean {
    const repeat = this.attempts.repeat[request];
    return repeat === repeats.always || (repeat === repeats.unserved && (UNSERVED & (1 << result)) !== 0);
  }

  private armHedge(request: number, nowMs: Ms, hedge: Hedge): void {
    if (this.attempts.repeat[request] !== repeats.always) return;
    const delayMs = hedge.delayMs(this.attempts.sent[request], nowMs);
    if (this.attempts.phase[request] !== phases.idle) this.cancelNext(request);
    if (delayMs < Infinity) this.armNext(request, phases.hedge, delayMs);
  }

  private hedgeNow(request: number, settings: Generation): void {
    const { nowMs } = this.context;
    if (!this.canHedge(request, nowMs, settings)) return;
    this.attempts.hedges[request]++;
    this.tryOnce(request, settings.budget !== undefined, settings);
  }

  /** Whether the hedging policy and the retry budget pay for one more; takes it from both. */
  private canHedge(request: number, nowMs: Ms, { hedge, budget }: Generation): boolean {
    if (hedge === undefined || hedge.delayMs(this.attempts.sent[request], nowMs) === Infinity) return false;
    return hedge.tryHedge(nowMs) && (budget === undefined || budget.tryWithdraw(nowMs, this.active));
  }

  private endAttempt(request: number, attempt: number, outcome: Outcome, settings: Generation, isLoser = false): void {
    const { attempts } = this;
    const { breaker, budget, hedge } = settings;
    this.unlink(request, attempt);
    if (settings.hasAttemptTimeout) this.driver.cancelAttemptTimeout(attempt);
    this.endAtEndpoint(attempt, outcome, settings.balancer);
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
    if (hedge !== undefined && (outcome === outcomes.ok || isLoser)) hedge.onLatency(tookMs, nowMs);
  }

  private endAtEndpoint(attempt: number, outcome: Outcome, balancer: Balancer): void {
    const endpoint = this.attempts.endpoint[attempt];
    this.endpoints.end(endpoint);
    if (this.outlier !== undefined) {
      const nowMs = this.clock.now();
      this.outlier.onEnd(endpoint, outcome, nowMs, nowMs - this.attempts.sentMs[attempt]);
    }
    if (balancer.onEnd !== undefined) {
      const nowMs = this.clock.now();
      balancer.onEnd(endpoint, nowMs, nowMs - this.attempts.sentMs[attempt], outcome);
    }
  }

  /** Ends the request from outside, with all its attempts that are out. */
  private stop(request: number, outcome: typeof outcomes.timeout | typeof outcomes.cancelled): void {
    if (this.isPlain) {
      this.endAtEndpoint(request, outcome, this.currentBalancer);
      this.driver.dropAttempt(request);
      this.driver.finish(request, outcome, false);
      return;
    }
    const settings = this.settingsOf(request);
    const isOver = this.attempts.phase[request] === phases.fallback;
    if (isOver) {
      // It has its result and waits for the fallback, which a cancelled caller does not need.
      this.cancelNext(request);
      this.leave(request, outcome, false, settings);
      return;
    }
    // A retry that was paid for and will not be sent.
    const { budget } = settings;
    if (budget !== undefined && this.attempts.phase[request] === phases.backoff) budget.onRetryEnd(this.clock.now());
    this.dropAll(request, outcome, settings);
    this.finish(request, outcome, settings);
  }

  /** `isLoser`: because another attempt won. */
  private dropAll(request: number, outcome: Outcome, settings: Generation, isLoser = false): void {
    for (let attempt = this.attempts.firstOut[request]; attempt >= 0; attempt = this.attempts.firstOut[request]) {
      this.endAttempt(request, attempt, outcome, settings, isLoser);
      this.driver.dropAttempt(attempt);
    }
  }

  /** Those that lost against this one. */
  private dropOthers(request: number, winner: number, settings: Generation): void {
    const { attempts } = this;
    for (let attempt = attempts.firstOut[request]; attempt >= 0;) {
      const next = attempts.next[attempt];
      if (attempt !== winner) {
        this.endAttempt(request, attempt, outcomes.cancelled, settings, true);
        this.driver.dropAttempt(attempt);
      }
      attempt = next;
    }
  }

  private finish(request: number, result: RequestResult, settings: Generation): void {
    const { attempts } = this;
    const { admission } = settings;
    this.dropAll(request, outcomes.cancelled, settings, result === results.ok);
    this.cancelNext(request);
    if (attempts.deadlineMs[request] < Infinity) this.driver.cancelTimeout(request);
    this.active--;
    if (admission !== undefined) {
      const nowMs = this.clock.now();
      const tookMs = nowMs - attempts.startedMs[request];
      admission.onEnd(asAdmission(result), tookMs, attempts.inFlight[request], nowMs, attempts.partition[request]);
    }
    this.conclude(request, result, settings);
  }

  /** The result is known; a fallback may stand in for it. */
  private conclude(request: number, result: RequestResult, settings: Generation): void {
    if ((settings.fallbackMask & (1 << result)) === 0) this.leave(request, result, false, settings);
    else if (settings.fallbackMs > 0) this.armNext(request, phases.fallback, settings.fallbackMs);
    else this.leave(request, results.ok, true, settings);
  }

  /** The request is over: its settings, if others have taken their place, may be over with it. */
  private leave(request: number, result: RequestResult, isDegraded: boolean, settings: Generation): void {
    if (this.isReconfigurable) this.generations.leave(settings);
    this.driver.finish(request, result, isDegraded);
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

  private sendProbes(request: number, nowMs: Ms, balancer: Balancer): void {
    const count = balancer.probes?.(this.probeTargets, nowMs) ?? 0;
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
