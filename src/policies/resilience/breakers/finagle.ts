/** Finagle's failure accrual: marks the callee dead after failures in a row, or when a moving average of successes falls below a required
 *  rate; then one probe at a time until one ends well. The default is both, whichever comes first.
 *
 *  The row catches an outage at once, the rate a partial one. It fails where some failures are the callee's normal state: sooner or later
 *  as many come in a row as it takes. In Finagle there is one per endpoint, and the balancer avoids the dead.
 *
 *  Dead times grow with equal jitter until it is revived. What ends badly while it is dead is ignored, what ends well is recorded. While
 *  the probe is out, whichever request ends first decides. A probe that is cancelled gives its place to the next; one that fails without
 *  being reason enough to mark dead, too. */
import { choice, duration, fraction, int, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { type Breaker, type BreakerState, breakerStates, defineBreaker, NO_PERMIT } from './breaker.ts';
import {
  ConsecutiveFailures,
  type FailureAccrualPolicy,
  NOT_DEAD,
  OrElse,
  SuccessRate,
  SuccessRateWithinDuration,
} from './parts/failure-accrual.ts';
import { EqualJittered } from './parts/mark-dead-for.ts';

const params = {
  policy: choice({
    default: 'hybrid',
    choices: ['hybrid', 'consecutive-failures', 'success-rate', 'success-rate-within-duration'],
    about: 'What marks dead; hybrid is success-rate-within-duration or else consecutive-failures.',
    official: 'Finagle FailureAccrualPolicy',
  }),
  numFailures: int({
    default: 5,
    min: 1,
    about: 'With consecutive-failures and hybrid: failures in a row that mark dead.',
    official: 'Finagle FailureAccrualPolicy.consecutiveFailures numFailures',
  }),
  requiredSuccessRate: fraction({
    default: 0.8,
    about: 'With a success rate and hybrid: a failure marks dead while the moving average of successes is below this.',
    official: 'Finagle FailureAccrualPolicy.successRate requiredSuccessRate',
  }),
  window: duration({
    default: 30_000,
    min: 1,
    about: 'With success-rate-within-duration and hybrid: the moving average weighs by exp(−age / window), and must be as old.',
    official: 'Finagle FailureAccrualPolicy.successRateWithinDuration window',
  }),
  minRequestThreshold: int({
    default: 5,
    min: 0,
    about: 'With success-rate-within-duration and hybrid: requests in the window, at least.',
    official: 'Finagle FailureAccrualPolicy.successRateWithinDuration minRequestThreshold',
  }),
  windowRequests: int({
    default: 100,
    min: 1,
    about: 'With success-rate: the moving average weighs by exp(−requests since / windowRequests), and must have seen as many.',
    official: 'Finagle FailureAccrualPolicy.successRate window (no default there)',
  }),
  markDeadFor: duration({
    default: 5000,
    min: 1,
    about: 'The first dead time; later ones lie between h and 2h, with h doubling from this.',
    official: 'Finagle Backoff.equalJittered start',
  }),
  markDeadForMaximum: duration({
    default: 300_000,
    min: 1,
    about: 'The longest dead time.',
    official: 'Finagle Backoff.equalJittered maximum',
  }),
};
export type FinagleParams = ParamValues<typeof params>;

export const finagle = defineBreaker({
  name: 'finagle',
  summary: 'Marks dead after failures in a row or below a success rate, and probes with one request after growing dead times.',
  useWhen: 'Both outages and partial failures of a callee should be caught, at thin and at dense traffic.',
  failsWhen: 'Failures are the normal state: in time as many come in a row as it takes.',
  cost: 'O(1); an exponential per result with a success rate',
  sources: [
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/liveness/FailureAccrualFactory.scala',
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/liveness/FailureAccrualPolicy.scala',
  ],
  aliases: [{ system: 'Finagle', name: 'FailureAccrualFactory' }],
  params,
  create: (values, deps) => new FinagleBreaker(accrualPolicy(values, deps.rng)),
});

/** What the parameters describe. Each part of the hybrid has a back-off of its own. */
function accrualPolicy(values: FinagleParams, rng: Rng): FailureAccrualPolicy {
  const { policy, numFailures, requiredSuccessRate, window, minRequestThreshold } = values;
  const backoff = (): EqualJittered => new EqualJittered(values.markDeadFor, values.markDeadForMaximum, rng);
  if (policy === 'consecutive-failures') return new ConsecutiveFailures(numFailures, backoff());
  if (policy === 'success-rate') return new SuccessRate(requiredSuccessRate, values.windowRequests, backoff());
  const withinDuration = new SuccessRateWithinDuration(requiredSuccessRate, window, minRequestThreshold, backoff());
  if (policy === 'success-rate-within-duration') return withinDuration;
  return new OrElse(withinDuration, new ConsecutiveFailures(numFailures, backoff()));
}

/** Half open is both of Finagle's ProbeOpen, which has room for the probe, and ProbeClosed, which waits for its end. */
class FinagleBreaker implements Breaker {
  readonly #policy: FailureAccrualPolicy;
  #state: BreakerState = breakerStates.closed;
  #generation = 0;
  #deadUntilMs = 0;
  #isProbeLeft = false;

  constructor(policy: FailureAccrualPolicy) {
    this.#policy = policy;
  }

  acquire(nowMs: Ms): number {
    this.#update(nowMs);
    if (this.#state === breakerStates.closed) return this.#generation;
    if (!this.#isProbeLeft) return NO_PERMIT;
    this.#isProbeLeft = false;
    return this.#generation;
  }

  settle(_permit: number, isGood: boolean, _durationMs: Ms, nowMs: Ms): void {
    this.#update(nowMs);
    if (isGood) this.#onSuccess(nowMs);
    else if (this.#state === breakerStates.closed || this.#isProbeOut()) this.#onFailure(nowMs);
  }

  release(_permit: number, nowMs: Ms): void {
    this.#update(nowMs);
    if (this.#isProbeOut()) this.#isProbeLeft = true;
  }

  state(nowMs: Ms): BreakerState {
    return this.#state === breakerStates.open && nowMs >= this.#deadUntilMs ? breakerStates.halfOpen : this.#state;
  }

  retryAtMs(nowMs: Ms): Ms {
    return this.state(nowMs) === breakerStates.open ? this.#deadUntilMs : Infinity;
  }

  #onSuccess(nowMs: Ms): void {
    if (this.#isProbeOut()) {
      this.#policy.revived(nowMs);
      this.#change(breakerStates.closed);
    }
    this.#policy.recordSuccess(nowMs);
  }

  #onFailure(nowMs: Ms): void {
    const deadForMs = this.#policy.markDeadOnFailure(nowMs);
    if (deadForMs !== NOT_DEAD) {
      this.#deadUntilMs = nowMs + deadForMs;
      this.#isProbeLeft = false;
      this.#change(breakerStates.open);
    } else if (this.#state === breakerStates.halfOpen) {
      this.#isProbeLeft = true;
    }
  }

  #isProbeOut(): boolean {
    return this.#state === breakerStates.halfOpen && !this.#isProbeLeft;
  }

  #update(nowMs: Ms): void {
    if (this.#state !== breakerStates.open || nowMs < this.#deadUntilMs) return;
    this.#isProbeLeft = true;
    this.#change(breakerStates.halfOpen);
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#generation++;
  }
}
