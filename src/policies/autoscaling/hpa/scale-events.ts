/** By how much the count was changed in one direction, and when: what rules of the kind "so many per period" are measured against.
 *
 *  After kubernetes/kubernetes: pkg/controller/podautoscaler/horizontal.go, storeScaleEvent and getReplicasChangePerPeriod. */
import type { Ms } from '../../../core/time.ts';

export interface ScaleEvent {
  readonly change: number;
  readonly atMs: Ms;
  /** No rule asks about it any more: its place may be taken. */
  readonly isOutdated: boolean;
}

export class ScaleEventLog {
  #events: readonly ScaleEvent[];

  constructor(events: readonly Omit<ScaleEvent, 'isOutdated'>[] = []) {
    this.#events = events.map((event) => ({ ...event, isOutdated: false }));
  }

  get events(): readonly ScaleEvent[] {
    return this.#events;
  }

  /** In the place of an outdated one, if there is any. `longestPeriodMs` is that of the direction's rules. */
  record(change: number, longestPeriodMs: Ms, nowMs: Ms): void {
    // At the period's very age it counts no more.
    const events = this.#events.map((event) => (event.atMs <= nowMs - longestPeriodMs ? { ...event, isOutdated: true } : event));
    const free = events.findLastIndex(({ isOutdated }) => isOutdated);
    events[free === -1 ? events.length : free] = { change, atMs: nowMs, isOutdated: false };
    this.#events = events;
  }

  /** Sum of the changes younger than `periodMs`. */
  changeWithin(periodMs: Ms, nowMs: Ms): number {
    return this.#events.reduce((sum, { change, atMs }) => (atMs > nowMs - periodMs ? sum + change : sum), 0);
  }
}
