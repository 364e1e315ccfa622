/** A histogram of times for millions of records: a fixed table of counts, an insert of a few nanoseconds without allocation, exact
 *  merging. Buckets are log-linear (`buckets.ts`).
 *
 *  A quantile is off by at most one bucket's width, 2^-bits of its value (0.39 % at 8 bits), because ranks inside a bucket are spread
 *  evenly over it; for smooth laws the error is mostly below a tenth of that. `min`, `max` and `count` are exact. `sum` is a plain
 *  sum of doubles: after n records its relative error stays below n · 1.1e-16 and is typically the square root of n times that.
 *  Below 61 ns a time counts as zero. A bucket holds up to 4.29e9 records.
 *
 *  After HdrHistogram (G. Tene), with the bucket taken from the double's bits instead of from an integer's. */
import { invariant } from '../core/errors.ts';
import { highestBucket, lowerEdge, lowestBucket } from './buckets.ts';
import type { HistogramData } from './histogram-data.ts';

export class Histogram {
  declare readonly bits: number;
  declare count: number;
  declare sum: number;
  /** Infinity and −Infinity when empty. */
  declare min: number;
  declare max: number;
  declare private readonly counts: Uint32Array;
  declare private readonly shift: number;
  declare private readonly lowest: number;
  declare private readonly last: number;

  constructor(bits = 8) {
    invariant(Number.isInteger(bits) && bits >= 0 && bits <= 12, 'a histogram has 0 to 12 bits');
    this.bits = bits;
    this.count = 0;
    // Minus zero is a double to the engine; a plain 0 would make this an integer field that changes its shape at the first record.
    this.sum = -0;
    this.min = Infinity;
    this.max = -Infinity;
    this.lowest = lowestBucket(bits);
    this.last = highestBucket(bits) - this.lowest;
    this.counts = new Uint32Array(this.last + 1);
    this.shift = 20 - bits;
  }

  /** Index of the bucket that `value`, which is not NaN, belongs to. */
  bucketOf(value: number): number {
    double[0] = value;
    const bucket = (words[HIGH] >> this.shift) - this.lowest;
    return bucket <= 0 ? 0 : bucket < this.last ? bucket : this.last;
  }

  record(value: number): void {
    this.recordIn(this.bucketOf(value), value);
  }

  /** For callers that need the bucket as well: `bucket` is `bucketOf(value)`. */
  recordIn(bucket: number, value: number): void {
    this.counts[bucket]++;
    this.count++;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
  }

  /** Records the same value `times` times. */
  recordMany(value: number, times: number): void {
    if (times === 0) return;
    this.recordIn(this.bucketOf(value), value);
    this.counts[this.bucketOf(value)] += times - 1;
    this.count += times - 1;
    this.sum += (times - 1) * value;
  }

  /** Number of buckets. */
  get buckets(): number {
    return this.counts.length;
  }

  /** NaN when empty. */
  mean(): number {
    return this.sum / this.count;
  }

  /** The smallest value that at least a share p of the records do not exceed: the one of rank ⌈p·n⌉, placed inside its bucket as if
   *  the bucket's records were spread evenly. NaN when empty. */
  quantile(p: number): number {
    if (this.count === 0) return NaN;
    // A p like 0.07 is a little more than 7 %: without the factor the rank of 100 records would be 8.
    const rank = Math.max(1, Math.ceil(p * this.count * (1 - 4.5e-16)));
    if (rank === 1) return this.min;
    if (rank >= this.count) return this.max;
    let below = 0;
    let index = 0;
    while (below + this.counts[index] < rank) below += this.counts[index++];
    if (index === 0) return this.clamp(0);
    const from = lowerEdge(this.lowest + index, this.bits);
    const to = index === this.last ? this.max : lowerEdge(this.lowest + index + 1, this.bits);
    return this.clamp(from + ((rank - below - 0.5) / this.counts[index]) * (to - from));
  }

  /** Adds what another histogram of the same `bits` has recorded. */
  merge(other: Histogram): void {
    invariant(other.bits === this.bits, 'histograms to merge have the same bits');
    for (let index = 0; index <= this.last; index++) this.counts[index] += other.counts[index];
    this.count += other.count;
    this.sum += other.sum;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
  }

  copy(): Histogram {
    const copy = new Histogram(this.bits);
    copy.merge(this);
    return copy;
  }

  reset(): void {
    this.counts.fill(0);
    this.count = 0;
    this.sum = -0;
    this.min = Infinity;
    this.max = -Infinity;
  }

  toData(): HistogramData {
    const counts = this.counts;
    if (this.count === 0) return { bits: this.bits, first: 0, counts: [], count: 0, sum: 0, min: 0, max: 0 };
    let first = 0;
    let end = counts.length;
    while (counts[first] === 0) first++;
    while (counts[end - 1] === 0) end--;
    return {
      bits: this.bits,
      first: this.lowest + first,
      counts: Array.from(counts.subarray(first, end)),
      count: this.count,
      sum: this.sum + 0,
      min: this.min,
      max: this.max,
    };
  }

  static fromData(data: HistogramData): Histogram {
    const histogram = new Histogram(data.bits);
    for (let offset = 0; offset < data.counts.length; offset++) {
      const index = data.first + offset - histogram.lowest;
      histogram.counts[Math.min(Math.max(index, 0), histogram.last)] += data.counts[offset];
    }
    if (data.count === 0) return histogram;
    histogram.count = data.count;
    histogram.sum = data.sum;
    histogram.min = data.min;
    histogram.max = data.max;
    return histogram;
  }

  private clamp(value: number): number {
    return Math.min(Math.max(value, this.min), this.max);
  }
}

/** One histogram of everything in the list, exactly as if it had been recorded there; an empty one for an empty list. */
export function mergeHistograms(list: readonly HistogramData[]): HistogramData {
  const total = new Histogram(list[0]?.bits);
  for (const data of list) total.merge(Histogram.fromData(data));
  return total.toData();
}

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
