/** Consul's status handler: what a check publishes changes only after so many results of a kind in a row. By slot.
 *
 *  Both counters start at their thresholds, so the first result is always published. Failures below the critical threshold may
 *  already publish a warning. */
import { grown } from '../../../../core/grow.ts';

export const consulStatuses = { passing: 0, warning: 1, critical: 2 } as const;
export type ConsulStatus = (typeof consulStatuses)[keyof typeof consulStatuses];

export interface StatusThresholds {
  readonly successBeforePassing: number;
  readonly failuresBeforeWarning: number;
  readonly failuresBeforeCritical: number;
}

export class StatusHandler {
  readonly #thresholds: StatusThresholds;
  #successes: Uint32Array = new Uint32Array(16);
  #failures: Uint32Array = new Uint32Array(16);

  constructor(thresholds: StatusThresholds) {
    this.#thresholds = thresholds;
  }

  start(slot: number): void {
    if (slot >= this.#successes.length) {
      const size = Math.max(slot + 1, 2 * this.#successes.length);
      this.#successes = grown(this.#successes, new Uint32Array(size));
      this.#failures = grown(this.#failures, new Uint32Array(size));
    }
    this.#successes[slot] = this.#thresholds.successBeforePassing;
    this.#failures[slot] = this.#thresholds.failuresBeforeCritical;
  }

  /** What to publish now; −1 to leave what was published. */
  record(slot: number, status: ConsulStatus): ConsulStatus | -1 {
    const { successBeforePassing, failuresBeforeWarning, failuresBeforeCritical } = this.#thresholds;
    if (status !== consulStatuses.critical) {
      this.#failures[slot] = 0;
      return ++this.#successes[slot] >= successBeforePassing ? status : -1;
    }
    this.#successes[slot] = 0;
    const failures = ++this.#failures[slot];
    if (failures >= failuresBeforeCritical) return consulStatuses.critical;
    return failures >= failuresBeforeWarning ? consulStatuses.warning : -1;
  }
}
