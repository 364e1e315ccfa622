/** Durations of any number of requests in a fixed table: buckets of 0.8 % of the value from 1 us to 12 days, exact extremes, and the sums
 *  that a lognormal fit needs. */
import { log } from '../../core/math.ts';
import type { Ms } from '../../core/time.ts';

const bits = 7;
const shift = 20 - bits;
const smallest: Ms = 1 / 1024;
const largest: Ms = 1 << 30;

export class DurationSketch {
  declare count: number;
  declare sum: Ms;
  declare min: Ms;
  declare max: Ms;
  declare private readonly counts: Float64Array;
  /** Sums of logarithms and of their squares. Durations below half a tick count as that: a clock that shows 0 has not seen nothing. */
  declare private logSum: number;
  declare private logSquares: number;
  declare private readonly halfTick: Ms;

  constructor(tickMs: Ms) {
    this.count = 0;
    this.sum = 0;
    this.min = Infinity;
    this.max = 0;
    this.counts = new Float64Array(bucketOf(largest) + 1);
    this.logSum = 0;
    this.logSquares = 0;
    this.halfTick = tickMs / 2;
  }

  record(value: Ms): void {
    this.counts[bucketOf(Math.min(value, largest))]++;
    this.count++;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const logarithm = log(Math.max(value, this.halfTick));
    this.logSum += logarithm;
    this.logSquares += logarithm * logarithm;
  }

  mean(): Ms {
    return this.sum / this.count;
  }

  /** Of the logarithms. */
  logMoments(): { readonly mean: number; readonly deviation: number } {
    const mean = this.logSum / this.count;
    return { mean, deviation: Math.sqrt(Math.max(0, this.logSquares / this.count - mean * mean)) };
  }

  /** NaN when empty. */
  quantile(p: number): Ms {
    if (this.count === 0) return NaN;
    if (p <= 0) return this.min;
    const rank = Math.max(1, Math.ceil(p * this.count * (1 - 4.5e-16)));
    if (rank >= this.count) return this.max;
    let below = 0;
    let bucket = 0;
    while (below + this.counts[bucket] < rank) below += this.counts[bucket++];
    const from = bucket === 0 ? 0 : edgeOf(bucket);
    const inside = from + ((rank - below - 0.5) / this.counts[bucket]) * (edgeOf(bucket + 1) - from);
    return Math.min(Math.max(inside, this.min), this.max);
  }
}

/** 0 for everything below the smallest. */
function bucketOf(value: Ms): number {
  double[0] = value;
  return Math.max(0, (words[HIGH] >> shift) - lowest);
}

function edgeOf(bucket: number): Ms {
  words[HIGH] = (bucket + lowest) << shift;
  words[1 - HIGH] = 0;
  return double[0];
}

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
double[0] = smallest;
const lowest = (words[HIGH] >> shift) - 1;
