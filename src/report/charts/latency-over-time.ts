/** When did it hurt, and for how long: p99 and p50 per window. */
import type { RunFile } from '../../lab/types.ts';
import type { SeriesColumn } from '../../stats/result.ts';
import { formatMs, isNumber } from '../format.ts';
import { latencyAxis } from './axes.ts';
import { bandPanel, bandsNote, bandValues, hoverRows } from './band-lines.ts';
import { limitsOn } from './limits.ts';
import { chart, sentences, short, type ChartSpec, type Row } from './spec.ts';
import { condensedNote, contextDatasets, highlightParam, seriesRows } from './time.ts';

export function latencyOverTime(run: RunFile): ChartSpec {
  const p99 = positive(seriesRows(run, 'latencyP99', 'max'));
  const p50 = positive(seriesRows(run, 'latencyP50', 'max'));
  const limits = limitsOn(run, 'latency.p99');
  return chart(
    { title: peaks(run), subtitle: sentences(bandsNote(run), condensedNote(run, 'the worst of')) || 'One value per window.' },
    {
      latency: [...p99.map((row) => ({ percentile: 'p99', ...row })), ...p50.map((row) => ({ percentile: 'p50', ...row }))],
      latency_p99_hover: hoverRows(run, p99, formatMs),
      latency_p50_hover: hoverRows(run, p50, formatMs),
      ...contextDatasets(run),
    },
    {
      params: [highlightParam],
      vconcat: [
        bandPanel(run, {
          data: 'latency',
          where: { field: 'percentile', equal: 'p99' },
          y: latencyAxis([...bandValues(p99), ...limits.map((limit) => limit.value)], 'p99 latency'),
          height: 250,
          last: false,
          limits,
        }),
        bandPanel(run, {
          data: 'latency',
          where: { field: 'percentile', equal: 'p50' },
          y: latencyAxis(bandValues(p50), 'p50 latency', true),
          height: 110,
          first: false,
        }),
      ],
      spacing: 14,
      resolve: { scale: { color: 'independent', strokeDash: 'independent' } },
    },
  );
}

/** `p99 latency peaks at 984 ms with round-robin and at 105 ms with two choices.` */
function peaks(run: RunFile): string {
  const found = run.variants.flatMap((variant) => {
    const peak = peakOf(run, variant.series.columns.latencyP99.median, variant.series.windowMs);
    return peak === null ? [] : [{ label: short(variant.label), peak }];
  });
  if (found.length === 0) return 'Latency over time';
  found.sort((a, b) => b.peak - a.peak);
  const highest = found[0]!;
  const lowest = found.at(-1)!;
  if (found.length === 1) return `p99 latency peaks at ${formatMs(highest.peak)}`;
  if (formatMs(highest.peak) === formatMs(lowest.peak))
    return `p99 latency peaks at ${formatMs(highest.peak)} with every variant`;
  return `p99 latency peaks at ${formatMs(highest.peak)} with ${highest.label}, at ${formatMs(lowest.peak)} with ${lowest.label}`;
}

function peakOf(run: RunFile, values: readonly number[], windowMs: number): number | null {
  const measured = values.slice(Math.ceil(run.scenario.warmupMs / windowMs)).filter(isNumber);
  return measured.length === 0 ? null : Math.max(...measured);
}

export const hasSeries = (run: RunFile, column: SeriesColumn): boolean =>
  run.variants.some((variant) => variant.series.columns[column].median.filter(isNumber).length > 1);

/** A logarithm is taken of these. */
const positive = (rows: readonly Row[]): Row[] =>
  rows.map((row) => ({ ...row, median: aboveZero(row.median), low: aboveZero(row.low), high: aboveZero(row.high) }));
const aboveZero = (value: unknown): number | null => (typeof value === 'number' && value > 0 ? value : null);
