/** Least loaded of d distinct endpoints, or of all, by a bulletin board: the numbers of requests as they were at the last multiple of the
 *  period (Mitzenmacher's periodic update model). Only a single client sees all requests, so only there the board tells the truth. */
import type { Balancer, BalancerDeps, EndpointView, PickContext, Slot } from '../../../src/policies/balancing/balancer.ts';

const NOBODY = -1;

export class PeriodicSnapshot implements Balancer {
  readonly #deps: BalancerDeps;
  readonly #choices: number;
  readonly #periodMs: number;
  #nextMs: number;
  #members: readonly Slot[] = [];
  #order: Slot[] = [];
  #present: number[] = [];
  #board: number[] = [];

  /** `choices` 0 looks at all. */
  constructor(deps: BalancerDeps, { choices, period }: { readonly choices: number; readonly period: number }) {
    this.#deps = deps;
    this.#choices = choices;
    this.#periodMs = period;
    this.#nextMs = period;
  }

  update(view: EndpointView): void {
    this.#members = Array.from(view.members.subarray(0, view.count));
    this.#order = [...this.#members];
    for (const slot of this.#members) {
      this.#present[slot] ??= 0;
      this.#board[slot] ??= 0;
    }
  }

  /** Chance decides among the least loaded: each one that ties with the best so far takes its place with probability 1 / (ties). */
  pick({ nowMs }: PickContext): Slot {
    this.#post(nowMs);
    const { rng } = this.#deps;
    const order = this.#order;
    const looks = this.#choices === 0 ? order.length : Math.min(this.#choices, order.length);
    let best = NOBODY;
    let ties = 0;
    for (let i = 0; i < looks; i++) {
      const j = i + rng.below(order.length - i);
      const slot = order[j];
      order[j] = order[i];
      order[i] = slot;
      const load = this.#board[slot];
      if (best === NOBODY || load < this.#board[best]) {
        best = slot;
        ties = 1;
      } else if (load === this.#board[best] && rng.below(++ties) === 0) best = slot;
    }
    return best;
  }

  onStart(slot: Slot, nowMs: number): void {
    this.#post(nowMs);
    this.#present[slot]++;
  }

  onEnd(slot: Slot, nowMs: number): void {
    this.#post(nowMs);
    this.#present[slot]--;
  }

  /** Nothing has changed since the last call, so the board may as well be written now as when it was due. */
  #post(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#board = [...this.#present];
    this.#nextMs = (Math.floor(nowMs / this.#periodMs) + 1) * this.#periodMs;
  }
}
