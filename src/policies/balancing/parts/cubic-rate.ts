/** C3's rate control towards one endpoint: send at most `rate` requests per interval, growing along a cubic while answers come back
 *  faster than that, and cutting down when they come back slower. By slot. */
import { pow } from '../../../core/math.ts';
import type { Ms } from '../../../core/time.ts';
import type { Slot } from '../balancer.ts';
import { grownFloats } from '../../../core/grow.ts';

export interface CubicRateParams {
  readonly rateInterval: Ms;
  readonly beta: number;
  readonly cubic: number;
  readonly maxStep: number;
  readonly hysteresis: number;
}

/** The rate `sinceMs` after the last cut from `cutFrom`: slow around that value, fast away from it. */
export const cubicRate = (cutFrom: number, sinceMs: Ms, beta: number, cubic: number): number => {
  const distance = sinceMs - pow((cutFrom * beta) / cubic, 1 / 3);
  return cubic * distance * distance * distance + cutFrom;
};

export class CubicRates {
  readonly #params: CubicRateParams;
  #rate: Float64Array = new Float64Array(0);
  #tokens: Float64Array = new Float64Array(0);
  #refilledMs: Float64Array = new Float64Array(0);
  #cutFrom: Float64Array = new Float64Array(0);
  #cutMs: Float64Array = new Float64Array(0);
  #raisedMs: Float64Array = new Float64Array(0);
  #answerRate: Float64Array = new Float64Array(0);
  #answers: Float64Array = new Float64Array(0);
  #answersSinceMs: Float64Array = new Float64Array(0);

  constructor(params: CubicRateParams) {
    this.#params = params;
  }

  ensure(size: number): void {
    if (size <= this.#rate.length) return;
    this.#rate = grownFloats(this.#rate, size);
    this.#tokens = grownFloats(this.#tokens, size);
    this.#refilledMs = grownFloats(this.#refilledMs, size);
    this.#cutFrom = grownFloats(this.#cutFrom, size);
    this.#cutMs = grownFloats(this.#cutMs, size);
    this.#raisedMs = grownFloats(this.#raisedMs, size);
    this.#answerRate = grownFloats(this.#answerRate, size);
    this.#answers = grownFloats(this.#answers, size);
    this.#answersSinceMs = grownFloats(this.#answersSinceMs, size);
  }

  start(slot: Slot, nowMs: Ms): void {
    this.#rate[slot] = this.#tokens[slot] = this.#cutFrom[slot] = FIRST_RATE;
    this.#refilledMs[slot] = this.#cutMs[slot] = this.#raisedMs[slot] = this.#answersSinceMs[slot] = nowMs;
    this.#answerRate[slot] = this.#answers[slot] = 0;
  }

  /** How long until another request may be sent; 0 if now. */
  waitMs(slot: Slot, nowMs: Ms): Ms {
    const missing = 1 - this.#tokensAt(slot, nowMs);
    return missing <= 0 ? 0 : (missing * this.#params.rateInterval) / this.#rate[slot];
  }

  onSend(slot: Slot, nowMs: Ms): void {
    this.#tokens[slot] = Math.max(0, this.#tokensAt(slot, nowMs) - 1);
    this.#refilledMs[slot] = nowMs;
  }

  onAnswer(slot: Slot, nowMs: Ms): void {
    this.#countAnswer(slot, nowMs);
    const { beta, cubic, maxStep, hysteresis, rateInterval } = this.#params;
    const rate = this.#rate[slot];
    const answerRate = this.#answerRate[slot];
    if (rate < answerRate) {
      this.#raisedMs[slot] = nowMs;
      const wanted = cubicRate(this.#cutFrom[slot], nowMs - this.#cutMs[slot], beta, cubic);
      this.#rate[slot] = Math.max(LEAST_RATE, Math.min(wanted, rate + maxStep));
    } else if (answerRate > 0 && rate > answerRate && nowMs - this.#raisedMs[slot] > rateInterval * hysteresis) {
      this.#cutFrom[slot] = rate;
      this.#cutMs[slot] = nowMs;
      this.#rate[slot] = Math.max(LEAST_RATE, rate * beta);
    }
  }

  #tokensAt(slot: Slot, nowMs: Ms): number {
    const refill = (this.#rate[slot] / this.#params.rateInterval) * (nowMs - this.#refilledMs[slot]);
    return Math.min(FIRST_RATE, this.#tokens[slot] + refill);
  }

  /** Answers per interval, averaged over intervals with a weight of a tenth. */
  #countAnswer(slot: Slot, nowMs: Ms): void {
    const passed = Math.floor((nowMs - this.#answersSinceMs[slot]) / this.#params.rateInterval);
    if (passed > 0) {
      const afterFirst = 0.1 * this.#answers[slot] + 0.9 * this.#answerRate[slot];
      this.#answerRate[slot] = passed === 1 ? afterFirst : afterFirst * pow(0.9, passed - 1);
      this.#answers[slot] = 0;
      this.#answersSinceMs[slot] += passed * this.#params.rateInterval;
    }
    this.#answers[slot]++;
  }
}

const FIRST_RATE = 10;
const LEAST_RATE = 0.01;
