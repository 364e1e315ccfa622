/** Latencies of the current window of the time series. A window needs only a few percentiles, so its buckets are eight of the main
 *  histogram's taken together (2^5 per octave, 3 % wide): one shift per request, and a table small enough for the fastest cache. */
import { lowerEdge, lowestBucket } from '../stats/buckets.ts';
import type { Histogram } from '../stats/histogram.ts';

const COARSER_BY = 3;

export class WindowLatency {
  count: number;
  private readonly counts: Uint32Array;
  private readonly bits: number;

  /** `main` is where bucket numbers come from. */
  constructor(main: Histogram) {
    this.count = 0;
    this.counts = new Uint32Array((main.buckets >>> COARSER_BY) + 1);
    this.bits = main.bits;
  }

  add(mainBucket: number): void {
    this.counts[mainBucket >>> COARSER_BY]++;
    this.count++;
  }

  /** The value of rank ⌈p·n⌉, placed evenly inside its bucket; NaN when empty. */
  quantile(p: number): number {
    if (this.count === 0) return NaN;
    const rank = Math.max(1, Math.ceil(p * this.count * (1 - 4.5e-16)));
    let below = 0;
    let index = 0;
    while (below + this.counts[index] < rank) below += this.counts[index++];
    const from = this.edge(index);
    return from + ((rank - below - 0.5) / this.counts[index]) * (this.edge(index + 1) - from);
  }

  reset(): void {
    this.counts.fill(0);
    this.count = 0;
  }

  private edge(index: number): number {
    return lowerEdge(lowestBucket(this.bits) + (index << COARSER_BY), this.bits);
  }
}
