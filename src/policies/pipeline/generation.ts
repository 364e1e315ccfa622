/** One configuration of a pipeline as its requests see it: the policies and limits that a request lives by from its start to its end. */
import type { Balancer } from '../balancing/balancer.ts';
import type { Ms } from '../../core/time.ts';
import type { Admission } from '../resilience/admission/admission.ts';
import type { Breaker } from '../resilience/breakers/breaker.ts';
import type { RetryBudget } from '../resilience/budgets/retry-budget.ts';
import type { Hedge } from '../resilience/hedging/hedge.ts';
import type { RetryPolicy } from '../resilience/retries/retry.ts';
import { resultMask } from './results.ts';

/** What can be exchanged while requests are out. */
export interface PipelineSettings {
  readonly balancer: Balancer;
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
}

/** Picks repeated for a hedge to avoid endpoints already tried, where no retry policy says how often. */
const HOST_SELECTION_RETRIES = 5;

export class Generation {
  /** Its place among those that requests still live by. */
  readonly number: number;
  /** Requests that live by it; only counted where there can be several. */
  requests: number;
  readonly balancer: Balancer;
  readonly judgesHealth: boolean;
  readonly timeoutMs: Ms;
  readonly hasTimeout: boolean;
  readonly attemptTimeoutMs: Ms;
  readonly hasAttemptTimeout: boolean;
  readonly retry: RetryPolicy | undefined;
  readonly retryMask: number;
  readonly hostSelectionRetries: number;
  readonly budget: RetryBudget | undefined;
  readonly hedge: Hedge | undefined;
  readonly breaker: Breaker | undefined;
  readonly admission: Admission | undefined;
  readonly fallbackMask: number;
  readonly fallbackMs: Ms;

  constructor(settings: PipelineSettings, number: number) {
    const { retry, fallback } = settings;
    this.number = number;
    this.requests = 0;
    this.balancer = settings.balancer;
    this.judgesHealth = settings.balancer.judgesHealth === true;
    this.timeoutMs = settings.timeoutMs ?? Infinity;
    this.hasTimeout = this.timeoutMs < Infinity;
    this.attemptTimeoutMs = settings.attemptTimeoutMs ?? Infinity;
    this.hasAttemptTimeout = this.attemptTimeoutMs < Infinity;
    this.retry = retry;
    this.retryMask = retry === undefined ? 0 : resultMask(retry.on);
    this.hostSelectionRetries = retry?.hostSelectionRetries ?? HOST_SELECTION_RETRIES;
    this.budget = settings.budget;
    this.hedge = settings.hedge;
    this.breaker = settings.breaker;
    this.admission = settings.admission;
    this.fallbackMask = fallback === undefined ? 0 : resultMask(fallback.on);
    this.fallbackMs = fallback?.takesMs ?? 0;
  }
}
