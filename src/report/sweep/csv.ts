/** A sweep for spreadsheets and data frames: one row per point, variant and metric. */
import { findMetric } from '../../core/metrics.ts';
import type { SweepFile } from '../../lab/sweep/types.ts';
import { csv, type Cell } from '../csv.ts';
import { cellEstimate } from './rows.ts';

export function sweepCsv(sweep: SweepFile): string {
  const { factors, variants, points, winners } = sweep;
  const metrics = Object.keys(points[0]?.cells[0]?.metrics ?? {}).sort();
  const header = [
    ...factors.map(({ path }) => path),
    'variant',
    'metric',
    'unit',
    'mean',
    'ci_low',
    'ci_high',
    'sd',
    'seeds',
    'winner',
  ];
  const rows = points.flatMap(({ levels }, point) =>
    variants.flatMap((label, variant) =>
      metrics.map((metric): Cell[] => {
        const { mean, low, high, sd, n } = cellEstimate(sweep, point, variant, metric);
        const winner = metric === sweep.metric ? (variants[winners[point].winner] ?? '') : '';
        const unit = findMetric(metric.split('{', 1)[0])?.unit ?? '';
        return [...levels.map((level, i) => factors[i].values[level]), label, metric, unit, mean, low, high, sd, n, winner];
      }),
    ),
  );
  return csv(header, rows);
}
