/** Is it worse by more than a margin? Two one-sided t tests against the margin, on one difference per seed. What is shown to lie below the
 *  margin is no worse, what is shown to lie above is worse, and in between nothing is shown: absence of evidence passes for nothing.
 *  (D. J. Schuirmann, J. Pharmacokinet. Biopharm. 15, 1987; ICH E9, 3.3.2.) */
import { estimate } from './estimate.ts';
import { studentTwoSided } from './special.ts';

/** p-value of the hypothesis that the mean is at most `bound`: small when it is shown to be above. Below two values nothing is shown. */
export function pAbove(differences: readonly number[], bound: number): number {
  const { mean, sd, n } = estimate(differences);
  if (n < 2) return 1;
  // Values that are all equal leave no doubt.
  if (sd === 0) return mean > bound ? 0 : 1;
  const t = ((mean - bound) / sd) * Math.sqrt(n);
  const tail = studentTwoSided(t, n - 1) / 2;
  return t > 0 ? tail : 1 - tail;
}

/** p-value of the hypothesis that the mean is above `bound`: small when it is shown to be at most that. */
export function pAtMost(differences: readonly number[], bound: number): number {
  const { mean, sd, n } = estimate(differences);
  if (n < 2) return 1;
  if (sd === 0) return mean > bound ? 1 : 0;
  return 1 - pAbove(differences, bound);
}
