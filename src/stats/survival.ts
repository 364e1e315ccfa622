/** The survival curve of a histogram, for charts of tails: which share of the records exceeds a value. Exact at bucket edges, and
 *  straight lines between neighbouring points are what `Histogram.quantile` assumes. */
import { highestBucket, lowerEdge } from './buckets.ts';
import type { HistogramData } from './histogram-data.ts';

export interface SurvivalPoint {
  readonly value: number;
  /** Of records greater than `value`. */
  readonly share: number;
}

/** From (min, about 1) down to (max, 0), at most two points per bucket that is not empty; nothing for an empty histogram. */
export function survival(data: HistogramData): SurvivalPoint[] {
  const points: SurvivalPoint[] = [];
  let left = data.count;
  let end = NaN;
  for (let offset = 0; offset < data.counts.length; offset++) {
    const count = data.counts[offset];
    if (count === 0) continue;
    const index = data.first + offset;
    const from = Math.max(lowerEdge(index, data.bits), data.min);
    // After a gap the curve is level up to where the next bucket begins.
    if (from !== end) points.push({ value: from, share: left / data.count });
    left -= count;
    end = index >= highestBucket(data.bits) ? data.max : Math.min(lowerEdge(index + 1, data.bits), data.max);
    if (end === from) points.pop();
    points.push({ value: end, share: left / data.count });
  }
  return points;
}
