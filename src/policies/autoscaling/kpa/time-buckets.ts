/** A stream of values in slices of equal length over a sliding window, and their average: of the slices that there have been, or with
 *  weights that fall off by a factor per slice. Several values of one slice add up.
 *
 *  After knative/serving: pkg/autoscaler/aggregation/bucketing.go, TimedFloat64Buckets and WeightedFloat64Buckets. */
import { pow } from '../../../core/math.ts';
import type { Ms } from '../../../core/time.ts';

export class TimeBuckets {
  readonly #sliceMs: Ms;
  readonly #slices: Float64Array;
  readonly #coefficient: number;
  /** By number since moment 0; NaN before there was one. */
  #first = NaN;
  #last = NaN;
  #total = 0;

  constructor(windowMs: Ms, sliceMs: Ms) {
    this.#sliceMs = sliceMs;
    this.#slices = new Float64Array(Math.max(1, Math.ceil(windowMs / sliceMs)));
    this.#coefficient = smoothingCoefficient(this.#slices.length);
  }

  record(value: number, nowMs: Ms): void {
    const slice = this.#numberOf(nowMs);
    // Older than the window: nobody will ask.
    if (slice + this.#length <= this.#last) return;
    // A reset comes below if all that was written is too old.
    if (!(this.#first <= slice)) this.#first = slice;
    if (!(slice <= this.#last)) this.#advance(slice);
    this.#slices[this.#at(slice)] += value;
    this.#total += value;
  }

  isEmpty(nowMs: Ms): boolean {
    return !(this.#numberOf(nowMs) - this.#last <= this.#length);
  }

  /** To six digits. What is not there yet does not count, and seconds without a value at the end do not either. */
  average(nowMs: Ms): number {
    const silent = Math.max(0, this.#numberOf(nowMs) - this.#last);
    if (!(silent < this.#length)) return 0;
    let total = this.#total;
    for (let i = 1; i <= silent; i++) total -= this.#slices[this.#at(this.#last + i)];
    const count = Math.min(this.#last - this.#first + 1, this.#length - silent);
    return Math.round((total / count) * 1e6) / 1e6;
  }

  /** The newest slice counts most. */
  weightedAverage(nowMs: Ms): number {
    if (this.isEmpty(nowMs)) return 0;
    const silent = Math.max(0, this.#numberOf(nowMs) - this.#last);
    const fade = 1 - this.#coefficient;
    let weight = this.#coefficient;
    for (let i = 0; i < silent; i++) weight *= fade;
    let sum = 0;
    for (let i = 0; i < this.#length - silent; i++) {
      sum += this.#slices[this.#at(this.#last - i + this.#length)] * weight;
      weight *= fade;
    }
    return sum;
  }

  get #length(): number {
    return this.#slices.length;
  }

  #numberOf(nowMs: Ms): number {
    return Math.floor(nowMs / this.#sliceMs);
  }

  #at(slice: number): number {
    return ((slice % this.#length) + this.#length) % this.#length;
  }

  #advance(slice: number): void {
    if (slice - this.#last < this.#length) {
      for (let each = this.#last + 1; each <= slice; each++) {
        this.#total -= this.#slices[this.#at(each)];
        this.#slices[this.#at(each)] = 0;
      }
    } else {
      this.#first = slice;
      this.#slices.fill(0);
      this.#total = 0;
    }
    this.#last = slice;
  }
}

/** Chosen so that the slices of a window carry all but a ten-thousandth of the weight; at least a fifth. */
export const smoothingCoefficient = (slices: number): number => Math.max(1 - pow(1 - 0.9999, 1 / slices), 0.2);
