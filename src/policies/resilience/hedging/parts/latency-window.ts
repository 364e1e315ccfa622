/** One quantile of the latencies of the last while: a ring of histograms, each of which covers a slice of time and counts once it
 *  is full.
 *
 *  O(1) per latency; the quantile is worked out when a slice ends, O(buckets). Buckets are log-linear, 128 to the octave from a
 *  microsecond to four and a half hours, so the answer, a bucket's upper edge, is too high by less than 1 %.
 *
 *  After HdrHistogram (G. Tene) in the arrangement of twitter/finagle:
 *  finagle-core/src/main/scala/com/twitter/finagle/util/WindowedPercentileHistogram.scala */
import type { Ms } from '../../../../core/time.ts';

export class LatencyWindow {
  readonly #p: number;
  readonly #sliceMs: Ms;
  /** Closed slices and the running one, BUCKETS counts each. */
  readonly #slices: readonly Uint32Array[];
  /** Counts of the closed slices together. */
  readonly #closed = new Uint32Array(BUCKETS);
  #running = 0;
  #count = 0;
  readonly #times = Float64Array.of(-1, Infinity);

  /** `p` in (0, 1). */
  constructor(p: number, sliceMs: Ms, slices: number) {
    this.#p = p;
    this.#sliceMs = sliceMs;
    this.#slices = Array.from({ length: slices + 1 }, () => new Uint32Array(BUCKETS));
  }

  record(latencyMs: Ms, nowMs: Ms): void {
    this.#advance(nowMs);
    this.#slices[this.#running][bucketOf(latencyMs)]++;
  }

  /** Infinity while no full slice holds a latency. */
  quantileMs(nowMs: Ms): Ms {
    this.#advance(nowMs);
    return this.#times[QUANTILE];
  }

  #advance(nowMs: Ms): void {
    const times = this.#times;
    if (times[SINCE] < 0) times[SINCE] = nowMs;
    if (nowMs - times[SINCE] < this.#sliceMs) return;
    const ended = Math.floor((nowMs - times[SINCE]) / this.#sliceMs);
    // After as many slices as there are nothing is left to forget.
    for (let i = 0; i < Math.min(ended, this.#slices.length); i++) this.#close();
    times[SINCE] += ended * this.#sliceMs;
    times[QUANTILE] = this.#quantile();
  }

  #close(): void {
    const closed = this.#closed;
    const full = this.#slices[this.#running];
    this.#running = (this.#running + 1) % this.#slices.length;
    const oldest = this.#slices[this.#running];
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      closed[bucket] += full[bucket] - oldest[bucket];
      this.#count += full[bucket] - oldest[bucket];
    }
    oldest.fill(0);
  }

  /** Of the latency of rank ⌈p · n⌉. */
  #quantile(): Ms {
    if (this.#count === 0) return Infinity;
    // A p like 0.07 is a little more than 7 %: without the factor the rank of 100 latencies would be 8.
    const rank = Math.max(1, Math.ceil(this.#p * this.#count * (1 - 4.5e-16)));
    let bucket = 0;
    for (let below = this.#closed[0]; below < rank; below += this.#closed[bucket]) bucket++;
    return upperEdge(bucket);
  }
}

const SINCE = 0;
const QUANTILE = 1;

/** Bits of the mantissa that tell buckets apart. */
const BITS = 7;
/** The bucket number is what stands in the double's high word, counted from that of 2^-10 ms. */
const FIRST = (1023 - 10) << BITS;
/** Up to 2^24 ms. */
const BUCKETS = 34 << BITS;

function bucketOf(ms: Ms): number {
  double[0] = ms;
  return Math.min(Math.max((words[HIGH] >> (20 - BITS)) - FIRST, 0), BUCKETS - 1);
}

function upperEdge(bucket: number): Ms {
  words[HIGH] = (bucket + 1 + FIRST) << (20 - BITS);
  words[1 - HIGH] = 0;
  return double[0];
}

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);
const HIGH = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;
