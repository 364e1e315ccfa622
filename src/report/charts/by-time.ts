/** One metric over time, as lines or as one row of coloured cells per variant. */
import type { RunFile } from '../../lab/types.ts';
import type { SeriesColumn } from '../../stats/result.ts';
import { formatMetric, isNumber, significant } from '../format.ts';
import { metricTitle, plural } from '../summary.ts';
import { availabilityAxis, latencyAxis, latencyLabel, percentLabel } from './axes.ts';
import { bandPanel, bandsNote, bandValues, hoverRows } from './band-lines.ts';
import { limitsOn } from './limits.ts';
import { rateAxis } from './load-over-time.ts';
import { ink } from './palette.ts';
import { chart, metricHeading, sentences, labelsWidth, plotWidth, type ChartSpec, type Part, type Row } from './spec.ts';
import { condensedNote, contextDatasets, groupSize, highlightParam, seriesRows, timeUnit, type Condense } from './time.ts';

interface TimeMetric {
  readonly column: SeriesColumn;
  readonly condense: Condense;
  readonly kind: 'latency' | 'availability' | 'rate' | 'count';
}

/** Which metrics have a course over time. */
export const timeMetrics: Readonly<Record<string, TimeMetric>> = {
  'latency.p50': { column: 'latencyP50', condense: 'max', kind: 'latency' },
  'latency.p99': { column: 'latencyP99', condense: 'max', kind: 'latency' },
  'latency.p99.9': { column: 'latencyP999', condense: 'max', kind: 'latency' },
  availability: { column: 'availability', condense: 'min', kind: 'availability' },
  goodput: { column: 'ok', condense: 'mean', kind: 'rate' },
  offered: { column: 'offered', condense: 'mean', kind: 'rate' },
  'inSystem.mean': { column: 'inFlight', condense: 'mean', kind: 'count' },
};

const chosen: Readonly<Record<Condense, string>> = { max: 'the worst of', min: 'the worst of', mean: 'the mean of' };

export function linesByTime(run: RunFile, metric: string): ChartSpec {
  const { condense, kind } = timeMetrics[metric]!;
  const rows = rowsOf(run, metric);
  const limits = limitsOn(run, metric);
  const values = [...bandValues(rows), ...limits.map((limit) => limit.value)];
  const title = metricTitle(metric);
  const axes = { latency: latencyAxis, availability: availabilityAxis, rate: rateAxis, count: rateAxis };
  return chart(
    {
      title: `${metricHeading(metric)} over time`,
      subtitle: sentences(bandsNote(run), condensedNote(run, chosen[condense])) || 'One value per window.',
    },
    {
      values: rows,
      values_hover: hoverRows(run, rows, (value) => (kind === 'rate' ? `${significant(value)} /s` : formatMetric(metric, value))),
      ...contextDatasets(run),
    },
    {
      params: [highlightParam],
      ...bandPanel(run, {
        data: 'values',
        y: axes[kind](values, kind === 'rate' ? `${title} (per second)` : title),
        height: 260,
        limits,
        goodIsUp: kind === 'availability',
      }),
    },
  );
}

export function heatmapByTime(run: RunFile, metric: string): ChartSpec {
  const { condense, kind } = timeMetrics[metric]!;
  const unit = timeUnit(run);
  const rows = rowsOf(run, metric).flatMap((row) => (isNumber(row.median) ? [row] : []));
  const windows = run.variants[0]!.series.columns.offered.median.length;
  const size = groupSize(windows);
  const columns = Math.ceil(windows / size);
  // Whole pixels per cell leave no hairlines between them.
  const width = Math.max(1, Math.round((plotWidth - labelsWidth(run)) / columns)) * columns;
  const perCell = size * run.variants[0]!.series.windowMs * unit.perMs;
  const cells = rows.map((row) => {
    const middle = row[unit.field] as number;
    return { variant: row.variant!, from: middle - perCell / 2, to: middle + perCell / 2, value: row.median! };
  });
  const values = cells.map((cell) => cell.value as number).filter((value) => kind !== 'latency' || value > 0);
  const isLog = kind === 'latency' && Math.max(...values) > 6 * Math.min(...values);
  return chart(
    {
      title: `${metricHeading(metric)} over time`,
      subtitle: sentences(`Median of ${plural(run.seeds.length, 'seed')}.`, condensedNote(run, chosen[condense])),
    },
    { values: cells.filter((cell) => !isLog || (cell.value as number) > 0) },
    {
      data: { name: 'values' },
      width,
      height: { step: 26 },
      mark: { type: 'rect' },
      encoding: {
        x: {
          field: 'from',
          type: 'quantitative',
          title: unit.title,
          scale: { domain: [0, perCell * columns], nice: false },
          axis: { grid: false, tickCount: 10, format: '~f' },
        },
        x2: { field: 'to' },
        y: { field: 'variant', type: 'nominal', sort: null, title: null, axis: { domain: false, ticks: false } },
        color: {
          field: 'value',
          type: 'quantitative',
          title: metricTitle(metric),
          scale: {
            scheme: 'viridis',
            ...(isLog ? { type: 'log' } : { zero: false }),
            nice: false,
            reverse: kind === 'availability',
          },
          legend: {
            orient: 'bottom',
            gradientLength: 240,
            gradientThickness: 10,
            titleFontWeight: 'normal',
            titleColor: ink.muted,
            ...labels(kind),
          },
        },
        tooltip: [
          { field: 'variant', type: 'nominal' },
          { field: 'from', type: 'quantitative', title: unit.title, format: '.4~g' },
          { field: 'value', type: 'quantitative', title: metricTitle(metric), format: '.5~g' },
        ],
      },
    },
  );
}

const labels = (kind: TimeMetric['kind']): Part =>
  kind === 'latency' ? { labelExpr: latencyLabel } : kind === 'availability' ? { labelExpr: percentLabel } : { format: '~s' };

function rowsOf(run: RunFile, metric: string): Row[] {
  const { column, condense, kind } = timeMetrics[metric]!;
  const rows = seriesRows(run, column, condense, kind === 'rate' ? 1000 / (run.variants[0]?.series.windowMs ?? 1000) : 1);
  if (kind !== 'latency') return rows;
  // A logarithm is taken of these.
  const positive = (value: unknown): number | null => (isNumber(value) && value > 0 ? value : null);
  return rows.map((row) => ({ ...row, median: positive(row.median), low: positive(row.low), high: positive(row.high) }));
}
