/** Inference over replications: one value per seed, independent by construction, so that Student's t applies. Never feed it the
 *  requests of one run: they are correlated, and a "95 %" interval over them covers the truth in 20 % of cases at load 0.8. */
import type { Estimate } from './result.ts';
import { studentQuantile, studentTwoSided } from './special.ts';

/** Mean with its two-sided t interval. Values that do not exist (NaN) are left out; below two values the interval does not exist. */
export function estimate(values: readonly number[], level = 0.95): Estimate {
  const { mean, sd, n } = moments(values);
  const half = n < 2 ? NaN : halfWidth(sd, n, level);
  return { mean, low: mean - half, high: mean + half, sd, n };
}

/** Estimate of the mean of `variant` − `baseline`, paired by position; a pair with a missing value is left out. */
export function pairedDifference(variant: readonly number[], baseline: readonly number[], level = 0.95): Estimate {
  return estimate(
    Array.from({ length: Math.min(variant.length, baseline.length) }, (_, index) => variant[index] - baseline[index]),
    level,
  );
}

/** Two-sided p-value of the paired t test, from the differences. Differences that are all equal leave no doubt: 1 if they are 0,
 *  otherwise 0. Fewer than two say nothing: 1. */
export function pairedP(differences: readonly number[]): number {
  const { mean, sd, n } = moments(differences);
  if (n < 2) return 1;
  if (sd === 0) return mean === 0 ? 1 : 0;
  return studentTwoSided((mean / sd) * Math.sqrt(n), n - 1);
}

/** Holm's step-down correction: with it the chance of any false alarm among all comparisons stays below the level tested at. Returns
 *  adjusted p-values in the order given; a NaN stays NaN and does not count. (S. Holm, Scand. J. Statist. 6, 1979.) */
export function holm(p: readonly number[]): number[] {
  const order = p
    .map((_, index) => index)
    .filter((index) => !Number.isNaN(p[index]))
    .toSorted((i, j) => p[i] - p[j]);
  const adjusted = p.map(() => NaN);
  let least = 0;
  order.forEach((index, rank) => {
    least = Math.max(least, Math.min(1, (order.length - rank) * p[index]));
    adjusted[index] = least;
  });
  return adjusted;
}

/** About how many seeds would shrink the 95 % interval to ± `halfWidthTarget`, going by the spread seen in `n`; at least one more than
 *  that. Null when it cannot be told or is beyond a million. */
export function seedsNeeded(sd: number, n: number, halfWidthTarget: number): number | null {
  const most = 1_000_000;
  const suffices = (seeds: number): boolean => halfWidth(sd, seeds, 0.95) <= halfWidthTarget;
  if (!(sd >= 0) || !(halfWidthTarget > 0) || !suffices(most)) return null;
  // The half-width falls with the number of seeds: halve the range of answers.
  let tooFew = Math.max(1, n);
  let enough = most;
  while (enough - tooFew > 1) {
    const middle = Math.floor((tooFew + enough) / 2);
    if (suffices(middle)) enough = middle;
    else tooFew = middle;
  }
  return enough;
}

const halfWidth = (sd: number, n: number, level: number): number => (studentQuantile(0.5 + level / 2, n - 1) * sd) / Math.sqrt(n);

/** Mean and sample standard deviation, in two passes. */
function moments(values: readonly number[]): { mean: number; sd: number; n: number } {
  const present = values.filter((value) => !Number.isNaN(value));
  const n = present.length;
  if (n === 0) return { mean: NaN, sd: NaN, n };
  // Measured from the first value: then equal values have exactly their own mean, and no spread.
  const origin = present[0];
  const mean = origin + present.reduce((sum, value) => sum + (value - origin), 0) / n;
  if (n === 1) return { mean, sd: NaN, n };
  const squares = present.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return { mean, sd: Math.sqrt(squares / (n - 1)), n };
}
