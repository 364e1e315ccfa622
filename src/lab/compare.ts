/** Paired comparison of every variant with the baseline: same seed, same world, so the difference per seed is the policy's doing. In a
 *  sweep over loads the baseline is the first group at the same load: what differs between loads is the load's doing.
 *  Intervals over seeds (never over requests: consecutive requests are correlated), Holm's correction over all comparisons. */
import { changeMetrics, comparedMetrics, type Metric, scalingMetrics } from '../core/metrics.ts';
import { estimate, holm, pairedP, seedsNeeded } from '../stats/estimate.ts';
import { judge } from '../stats/verdict.ts';
import type { Comparison, VariantResult } from './types.ts';

export function compareVariants(variants: readonly VariantResult[]): Comparison[] {
  return comparePairs(
    variants.flatMap((variant) => {
      const baseline = baselineOf(variant, variants);
      if (baseline === variant) return [];
      return comparedMetrics
        .filter((metric) => exists(metric, variant, baseline))
        .map((metric) => ({ variant, baseline, metric }));
    }),
  );
}

/** Not everything has a cost. What is always there is compared even if there is nothing to see, which is then said. */
const exists = ({ name }: Metric, ...both: readonly VariantResult[]): boolean =>
  (!scalingMetrics.includes(name) && !changeMetrics.includes(name)) ||
  both.every(({ metrics }) => metrics[name]?.some((value) => !Number.isNaN(value)) === true);

/** Itself for a baseline. */
export function baselineOf(variant: VariantResult, variants: readonly VariantResult[]): VariantResult {
  const [first] = variants;
  if (variant.load === null) return first;
  return variants.find(({ load, group }) => load === variant.load && group === first.group) ?? variant;
}

/** Any pairs, corrected for their number. */
export function comparePairs(pairs: readonly Pair[]): Comparison[] {
  const paired = pairs.map(pairUp);
  const adjusted = holm(paired.map(({ p }) => p));
  return paired.map((pair, i) => conclude(pair, adjusted[i]));
}

/** One pair outside the experiment's set: for sentences such as "a and b cannot be told apart". */
export function compareTwo(variant: VariantResult, baseline: VariantResult, metric: Metric): Comparison {
  const pair = pairUp({ variant, baseline, metric });
  return conclude(pair, pair.p);
}

/** What of a variant is compared. */
export type Measured = Pick<VariantResult, 'label' | 'metrics'>;

export interface Pair {
  readonly variant: Measured;
  readonly baseline: Measured;
  readonly metric: Metric;
}

interface Paired extends Pair {
  readonly differences: readonly number[];
  readonly baselineMean: number;
  readonly p: number;
}

function pairUp({ variant, baseline, metric }: Pair): Paired {
  const theirs = variant.metrics[metric.name] ?? [];
  const base = baseline.metrics[metric.name] ?? [];
  // An interrupted run may have more seeds of one variant than of another.
  const n = Math.min(theirs.length, base.length);
  const differences = Array.from({ length: n }, (_, i) => theirs[i] - base[i]);
  return {
    variant,
    baseline,
    metric,
    differences,
    baselineMean: estimate(base.slice(0, n)).mean,
    // Without a value in every seed there is nothing to test.
    p: n < 2 || differences.some(Number.isNaN) ? 1 : pairedP(differences),
  };
}

function conclude({ variant, baseline, metric, differences, baselineMean }: Paired, adjustedP: number): Comparison {
  const isComplete = differences.length >= 2 && !differences.some(Number.isNaN);
  const difference = estimate(isComplete ? differences : []);
  const indifference = zoneOf(metric, baselineMean);
  const verdict = isComplete ? judge({ difference, adjustedP, indifference, better: metric.better }) : 'inconclusive';
  const isRelative = metric.indifference !== undefined && 'relative' in metric.indifference && baselineMean !== 0;
  const sign = metric.better === 'lower' ? -1 : 1;
  // Whichever is nearer: an interval that leaves out zero, or one that fits into the zone of indifference.
  const target = Math.max(Math.abs(difference.mean), indifference - Math.abs(difference.mean));
  return {
    variant: variant.label,
    baseline: baseline.label,
    metric: metric.name,
    difference,
    relative: isRelative
      ? { mean: difference.mean / baselineMean, low: difference.low / baselineMean, high: difference.high / baselineMean }
      : null,
    indifference,
    adjustedP,
    verdict,
    seedsWon: differences.filter((d) => d * sign > 0).length,
    seedsTied: differences.filter((d) => d === 0).length,
    seeds: differences.length,
    seedsNeeded: verdict === 'inconclusive' && isComplete ? seedsNeeded(difference.sd, difference.n, target) : null,
  };
}

function zoneOf({ indifference }: Metric, baselineMean: number): number {
  if (indifference === undefined) return 0;
  return 'relative' in indifference ? Math.abs(indifference.relative * baselineMean) : indifference.absolute;
}
