/** Is the difference real: paired differences to the baseline with their 95 % intervals, one panel per compared metric. The shaded zone
 *  is the zone of indifference: an interval inside it means "equivalent", one that reaches over its edge decides nothing. */
import { comparedMetrics, findMetric } from '../../core/metrics.ts';
import { verdicts, type Comparison, type RunFile, type Verdict } from '../../lab/types.ts';
import { isNumber } from '../format.ts';
import { baselineName, describeChange, metricTitle, plural } from '../summary.ts';
import { textWidth } from '../text-width.ts';
import { ink, verdictLooks } from './palette.ts';
import { chart, metricHeading, plotWidth, rounded, roundedOrNull, short, type ChartSpec, type Part, type Row } from './spec.ts';

/** With more variants than this only the headline metrics keep their panels. */
const manyVariants = 8;
const order = ['latency.p99', 'latency.p99.9', 'latency.p50', 'latency.mean', 'availability'];

export function forest(run: RunFile): ChartSpec {
  const metrics = shownMetrics(run);
  const inUnits = metricsInUnits(run);
  const rows = run.comparisons.flatMap((comparison) => {
    const row = comparisonRow(comparison, inUnits.has(comparison.metric));
    return row !== null && metrics.includes(comparison.metric) ? [row] : [];
  });
  const baseline = baselineName(run, run.comparisons[0]!);
  // Labels to the left and texts to the right share the width with the plot.
  const widest = (field: string): number => Math.ceil(Math.max(...rows.map((row) => textWidth(String(row[field]), 11))));
  const textsWidth = widest('text') + 16;
  const width = Math.max(260, plotWidth - Math.min(260, widest('variant')) - textsWidth - 90);
  return chart(
    {
      title: finding(run, metrics[0]!),
      subtitle:
        `Change against ${short(baseline)}: mean of ${plural(run.seeds.length, 'paired seed')} with its 95 % interval. ` +
        'Grey zone: differences too small to matter.',
    },
    { comparisons: rows },
    {
      vconcat: metrics.map((metric) =>
        panel(
          metric,
          rows.filter((row) => row.metric === metric),
          width,
          textsWidth,
        ),
      ),
      spacing: 18,
      resolve: { scale: { color: 'independent', shape: 'independent' } },
    },
  );
}

export const anyComparison = (run: RunFile): boolean => run.comparisons.some((comparison) => comparisonRow(comparison) !== null);

function shownMetrics(run: RunFile): string[] {
  const known = [...order, ...comparedMetrics.map((metric) => metric.name).filter((name) => !order.includes(name))];
  const drawable = run.comparisons.filter((each) => comparisonRow(each) !== null);
  // A metric in which no variant differs in any seed, as availability often is, has nothing to show.
  const present = known.filter((metric) =>
    drawable.some((each) => each.metric === metric && (each.difference.mean !== 0 || each.difference.sd > 0)),
  );
  const shown = present.length > 0 ? present : [drawable[0]!.metric];
  return run.variants.length <= manyVariants ? shown : shown.filter((metric, at) => at === 0 || metric === 'availability');
}

/** A baseline of nothing has no per cent, and a panel has one unit: these metrics are shown in their own. */
const metricsInUnits = ({ comparisons }: RunFile): ReadonlySet<string> =>
  new Set(comparisons.filter(({ relative }) => relative === null).map(({ metric }) => metric));

/** Everything in per cent, or in percentage points for shares that are compared absolutely. */
function comparisonRow(comparison: Comparison, inUnits = false): Row | null {
  const { relative, difference, indifference, verdict, metric } = comparison;
  const isRelative = relative !== null && isNumber(relative.mean) && !inUnits;
  const scale = isRelative || findMetric(metric)?.unit === 'fraction' ? 100 : 1;
  const values = isRelative ? relative : difference;
  const mean = roundedOrNull(values.mean * scale);
  if (mean === null) return null;
  const change = describeChange({ ...comparison, relative: isRelative ? relative : null });
  // relative = difference / baseline, so the zone shrinks by the same factor.
  const zone = isRelative
    ? difference.mean === 0
      ? 0
      : Math.abs((indifference * relative.mean) / difference.mean)
    : indifference;
  return {
    metric,
    variant: comparison.variant,
    change: mean,
    low: roundedOrNull(values.low * scale) ?? mean,
    high: roundedOrNull(values.high * scale) ?? mean,
    indifference: rounded(zone * scale),
    unit: isRelative ? '%' : scale === 100 ? 'pp' : (findMetric(metric)?.unit ?? ''),
    verdict,
    text: `${change.text} ${change.interval}`.trim().replaceAll('-', '−'),
  };
}

function panel(metric: string, rows: readonly Row[], width: number, textsWidth: number): Part {
  const zone = Math.max(0, ...rows.map((row) => row.indifference as number));
  const unit = String(rows[0]?.unit ?? '');
  const x = changeAxis(rows, zone, unit);
  const y: Part = {
    field: 'variant',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { domain: false, ticks: false, labelPadding: 8 },
  };
  const color: Part = {
    field: 'verdict',
    type: 'nominal',
    scale: { domain: [...verdicts], range: verdicts.map((verdict) => verdictLooks[verdict].color) },
    legend: null,
  };
  return {
    data: { name: 'comparisons' },
    transform: [{ filter: { field: 'metric', equal: metric } }],
    width,
    height: { step: 22 },
    title: {
      text: metricTitle(metric),
      fontSize: 12,
      fontWeight: 600,
      anchor: 'start',
      frame: 'bounds',
      offset: 4,
      color: ink.strong,
    },
    layer: [
      {
        data: { values: [{ from: -zone, to: zone }] },
        mark: { type: 'rect', color: '#000', opacity: 0.07 },
        encoding: { x: { field: 'from', type: 'quantitative' }, x2: { field: 'to' } },
      },
      { data: { values: [{}] }, mark: { type: 'rule', color: ink.muted }, encoding: { x: { datum: 0 } } },
      { mark: { type: 'rule', strokeWidth: 2.5 }, encoding: { x: { field: 'low', ...x }, x2: { field: 'high' }, y, color } },
      {
        mark: { type: 'point', filled: true, size: 75, opacity: 1 },
        encoding: {
          x: { field: 'change', ...x },
          y,
          color,
          shape: {
            field: 'verdict',
            type: 'nominal',
            scale: { domain: [...verdicts], range: verdicts.map((verdict) => verdictLooks[verdict].shape) },
            legend: null,
          },
          tooltip: [
            { field: 'variant', type: 'nominal' },
            { field: 'text', type: 'nominal', title: 'change and interval' },
            { field: 'verdict', type: 'nominal' },
          ],
        },
      },
      beside('text', width + 12, { value: ink.normal }, y),
      beside('verdict', width + 12 + textsWidth, color, y),
    ],
  };
}

/** A column of text to the right of the plot. */
const beside = (field: string, x: number, color: Part, y: Part): Part => ({
  mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 11, tooltip: null },
  encoding: { x: { value: x }, y, text: { field, type: 'nominal' }, color },
});

function changeAxis(rows: readonly Row[], zone: number, unit: string): Part {
  const ends = rows.flatMap((row) => [row.low as number, row.high as number]);
  const low = Math.min(-zone * 1.5, ...ends);
  const high = Math.max(zone * 1.5, ...ends);
  const margin = (high - low) * 0.04 || 1;
  const axis = { labelExpr: `(datum.value > 0 ? '+' : '') + format(datum.value, '~g') + ' ${unit}'`, tickCount: 6 };
  const domain = [rounded(low - margin), rounded(high + margin)];
  // A variant twenty times worse must not press the others into one point.
  if (unit === '%' && high > 400) {
    const values = [-100, -50, 0, 100, 300, 1000, 3000, 10_000, 30_000, 100_000].filter(
      (tick) => tick >= domain[0]! && tick <= domain[1]!,
    );
    return {
      type: 'quantitative',
      title: null,
      scale: { type: 'symlog', constant: 60, domain, nice: false },
      axis: { ...axis, values },
    };
  }
  return { type: 'quantitative', title: null, scale: { domain, nice: false }, axis };
}

/** `p99 latency: 3 of 4 variants better than round-robin, 1 worse`. */
function finding(run: RunFile, metric: string): string {
  const compared = run.comparisons.filter((comparison) => comparison.metric === metric);
  const baseline = short(baselineName(run, compared[0]!));
  if (compared.length === 1) {
    const only = compared[0]!;
    return `${metricHeading(metric)}: ${short(only.variant)} ${against(only.verdict, baseline)} (${describeChange(only).text})`;
  }
  const counts = verdicts
    .map((verdict) => ({ verdict, count: compared.filter((each) => each.verdict === verdict).length }))
    .filter(({ count }) => count > 0);
  const [first, ...rest] = counts;
  const head = `${first!.count} of ${compared.length} variants ${first!.verdict === 'inconclusive' ? 'inconclusive against' : wording[first!.verdict]} ${baseline}`;
  return [`${metricHeading(metric)}: ${head}`, ...rest.map(({ verdict, count }) => `${count} ${verdict}`)].join(', ');
}

const wording: Readonly<Record<Verdict, string>> = {
  better: 'better than',
  worse: 'worse than',
  equivalent: 'equivalent to',
  inconclusive: 'cannot be told from',
};
const against = (verdict: Verdict, baseline: string): string =>
  `${verdict === 'inconclusive' ? '' : 'is '}${wording[verdict]} ${baseline}`;
