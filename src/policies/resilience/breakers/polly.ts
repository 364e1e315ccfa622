/** Polly v8: opens when, over the sampling duration, enough calls were made and the share of failures reached a ratio; after the break
 *  one probe, which closes it or opens it for another break.
 *
 *  Quick to open (a tenth of the calls by default) and simple to reason about. It fails at low traffic, where the throughput is never
 *  reached, and where one good probe says little about the full load.
 *
 *  The details are Polly's own. It judges on failures only, so that a success never opens it. The break includes its last instant. What
 *  is neither good nor handled as a failure counts as a success, so a cancelled probe closes the circuit. Results carry no generation:
 *  while the probe is out, whichever call ends first decides. */
import { duration, fraction, int, type ParamValues } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { type Breaker, type BreakerState, breakerStates, defineBreaker, NO_PERMIT } from './breaker.ts';
import { type PollyWindow, pollyWindow } from './parts/polly-window.ts';

const params = {
  failureRatio: fraction({
    default: 0.1,
    about: 'Opens when at least this share of the calls failed.',
    official: 'Polly CircuitBreakerStrategyOptions.FailureRatio',
  }),
  minimumThroughput: int({
    default: 100,
    min: 2,
    about: 'Calls within the sampling duration below which it never opens.',
    official: 'Polly CircuitBreakerStrategyOptions.MinimumThroughput',
  }),
  samplingDuration: duration({
    default: 30_000,
    min: 1,
    about: 'How far back calls count.',
    official: 'Polly CircuitBreakerStrategyOptions.SamplingDuration (there 500 ms at least)',
  }),
  breakDuration: duration({
    default: 5000,
    min: 1,
    about: 'How long it stays open before a probe.',
    official: 'Polly CircuitBreakerStrategyOptions.BreakDuration (there 500 ms at least)',
  }),
};
export type PollyParams = ParamValues<typeof params>;

export const polly = defineBreaker({
  name: 'polly',
  summary:
    'Opens at a ratio of failures over the sampling duration, judged on failures only, and lets one probe through after a break.',
  useWhen: 'Even a small share of failures should stop the traffic for a moment.',
  failsWhen: 'Traffic is thin, so that the throughput is never reached; or calls are cancelled, for that counts as success.',
  cost: 'O(1)',
  sources: [
    'App-vNext/Polly: src/Polly.Core/CircuitBreaker/Controller/CircuitStateController.cs',
    'App-vNext/Polly: src/Polly.Core/CircuitBreaker/Controller/AdvancedCircuitBehavior.cs',
    'App-vNext/Polly: src/Polly.Core/CircuitBreaker/Health/RollingHealthMetrics.cs',
  ],
  aliases: [{ system: 'Polly', name: 'AddCircuitBreaker' }],
  params,
  create: (values) => new PollyBreaker(values),
});

export const pollyShouldBreak = (throughput: number, failureRate: number, values: HealthThresholds): boolean =>
  throughput >= values.minimumThroughput && failureRate >= values.failureRatio;

type HealthThresholds = Pick<PollyParams, 'minimumThroughput' | 'failureRatio'>;

class PollyBreaker implements Breaker {
  readonly #values: PollyParams;
  readonly #window: PollyWindow;
  #state: BreakerState = breakerStates.closed;
  #generation = 0;
  #blockedUntilMs = 0;

  constructor(values: PollyParams) {
    this.#values = values;
    this.#window = pollyWindow(values.samplingDuration);
  }

  acquire(nowMs: Ms): number {
    if (this.#state === breakerStates.closed) return this.#generation;
    if (this.#state !== breakerStates.open || nowMs < this.#blockedUntilMs) return NO_PERMIT;
    this.#change(breakerStates.halfOpen);
    return this.#generation;
  }

  settle(_permit: number, isGood: boolean, _durationMs: Ms, nowMs: Ms): void {
    if (isGood) this.#onSuccess(nowMs);
    else this.#onFailure(nowMs);
  }

  release(_permit: number, nowMs: Ms): void {
    this.#onSuccess(nowMs);
  }

  state(): BreakerState {
    return this.#state;
  }

  retryAtMs(): Ms {
    return this.#state === breakerStates.open ? this.#blockedUntilMs : Infinity;
  }

  #onSuccess(nowMs: Ms): void {
    this.#window.add(true, nowMs);
    if (this.#state !== breakerStates.halfOpen) return;
    this.#window.reset(nowMs);
    this.#change(breakerStates.closed);
  }

  #onFailure(nowMs: Ms): void {
    if (this.#state === breakerStates.halfOpen) {
      this.#open(nowMs);
      return;
    }
    // Failures that arrive while it is open are counted, and neither open it again nor extend the break.
    this.#window.add(false, nowMs);
    const { throughput, failures } = this.#window;
    if (this.#state === breakerStates.closed && pollyShouldBreak(throughput, failures / throughput, this.#values))
      this.#open(nowMs);
  }

  #open(nowMs: Ms): void {
    this.#blockedUntilMs = nowMs + this.#values.breakDuration;
    this.#change(breakerStates.open);
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#generation++;
  }
}
