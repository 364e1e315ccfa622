/** Typed arrays that keep their contents when they grow: the copy that every table of ours makes now and then. */

/** `to`, which is longer, with the contents of `from`. */
export function grown<Numbers extends { set(from: Numbers): void }>(from: Numbers, to: Numbers): Numbers {
  to.set(from);
  return to;
}

export const grownFloats = (from: Float64Array, size: number): Float64Array => grown(from, new Float64Array(size));
export const grownInts = (from: Int32Array, size: number): Int32Array => grown(from, new Int32Array(size));
export const grownCounts = (from: Uint32Array, size: number): Uint32Array => grown(from, new Uint32Array(size));
