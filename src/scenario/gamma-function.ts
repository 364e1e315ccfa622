/** The gamma function for arguments from 1 to about 21, which is all that means of Weibull laws need. Lanczos's approximation with
 *  g = 7 and nine terms (coefficients of Godfrey, 2001); relative error below 1e-14. */
import { exp, pow } from '../core/math.ts';

export function gamma(x: number): number {
  const z = x - 1;
  let sum = coefficients[0];
  for (let i = 1; i < coefficients.length; i++) sum += coefficients[i] / (z + i);
  const t = z + 7.5;
  return 2.5066282746310002 * pow(t, z + 0.5) * exp(-t) * sum; // √(2π)
}

const coefficients = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;
