/** A sequential test of a canary's failures against a control's: does the canary fail `ratio` times as often, or no more often?
 *
 *  Use it where the share of failures is small and says nothing on its own: it compares both sides under the same conditions, and decides as
 *  soon as what was seen suffices, with error rates that are chosen beforehand. It fails where failures come in bursts: it takes each for a
 *  draw of its own. A canary that is worse by less than the ratio passes more often than not.
 *
 *  Given that a request failed, it was the canary's with a probability that is the canary's share of requests if both fail alike, and
 *  higher if the canary fails more often. Wald's sequential probability ratio test adds up log likelihood ratios and stops at
 *  ln((1 − beta) / alpha), the canary is bad, or at ln(beta / (1 − alpha)), it is not. Then a canary as good as the control is called bad with
 *  probability at most alpha / (1 − beta), and one that is `ratio` times as bad is let pass with probability at most beta / (1 − alpha),
 *  however often one looks. Shares of requests may differ from look to look.
 *
 *  After A. Wald, Sequential Tests of Statistical Hypotheses (1945). */
import { log } from '../../../core/math.ts';

export interface RatioTestSettings {
  /** Above 1. */
  readonly ratio: number;
  readonly alpha: number;
  readonly beta: number;
}

export interface Outcomes {
  readonly requests: number;
  readonly failures: number;
}

export type RatioVerdict = 'bad' | 'good' | 'undecided';

/** What a look at both sides adds to the log likelihood ratio. */
export function ratioEvidence(ratio: number, canary: Outcomes, control: Outcomes): number {
  const total = canary.requests + control.requests;
  if (canary.requests <= 0 || control.requests <= 0) return 0;
  const same = canary.requests / total;
  const worse = (ratio * same) / (ratio * same + 1 - same);
  return canary.failures * log(worse / same) + control.failures * log((1 - worse) / (1 - same));
}

export function ratioVerdict({ alpha, beta }: RatioTestSettings, evidence: number): RatioVerdict {
  if (evidence >= log((1 - beta) / alpha)) return 'bad';
  return evidence <= log(beta / (1 - alpha)) ? 'good' : 'undecided';
}
