/** Past recommendations, against flapping: down only as far as the highest of a window, up only as far as the lowest of another. What
 *  is remembered is what was computed, not what came of it.
 *
 *  After kubernetes/kubernetes: pkg/controller/podautoscaler/horizontal.go, stabilizeRecommendation and
 *  stabilizeRecommendationWithBehaviors. */
import type { Ms } from '../../../core/time.ts';

export interface Recommendation {
  readonly replicas: number;
  readonly atMs: Ms;
}

export class RecommendationLog {
  readonly #entries: Recommendation[];

  constructor(entries: readonly Recommendation[] = []) {
    this.#entries = [...entries];
  }

  get entries(): readonly Recommendation[] {
    return this.#entries;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  record(replicas: number, nowMs: Ms): void {
    this.#entries.push({ replicas, atMs: nowMs });
  }

  /** Without rules of behaviour: the highest of the window, whose end belongs to it. */
  stabilizeDown(desired: number, windowMs: Ms, nowMs: Ms): number {
    const cutoffMs = nowMs - windowMs;
    let highest = desired;
    let free = -1;
    for (const [index, { replicas, atMs }] of this.#entries.entries()) {
      if (atMs < cutoffMs) free = index;
      else highest = Math.max(highest, replicas);
    }
    this.#put(free, desired, nowMs);
    return highest;
  }

  /** With a window for either direction; their ends do not belong to them. */
  stabilize(current: number, desired: number, upWindowMs: Ms, downWindowMs: Ms, nowMs: Ms): number {
    const upCutoffMs = nowMs - upWindowMs;
    const downCutoffMs = nowMs - downWindowMs;
    let up = desired;
    let down = desired;
    let free = -1;
    for (const [index, { replicas, atMs }] of this.#entries.entries()) {
      if (atMs > upCutoffMs) up = Math.min(up, replicas);
      if (atMs > downCutoffMs) down = Math.max(down, replicas);
      if (atMs < upCutoffMs && atMs < downCutoffMs) free = index;
    }
    this.#put(free, desired, nowMs);
    return Math.min(Math.max(current, up), down);
  }

  /** In the place of one that is too old, if there is any. */
  #put(free: number, replicas: number, atMs: Ms): void {
    if (free === -1) this.#entries.push({ replicas, atMs });
    else this.#entries[free] = { replicas, atMs };
  }
}
