/** The bucket scheme of latency histograms: a bucket's index is the exponent and the leading `bits` bits of the mantissa of a double,
 *  as they stand in it. So every octave has 2^bits buckets of equal width, and finding one costs a shift and no logarithm. What lies
 *  below 2^-14 ms (61 ns; zero above all) or from 2^34 ms (half a year) on goes to one bucket at either end. */

/** The bucket of everything below 2^-14. */
export const lowestBucket = (bits: number): number => (1009 << bits) - 1;

/** The bucket of everything from 2^34 on. */
export const highestBucket = (bits: number): number => 1057 << bits;

/** Smallest value of a bucket; the next bucket's is where it ends. */
export function lowerEdge(index: number, bits: number): number {
  if (index <= lowestBucket(bits)) return 0;
  view.setInt32(0, index << (20 - bits));
  return view.getFloat64(0);
}

const view = new DataView(new ArrayBuffer(8));
