/** One metric by instance or by zone: bars per place and variant, or one mark per instance. */
import type { RunFile } from '../../lab/types.ts';
import type { InstanceData } from '../../stats/result.ts';
import { isNumber } from '../format.ts';
import { percentLabel } from './axes.ts';
import { variantColor } from './palette.ts';
import { chart, plotWidth, rounded, type ChartSpec, type Part, type Row } from './spec.ts';

interface PlaceMetric {
  readonly title: string;
  readonly of: (instance: InstanceData) => number;
  /** How instances of one zone add up. */
  readonly inZone: 'mean' | 'sum';
  readonly axis: Part;
  readonly tooltip: string;
}

/** Which metrics are known for each instance. */
export const placeMetrics: Readonly<Record<string, PlaceMetric>> = {
  'utilization.mean': {
    title: 'utilization',
    of: (instance) => instance.utilization,
    inZone: 'mean',
    axis: { labelExpr: percentLabel, tickCount: 6 },
    tooltip: '.1%',
  },
  served: {
    title: 'requests served',
    of: (instance) => instance.served,
    inZone: 'sum',
    axis: { tickCount: 6, format: '~s' },
    tooltip: ',.0f',
  },
};

/** More bars than this make a picture nobody scrolls through. */
const maxBars = 160;

export const barsByInstance = (run: RunFile, metric: string): ChartSpec => bars(run, metric, 'instance');
export const barsByZone = (run: RunFile, metric: string): ChartSpec => bars(run, metric, 'zone');
export const stripByInstance = (run: RunFile, metric: string): ChartSpec => strip(run, metric, 'variant');
export const stripByZone = (run: RunFile, metric: string): ChartSpec => strip(run, metric, 'zone');

function bars(run: RunFile, metric: string, by: 'instance' | 'zone'): ChartSpec {
  const known = placeMetrics[metric]!;
  const all = by === 'instance' ? instanceRows(run, known) : zoneRows(run, known);
  const places = [...new Set(all.map((row) => row[by] as string))];
  const kept = new Set(mostUneven(places, all, by, Math.max(1, Math.floor(maxBars / run.variants.length))));
  const rows = all.filter((row) => kept.has(row[by] as string));
  const cut = kept.size < places.length ? ` ${kept.size} of ${places.length}: those furthest from the average.` : '';
  return chart(
    {
      title: `${capital(known.title)} by ${by}`,
      subtitle: `${by === 'zone' && known.inZone === 'sum' ? 'Sum over the zone’s instances' : 'Mean over seeds'}.${cut}`,
    },
    { values: rows },
    {
      data: { name: 'values' },
      width: plotWidth - 100,
      height: { step: run.variants.length > 1 ? 9 : 18, for: 'offset' },
      mark: { type: 'bar' },
      encoding: {
        x: valueOf(known),
        y: { field: by, type: 'nominal', sort: null, title: null, axis: { domain: false, ticks: false } },
        yOffset: { field: 'variant', type: 'nominal', sort: null, scale: { paddingOuter: 0.15 } },
        color: variantColor(run, { symbolType: 'square' }),
        tooltip: tooltip(known, by),
      },
    },
  );
}

function strip(run: RunFile, metric: string, by: 'variant' | 'zone'): ChartSpec {
  const known = placeMetrics[metric]!;
  const isZone = by === 'zone';
  return chart(
    {
      title: `${capital(known.title)} of every instance${isZone ? ' by zone' : ''}`,
      subtitle: 'One mark per instance; mean over seeds.',
    },
    { values: instanceRows(run, known) },
    {
      data: { name: 'values' },
      width: plotWidth - 100,
      height: isZone ? { step: 16, for: 'offset' } : { step: 28 },
      mark: { type: 'tick', thickness: 2, opacity: 0.6 },
      encoding: {
        x: valueOf(known),
        y: { field: by, type: 'nominal', sort: null, title: null, axis: { domain: false, ticks: false } },
        ...(isZone ? { yOffset: { field: 'variant', type: 'nominal', sort: null } } : {}),
        color: variantColor(run, isZone ? { symbolType: 'square' } : null),
        tooltip: tooltip(known, 'instance'),
      },
    },
  );
}

const valueOf = (known: PlaceMetric): Part => ({
  field: 'value',
  type: 'quantitative',
  title: known.title,
  scale: { zero: true },
  axis: known.axis,
});

const tooltip = (known: PlaceMetric, by: string): Part[] => [
  { field: 'variant', type: 'nominal' },
  { field: by, type: 'nominal' },
  { field: 'value', type: 'quantitative', title: known.title, format: known.tooltip },
];

const instanceRows = (run: RunFile, known: PlaceMetric): Row[] =>
  run.variants.flatMap((variant) =>
    variant.instances.flatMap((instance) =>
      isNumber(known.of(instance))
        ? [{ variant: variant.label, instance: instance.id, zone: instance.zone, value: rounded(known.of(instance)) }]
        : [],
    ),
  );

function zoneRows(run: RunFile, known: PlaceMetric): Row[] {
  return run.variants.flatMap((variant) => {
    const zones = new Map<string, number[]>();
    for (const instance of variant.instances) {
      const value = known.of(instance);
      if (isNumber(value)) zones.set(instance.zone, [...(zones.get(instance.zone) ?? []), value]);
    }
    return [...zones].map(([zone, values]) => {
      const sum = values.reduce((total, value) => total + value, 0);
      return {
        variant: variant.label,
        zone,
        instances: values.length,
        value: rounded(known.inZone === 'sum' ? sum : sum / values.length),
      };
    });
  });
}

function mostUneven(places: readonly string[], rows: readonly Row[], by: string, count: number): readonly string[] {
  if (places.length <= count) return places;
  const average = rows.reduce((sum, row) => sum + (row.value as number), 0) / rows.length;
  const distance = new Map<string, number>();
  for (const row of rows) {
    const place = row[by] as string;
    distance.set(place, Math.max(distance.get(place) ?? 0, Math.abs((row.value as number) - average)));
  }
  return [...places].sort((a, b) => distance.get(b)! - distance.get(a)!).slice(0, count);
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
