/** A bucket whose tokens expire: what was put in counts for about `ttlMs`, and so does what was taken out. A reserve is always
 *  there on top: taking from it makes the sum of the window negative until that is forgotten, so the reserve is spent once per
 *  `ttlMs`.
 *
 *  After twitter/util: util-core/src/main/scala/com/twitter/util/TokenBucket.scala, newLeakyBucket */
import type { Ms } from '../../../../core/time.ts';
import { WindowedAdder } from '../../../shared/windowed-adder.ts';

export class LeakyTokenBucket {
  readonly #tokens: WindowedAdder;
  readonly #reserve: number;

  constructor(ttlMs: Ms, reserve: number, nowMs: Ms = 0) {
    this.#tokens = new WindowedAdder(ttlMs, SLICES, nowMs);
    this.#reserve = reserve;
  }

  put(count: number, nowMs: Ms): void {
    this.#tokens.add(count, nowMs);
  }

  /** Whether so many tokens were there; they are gone then. */
  tryGet(count: number, nowMs: Ms): boolean {
    if (this.count(nowMs) < count) return false;
    this.#tokens.add(-count, nowMs);
    return true;
  }

  /** Tokens that can be had now. Negative after deposits expired that had been spent. */
  count(nowMs: Ms): number {
    return this.#tokens.sum(nowMs) + this.#reserve;
  }
}

const SLICES = 10;
