/** An average of measurements that come at irregular times; its memory halves with every half-life.
 *
 *  A measurement counts with the share of its predecessors that has faded since: after a long pause it is nearly all there is. */
import { pow } from '../../../core/math.ts';
import type { Ms } from '../../../core/time.ts';

export class Smoothed {
  readonly #halfLifeMs: Ms;
  #value: number | undefined;
  #atMs: Ms = -Infinity;

  /** A half-life of 0 remembers the latest measurement alone. */
  constructor(halfLifeMs: Ms) {
    this.#halfLifeMs = halfLifeMs;
  }

  /** undefined before the first measurement. */
  get value(): number | undefined {
    return this.#value;
  }

  /** One that is not newer than the latest changes nothing. */
  add(value: number, atMs: Ms): void {
    if (!(atMs > this.#atMs)) return;
    const kept = this.#value === undefined || this.#halfLifeMs === 0 ? 0 : pow(2, (this.#atMs - atMs) / this.#halfLifeMs);
    this.#value = kept * (this.#value ?? 0) + (1 - kept) * value;
    this.#atMs = atMs;
  }
}
