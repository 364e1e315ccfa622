/** One row per variant and metric that was measured in any of them: the estimate, and where the metric is compared the paired difference with its verdict. */
import { findMetric } from '../core/metrics.ts';
import { type Comparison, isMeasured, type RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';

const header = [
  'scenario',
  'variant',
  'metric',
  'unit',
  'mean',
  'ci_low',
  'ci_high',
  'sd',
  'seeds',
  'baseline',
  'difference',
  'difference_low',
  'difference_high',
  'relative',
  'verdict',
  'adjusted_p',
];

export function summaryCsv(run: RunFile): string {
  const rows: Cell[][] = [];
  for (const variant of run.variants) {
    for (const [metric, estimate] of Object.entries(variant.estimates)) {
      if (!isMeasured(run.variants, metric)) continue;
      const compared = run.comparisons.find((each) => each.variant === variant.label && each.metric === metric);
      rows.push([
        run.scenario.name,
        variant.label,
        metric,
        findMetric(metric)?.unit ?? '',
        estimate.mean,
        estimate.low,
        estimate.high,
        estimate.sd,
        estimate.n,
        ...comparisonCells(compared),
      ]);
    }
  }
  return csv(header, rows);
}

const comparisonCells = (compared: Comparison | undefined): Cell[] =>
  compared === undefined
    ? ['', null, null, null, null, '', null]
    : [
        compared.baseline,
        compared.difference.mean,
        compared.difference.low,
        compared.difference.high,
        compared.relative?.mean ?? null,
        compared.verdict,
        compared.adjustedP,
      ];
