/** Where the warm-up of a run ends: MSER-5. Averages the series in batches of five and drops the first d batches for which the
 *  standard error of the rest, taken as if independent, is smallest: dropping transient batches lowers it, dropping typical ones
 *  raises it. Use it on a series of window means averaged over seeds; it says nothing on scenarios that never settle, such as a
 *  daily curve or an incident.
 *
 *  After K. P. White, "An effective truncation heuristic for bias reduction in simulation output" (Simulation 69(6), 1997). */
export interface Truncation {
  readonly truncateBatches: number;
  readonly truncateObservations: number;
  /** Without the limit the minimum lies in the second half: the run is too short, or never becomes stationary. */
  readonly inSecondHalf: boolean;
}

/** Searches the first half of the series; what does not fill a last batch is ignored. */
export function mser5(series: readonly number[]): Truncation {
  const batches = batchMeans(series, batchSize);
  const n = batches.length;
  let truncateBatches = 0;
  let least = Infinity;
  let leastLate = Infinity;
  // From the end, so that mean and squared deviations of the rest are updated in one pass (Welford).
  let mean = 0;
  let squares = 0;
  for (let d = n - 1; d >= 0; d--) {
    const kept = n - d;
    const delta = batches[d] - mean;
    mean += delta / kept;
    squares += delta * (batches[d] - mean);
    const statistic = squares / (kept * kept);
    if (2 * d < n) {
      if (statistic <= least) {
        least = statistic;
        truncateBatches = d;
      }
    } else if (kept >= fewestKept && statistic < leastLate) leastLate = statistic;
  }
  return { truncateBatches, truncateObservations: truncateBatches * batchSize, inSecondHalf: leastLate < least };
}

const batchSize = 5;
/** Fewer batches than this are now and then alike by chance, which would look like the best place to cut. */
const fewestKept = 10;

function batchMeans(series: readonly number[], size: number): number[] {
  return Array.from({ length: Math.floor(series.length / size) }, (_, batch) => {
    let sum = 0;
    for (let offset = 0; offset < size; offset++) sum += series[batch * size + offset];
    return sum / size;
  });
}
