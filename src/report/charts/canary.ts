/** New version against old: share of failures and latency of each while more than one was exposed, so that one sees whether the difference
 *  is more than noise. What a canary analysis has to decide by.
 *
 *  The bar is Wilson's interval over all requests of all seeds, as if each failed by itself; requests that fail in bursts make it too
 *  narrow. Therefore single seeds are shown as well: where they scatter beyond the bar, believe them. */
import type { RunFile, VariantResult, VariantTraffic } from '../../lab/types.ts';
import type { VersionTotals } from '../../stats/result.ts';
import { wilson } from '../../stats/wilson.ts';
import { formatCount, formatMs, formatPercent, isNumber } from '../format.ts';
import { textWidth } from '../text-width.ts';
import { latencyAxis, logTicks, percentLabel } from './axes.ts';
import { ink, plotWidth } from './palette.ts';
import { chart, rounded, roundedOrNull, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { panelTitle, trafficOf, versionColor, type Versioned, versionedOf } from './version-looks.ts';

/** Of all pictures together; the run file has all. */
const maxRows = 40;
const rowHeight = 22;
const between = 46;
const namesLimit = 200;

interface Compared {
  readonly versioned: Versioned;
  readonly variant: VariantResult;
  readonly version: string;
  readonly totals: VersionTotals;
  readonly perSeed: readonly VersionTotals[];
}

export const anyCanary = (run: RunFile): boolean => comparedOf(run).length > 0;

export function canary(run: RunFile): ChartSpec {
  const all = comparedOf(run);
  const shown = pickRows(all);
  const things = [...new Set(shown.map(({ versioned }) => versioned))];
  const rows = shown.map((each) => rowOf(run, each, things));
  const seeds = shown.flatMap((each) => seedRows(run, each, things));
  const without = run.variants.filter(
    (variant) => variant.change !== null && !all.some((each) => each.variant === variant),
  ).length;
  return chart(
    {
      title: finding(all),
      subtitle: sentences(
        'While more than one version was exposed; n: attempts. Left: share that failed, with its 95 % Wilson interval. Right: p50 (open) to p99 (full).',
        run.seeds.length > 1 ? `All ${run.seeds.length} seeds together; ticks: single seeds.` : '',
        without === 0 ? '' : `${without === 1 ? 'One variant' : `${without} variants`} never exposed two at once.`,
        shown.length < all.length ? `${shown.length} of ${all.length} rows.` : '',
      ),
    },
    { versions: rows, seeds },
    {
      vconcat: things.map((thing, index) =>
        panelOf(run, {
          ...{ thing, index, isOnly: things.length === 1 },
          rows: rows.filter((row) => row.panel === String(index)),
          values: { rows, seeds },
        }),
      ),
      spacing: 18,
      resolve: { scale: { color: 'independent' } },
    },
  );
}

/** Variants under which two versions or more were exposed at once, with each of these. */
function comparedOf(run: RunFile): Compared[] {
  return versionedOf(run).flatMap((versioned) =>
    run.variants.flatMap((variant) => {
      const traffic = trafficOf(variant, versioned);
      const met = traffic === undefined ? [] : metVersions(traffic);
      return traffic === undefined || met.length < 2
        ? []
        : met.map((at) => ({
            ...{ versioned, variant, version: traffic.versions[at]! },
            ...{ totals: traffic.totals[at]!, perSeed: traffic.perSeed[at] ?? [] },
          }));
    }),
  );
}

/** Whole variants, the same room for everything that has versions. */
function pickRows(all: readonly Compared[]): readonly Compared[] {
  const things = [...new Set(all.map(({ versioned }) => versioned))].slice(0, maxRows / 2);
  const room = Math.floor(maxRows / things.length);
  return things.flatMap((thing) => {
    const own = all.filter(({ versioned }) => versioned === thing);
    const variants = [...new Set(own.map(({ variant }) => variant))];
    const countUpTo = (index: number): number => own.filter(({ variant }) => variants.indexOf(variant) <= index).length;
    const kept = variants.filter((_, index) => index === 0 || countUpTo(index) <= room);
    return own.filter(({ variant }) => kept.includes(variant));
  });
}

const metVersions = ({ versions, totals }: VariantTraffic): number[] =>
  versions.flatMap((_, at) => ((totals[at]?.requests ?? 0) > 0 ? [at] : []));

const rateOf = ({ failed, requests }: VersionTotals): number => failed / requests;

function rowOf(run: RunFile, { versioned, variant, version, totals }: Compared, things: readonly Versioned[]): Row {
  const { low, high } = wilson(totals.failed, totals.requests);
  return {
    ...{ panel: String(things.indexOf(versioned)), variant: variant.label, version, requests: totals.requests },
    ...{ lane: laneName(run, variant, version), failed: totals.failed, rate: rounded(rateOf(totals)) },
    ...{ rate_low: rounded(low), rate_high: rounded(high), count: `n = ${formatCount(totals.requests)}` },
    ...{ p50: positive(totals.p50), p99: positive(totals.p99) },
  };
}

/** A logarithm may be taken of these. */
const positive = (value: number): number | null => (value > 0 ? roundedOrNull(value) : null);

const seedRows = (run: RunFile, { versioned, variant, version, perSeed }: Compared, things: readonly Versioned[]): Row[] =>
  perSeed.length < 2
    ? []
    : perSeed.flatMap((totals, seed) =>
        totals.requests === 0
          ? []
          : [
              {
                ...{ panel: String(things.indexOf(versioned)), variant: variant.label, version, seed },
                lane: laneName(run, variant, version),
                ...{ rate: rounded(rateOf(totals)), p99: positive(totals.p99) },
              },
            ],
      );

const laneName = ({ variants }: RunFile, { label }: VariantResult, version: string): string =>
  variants.length > 1 ? `${short(label)}: ${short(version)}` : short(version);

interface PanelData {
  readonly thing: Versioned;
  readonly index: number;
  readonly isOnly: boolean;
  readonly rows: readonly Row[];
  /** Of all panels, which share their axes. */
  readonly values: { readonly rows: readonly Row[]; readonly seeds: readonly Row[] };
}

function panelOf(run: RunFile, data: PanelData): Part {
  const { thing, isOnly, values } = data;
  const names = Math.min(namesLimit, Math.max(...values.rows.map((row) => textWidth(String(row.lane), 11)))) + 12;
  const counts = Math.max(...values.rows.map((row) => textWidth(String(row.count), 11))) + 10;
  const width = Math.floor((plotWidth - names - counts - between) / 2);
  const rates = [...values.rows.flatMap((row) => [row.rate, row.rate_high]), ...values.seeds.map((row) => row.rate)];
  const latencies = [...values.rows.flatMap((row) => [row.p50, row.p99]), ...values.seeds.map((row) => row.p99)];
  return {
    ...(isOnly
      ? {}
      : {
          title: {
            text: panelTitle(run, thing, { label: '' } as VariantResult).replace(/: $/, ''),
            ...{ fontSize: 12, fontWeight: 600, anchor: 'start', offset: 4, limit: plotWidth },
          },
        }),
    hconcat: [
      half(run, data, { width, axis: rateAxis(rates.filter(isNumber)), isLeft: true }),
      half(run, data, { width, axis: latencyAxis(latencies.filter(isNumber), 'latency, p50 to p99', true), isLeft: false }),
    ],
    spacing: between - 12,
    resolve: { scale: { color: 'shared' } },
  };
}

/** Linear from zero where the shares are of one size; else with a short linear part around zero, which has no logarithm. */
function rateAxis(rates: readonly number[]): Part {
  const high = Math.max(...rates, 1e-6);
  const low = Math.min(...rates.filter((rate) => rate > 0), high);
  const axis = { labelExpr: percentLabel, tickCount: 5 };
  const title = 'share that failed';
  if (high / low < 6) return { title, scale: { domain: [0, rounded(high * 1.08)], nice: false }, axis };
  const ticks = [0, ...logTicks(low / 2, high * 1.15)];
  const scale = { type: 'symlog', constant: rounded(Math.max(low, 1e-5)), domain: [0, rounded(high * 1.15)], nice: false };
  return { title, scale, axis: { ...axis, values: ticks } };
}

interface Half {
  readonly width: number;
  readonly axis: Part;
  readonly isLeft: boolean;
}

function half(run: RunFile, { thing, index, rows }: PanelData, { width, axis, isLeft }: Half): Part {
  const own = (name: string): Part => ({ data: { name }, transform: [{ filter: { field: 'panel', equal: String(index) } }] });
  const lanes = rows.map((row) => row.lane);
  const x = (field: string): Part => ({ ...axis, field, type: 'quantitative' });
  const color = versionColor(run, thing, null);
  const y = {
    field: 'lane',
    type: 'nominal',
    sort: null,
    title: null,
    scale: { domain: lanes },
    axis: isLeft ? { ticks: false, domain: false, labelLimit: namesLimit, labelPadding: 8 } : null,
  };
  const point = (field: string, filled: boolean): Part => ({
    ...own('versions'),
    mark: { type: 'point', size: 60, opacity: 1, strokeWidth: 2, filled, ...(filled ? {} : { fill: 'white' }) },
    encoding: { x: x(field), y, color, tooltip: tooltip() },
  });
  const ends = isLeft ? ['rate_low', 'rate_high'] : ['p50', 'p99'];
  return {
    width,
    height: { step: rowHeight },
    layer: [
      {
        ...own('versions'),
        mark: { type: 'rule', strokeWidth: isLeft ? 5 : 2, opacity: isLeft ? 0.45 : 1 },
        encoding: { x: x(ends[0]!), x2: { field: ends[1] }, y, color, tooltip: tooltip() },
      },
      {
        ...own('seeds'),
        mark: { type: 'tick', thickness: 1.2, height: 11, color: ink.strong, opacity: 0.7, tooltip: null },
        encoding: { x: x(isLeft ? 'rate' : 'p99'), y },
      },
      ...(isLeft ? [point('rate', true)] : [point('p50', false), point('p99', true)]),
      ...(isLeft
        ? []
        : [
            {
              ...own('versions'),
              mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 11, color: ink.muted, tooltip: null },
              encoding: { x: { value: width + 10 }, y, text: { field: 'count', type: 'nominal' } },
            },
          ]),
    ],
  };
}

const tooltip = (): Part[] => [
  { field: 'variant', type: 'nominal' },
  { field: 'version', type: 'nominal' },
  { field: 'requests', type: 'quantitative', title: 'attempts', format: ',' },
  { field: 'failed', type: 'quantitative', title: 'failed', format: ',' },
  { field: 'rate', type: 'quantitative', title: 'share that failed', format: '.3~%' },
  { field: 'p50', type: 'quantitative', title: 'p50, ms', format: '.3~g' },
  { field: 'p99', type: 'quantitative', title: 'p99, ms', format: '.3~g' },
];

/** The version that this one was to replace, or the oldest one that was exposed beside it. */
function controlOf({ variant, versioned, version }: Compared, all: readonly Compared[]): Compared {
  const beside = all.filter((each) => each.variant === variant && each.versioned === versioned);
  const { service, kind } = versioned;
  const asked = variant.change?.rollouts.find((each) => each.service === service && each.kind === kind && each.to === version);
  return beside.find((each) => each.version === asked?.from) ?? beside[0]!;
}

/** The largest difference to the version that was there before. */
function finding(all: readonly Compared[]): string {
  const pairs = all.flatMap((each) => {
    const control = controlOf(each, all);
    if (control === each) return [];
    const [own, other] = [control, each].map(({ totals }) => wilson(totals.failed, totals.requests));
    const isClear = own!.high < other!.low || other!.high < own!.low;
    return isClear ? [{ each, control, gap: Math.abs(rateOf(each.totals) - rateOf(control.totals)) }] : [];
  });
  const [worst] = pairs.toSorted((a, b) => b.gap - a.gap);
  if (worst !== undefined) {
    const { each, control } = worst;
    const [share, usual] = [formatPercent(rateOf(each.totals)), formatPercent(rateOf(control.totals))];
    return `${short(each.version)} fails ${share} of its requests, ${short(control.version)} ${usual}, with ${short(each.variant.label)}`;
  }
  const slowest = all.toSorted((a, b) => (b.totals.p99 || 0) - (a.totals.p99 || 0))[0]!;
  const latency = isNumber(slowest.totals.p99)
    ? `; the highest p99 is ${formatMs(slowest.totals.p99)}, of ${short(slowest.version)}`
    : '';
  return `No version fails clearly more often than the one beside it${latency}`;
}
