/** What the recorded decisions of a variant add up to: how often it picked what would have been best, and what the others cost. */
import type { VariantResult } from '../lab/types.ts';

export interface Regret {
  readonly label: string;
  readonly decisions: number;
  /** Decisions without regret. */
  readonly best: number;
  /** Mean time lost over the decisions whose pick would have finished at all. */
  readonly meanMs: number;
  /** Largest of those. */
  readonly maxMs: number;
  /** Picks that would not have taken the request or never finished it, while another would have. */
  readonly lost: number;
}

export const regrets = (variants: readonly VariantResult[]): Regret[] =>
  variants.filter(({ decisions }) => decisions.length > 0).map(regretOf);

function regretOf({ label, decisions }: VariantResult): Regret {
  const finite = decisions.map(({ regretMs }) => regretMs).filter(Number.isFinite);
  return {
    label,
    decisions: decisions.length,
    best: finite.filter((ms) => ms === 0).length,
    meanMs: finite.length === 0 ? NaN : finite.reduce((sum, ms) => sum + ms, 0) / finite.length,
    maxMs: finite.reduce((most, ms) => Math.max(most, ms), 0),
    lost: decisions.length - finite.length,
  };
}
