/** One panel of a chart over time: a line per variant with the band over its seeds, on top of faults and warm-up. */
import type { RunFile } from '../../lab/types.ts';
import { accents, variantColor, variantDash } from './palette.ts';
import { plotWidth, type Part, type Row } from './spec.ts';
import { contextLayers, highlightOpacity, timeAxis, timeUnit, zoom } from './time.ts';

export interface PanelOptions {
  /** Name of the rows in `datasets`: variant, time, median, low, high. The rows of `hoverRows` are `<data>_hover`. */
  readonly data: string;
  /** Which of the rows belong into this panel; all when left out. Then the hover rows are `<data>_<equal>_hover`. */
  readonly where?: { readonly field: string; readonly equal: string };
  /** Title, scale and axis of the values. */
  readonly y: Part;
  readonly height: number;
  /** Only one panel of a chart carries legend and names of faults. */
  readonly first?: boolean;
  readonly last?: boolean;
  /** Limits of expectations on this value. */
  readonly limits?: readonly Limit[];
  /** Where good values are near the upper edge, names of faults go to the lower one and texts of limits below their lines. */
  readonly goodIsUp?: boolean;
  /** Where the names of faults stand, if not where the values usually are not. */
  readonly names?: 'top' | 'bottom';
  /** False where the rows have no low and high. */
  readonly bands?: boolean;
}
export interface Limit {
  readonly value: number;
  readonly text: string;
}

/** More bands than this hide each other. */
const maxBands = 6;

const showsBands = (run: RunFile): boolean => run.seeds.length > 1 && run.variants.length <= maxBands;

/** How to read lines and bands. */
export function bandsNote(run: RunFile): string {
  if (run.seeds.length < 2) return '';
  return `Line: median of ${run.seeds.length} seeds${showsBands(run) ? '; band: lowest to highest seed' : ''}.`;
}

/** All numbers of the rows, to choose a domain for. */
export const bandValues = (rows: readonly Row[]): (number | null)[] =>
  rows.flatMap((row) => [row.median, row.low, row.high] as (number | null)[]);

export function bandPanel(run: RunFile, options: PanelOptions): Part {
  const {
    data,
    where,
    y,
    height,
    first = true,
    last = true,
    limits = [],
    goodIsUp = false,
    bands = true,
    names = goodIsUp ? 'bottom' : 'top',
  } = options;
  const source: Part = { data: { name: data }, ...(where === undefined ? {} : { transform: [{ filter: where }] }) };
  const x = timeAxis(run);
  const value = (field: string): Part => ({ field, type: 'quantitative', ...y });
  const band: Part = {
    ...source,
    mark: { type: 'area', clip: true, tooltip: null },
    encoding: {
      x,
      y: value('low'),
      y2: { field: 'high' },
      color: variantColor(run, first && run.variants.length > 1 ? 'shared' : null),
      fillOpacity: highlightOpacity(0.16, 0.03),
    },
  };
  const line: Part = {
    ...source,
    params: [zoom],
    mark: { type: 'line', clip: true, strokeWidth: 1.8, tooltip: null },
    encoding: {
      x: { ...x, axis: last ? x.axis : { grid: false, labels: false, ticks: false, title: null } },
      y: value('median'),
      color: variantColor(run, first ? {} : null),
      strokeDash: variantDash(run, first ? {} : null),
      opacity: highlightOpacity(1, 0.12),
    },
  };
  return {
    width: plotWidth,
    height,
    layer: [
      ...contextLayers(run, first ? names : 'none', height),
      ...(bands && showsBands(run) ? [band] : []),
      line,
      ...limits.map((limit) => limitLayer(limit, goodIsUp)),
      hoverLayer(run, where === undefined ? data : `${data}_${where.equal}`),
    ],
  };
}

/** What stands under the pointer: per point in time the value of every variant, written out. */
export function hoverRows(run: RunFile, rows: readonly Row[], format: (value: number) => string): Row[] {
  const unit = timeUnit(run);
  const byTime = new Map<number, Record<string, string | number>>();
  const [first, second] = rows as readonly (Row | undefined)[];
  const half =
    first === undefined || second === undefined ? 0 : ((second[unit.field] as number) - (first[unit.field] as number)) / 2;
  for (const row of rows) {
    const time = row[unit.field] as number;
    const at = byTime.get(time) ?? { from: time - half, to: time + half, time: Number(time.toPrecision(4)) };
    const index = run.variants.findIndex((variant) => variant.label === row.variant);
    at[`v${index}`] = row.median === null ? 'none' : format(row.median as number);
    byTime.set(time, at);
  }
  return [...byTime.values()];
}

/** Invisible, over the whole height: a thin line would be hard to hit. Named, so that a picture without a pointer can leave it out. */
const hoverLayer = (run: RunFile, data: string): Part => ({
  name: `hover_${data}`,
  data: { name: `${data}_hover` },
  mark: { type: 'rect', opacity: 0, clip: true },
  encoding: {
    x: { field: 'from', type: 'quantitative' },
    x2: { field: 'to' },
    tooltip: [
      { field: 'time', type: 'quantitative', title: timeUnit(run).title, format: '~f' },
      ...run.variants.map(({ label }, index) => ({ field: `v${index}`, type: 'nominal', title: `${label}:` })),
    ],
  },
});

const limitLayer = ({ value, text }: Limit, below: boolean): Part => ({
  data: { values: [{}] },
  layer: [
    { mark: { type: 'rule', color: accents.limit, strokeDash: [4, 3], clip: true }, encoding: { y: { datum: value } } },
    {
      mark: {
        type: 'text',
        align: 'right',
        baseline: below ? 'top' : 'bottom',
        dx: -4,
        dy: below ? 4 : -2,
        color: accents.limit,
        fontSize: 11,
      },
      encoding: { x: { value: plotWidth }, y: { datum: value }, text: { value: text } },
    },
  ],
});
