/** What all charts over time share: the time axis, at most 200 points per line, and what was going on (warm-up, faults). */
import type { FaultWindow, RunFile } from '../../lab/types.ts';
import type { SeriesColumn } from '../../stats/result.ts';
import { isNumber } from '../format.ts';
import { accents, ink } from './palette.ts';
import { rounded, roundedOrNull, short, type Datasets, type Part, type Row } from './spec.ts';

const maxPoints = 200;
const maxFaults = 60;

export interface TimeUnit {
  readonly perMs: number;
  /** Name of the column of rows. */
  readonly field: string;
  readonly title: string;
}

export function timeUnit(run: RunFile): TimeUnit {
  const { durationMs } = run.scenario;
  if (durationMs <= 180_000) return { perMs: 1 / 1000, field: 'time_s', title: 'simulated time (s)' };
  if (durationMs <= 4 * 3_600_000) return { perMs: 1 / 60_000, field: 'time_min', title: 'simulated time (min)' };
  if (durationMs <= 4 * 86_400_000) return { perMs: 1 / 3_600_000, field: 'time_h', title: 'simulated time (h)' };
  return { perMs: 1 / 86_400_000, field: 'time_d', title: 'simulated time (days)' };
}

export function timeAxis(run: RunFile): Part {
  const unit = timeUnit(run);
  return {
    field: unit.field,
    type: 'quantitative',
    title: unit.title,
    scale: { domain: [0, rounded(run.scenario.durationMs * unit.perMs)], nice: false },
    axis: { grid: false, tickCount: 10, format: '~f' },
  };
}

/** Which of the windows that share a point is shown: the one that would worry most, or the mean. */
export type Condense = 'max' | 'min' | 'mean';

export interface BandRow {
  readonly window: number;
  readonly median: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

export const groupSize = (windows: number): number => Math.max(1, Math.ceil(windows / maxPoints));

export function condenseBand(
  band: { readonly median: readonly number[]; readonly min: readonly number[]; readonly max: readonly number[] },
  condense: Condense,
): BandRow[] {
  const size = groupSize(band.median.length);
  const rows: BandRow[] = [];
  for (let window = 0; window < band.median.length; window += size) {
    rows.push({
      window,
      median: roundedOrNull(reduce(band.median.slice(window, window + size), condense)),
      low: roundedOrNull(reduce(band.min.slice(window, window + size), condense === 'mean' ? 'mean' : 'min')),
      high: roundedOrNull(reduce(band.max.slice(window, window + size), condense === 'mean' ? 'mean' : 'max')),
    });
  }
  return rows;
}

/** Rows of one column of the time series for every variant, each at the middle of its windows; `scale` turns counts per window into rates. */
export function seriesRows(run: RunFile, column: SeriesColumn, condense: Condense, scale = 1): Row[] {
  const unit = timeUnit(run);
  const times = (value: number | null): number | null => (value === null ? null : rounded(value * scale));
  return run.variants.flatMap((variant) =>
    condenseBand(variant.series.columns[column], condense).map(({ window, median, low, high }) => ({
      variant: variant.label,
      [unit.field]: rounded(
        (window + groupSize(variant.series.columns[column].median.length) / 2) * variant.series.windowMs * unit.perMs,
      ),
      median: times(median),
      low: times(low),
      high: times(high),
    })),
  );
}

/** `Each point is the worst of 3 windows of 1 s.` Empty when every window has its own point. */
export function condensedNote(run: RunFile, which: string): string {
  const variant = run.variants[0];
  const size = groupSize(variant?.series.columns.offered.median.length ?? 0);
  return size === 1 ? '' : `Each point is ${which} ${size} windows of ${(variant?.series.windowMs ?? 0) / 1000} s.`;
}

/** Rows for the shaded spans; use with `contextLayers`. */
export function contextDatasets(run: RunFile): Datasets {
  const unit = timeUnit(run);
  const { durationMs, warmupMs } = run.scenario;
  const faults = spansOf(run)
    .filter((fault) => fault.fromMs < durationMs)
    .slice(0, maxFaults);
  return {
    faults: faults.map(({ label, fromMs, toMs }) => ({
      fault: short(label),
      from: rounded(fromMs * unit.perMs),
      to: rounded((isNumber(toMs) ? Math.min(toMs, durationMs) : durationMs) * unit.perMs),
    })),
    warmup: warmupMs > 0 ? [{ from: 0, to: rounded(warmupMs * unit.perMs) }] : [],
  };
}

/** When something began, and for how long it lasted, of rows with `from` and `lasted`. */
export const spanTooltip = (run: RunFile): readonly Part[] => [
  { field: 'from', type: 'quantitative', title: `from, ${timeUnit(run).title}`, format: '.5~g' },
  { field: 'lasted', type: 'nominal', title: 'for' },
];

/** A trigger need not be a fault: a spike of traffic is none. */
function spansOf({ faults, metastability }: RunFile): readonly FaultWindow[] {
  if (faults.length > 0 || metastability === null) return faults;
  return [{ label: 'trigger', fromMs: metastability.triggerBeginsMs, toMs: metastability.triggerEndsMs }];
}

/** Warm-up in grey, faults in a warm tint, each named at the edge of the plot as long as the names do not get in each other's way. */
export function contextLayers(run: RunFile, names: 'top' | 'bottom' | 'none', height: number): Part[] {
  const { faults, warmup } = contextDatasets(run) as { faults: readonly Row[]; warmup: readonly Row[] };
  const span = { x: { field: 'from', type: 'quantitative' }, x2: { field: 'to' } };
  const end = run.scenario.durationMs * timeUnit(run).perMs;
  const name = (data: string, text: Part, color: string, align: 'left' | 'right'): Part => ({
    data: { name: data },
    mark: {
      type: 'text',
      align,
      baseline: 'middle',
      dx: align === 'left' ? 4 : -4,
      fontSize: 11,
      color,
      tooltip: null,
      clip: true,
    },
    encoding: {
      x: { field: align === 'left' ? 'from' : 'to', type: 'quantitative' },
      y: { value: names === 'top' ? 9 : height - 9 },
      text,
    },
  });
  const layers: Part[] = [];
  if (warmup.length > 0) {
    layers.push({
      data: { name: 'warmup' },
      mark: { type: 'rect', color: '#000', opacity: 0.06, clip: true, tooltip: null },
      encoding: span,
    });
    if (names !== 'none' && faults.every((fault) => (fault.from as number) > 0.12 * end)) {
      layers.push(name('warmup', { value: 'warm-up' }, ink.muted, 'left'));
    }
  }
  if (faults.length > 0) {
    const opacity = faults.length > 8 ? 0.06 : 0.12;
    layers.push({
      data: { name: 'faults' },
      mark: { type: 'rect', color: accents.fault, opacity, clip: true, tooltip: null },
      encoding: span,
    });
    if (names !== 'none' && canName(faults, end)) {
      const late = faults.length === 1 && (faults[0]!.from as number) > 0.6 * end;
      layers.push(name('faults', { field: 'fault', type: 'nominal' }, accents.fault, late ? 'right' : 'left'));
    }
  }
  return layers;
}

/** Names stand at the start of their spans; a quarter of the width each is enough room. */
function canName(faults: readonly Row[], end: number): boolean {
  const starts = faults.map((fault) => fault.from as number).sort((a, b) => a - b);
  return starts.every((start, index) => index === 0 || start - starts[index - 1]! >= 0.25 * end);
}

/** A report sets this parameter to the name of a variant to pick it out in all charts at once. */
export const highlightParam: Part = { name: 'highlight', value: '' };
export const highlightTest = "highlight === '' || datum.variant === highlight";

export const highlightOpacity = (full: number, faded: number): Part => ({
  condition: { test: highlightTest, value: full },
  value: faded,
});

/** Drag to move, shift and wheel to zoom, double click to go back; a bare wheel goes on scrolling the page. */
export const zoom: Part = {
  name: 'zoom',
  select: { type: 'interval', encodings: ['x'], zoom: 'wheel![event.shiftKey]' },
  bind: 'scales',
};

const reduce = (values: readonly (number | null)[], how: Condense): number => {
  const present = values.filter(isNumber);
  if (present.length === 0) return NaN;
  if (how === 'max') return Math.max(...present);
  if (how === 'min') return Math.min(...present);
  return present.reduce((sum, value) => sum + value, 0) / present.length;
};
