/** How far a value lies from others, in units of their spread. */

/** (x − centre) / spread; where there is no spread, 0 at the centre and infinitely far anywhere else. */
export function standardScore(value: number, centre: number, spread: number): number {
  return value === centre ? 0 : (value - centre) / spread;
}

/** The middle of some sorted values: the mean of the two in the middle if their number is even. There must be a value. */
export function medianOfSorted(sorted: Float64Array): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** For normal values the median of the distances from the median is this share of the standard deviation. */
export const MAD_PER_SIGMA = 0.6745;

/** Median, and median distance from it (MAD). Both orders are written over `scratch`, which must be as long as the values. */
export function medianAndMad(values: Float64Array, scratch: Float64Array, into: { median: number; mad: number }): void {
  scratch.set(values);
  scratch.sort();
  into.median = medianOfSorted(scratch);
  for (let i = 0; i < scratch.length; i++) scratch[i] = Math.abs(values[i] - into.median);
  scratch.sort();
  into.mad = medianOfSorted(scratch);
}
