/** Exponential moving average over a clock of the caller's choice (milliseconds, requests) that counts in whole numbers: what was known
 *  counts exp(−elapsed / window) of what it did, the new value the rest. The first value is taken as it is; of several values at one stamp
 *  only the first counts. After Finagle's util.Ema. */
import { exp } from '../../../../core/math.ts';

export class Ema {
  readonly #window: number;
  /** Weights of short gaps, which are nearly all of them: a look instead of an exponential, whose result would be boxed. */
  readonly #weights = new Float64Array(256);
  /** The last stamp, the average, and the weight of what was known at the last update. In an array, since fractions elsewhere may be boxed
   *  anew at every change. */
  readonly #state = Float64Array.of(NONE, 0, 0);

  constructor(window: number) {
    this.#window = window;
    for (let gap = 0; gap < this.#weights.length; gap++) this.#weights[gap] = exp(-gap / window);
  }

  /** Stamps are not negative and do not go back; fractions are cut. */
  update(stamp: number, value: number): void {
    const state = this.#state;
    const wholeStamp = Math.floor(stamp);
    const gap = wholeStamp - state[STAMP];
    if (state[STAMP] === NONE) state[WEIGHT] = 0;
    else if (gap < this.#weights.length) state[WEIGHT] = this.#weights[gap];
    else state[WEIGHT] = exp(-gap / this.#window);
    state[AVERAGE] = value * (1 - state[WEIGHT]) + state[AVERAGE] * state[WEIGHT];
    state[STAMP] = wholeStamp;
  }

  get average(): number {
    return this.#state[AVERAGE];
  }

  reset(): void {
    this.#state[STAMP] = NONE;
    this.#state[AVERAGE] = 0;
  }
}

const STAMP = 0;
const AVERAGE = 1;
const WEIGHT = 2;
const NONE = -1;
