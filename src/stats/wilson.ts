/** Intervals for a share of independent trials, such as lost messages or false alarms. Unlike mean ± 2 standard errors they hold for
 *  shares near 0 and 1 and for small numbers. Requests of one run are not independent trials: use `estimate` over seeds for those. */
import { expm1, log } from '../core/math.ts';
import { normalQuantile } from './special.ts';

/** Wilson's score interval (E. B. Wilson, JASA 22, 1927); 0 to 1 when there were no trials. */
export function wilson(successes: number, trials: number, level = 0.95): { readonly low: number; readonly high: number } {
  if (trials === 0) return { low: 0, high: 1 };
  const z = normalQuantile(0.5 + level / 2);
  const share = successes / trials;
  const spread = (z * z) / trials;
  const centre = (share + spread / 2) / (1 + spread);
  const half = (z / (1 + spread)) * Math.sqrt((share * (1 - share)) / trials + spread / (4 * trials));
  // At the ends the bound is exactly the end; rounding would miss it by a hair.
  return { low: successes === 0 ? 0 : centre - half, high: successes === trials ? 1 : centre + half };
}

/** What the share of failures may be, at 95 % confidence, when none was seen in `trials`: exactly 1 − 0.05^(1/trials), about 3/trials. */
export function ruleOfThree(trials: number): number {
  return trials === 0 ? 1 : -expm1(log(0.05) / trials);
}
