/** One chart of the user's choice: which metric, by what, drawn how. Not every combination has data or makes sense; what there is stands
 *  in one table, and a wish outside of it is answered with the wishes that can be met. */
import { InputError } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import { metricNames } from '../../core/metrics.ts';
import { suggest } from '../../core/suggest.ts';
import type { RunFile } from '../../lab/types.ts';
import { forTerminal } from '../plain-text.ts';
import { wrapToWidth } from '../text-width.ts';
import { barsByInstance, barsByZone, placeMetrics, stripByInstance, stripByZone } from './by-place.ts';
import { heatmapByTime, linesByTime, timeMetrics } from './by-time.ts';
import { barsByVariant } from './by-variant.ts';
import { withPlainNames } from './index.ts';
import { hasBusyShares, instanceHeatmap } from './instance-heatmap.ts';
import { partOf } from './palette.ts';
import { perSeed } from './per-seed.ts';
import { plotWidth, type ChartSpec } from './spec.ts';
import { latencySurvival } from './tail-curves.ts';

export interface CustomChartOptions {
  readonly metric: string;
  /** `variant`, `time`, `instance` or `zone`. */
  readonly by: string;
  /** `bar`, `line`, `heatmap`, `strip` or `ccdf`; the first that fits `by` when left out. */
  readonly type?: string;
  /** `variant`, `instance` or `zone` → names to keep, separated by commas. */
  readonly filter?: Readonly<Record<string, string>>;
  readonly title?: string;
}

interface Drawing {
  readonly by: string;
  readonly type: string;
  readonly metrics: readonly string[];
  readonly draw: (run: RunFile, metric: string) => ChartSpec;
}

const timed = metricNames.filter((name) => /^(latency|wait)\./.test(name) && name !== 'wait.share');

/** The first entry of each `by` is its default. */
const drawings: readonly Drawing[] = [
  { by: 'variant', type: 'bar', metrics: metricNames, draw: barsByVariant },
  { by: 'variant', type: 'strip', metrics: metricNames, draw: perSeed },
  {
    by: 'variant',
    type: 'ccdf',
    metrics: ['latency', 'wait', ...timed],
    draw: (run, metric) => latencySurvival(run, metric.startsWith('wait') ? 'wait' : 'latency'),
  },
  { by: 'time', type: 'line', metrics: Object.keys(timeMetrics), draw: linesByTime },
  { by: 'time', type: 'heatmap', metrics: Object.keys(timeMetrics), draw: heatmapByTime },
  { by: 'instance', type: 'bar', metrics: Object.keys(placeMetrics), draw: barsByInstance },
  { by: 'instance', type: 'strip', metrics: Object.keys(placeMetrics), draw: stripByInstance },
  { by: 'instance', type: 'heatmap', metrics: ['utilization.mean'], draw: instanceHeatmap },
  { by: 'zone', type: 'bar', metrics: Object.keys(placeMetrics), draw: barsByZone },
  { by: 'zone', type: 'strip', metrics: Object.keys(placeMetrics), draw: stripByZone },
];

const unique = (values: readonly string[]): string[] => [...new Set(values)];
export const chartBys: readonly string[] = unique(drawings.map((each) => each.by));
export const chartTypes: readonly string[] = unique(drawings.map((each) => each.type));

export function customChart(run: RunFile, options: CustomChartOptions): ChartSpec {
  const drawing = chooseDrawing(options);
  const chosen = applyFilter(withPlainNames(run), options.filter ?? {});
  if (!hasData(chosen, drawing, options.metric)) {
    throw InputError.of(
      'no-data',
      `this run has no values of ${options.metric} by ${drawing.by}`,
      'see `clusterlab report` for what it has',
    );
  }
  const spec = drawing.draw(chosen, options.metric);
  if (options.title === undefined) return spec;
  const title = spec.title as { readonly subtitle: readonly string[] };
  return { ...spec, title: { ...title, text: wrapToWidth(forTerminal(options.title), plotWidth, 15, true) } };
}

function chooseDrawing({ metric, by, type }: CustomChartOptions): Drawing {
  const known = unique(drawings.flatMap((each) => each.metrics));
  const issues = [
    ...(known.includes(metric) ? [] : [unknown('metric', metric, known)]),
    ...(chartBys.includes(by) ? [] : [unknown('--by', by, chartBys)]),
    ...(type === undefined || chartTypes.includes(type) ? [] : [unknown('--type', type, chartTypes)]),
  ];
  if (issues.length > 0) throw new InputError(issues);
  const fitting = drawings.filter((each) => each.by === by && each.metrics.includes(metric));
  const found = type === undefined ? fitting[0] : fitting.find((each) => each.type === type);
  if (found !== undefined) return found;
  throw InputError.of('no-such-chart', explain(metric, by, type, fitting), alternatives(metric, by));
}

function explain(metric: string, by: string, type: string | undefined, fitting: readonly Drawing[]): string {
  if (fitting.length === 0) return `${metric} is not recorded by ${by}`;
  return `${metric} by ${by} cannot be drawn as ${type}; it can be as ${fitting.map((each) => each.type).join(', ')}`;
}

/** What the same metric can be drawn by, and which metrics the same `by` has. */
function alternatives(metric: string, by: string): string {
  const byMetric = drawings.filter((each) => each.metrics.includes(metric)).map((each) => `--by ${each.by} --type ${each.type}`);
  const metricsOf = unique(drawings.filter((each) => each.by === by).flatMap((each) => each.metrics));
  return `${metric} has: ${byMetric.join('; ')}. By ${by} there are: ${metricsOf.slice(0, 12).join(', ')}${metricsOf.length > 12 ? ', …' : ''}`;
}

function unknown(what: string, value: string, known: readonly string[]): Issue {
  const meant = suggest(value, known);
  return {
    severity: 'error',
    code: 'unknown-name',
    path: [],
    message: `unknown ${what} "${forTerminal(value)}"`,
    hint: `${meant === undefined ? '' : `did you mean "${meant}"? `}known: ${known.join(', ')}`,
  };
}

function hasData(run: RunFile, { by, type }: Drawing, metric: string): boolean {
  if (by === 'variant' && type !== 'ccdf')
    return run.variants.some((variant) => Number.isFinite(variant.estimates[metric]?.mean));
  if (by === 'variant') return run.variants.some((variant) => variant[metric.startsWith('wait') ? 'wait' : 'latency'].max > 0);
  if (by === 'time') {
    const { column } = timeMetrics[metric]!;
    return run.variants.some((variant) => variant.series.columns[column].median.some(Number.isFinite));
  }
  return type === 'heatmap' ? hasBusyShares(run) : run.variants.some((variant) => variant.instances.length > 0);
}

const filterKeys = ['variant', 'instance', 'zone'] as const;
type FilterKey = (typeof filterKeys)[number];

function applyFilter(run: RunFile, filter: Readonly<Record<string, string>>): RunFile {
  let kept = run;
  for (const [key, value] of Object.entries(filter)) {
    if (!(filterKeys as readonly string[]).includes(key)) throw new InputError([unknown('filter', key, filterKeys)]);
    kept = filterBy(kept, key as FilterKey, value);
  }
  return kept;
}

function filterBy(run: RunFile, key: FilterKey, value: string): RunFile {
  const instances = run.variants.flatMap((variant) => variant.instances);
  const known = {
    variant: run.variants.map((variant) => variant.label),
    instance: unique(instances.map((instance) => instance.id)),
    zone: unique(instances.map((instance) => instance.zone)),
  }[key];
  // A label may contain a comma itself.
  const names = known.includes(value) ? [value] : value.split(',').map((name) => name.trim());
  const wrong = names.filter((name) => !known.includes(name));
  if (wrong.length > 0) throw new InputError(wrong.map((name) => unknown(key, name, known.slice(0, 40))));
  if (key === 'variant') {
    return partOf(run, {
      ...run,
      variants: run.variants.filter((variant) => names.includes(variant.label)),
      comparisons: run.comparisons.filter((each) => names.includes(each.variant) && names.includes(each.baseline)),
      expectations: run.expectations.filter((each) => names.includes(each.variant)),
    });
  }
  return partOf(run, {
    ...run,
    variants: run.variants.map((variant) => ({
      ...variant,
      instances: variant.instances.filter((instance) => names.includes(key === 'zone' ? instance.zone : instance.id)),
    })),
  });
}
