/** How bad is the tail, and where do the variants cross: the same histogram drawn in two ways, over all seeds together.
 *  `latencySurvival` shows the share of requests slower than x, `latencyPercentiles` the latency at each percentile. */
import type { RunFile, VariantResult } from '../../lab/types.ts';
import { Histogram } from '../../stats/histogram.ts';
import { formatMs } from '../format.ts';
import { latencyAxis, latencyLabel, logScale } from './axes.ts';
import { accents, variantColor, variantDash } from './palette.ts';
import { chart, plotWidth, rounded, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { tailPoints } from './tail-points.ts';
import { highlightOpacity, highlightParam } from './time.ts';

export type HistogramName = 'latency' | 'wait';

export function latencySurvival(run: RunFile, histogram: HistogramName = 'latency'): ChartSpec {
  const rows = curveRows(run, histogram);
  const smallest = Math.min(...rows.map((row) => row.share_slower as number));
  return chart(
    {
      title: tailTitle(run, histogram),
      subtitle: 'Share of requests that took longer than the time on the axis; all seeds together, both axes logarithmic.',
    },
    { tail: rows },
    curve(run, {
      interpolate: 'linear',
      x: { field: 'latency_ms', type: 'quantitative', ...latencyOf(rows, histogram) },
      y: {
        field: 'share_slower',
        type: 'quantitative',
        title: 'share of requests slower',
        ...logScale(smallest, 1, { labelExpr: shareLabel }),
      },
    }),
  );
}

export function latencyPercentiles(run: RunFile): ChartSpec {
  const rows = curveRows(run, 'latency');
  const steepest = Math.max(10, ...rows.map((row) => row.one_in as number));
  const slos = sloRows(run);
  // Below the 20th percentile the curve only falls off to the one fastest request.
  const shown = rows.filter((row) => (row.one_in as number) >= 1.25);
  const y = latencyAxis(
    [...shown.map((row) => row.latency_ms as number), ...slos.map((row) => row.limit_ms as number)],
    'latency',
  );
  const picture = curve(run, {
    interpolate: 'linear',
    x: {
      field: 'one_in',
      type: 'quantitative',
      title: 'percentile',
      scale: { type: 'log', domain: [1, rounded(steepest)], nice: false },
      axis: { values: percentileTicks(steepest), labelExpr: percentileLabel, grid: true },
    },
    y: { field: 'latency_ms', type: 'quantitative', ...y },
  });
  return chart(
    {
      title: percentileTitle(run),
      subtitle: `Latency at each percentile; each step to the right is a tenth as many requests.${slos.length > 0 ? ' Red: expected limits.' : ''}`,
    },
    { tail: rows, limits: slos },
    slos.length === 0 ? picture : { ...picture, layer: [...(picture.layer as Part[]), ...sloLayers()] },
  );
}

export const hasLatencies = (run: RunFile): boolean =>
  run.variants.some((variant) => variant.latency.count > 0 && variant.latency.max > variant.latency.min);

function curve(run: RunFile, { x, y, interpolate }: { readonly x: Part; readonly y: Part; readonly interpolate: string }): Part {
  return {
    params: [highlightParam],
    width: plotWidth,
    height: 280,
    layer: [
      {
        data: { name: 'tail' },
        mark: { type: 'line', interpolate, strokeWidth: 1.8, clip: true },
        encoding: {
          x,
          y,
          color: variantColor(run),
          strokeDash: variantDash(run),
          opacity: highlightOpacity(1, 0.12),
          tooltip: [
            { field: 'variant', type: 'nominal' },
            { field: 'latency_ms', type: 'quantitative', title: 'latency (ms)', format: '.4~g' },
            { field: 'share_slower', type: 'quantitative', title: 'share slower', format: '.3~g' },
          ],
        },
      },
    ],
  };
}

function curveRows(run: RunFile, histogram: HistogramName): Row[] {
  return run.variants.flatMap((variant) =>
    tailPoints(variant[histogram]).map(({ latencyMs, above }) => ({
      variant: variant.label,
      latency_ms: rounded(latencyMs),
      share_slower: rounded(above),
      one_in: rounded(1 / above),
    })),
  );
}

const latencyOf = (rows: readonly Row[], title: string): Part => {
  const values = rows.map((row) => row.latency_ms as number);
  return { title, ...logScale(Math.min(...values), Math.max(...values) * 1.02, { labelExpr: latencyLabel }) };
};

const shareLabel =
  "datum.value >= 0.001 ? format(datum.value * 100, '~g') + ' %' : '1 in ' + replace(format(1 / datum.value, ',.0f'), /,/g, ' ')";

const percentileTicks = (steepest: number): number[] =>
  [1, 2, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9].filter((tick) => tick <= steepest);
const percentileLabel = "datum.value === 1 ? '0 %' : datum.value === 2 ? 'p50' : 'p' + format(100 - 100 / datum.value, '.9~g')";

/** `latency.p99 < 250ms` is a point: the 99th percentile, 250 ms. */
function sloRows(run: RunFile): Row[] {
  const found = new Map<string, Row>();
  for (const { metric, view, limit, text } of run.expectations) {
    if (view !== '') continue;
    const percentile = /^latency\.p(\d+(?:\.\d+)?)$/.exec(metric)?.[1];
    if (percentile === undefined || limit <= 0) continue;
    found.set(text, { expectation: text, one_in: rounded(100 / (100 - Number(percentile))), limit_ms: limit });
  }
  return [...found.values()];
}

const sloLayers = (): Part[] => {
  const at = { x: { field: 'one_in', type: 'quantitative' }, y: { field: 'limit_ms', type: 'quantitative' } };
  return [
    {
      data: { name: 'limits' },
      mark: { type: 'point', shape: 'M-1.2,0L1.2,0M0,-1.2L0,1.2', color: accents.limit, size: 130, strokeWidth: 2 },
      encoding: { ...at, tooltip: { field: 'expectation', type: 'nominal' } },
    },
    {
      data: { name: 'limits' },
      mark: { type: 'text', align: 'right', baseline: 'bottom', dx: -8, dy: -4, color: accents.limit, fontSize: 11 },
      encoding: { ...at, text: { field: 'expectation', type: 'nominal' } },
    },
  ];
};

function tailTitle(run: RunFile, histogram: HistogramName): string {
  const what = histogram === 'latency' ? 'takes' : 'waits';
  const found = spread(run, (variant) => Histogram.fromData(variant[histogram]).quantile(0.999));
  if (found === null) return `Tail of the ${histogram}`;
  const { worst, best } = found;
  if (best === null) return `One request in 1000 ${what} longer than ${formatMs(worst.value)}`;
  return `One request in 1000 ${what} longer than ${formatMs(worst.value)} with ${worst.label}, ${formatMs(best.value)} with ${best.label}`;
}

function percentileTitle(run: RunFile): string {
  const found = spread(run, (variant) => Histogram.fromData(variant.latency).quantile(0.99));
  if (found === null) return 'Latency by percentile';
  const { worst, best } = found;
  if (best === null) return `99 % of requests are answered within ${formatMs(worst.value)}`;
  return `99 % of requests are answered within ${formatMs(best.value)} with ${best.label}, ${formatMs(worst.value)} with ${worst.label}`;
}

interface Named {
  readonly label: string;
  readonly value: number;
}

/** The largest and the smallest over variants; `best` is null when there is nothing to tell apart. */
function spread(
  run: RunFile,
  of: (variant: VariantResult) => number,
): { readonly worst: Named; readonly best: Named | null } | null {
  const named = run.variants
    .map((variant) => ({ label: short(variant.label), value: of(variant) }))
    .filter((each) => each.value > 0)
    .sort((a, b) => b.value - a.value);
  const worst = named[0];
  if (worst === undefined) return null;
  const best = named.at(-1)!;
  return { worst, best: formatMs(best.value) === formatMs(worst.value) ? null : best };
}
