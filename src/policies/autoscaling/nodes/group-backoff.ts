/** Leaving a group alone after it failed to grow: first for a while, then twice as long for every further failure, up to a limit.
 *
 *  A failure during a back-off starts it anew at its first length, so that orders that fail together count once. A group that has not
 *  failed for long, or that grew, is as good as new.
 *
 *  kubernetes/autoscaler: cluster-autoscaler/utils/backoff/exponential_backoff.go */
import type { Ms } from '../../../core/time.ts';

export interface BackoffLimits {
  readonly initialMs: Ms;
  readonly maxMs: Ms;
  readonly resetMs: Ms;
}

export class GroupBackoff {
  readonly #limits: BackoffLimits;
  readonly #failures = new Map<string, { readonly durationMs: Ms; readonly untilMs: Ms; readonly failedAtMs: Ms }>();

  constructor(limits: BackoffLimits) {
    this.#limits = limits;
  }

  onFailed(group: string, nowMs: Ms): void {
    const { initialMs, maxMs, resetMs } = this.#limits;
    const last = this.#failures.get(group);
    const isFurther = last !== undefined && last.untilMs < nowMs && last.failedAtMs + resetMs >= nowMs;
    const durationMs = isFurther ? Math.min(2 * last.durationMs, maxMs) : initialMs;
    this.#failures.set(group, { durationMs, untilMs: nowMs + durationMs, failedAtMs: nowMs });
  }

  onGrown(group: string): void {
    this.#failures.delete(group);
  }

  isBackedOff(group: string, nowMs: Ms): boolean {
    const last = this.#failures.get(group);
    return last !== undefined && last.untilMs > nowMs;
  }
}
