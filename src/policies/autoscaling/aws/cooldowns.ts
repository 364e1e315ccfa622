/** How long a change of capacity holds up the next ones, as Application Auto Scaling counts it.
 *
 *  After a scale-out, what it added counts as already there: until its cooldown is over, a further one starts from the capacity before
 *  it, and only adds what goes beyond. After a scale-in no other one follows until its cooldown is over. A scale-out ends the cooldown of
 *  a scale-in.
 *
 *  AWS: Application Auto Scaling User Guide, "Define cooldown periods" */
import type { Ms } from '../../../core/time.ts';

export class Cooldowns {
  readonly #scaleOutMs: Ms;
  readonly #scaleInMs: Ms;
  #outUntilMs: Ms = -Infinity;
  #inUntilMs: Ms = -Infinity;
  /** Capacity before the scale-out that is cooling down. */
  #before = 0;

  constructor(scaleOutMs: Ms, scaleInMs: Ms) {
    this.#scaleOutMs = scaleOutMs;
    this.#scaleInMs = scaleInMs;
  }

  onScaled(from: number, to: number, nowMs: Ms): void {
    if (to < from) {
      this.#inUntilMs = nowMs + this.#scaleInMs;
    } else if (to > from) {
      if (nowMs >= this.#outUntilMs) this.#before = from;
      this.#outUntilMs = nowMs + this.#scaleOutMs;
      this.#inUntilMs = -Infinity;
    }
  }

  /** What a scale-out starts from. */
  baseFor(capacity: number, nowMs: Ms): number {
    return nowMs < this.#outUntilMs ? Math.min(capacity, this.#before) : capacity;
  }

  mayScaleIn(nowMs: Ms): boolean {
    return nowMs >= this.#inUntilMs;
  }
}
