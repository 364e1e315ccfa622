/** One-sided bounds of a mean over replications, for claims that go one way: "at most 250 ms, with 95 % confidence". Each bound misses
 *  with the stated chance by itself; together they are an interval of less confidence. Student's t over one value per seed, which must be
 *  about normal or many: with few seeds of a skewed statistic the true chance is somewhat larger. */
import { estimate } from './estimate.ts';
import { studentQuantile } from './special.ts';

export interface Bounds {
  readonly mean: number;
  readonly sd: number;
  readonly n: number;
  /** The mean is at least `low`, and (another claim) at most `high`. Infinite below two values. */
  readonly low: number;
  readonly high: number;
}

/** `miss`: chance that a bound is wrong. Values that do not exist must have been dealt with before. */
export function boundsOf(values: readonly number[], miss: number): Bounds {
  const { mean, sd, n } = estimate(values);
  if (n < 2) return { mean, sd, n, low: -Infinity, high: Infinity };
  const reach = (studentQuantile(1 - miss, n - 1) * sd) / Math.sqrt(n);
  return { mean, sd, n, low: mean - reach, high: mean + reach };
}
