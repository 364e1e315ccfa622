/** By how much the count was changed in one direction, and when: what rules of the kind "so many per period" are measured against.
 *
 *  After kubernetes/kubernetes: pkg/controller/podautoscaler/horizontal.go, storeScaleEvent and getReplicasChangePerPeriod. */
import type { Ms } from '../../../core/time.ts';

export interface ScaleEvent {
  readonly change: number;
  readonly atMs: Ms;
}

export class ScaleEventLog {
  readonly #events: ScaleEvent[];

  constructor(events: readonly ScaleEvent[] = []) {
    this.#events = [...events];
  }

  get events(): readonly ScaleEvent[] {
    return this.#events;
  }

  /** In the place of one that no rule asks about any more, if there is any. `longestPeriodMs` is that of the direction's rules. */
  record(change: number, longestPeriodMs: Ms, nowMs: Ms): void {
    const free = this.#events.findLastIndex(({ atMs }) => atMs < nowMs - longestPeriodMs);
    if (free === -1) this.#events.push({ change, atMs: nowMs });
    else this.#events[free] = { change, atMs: nowMs };
  }

  /** Sum of the changes younger than `periodMs`. */
  changeWithin(periodMs: Ms, nowMs: Ms): number {
    return this.#events.reduce((sum, { change, atMs }) => (atMs > nowMs - periodMs ? sum + change : sum), 0);
  }
}
