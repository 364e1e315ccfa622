/** Luck or law: p99 latency of every seed. A line joins the values of one seed, so that parallel lines show a difference that holds in
 *  every world, and crossing lines one that depends on it. */
import type { RunFile } from '../../lab/types.ts';
import { formatMetric, isNumber } from '../format.ts';
import { metricTitle } from '../summary.ts';
import { valueAxis } from './axes.ts';
import { variantColor, variantShape } from './palette.ts';
import { chart, metricHeading, labelsWidth, plotWidth, rounded, short, type ChartSpec, type Part, type Row } from './spec.ts';

export function perSeed(run: RunFile, metric = 'latency.p99'): ChartSpec {
  const rows: Row[] = run.variants.flatMap((variant, order) =>
    (variant.metrics[metric] ?? []).flatMap((value, index) =>
      isNumber(value)
        ? [{ variant: variant.label, seed: run.seeds[index] ?? String(index + 1), value: rounded(value), order }]
        : [],
    ),
  );
  const x: Part = {
    field: 'value',
    type: 'quantitative',
    ...valueAxis(
      metric,
      rows.map((row) => row.value as number),
    ),
  };
  const y: Part = {
    field: 'variant',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { domain: false, ticks: false, grid: true, labelPadding: 8 },
  };
  return chart(
    {
      title: finding(run, metric),
      subtitle:
        run.variants.length > 1
          ? 'One point per seed; grey lines join the variants that ran in the same world.'
          : 'One point per seed.',
    },
    { seeds: rows },
    {
      data: { name: 'seeds' },
      width: plotWidth - labelsWidth(run),
      height: { step: 34 },
      layer: [
        {
          mark: {
            type: 'line',
            color: '#000',
            opacity: Math.min(0.2, Math.max(0.04, 0.8 / run.seeds.length)),
            strokeWidth: 1,
            tooltip: null,
          },
          encoding: {
            x,
            y,
            detail: { field: 'seed', type: 'nominal' },
            order: { field: 'order', type: 'quantitative' },
          },
        },
        {
          mark: { type: 'point', filled: true, size: 55, opacity: 0.75 },
          encoding: {
            x,
            y,
            color: variantColor(run, null),
            shape: variantShape(run),
            tooltip: [
              { field: 'variant', type: 'nominal' },
              { field: 'seed', type: 'nominal' },
              { field: 'value', type: 'quantitative', title: metricTitle(metric), format: '.5~g' },
            ],
          },
        },
      ],
    },
  );
}

export const severalSeeds = (run: RunFile): boolean =>
  run.seeds.length > 1 && run.variants.some((variant) => (variant.metrics['latency.p99'] ?? []).filter(isNumber).length > 1);

function finding(run: RunFile, metric: string): string {
  const compared = run.comparisons.filter((comparison) => comparison.metric === metric);
  const decided = compared.filter((each) => each.seedsWon === each.seeds);
  if (compared.length > 0 && decided.length > 0) {
    const names =
      decided.length <= 3
        ? decided.map((each) => short(each.variant)).join(', ')
        : `${decided.length} of ${compared.length} variants`;
    return `${metricHeading(metric)}: better than ${short(compared[0]!.baseline)} in all ${compared[0]!.seeds} seeds: ${names}`;
  }
  if (compared.length > 0) {
    const best = compared.reduce((top, each) => (each.seedsWon > top.seedsWon ? each : top));
    return `${metricHeading(metric)}: ${short(best.variant)} better than ${short(best.baseline)} in ${best.seedsWon} of ${best.seeds} seeds`;
  }
  const values = run.variants.flatMap((variant) => (variant.metrics[metric] ?? []).filter(isNumber));
  if (values.length === 0) return metricHeading(metric);
  return `${metricHeading(metric)} lies between ${formatMetric(metric, Math.min(...values))} and ${formatMetric(metric, Math.max(...values))} over ${run.seeds.length} seeds`;
}
