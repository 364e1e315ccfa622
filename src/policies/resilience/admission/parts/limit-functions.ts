/** How much room a limit of this size is given, as whole numbers without floating-point logarithms. */

/** Netflix's Log10RootFunction: ⌊log10 limit⌋, at least 1. */
export function log10Root(limit: number): number {
  let root = 1;
  for (let power = 100; power <= limit; power *= 10) root++;
  return root;
}

/** Netflix's SquareRootFunction: ⌊√limit⌋, at least `baseline`. */
export const squareRoot = (limit: number, baseline: number): number => Math.max(baseline, Math.floor(Math.sqrt(limit)));
