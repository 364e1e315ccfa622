/** Where each group gives way: tail latency, goodput and success against the load that is offered, a line per group with the 95 % interval
 *  of each point. The load is what arrived, not the factor that was asked for, so that the knee stands where it is in requests per second. */
import type { RunFile, VariantResult } from '../../lab/types.ts';
import { formatAvailability, formatEstimate, formatPercent, isNumber, significant } from '../format.ts';
import { availabilityAxis, latencyAxis } from './axes.ts';
import { limitsOn } from './limits.ts';
import { rateAxis } from './load-over-time.ts';
import { atOneLoad } from './one-load.ts';
import { accents, variantColor, variantDash } from './palette.ts';
import { chart, plotWidth, rounded, roundedOrNull, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { highlightOpacity, highlightParam } from './time.ts';

const panels = [
  { metric: 'latency.p99', title: 'p99 latency', height: 210 },
  { metric: 'goodput', title: 'goodput per second', height: 160 },
  { metric: 'availability', title: 'availability', height: 130 },
] as const;
type Panel = (typeof panels)[number];

export function loadSweep(run: RunFile): ChartSpec {
  const rows = panels.flatMap(({ metric }) => pointRows(run, metric));
  const loads = rows.map((row) => row.offered as number);
  const domain = [rounded(Math.min(...loads) * 0.97), rounded(Math.max(...loads) * 1.02)];
  const shown = panels.filter(({ metric }) => rows.some((row) => row.metric === metric));
  return chart(
    {
      title: finding(run),
      subtitle: sentences(
        run.seeds.length > 1 ? `Points: mean of ${run.seeds.length} seeds; bands: 95 % intervals.` : 'One seed.',
        'Grey line: goodput if nothing were lost.',
      ),
    },
    { sweep: rows },
    {
      params: [highlightParam],
      vconcat: shown.map((panel, index) =>
        panelOf(run, panel, {
          rows: rows.filter((row) => row.metric === panel.metric),
          domain,
          isFirst: index === 0,
          isLast: index === shown.length - 1,
        }),
      ),
      spacing: 14,
      resolve: { scale: { color: 'independent', strokeDash: 'independent' } },
    },
  );
}

/** Two loads or more. */
export const severalLoads = ({ variants }: RunFile): boolean => new Set(variants.flatMap(({ load }) => load ?? [])).size > 1;

interface PanelData {
  readonly rows: readonly Row[];
  readonly domain: readonly number[];
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

function panelOf(run: RunFile, { metric, title, height }: Panel, { rows, domain, isFirst, isLast }: PanelData): Part {
  const groups = groupsOf(run);
  const limits = limitsOn(run, metric);
  const values = [
    ...rows.flatMap((row) => [row.mean, row.low, row.high] as (number | null)[]),
    ...limits.map(({ value }) => value),
  ];
  const axes = { 'latency.p99': latencyAxis, goodput: rateAxis, availability: availabilityAxis };
  const y = axes[metric](values, title);
  const x: Part = {
    field: 'offered',
    type: 'quantitative',
    title: isLast ? 'offered load (requests per second)' : null,
    scale: { domain, nice: false, zero: false },
    axis: {
      grid: false,
      tickCount: 10,
      format: domain[1] < 10_000 ? '~f' : '~s',
      ...(isLast ? {} : { labels: false, ticks: false }),
    },
  };
  const value = (field: string): Part => ({ field, type: 'quantitative', ...y });
  const several = groups.variants.length > 1;
  const source = { data: { name: 'sweep' }, transform: [{ filter: { field: 'metric', equal: metric } }] };
  const band: Part = {
    ...source,
    mark: { type: 'area', clip: true, tooltip: null },
    encoding: {
      x,
      y: value('low'),
      y2: { field: 'high' },
      color: variantColor(groups, isFirst && several ? 'shared' : null),
      fillOpacity: highlightOpacity(0.16, 0.03),
    },
  };
  const line: Part = {
    ...source,
    mark: { type: 'line', strokeWidth: 1.8, clip: true, tooltip: null },
    encoding: {
      x,
      y: value('mean'),
      color: variantColor(groups, isFirst ? {} : null),
      strokeDash: variantDash(groups, isFirst ? {} : null),
      opacity: highlightOpacity(1, 0.12),
    },
  };
  const points: Part = {
    ...source,
    mark: { type: 'point', filled: true, size: 36, opacity: 1 },
    encoding: {
      x,
      y: value('mean'),
      color: variantColor(groups, isFirst && several ? 'shared' : null),
      opacity: highlightOpacity(1, 0.12),
      tooltip: [
        ...(several ? [{ field: 'variant', type: 'nominal' }] : []),
        { field: 'load', type: 'nominal' },
        { field: 'offered', type: 'quantitative', title: 'offered per second', format: '.4~g' },
        { field: 'text', type: 'nominal', title },
      ],
    },
  };
  return {
    width: plotWidth,
    height,
    layer: [
      ...(metric === 'goodput' ? [everything(domain)] : []),
      ...(rows.some((row) => row.low !== null) ? [band] : []),
      line,
      points,
      ...limits.map((limit) => limitLayer(limit)),
    ],
  };
}

/** Goodput equal to the offered load. */
const everything = (domain: readonly number[]): Part => ({
  data: { values: domain.map((load) => ({ load })) },
  mark: { type: 'line', color: '#9aa1a9', strokeWidth: 3.5, opacity: 0.45, clip: true, tooltip: null },
  encoding: { x: { field: 'load', type: 'quantitative' }, y: { field: 'load', type: 'quantitative' } },
});

const limitLayer = ({ value, text }: { readonly value: number; readonly text: string }): Part => ({
  data: { values: [{}] },
  layer: [
    { mark: { type: 'rule', color: accents.limit, strokeDash: [4, 3], clip: true }, encoding: { y: { datum: value } } },
    {
      mark: { type: 'text', align: 'left', baseline: 'bottom', dx: 4, dy: -2, color: accents.limit, fontSize: 11 },
      encoding: { x: { value: 0 }, y: { datum: value }, text: { value: text } },
    },
  ],
});

/** With the groups as its variants, whose looks they then have in every picture. */
function groupsOf(run: RunFile): RunFile {
  const part = atOneLoad(run);
  return part === run
    ? { ...run, variants: run.variants.slice(0, 1).map((variant) => ({ ...variant, label: nameOf(variant) })) }
    : part;
}

const nameOf = ({ group }: VariantResult): string => group || 'all';

function pointRows(run: RunFile, metric: string): Row[] {
  const sorted = run.variants.toSorted((a, b) => (a.load ?? 0) - (b.load ?? 0));
  return sorted.flatMap((variant) => {
    const [offered, estimate] = [variant.estimates['offered']?.mean, variant.estimates[metric]];
    if (!isNumber(offered) || estimate === undefined || !isNumber(estimate.mean) || variant.load === null) return [];
    const { value, interval } = formatEstimate(metric, estimate);
    const [least, most] = bounds[metric] ?? [0, Infinity];
    return [
      {
        metric,
        variant: nameOf(variant),
        load: formatPercent(variant.load),
        offered: rounded(offered),
        mean: roundedOrNull(estimate.mean),
        low: roundedOrNull(Math.max(least, estimate.low)),
        high: roundedOrNull(Math.min(most, estimate.high)),
        text: interval === null ? value : `${value} (${interval})`,
      },
    ];
  });
}

/** The t interval knows nothing of what values can be; a logarithm wants more than zero. */
const bounds: Readonly<Record<string, readonly [number, number]>> = { 'latency.p99': [1e-3, Infinity], availability: [0, 1] };

/** Where the order changes, if it does; else how far each keeps up. */
function finding(run: RunFile): string {
  const [crossing] = run.crossings;
  if (crossing !== undefined) return crossing.sentence.replace(/\.$/, '');
  const peaks = new Map<string, number>();
  for (const variant of run.variants) {
    const goodput = variant.estimates['goodput']?.mean;
    if (isNumber(goodput)) peaks.set(nameOf(variant), Math.max(peaks.get(nameOf(variant)) ?? 0, goodput));
  }
  const sorted = [...peaks].sort(([, a], [, b]) => b - a);
  const [most] = sorted;
  const least = sorted.at(-1);
  if (most === undefined || least === undefined) return 'Latency, goodput and availability over the offered load';
  if (sorted.length === 1) return `Goodput reaches ${significant(most[1])} /s${worstOf(run)}`;
  return `Goodput reaches ${significant(most[1])} /s with ${short(most[0])}, ${significant(least[1])} /s with ${short(least[0])}`;
}

function worstOf({ variants }: RunFile): string {
  const values = variants.map(({ estimates }) => estimates['availability']?.mean).filter(isNumber);
  return values.length === 0 ? '' : `; availability falls to ${formatAvailability(Math.min(...values))}`;
}
