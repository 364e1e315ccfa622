/** Who is best where, and where nobody can tell: all pairs of variants at a point, paired over seeds, under Holm's correction. It holds for
 *  each point by itself: the chance of a wrong winner at a point is at most 5 %, so among a hundred points without a difference some five
 *  would show one. Neighbours that agree are the better evidence. */
import type { Metric } from '../../core/metrics.ts';
import { estimate } from '../../stats/estimate.ts';
import { comparePairs, type Measured } from '../compare.ts';
import type { Comparison } from '../types.ts';
import type { SweepFile, SweepPoint, Winner } from './types.ts';

export type SweepTable = Pick<SweepFile, 'factors' | 'variants' | 'points' | 'design'>;

export function findWinners(table: SweepTable, metric: Metric): Winner[] {
  const all = comparisonsOf(table, metric);
  return table.points.map((point, at) => {
    const means = point.cells.map((cell) => estimate(wholeValues(cell.metrics[metric.name])).mean);
    const best = indexOfBest(means, metric);
    if (best < 0) return { point: at, winner: -1, best, tied: [] };
    const others = table.variants.flatMap((_, variant) => (variant === best ? [] : [variant]));
    const tied = others.filter((variant) => all.verdict(at, best, variant) !== 'better');
    // Alone one cannot win.
    return { point: at, winner: tied.length === 0 && others.length > 0 ? best : -1, best, tied };
  });
}

/** A mean over some of the seeds says nothing about the others. */
const wholeValues = (values: readonly number[] | undefined): readonly number[] =>
  values === undefined || values.some(Number.isNaN) ? [] : values;

function indexOfBest(means: readonly number[], { better }: Metric): number {
  let best = -1;
  means.forEach((mean, i) => {
    if (Number.isNaN(mean)) return;
    if (best < 0 || (better === 'lower' ? mean < means[best] : mean > means[best])) best = i;
  });
  return best;
}

/** What was found about any two variants at a point, in either direction. */
export interface PairVerdicts {
  verdict(point: number, variant: number, rival: number): Comparison['verdict'];
  difference(point: number, variant: number, rival: number): Comparison;
}

const turned = { better: 'worse', worse: 'better', equivalent: 'equivalent', inconclusive: 'inconclusive' } as const;

export function comparisonsOf({ points, variants }: SweepTable, metric: Metric): PairVerdicts {
  const rivals = variants.flatMap((_, i) => variants.slice(i + 1).map((_, k) => [i, i + 1 + k] as const));
  const measured = (point: SweepPoint, variant: number): Measured => ({
    label: variants[variant],
    metrics: point.cells[variant].metrics,
  });
  const found = points.flatMap((point) =>
    comparePairs(
      rivals.map(([baseline, variant]) => ({ variant: measured(point, variant), baseline: measured(point, baseline), metric })),
    ),
  );
  const place = new Map(rivals.map(([low, high], i) => [`${low} ${high}`, i]));
  const at = (point: number, low: number, high: number): Comparison =>
    found[point * rivals.length + place.get(`${low} ${high}`)!];
  return {
    verdict: (point, variant, rival) =>
      variant > rival ? at(point, rival, variant).verdict : turned[at(point, variant, rival).verdict],
    difference: (point, variant, rival) => at(point, Math.min(variant, rival), Math.max(variant, rival)),
  };
}
