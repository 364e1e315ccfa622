/** Does supply follow demand: instances needed by the offered work, wanted by the autoscaler, and ready, over time; what is lacking in red,
 *  what is too much in blue. One picture per service and variant, those of a service on one scale. */
import type { RunFile, VariantElasticService, VariantResult } from '../../lab/types.ts';
import { formatPercent, isNumber } from '../format.ts';
import { textWidth } from '../text-width.ts';
import { accents, ink } from './palette.ts';
import { chart, plotWidth, rounded, roundedOrNull, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { contextDatasets, contextLayers, groupSize, timeAxis, timeUnit, zoom } from './time.ts';

/** More than these make a picture nobody scrolls through; `replicas.csv` has all of them. */
const maxPanels = 8;

const lines = [
  { quantity: 'needed', color: ink.strong, dash: [1, 0], width: 1.6 },
  { quantity: 'desired', color: '#7a5195', dash: [5, 3], width: 1.4 },
  { quantity: 'ready', color: '#0072B2', dash: [1, 0], width: 2 },
] as const;
const areas = [
  { quantity: 'too few', color: accents.limit, opacity: 0.32, bottom: 'ready' },
  { quantity: 'too many', color: '#56B4E9', opacity: 0.3, bottom: 'needed' },
] as const;

interface Panel {
  readonly key: string;
  readonly variant: VariantResult;
  readonly service: VariantElasticService;
}

export const anyReplica = ({ variants }: RunFile): boolean =>
  variants.some(({ elastic }) => (elastic?.services ?? []).some(({ ready }) => ready.filter(isNumber).length > 1));

export function replicas(run: RunFile): ChartSpec {
  const all = allPanels(run);
  const panels = pick(all);
  const services = new Set(all.map(({ service }) => service.name)).size;
  const rows = panels.flatMap((panel) => panelRows(run, panel));
  const tops = new Map<string, number>();
  for (const row of rows) {
    const highest = Math.max(...[row.needed, row.desired, row.ready].filter(isNumber), 1);
    tops.set(row.service as string, Math.max(tops.get(row.service as string) ?? 0, highest));
  }
  const size = groupSize(panels[0]!.service.ready.length);
  const windowMs = panels[0]!.variant.series.windowMs;
  return chart(
    {
      title: finding(run),
      subtitle: sentences(
        'Needed: what the offered work takes at the target utilization. Red: too few are ready; blue: too many.',
        run.seeds.length > 1 ? `Mean of ${run.seeds.length} seeds.` : '',
        size === 1 ? '' : `Each step is the mean of ${size} windows of ${windowMs / 1000} s.`,
        panels.length < all.length ? `${panels.length} of ${all.length} pictures; replicas.csv has all.` : '',
      ),
    },
    { replicas: rows, ...contextDatasets(run) },
    {
      vconcat: panels.map((panel, index) =>
        panelOf(run, panel, {
          title: services > 1 ? `${short(panel.service.name)}, ${panel.variant.label}` : panel.variant.label,
          top: tops.get(panel.service.name) ?? 1,
          isFirst: index === 0,
          isLast: index === panels.length - 1,
        }),
      ),
      spacing: 12,
      resolve: { scale: { color: 'independent' } },
    },
  );
}

/** By service, then by variant, so that what is to be compared stands below each other. */
function allPanels({ variants }: RunFile): Panel[] {
  const names = [...new Set(variants.flatMap(({ elastic }) => elastic?.services.map(({ name }) => name) ?? []))];
  return names.flatMap((name) =>
    variants.flatMap((variant) =>
      (variant.elastic?.services ?? [])
        .filter((service) => service.name === name)
        .map((service) => ({ key: `${names.indexOf(name)}_${variants.indexOf(variant)}`, variant, service })),
    ),
  );
}

/** The same number of variants of every service, as long as each can have one; the first services otherwise. */
function pick(all: readonly Panel[]): Panel[] {
  const services = [...new Set(all.map(({ service }) => service.name))];
  const each = Math.max(1, Math.floor(maxPanels / services.length));
  return services.flatMap((name) => all.filter(({ service }) => service.name === name).slice(0, each)).slice(0, maxPanels);
}

/** One row per step, and a last one where the last step ends. */
function panelRows(run: RunFile, { key, variant, service }: Panel): Row[] {
  const { perMs } = timeUnit(run);
  const size = groupSize(service.ready.length);
  const end = Math.min(service.ready.length * variant.series.windowMs, run.scenario.durationMs);
  const rows: Row[] = [];
  for (let window = 0; window < service.ready.length; window += size) {
    const at = (values: readonly number[]): number => mean(values.slice(window, window + size));
    const [needed, desired, ready] = [at(service.needed), at(service.desired), at(service.ready)];
    rows.push({
      ...{ panel: key, service: service.name, variant: variant.label },
      from: rounded(window * variant.series.windowMs * perMs),
      to: rounded(Math.min((window + size) * variant.series.windowMs, end) * perMs),
      needed: roundedOrNull(needed),
      desired: roundedOrNull(desired),
      ready: roundedOrNull(ready),
      higher: roundedOrNull(Math.max(needed, ready)),
    });
  }
  const last = rows.at(-1);
  return last === undefined ? [] : [...rows, { ...last, from: last.to! }];
}

function mean(values: readonly number[]): number {
  const present = values.filter(isNumber);
  return present.length === 0 ? NaN : present.reduce((sum, value) => sum + value, 0) / present.length;
}

interface PanelLook {
  readonly title: string;
  /** The highest value of the service. */
  readonly top: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

function panelOf(run: RunFile, { key }: Panel, { title, top, isFirst, isLast }: PanelLook): Part {
  const height = 110;
  const source: Part = { data: { name: 'replicas' }, transform: [{ filter: { field: 'panel', equal: key } }] };
  const axis = timeAxis(run);
  const x: Part = {
    ...axis,
    field: 'from',
    axis: isLast ? axis.axis : { grid: false, labels: false, ticks: false, title: null },
  };
  const y = (field: string): Part => ({
    field,
    type: 'quantitative',
    title: 'instances',
    // Room for the names of faults.
    scale: { domain: [0, rounded(top * 1.15)], nice: false },
    // As wide in all pictures, so that their names stand below each other.
    axis: { tickCount: 4, tickMinStep: 1, format: '~s', minExtent: 30 },
  });
  const legend = isFirst ? { symbolType: 'stroke', symbolStrokeWidth: 3, symbolOpacity: 1, columns: legendColumns } : null;
  const color = (quantity: string): Part => ({
    datum: quantity,
    type: 'nominal',
    scale: {
      domain: [...lines, ...areas].map((each) => each.quantity),
      range: [...lines, ...areas].map((each) => each.color),
    },
    legend,
  });
  return {
    width: plotWidth,
    height,
    title: { text: title, fontSize: 12, fontWeight: 600, anchor: 'start', offset: 6, limit: plotWidth },
    layer: [
      ...contextLayers(run, isFirst ? 'top' : 'none', height),
      ...areas.map(({ quantity, opacity, bottom }) => ({
        ...source,
        mark: { type: 'area', interpolate: 'step-after', opacity, clip: true, tooltip: null },
        encoding: {
          x,
          y: y(bottom),
          y2: { field: 'higher' },
          color: color(quantity),
        },
      })),
      ...lines.map(({ quantity, dash, width }, index) => ({
        ...source,
        ...(index === 0 ? { params: [{ ...zoom, name: `zoom_${key}` }] } : {}),
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: width, strokeDash: dash, clip: true, tooltip: null },
        encoding: { x, y: y(quantity), color: color(quantity) },
      })),
      {
        name: `hover_${key}`,
        ...source,
        mark: { type: 'rect', opacity: 0, clip: true },
        encoding: {
          x: { field: 'from', type: 'quantitative' },
          x2: { field: 'to' },
          tooltip: [
            { field: 'from', type: 'quantitative', title: timeUnit(run).title, format: '.4~g' },
            ...lines.map(({ quantity }) => ({ field: quantity, type: 'quantitative', format: '.3~g' })),
          ],
        },
      },
    ],
  };
}

const legendColumns = Math.floor(
  plotWidth / (44 + Math.max(...[...lines, ...areas].map(({ quantity }) => textWidth(quantity, 12)))),
);

function finding(run: RunFile): string {
  const found = run.variants
    .flatMap(({ label, estimates }) => {
      const share = estimates['scaling.underTime']?.mean;
      return isNumber(share) ? [{ label: short(label), text: formatPercent(share), share }] : [];
    })
    .sort((a, b) => a.share - b.share);
  const [least] = found;
  const most = found.at(-1);
  if (least === undefined || most === undefined) return 'Needed, desired and ready instances';
  const head = `Too few instances are ready in ${most.text} of the time`;
  if (found.length === 1) return head;
  return least.text === most.text
    ? `${head} with every variant`
    : `${head} with ${most.label}, ${least.text} with ${least.label}`;
}
