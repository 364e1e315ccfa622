/** A histogram with buckets that grow by a constant ratio, in which a sample's weight halves with every half-life.
 *
 *  Use it for percentiles of what was used lately, in constant memory. Its answers are the ends of buckets, so they lie up to one ratio
 *  above the truth. It fails on whatever repeats more slowly than it forgets.
 *
 *  New samples get more weight instead of old ones less: 2^(age of the reference / half-life). Before that overflows, everything is scaled
 *  down once. A bucket of less than `epsilon` is taken for empty.
 *
 *  kubernetes/autoscaler: vertical-pod-autoscaler/pkg/recommender/util/{histogram,decaying_histogram,histogram_options}.go */
import { log, pow } from '../../../core/math.ts';
import type { Ms } from '../../../core/time.ts';

export interface HistogramOptions {
  /** What is larger falls into the last bucket. */
  readonly maxValue: number;
  readonly firstBucketSize: number;
  readonly ratio: number;
  readonly epsilon: number;
  readonly halfLifeMs: Ms;
}

export class DecayingHistogram {
  readonly #options: HistogramOptions;
  readonly #weights: Float64Array;
  #total = 0;
  #first: number;
  #last = 0;
  #referenceMs: Ms = 0;

  constructor(options: HistogramOptions) {
    this.#options = options;
    const { maxValue, firstBucketSize, ratio } = options;
    this.#weights = new Float64Array(Math.ceil(log((maxValue * (ratio - 1)) / firstBucketSize + 1) / log(ratio)) + 1);
    this.#first = this.#weights.length - 1;
  }

  add(value: number, weight: number, atMs: Ms): void {
    const bucket = this.bucketOf(value);
    const decayed = weight * this.#factor(atMs);
    this.#weights[bucket] += decayed;
    this.#total += decayed;
    if (this.#weights[bucket] < this.#options.epsilon) return;
    this.#first = Math.min(this.#first, bucket);
    this.#last = Math.max(this.#last, bucket);
  }

  /** Takes a sample back that was added with these values. */
  subtract(value: number, weight: number, atMs: Ms): void {
    const bucket = this.bucketOf(value);
    const decayed = weight * this.#factor(atMs);
    const removed = decayed > this.#weights[bucket] - this.#options.epsilon ? this.#weights[bucket] : decayed;
    this.#weights[bucket] -= removed;
    this.#total -= removed;
    this.#narrow();
  }

  get isEmpty(): boolean {
    return this.#weights[this.#first] < this.#options.epsilon;
  }

  /** The end of the bucket in which a share of `fraction` of the weight is reached; 0 if there is nothing. */
  percentile(fraction: number): number {
    if (this.isEmpty) return 0;
    const threshold = fraction * this.#total;
    let bucket = this.#first;
    for (let sum = 0; bucket < this.#last; bucket++) {
      sum += this.#weights[bucket];
      if (sum >= threshold) break;
    }
    // The last bucket has no end.
    return this.bucketStart(Math.min(bucket + 1, this.#weights.length - 1));
  }

  bucketOf(value: number): number {
    const { firstBucketSize, ratio } = this.#options;
    if (value < firstBucketSize) return 0;
    const bucket = Math.floor(log((value * (ratio - 1)) / firstBucketSize + 1) / log(ratio));
    return Math.min(bucket, this.#weights.length - 1);
  }

  bucketStart(bucket: number): number {
    const { firstBucketSize, ratio } = this.#options;
    return bucket === 0 ? 0 : (firstBucketSize * (pow(ratio, bucket) - 1)) / (ratio - 1);
  }

  #factor(atMs: Ms): number {
    const { halfLifeMs } = this.#options;
    if (atMs > this.#referenceMs + MAX_EXPONENT * halfLifeMs) {
      const referenceMs = Math.round(atMs / halfLifeMs) * halfLifeMs;
      this.#scale(pow(2, Math.round((this.#referenceMs - referenceMs) / halfLifeMs)));
      this.#referenceMs = referenceMs;
    }
    return pow(2, (atMs - this.#referenceMs) / halfLifeMs);
  }

  #scale(factor: number): void {
    for (let bucket = 0; bucket < this.#weights.length; bucket++) this.#weights[bucket] *= factor;
    this.#total *= factor;
    this.#narrow();
  }

  #narrow(): void {
    const { epsilon } = this.#options;
    while (this.#weights[this.#first] < epsilon && this.#first < this.#weights.length - 1) this.#first++;
    while (this.#weights[this.#last] < epsilon && this.#last > 0) this.#last--;
  }
}

/** Half-lives after which the reference moves on: weights stay below 2^100. */
const MAX_EXPONENT = 100;
