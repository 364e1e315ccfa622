/** One panel of a chart over time: a line per variant with the band over its seeds, on top of faults and warm-up. */
import type { RunFile } from '../../lab/types.ts';
import { accents, variantColor, variantDash } from './palette.ts';
import { plotWidth, type Part, type Row } from './spec.ts';
import { contextLayers, highlightOpacity, timeAxis, timeUnit, zoom } from './time.ts';

export interface PanelOptions {
  /** Name of the rows in `datasets`: variant, time, median, low, high. */
  readonly data: string;
  /** Title, scale and axis of the values. */
  readonly y: Part;
  readonly height: number;
  /** Only one panel of a chart carries legend and names of faults. */
  readonly first?: boolean;
  readonly last?: boolean;
  /** Limits of expectations on this value. */
  readonly limits?: readonly Limit[];
  /** Their text stands below the line; where the line is near the upper edge. */
  readonly limitsBelow?: boolean;
  /** Format of tooltips (d3). */
  readonly tooltip?: string;
  readonly interpolate?: 'linear' | 'step-after';
}
export interface Limit {
  readonly value: number;
  readonly text: string;
}

/** More bands than this hide each other. */
const maxBands = 6;

export const showsBands = (run: RunFile): boolean => run.seeds.length > 1 && run.variants.length <= maxBands;

/** All numbers of the rows, to choose a domain for. */
export const bandValues = (rows: readonly Row[]): (number | null)[] =>
  rows.flatMap((row) => [row.median, row.low, row.high] as (number | null)[]);

export function bandPanel(run: RunFile, options: PanelOptions): Part {
  const { data, y, height, first = true, last = true, limits = [], tooltip = ',.4~g', interpolate = 'linear' } = options;
  const unit = timeUnit(run);
  const x = timeAxis(run);
  const value = (field: string): Part => ({ field, type: 'quantitative', ...y });
  const band: Part = {
    data: { name: data },
    mark: { type: 'area', clip: true, interpolate, tooltip: null },
    encoding: {
      x,
      y: value('low'),
      y2: { field: 'high' },
      color: variantColor(run, first && run.variants.length > 1 ? 'shared' : null),
      fillOpacity: highlightOpacity(0.16, 0.03),
    },
  };
  const line: Part = {
    data: { name: data },
    params: [zoom],
    mark: { type: 'line', clip: true, strokeWidth: 1.8, interpolate },
    encoding: {
      x: { ...x, axis: last ? x.axis : { grid: false, labels: false, ticks: false, title: null } },
      y: value('median'),
      color: variantColor(run, first ? { offset: 26 } : null),
      strokeDash: variantDash(run, first ? { offset: 26 } : null),
      opacity: highlightOpacity(1, 0.12),
      tooltip: [
        { field: 'variant', type: 'nominal' },
        { field: unit.field, type: 'quantitative', title: unit.title, format: '.4~g' },
        { field: 'median', type: 'quantitative', format: tooltip },
        { field: 'low', type: 'quantitative', title: 'lowest seed', format: tooltip },
        { field: 'high', type: 'quantitative', title: 'highest seed', format: tooltip },
      ],
    },
  };
  return {
    width: plotWidth,
    height,
    layer: [
      ...contextLayers(run, { named: first }),
      ...(showsBands(run) ? [band] : []),
      line,
      ...limits.map((limit) => limitLayer(limit, options.limitsBelow === true)),
    ],
  };
}

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
