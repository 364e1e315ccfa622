/** Whether Knative may take the last replica away: only after it has served for a whole stable window, and then only once the activator,
 *  which keeps requests while there is nobody, has been in their way for long enough.
 *
 *  After knative/serving: pkg/reconciler/autoscaling/kpa/scaler.go, handleScaleToZero, and kpa.go, computeActiveCondition. */
import type { Ms } from '../../../core/time.ts';

export interface ZeroSpec {
  readonly isEnabled: boolean;
  readonly stableWindowMs: Ms;
  readonly gracePeriodMs: Ms;
  readonly podRetentionPeriodMs: Ms;
  readonly activationTimeoutMs: Ms;
}

type State = 'activating' | 'active' | 'inactive';

export interface Passed {
  /** undefined: leave the count as it is. */
  readonly replicas: number | undefined;
  readonly reason: string;
}

export class ZeroGate {
  readonly #spec: ZeroSpec;
  #state: State = 'activating';
  #sinceMs: Ms | undefined;
  /** Since when the activator has been in the way of all requests. */
  #proxySinceMs: Ms | undefined;

  constructor(spec: ZeroSpec) {
    this.#spec = spec;
  }

  /** `isReady`: as many replicas are ready as must be for the service to be active. */
  pass(desired: number, isReady: boolean, excessBurstCapacity: number, nowMs: Ms): Passed {
    this.#sinceMs ??= nowMs;
    if (this.#state === 'activating' && isReady) this.#become('active', nowMs);
    const passed: Passed = desired === 0 ? this.#passZero(nowMs) : { replicas: desired, reason: '' };
    if (passed.replicas !== 0 && desired > 0 && this.#state !== 'active') this.#become(isReady ? 'active' : 'activating', nowMs);
    const isProxied = excessBurstCapacity < 0 || this.#state !== 'active';
    this.#proxySinceMs = isProxied ? (this.#proxySinceMs ?? nowMs) : undefined;
    return passed;
  }

  #passZero(nowMs: Ms): Passed {
    const { isEnabled, stableWindowMs, gracePeriodMs, podRetentionPeriodMs, activationTimeoutMs } = this.#spec;
    if (!isEnabled) return { replicas: 1, reason: 'ScaleToZeroDisabled' };
    const forMs = nowMs - this.#sinceMs!;
    if (this.#state === 'activating') {
      if (forMs <= activationTimeoutMs) return { replicas: undefined, reason: 'Activating' };
      this.#become('inactive', nowMs);
      return { replicas: 0, reason: 'TimedOut' };
    }
    if (this.#state === 'active') {
      if (forMs < stableWindowMs) return { replicas: 1, reason: 'ActiveWithinStableWindow' };
      this.#become('inactive', nowMs);
      return { replicas: undefined, reason: 'NoTraffic' };
    }
    const hasWaited = forMs >= Math.max(gracePeriodMs, podRetentionPeriodMs);
    // An activator that was in the way before needs no grace.
    const isProxiedForLong = this.#proxySinceMs !== undefined && nowMs - this.#proxySinceMs >= gracePeriodMs;
    const mayGo = hasWaited || (forMs >= podRetentionPeriodMs && isProxiedForLong);
    return { replicas: mayGo ? 0 : undefined, reason: 'NoTraffic' };
  }

  #become(state: State, nowMs: Ms): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#sinceMs = nowMs;
  }
}
