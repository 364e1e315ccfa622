/** Who is hot, and when: the busy share of instances over time, one picture per variant. */
import type { RunFile, VariantResult } from '../../lab/types.ts';
import type { InstanceData } from '../../stats/result.ts';
import { formatPercent, isNumber } from '../format.ts';
import { accents, ink } from './palette.ts';
import { chart, plotWidth, rounded, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { contextDatasets, timeUnit } from './time.ts';

/** Cells of all pictures together; beyond, a page gets slow and heavy. */
const maxCells = 14_000;
const maxRows = 40;
const maxVariants = 8;

export function instanceHeatmap(run: RunFile): ChartSpec {
  const variants = run.variants
    .filter((variant) => variant.instances.some((instance) => instance.busy.length > 0))
    .slice(0, maxVariants);
  const picked = variants.map((variant) => ({ variant, instances: pick(variant.instances) }));
  const rowCount = Math.max(...picked.map(({ instances }) => instances.length));
  const windows = Math.max(...picked.map(({ instances }) => instances[0]!.busy.length));
  const budget = Math.min(190, Math.floor(maxCells / (rowCount * picked.length)));
  const size = Math.max(1, Math.ceil(windows / Math.max(20, budget)));
  const columns = Math.ceil(windows / size);
  const rows = picked.flatMap(({ variant, instances }) => cells(run, variant, instances, size));
  const total = variants[0]!.instances.length;
  // Whole pixels per cell leave no hairlines between them.
  const width = Math.max(1, Math.round((plotWidth - 40) / columns)) * columns;
  const end = rounded(columns * size * variants[0]!.series.windowMs * timeUnit(run).perMs);
  return chart(
    {
      title: hottest(picked),
      subtitle:
        `Share of an instance’s slots at work, mean over ${run.seeds.length === 1 ? 'one seed' : `${run.seeds.length} seeds`}.` +
        (run.faults.length > 0 ? ' Orange bars: faults.' : '') +
        (picked.some(({ instances }) => instances.some(isAwayAtTimes)) ? ' Blank: idle, or not there.' : '') +
        (rowCount < total ? ` ${rowCount} of ${total} instances: those furthest from the average.` : '') +
        (variants.length < run.variants.length ? ` The first ${variants.length} of ${run.variants.length} variants.` : ''),
    },
    { busy: rows, faults: contextDatasets(run).faults! },
    {
      vconcat: picked.map(({ variant, instances }, index) =>
        panel(run, variant, {
          instances: instances.length,
          width,
          end,
          isFirst: index === 0,
          isLast: index === picked.length - 1,
        }),
      ),
      spacing: 10,
      resolve: { scale: { color: 'independent' } },
    },
  );
}

export const hasBusyShares = (run: RunFile): boolean =>
  run.variants.some((variant) => variant.instances.some((instance) => instance.busy.some(isNumber)));

interface PanelSize {
  readonly instances: number;
  readonly width: number;
  readonly end: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

function panel(run: RunFile, variant: VariantResult, { instances, width, end, isFirst, isLast }: PanelSize): Part {
  const unit = timeUnit(run);
  const step = instances > 24 ? 7 : instances > 12 ? 10 : 13;
  const x: Part = {
    type: 'quantitative',
    title: isLast ? unit.title : null,
    scale: { domain: [0, end], nice: false },
    axis: isLast ? { grid: false, tickCount: 10, format: '~f' } : { grid: false, labels: false, ticks: false },
  };
  const heat: Part = {
    data: { name: 'busy' },
    transform: [{ filter: { field: 'variant', equal: variant.label } }],
    mark: { type: 'rect' },
    encoding: {
      x: { field: 'from', ...x },
      x2: { field: 'to' },
      y: {
        field: 'instance',
        type: 'nominal',
        sort: null,
        title: null,
        scale: { padding: 0 },
        axis: { ticks: false, domain: false, labelFontSize: step < 10 ? 8 : 10, labelOverlap: step < 9 ? 'parity' : true },
      },
      color: {
        field: 'busy_share',
        type: 'quantitative',
        title: 'slots at work',
        scale: { scheme: 'viridis', domain: [0, 1] },
        legend: isLast
          ? {
              orient: 'bottom',
              gradientLength: 180,
              gradientThickness: 10,
              format: '.0%',
              titleFontWeight: 'normal',
              titleColor: ink.muted,
            }
          : null,
      },
      tooltip: [
        { field: 'instance', type: 'nominal' },
        { field: 'from', type: 'quantitative', title: unit.title, format: '.4~g' },
        { field: 'busy_share', type: 'quantitative', title: 'slots at work', format: '.1%' },
      ],
    },
  };
  // A bar above the cells, because shading would change their colours.
  const faults: Part = {
    data: { name: 'faults' },
    mark: { type: 'rect', color: accents.fault },
    encoding: {
      x: { field: 'from', ...x },
      x2: { field: 'to' },
      y: { value: -6 },
      y2: { value: -2 },
      tooltip: { field: 'fault', type: 'nominal' },
    },
  };
  return {
    width,
    height: { step },
    title: {
      text: short(variant.label),
      fontSize: 12,
      fontWeight: 600,
      anchor: 'start',
      offset: isFirst && run.faults.length > 0 ? 8 : 6,
    },
    layer: run.faults.length > 0 ? [heat, faults] : [heat],
  };
}

/** What comes and goes has no busy share when it is not there, and is not to look like an instance without work. */
const isAwayAtTimes = ({ existedMs }: InstanceData): boolean => existedMs !== undefined;

function cells(run: RunFile, variant: VariantResult, instances: readonly InstanceData[], size: number): Row[] {
  const perWindow = variant.series.windowMs * timeUnit(run).perMs;
  return instances.flatMap((instance) => {
    const rows: Row[] = [];
    for (let window = 0; window < instance.busy.length; window += size) {
      const present = instance.busy.slice(window, window + size).filter(isNumber);
      if (present.length === 0 || (isAwayAtTimes(instance) && present.every((share) => share === 0))) continue;
      rows.push({
        variant: variant.label,
        instance: instance.id,
        from: rounded(window * perWindow),
        to: rounded((window + size) * perWindow),
        busy_share: Number((present.reduce((sum, value) => sum + value, 0) / present.length).toFixed(3)),
      });
    }
    return rows;
  });
}

/** All of them, or those whose busy share strays furthest from the average at some moment, in their usual order. */
function pick(instances: readonly InstanceData[]): readonly InstanceData[] {
  const present = instances.filter((instance) => instance.busy.length > 0);
  if (present.length <= maxRows) return present;
  const windows = present[0]!.busy.length;
  const average = Array.from({ length: windows }, (_, window) => {
    const values = present.map((instance) => instance.busy[window]).filter(isNumber);
    return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  });
  const stray = present.map((instance, index) => ({
    index,
    distance: instance.busy.reduce((sum, value, window) => (isNumber(value) ? sum + Math.abs(value - average[window]!) : sum), 0),
  }));
  stray.sort((a, b) => b.distance - a.distance || a.index - b.index);
  const kept = new Set(stray.slice(0, maxRows).map((each) => each.index));
  return present.filter((_, index) => kept.has(index));
}

function hottest(picked: readonly { readonly variant: VariantResult; readonly instances: readonly InstanceData[] }[]): string {
  let top = { share: -1, instance: '', variant: '' };
  for (const { variant, instances } of picked) {
    for (const instance of instances) {
      for (const share of instance.busy) {
        if (isNumber(share) && share > top.share) top = { share, instance: instance.id, variant: short(variant.label) };
      }
    }
  }
  const who = picked.length > 1 ? ` with ${top.variant}` : '';
  return `${top.instance} is the busiest instance${who}: up to ${formatPercent(Number(top.share.toFixed(2)))} of its slots at work`;
}
