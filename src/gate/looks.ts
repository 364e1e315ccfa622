/** When to look while seeds come in, and what each look may cost. Stopping as soon as something looks significant finds a difference in
 *  nothing far too often; so the error that the whole gate allows itself is dealt out to the looks in advance, each in proportion to the
 *  seeds it adds. The shares sum to the whole, hence whatever happens at the looks, and however they depend on each other, the chance
 *  that any of them errs is at most the whole. (K. K. G. Lan and D. L. DeMets, Biometrika 70, 1983, with linear spending and Bonferroni's
 *  inequality instead of the joint law.) */

export interface Look {
  /** Seeds there are at this look. */
  readonly seeds: number;
  /** Its share of the error. */
  readonly share: number;
}

const FIRST = 5;

/** First 5 seeds, then twice as many each time, and at last all. */
export function looksUpTo(seeds: number): Look[] {
  const sizes: number[] = [];
  for (let size = FIRST; size < seeds; size *= 2) sizes.push(size);
  // A last step of a few seeds would cost a look and add nothing.
  if (sizes.length > 0 && seeds - sizes[sizes.length - 1] < FIRST) sizes.pop();
  return [...sizes, seeds].map((size, i, all) => ({ seeds: size, share: (size - (all[i - 1] ?? 0)) / seeds }));
}
