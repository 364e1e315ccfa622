/** The word a comparison ends in. Equivalent when the whole 95 % interval of the difference lies in the zone of indifference, be the
 *  difference statistically real or not; better or worse when it is not, and zero is ruled out after correction for the number of
 *  comparisons; otherwise inconclusive, which is an answer too. */
import type { Estimate, Verdict } from './result.ts';

export interface Evidence {
  /** Variant − baseline. */
  readonly difference: Estimate;
  /** Of the test that the difference is 0, after `holm`. */
  readonly adjustedP: number;
  /** Half-width of the zone of indifference, in the metric's unit; 0 when every difference matters. */
  readonly indifference: number;
  readonly better: 'lower' | 'higher';
}

export function judge({ difference, adjustedP, indifference, better }: Evidence): Verdict {
  // Both comparisons are false when the interval does not exist.
  if (difference.low >= -indifference && difference.high <= indifference) return 'equivalent';
  if (!(adjustedP < significance)) return 'inconclusive';
  return difference.mean < 0 === (better === 'lower') ? 'better' : 'worse';
}

const significance = 0.05;
