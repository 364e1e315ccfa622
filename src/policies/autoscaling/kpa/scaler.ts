/** The arithmetic of Knative's autoscaler: what the averages of a long and of a short window ask for, and panic, in which the count
 *  only rises.
 *
 *  After knative/serving: pkg/autoscaler/scaling/autoscaler.go. */
import type { Ms } from '../../../core/time.ts';
import { MaxWindow } from './max-window.ts';

export interface ScalerSpec {
  /** Per replica, in the units of the averages: what to aim for, and what it can take. */
  readonly targetValue: number;
  readonly totalValue: number;
  readonly targetBurstCapacity: number;
  readonly panicThreshold: number;
  readonly maxScaleUpRate: number;
  readonly maxScaleDownRate: number;
  readonly stableWindowMs: Ms;
  /** Whether requests are routed to it at all; it goes down without a limit if not. */
  readonly isReachable: boolean;
  readonly activationScale: number;
  readonly scaleDownDelayMs: Ms;
}

export interface ScaleResult {
  readonly desired: number;
  /** Requests that could come at once on top, by this reckoning; below 0 the activator stays in the way of all requests. */
  readonly excessBurstCapacity: number;
}

export interface PanicState {
  /** undefined: calm. */
  readonly sinceMs: Ms | undefined;
  readonly maxPods: number;
}

/** How often the autoscaler decides. */
export const TICK_MS: Ms = 2000;

export class KpaScaler {
  readonly #spec: ScalerSpec;
  readonly #delayed: MaxWindow | undefined;
  #panicSinceMs: Ms | undefined;
  #maxPanicPods: number;

  /** Whoever finds several ready replicas begins in panic, so that a restart of the autoscaler takes nothing away. */
  constructor(spec: ScalerSpec, readyPods: number, nowMs: Ms, panic: PanicState = panicAtStart(readyPods, nowMs)) {
    this.#spec = spec;
    this.#delayed = spec.scaleDownDelayMs > 0 ? new MaxWindow(spec.scaleDownDelayMs, TICK_MS) : undefined;
    this.#panicSinceMs = panic.sinceMs;
    this.#maxPanicPods = panic.maxPods;
  }

  get panic(): PanicState {
    return { sinceMs: this.#panicSinceMs, maxPods: this.#maxPanicPods };
  }

  scale(readyPods: number, stable: number, panic: number, nowMs: Ms): ScaleResult {
    const { targetValue, maxScaleUpRate, maxScaleDownRate, isReachable } = this.#spec;
    const pods = Math.max(1, readyPods);
    const most = Math.ceil(maxScaleUpRate * pods);
    const fewest = isReachable ? Math.floor(pods / maxScaleDownRate) : 0;
    const wanted = { stable: Math.ceil(stable / targetValue), panic: Math.ceil(panic / targetValue) };
    const bounded = (count: number): number => this.#activated(count, Math.min(Math.max(count, fewest), most));
    const [inCalm, inPanic] = [bounded(wanted.stable), bounded(wanted.panic)];
    // What is wanted decides, not what the rates leave of it.
    this.#watch(wanted.panic / pods >= this.#spec.panicThreshold, nowMs);
    let desired = inCalm;
    if (this.#panicSinceMs !== undefined) {
      this.#maxPanicPods = Math.max(this.#maxPanicPods, inCalm, inPanic);
      desired = this.#maxPanicPods;
    }
    if (this.#delayed !== undefined && isReachable) {
      this.#delayed.record(desired, nowMs);
      desired = this.#delayed.highest;
    }
    return { desired, excessBurstCapacity: this.#excessBurstCapacity(readyPods, panic) };
  }

  /** Once there is anything to do, no fewer than this. */
  #activated(wanted: number, count: number): number {
    const { activationScale } = this.#spec;
    return activationScale > 1 && wanted > 0 ? Math.max(count, activationScale) : count;
  }

  #watch(isOver: boolean, nowMs: Ms): void {
    if (isOver) this.#panicSinceMs = nowMs;
    else if (this.#panicSinceMs !== undefined && this.#panicSinceMs + this.#spec.stableWindowMs < nowMs) {
      this.#panicSinceMs = undefined;
      this.#maxPanicPods = 0;
    }
  }

  #excessBurstCapacity(readyPods: number, panic: number): number {
    const { targetBurstCapacity, totalValue } = this.#spec;
    if (targetBurstCapacity === 0) return 0;
    return targetBurstCapacity < 0 ? -1 : Math.floor(readyPods * totalValue - targetBurstCapacity - panic);
  }
}

const panicAtStart = (readyPods: number, nowMs: Ms): PanicState =>
  readyPods > 1 ? { sinceMs: nowMs, maxPods: readyPods } : { sinceMs: undefined, maxPods: 0 };
