/** Wakes a balancer when it wants to be woken: after `update` and `onTimer` it is asked when that is. */
import type { Clock } from '../core/time.ts';
import type { Balancer } from '../policies/balancing/balancer.ts';
import type { Timer, Timers } from './system.ts';

export class BalancerTimer {
  readonly #balancer: Balancer;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #timer: Timer | undefined;

  constructor(balancer: Balancer, clock: Clock, timers: Timers) {
    this.#balancer = balancer;
    this.#clock = clock;
    this.#timers = timers;
  }

  /** To be called after every change of the endpoints. */
  rearm(): void {
    this.stop();
    const dueMs = this.#balancer.nextTimerMs?.() ?? Infinity;
    if (dueMs === Infinity) return;
    this.#timer = this.#timers.set(Math.max(0, dueMs - this.#clock.now()), () => {
      this.#balancer.onTimer?.(this.#clock.now());
      this.rearm();
    });
  }

  stop(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }
}
