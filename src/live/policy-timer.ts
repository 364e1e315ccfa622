/** Wakes a policy when it wants to be woken: after everything that it is told, it is asked when that is. */
import type { Clock, Ms } from '../core/time.ts';
import type { Timer, Timers } from './system.ts';

/** What balancers, detectors, checkers, discovery clients and registries have in common. */
export interface Timed {
  nextTimerMs?(): Ms;
  onTimer?(nowMs: Ms): void;
}

export class PolicyTimer {
  readonly #policy: Timed;
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** Told after each time the policy was woken. */
  readonly #onWoken: () => void;
  #timer: Timer | undefined;
  #dueMs: Ms = Infinity;
  #isStopped = false;

  constructor(policy: Timed, clock: Clock, timers: Timers, onWoken: () => void = () => undefined) {
    this.#policy = policy;
    this.#clock = clock;
    this.#timers = timers;
    this.#onWoken = onWoken;
  }

  /** To be called after everything that may have changed the policy's mind. Cheap where it has not: to be woken early does no harm. */
  rearm(): void {
    const dueMs = this.#policy.nextTimerMs?.() ?? Infinity;
    if (this.#isStopped || dueMs >= this.#dueMs) return;
    this.#timer?.clear();
    this.#dueMs = dueMs;
    this.#timer = this.#timers.set(Math.max(0, dueMs - this.#clock.now()), () => this.#wake());
  }

  /** For good. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.clear();
  }

  #wake(): void {
    this.#dueMs = Infinity;
    this.#policy.onTimer?.(this.#clock.now());
    this.rearm();
    this.#onWoken();
  }
}
