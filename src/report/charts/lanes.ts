/** The frame of a timeline: one lane per thing (an instance, a service) and variant, named to the left of the plot, a line above each
 *  thing. Bars share a lane by lying one above the other. */
import type { RunFile } from '../../lab/types.ts';
import { textWidth } from '../text-width.ts';
import { ink, plotWidth } from './palette.ts';
import type { Part, Row } from './spec.ts';
import { timeAxis } from './time.ts';

const rowHeight = 20;
const namesLimit = 130;
const labelsLimit = namesLimit + 60;

export interface Lane {
  readonly thing: string;
  /** Index of the variant. */
  readonly variant: number;
}

export interface Lanes {
  readonly lanes: readonly Lane[];
  /** To be the dataset `lanes`. */
  readonly rows: readonly Row[];
  readonly width: number;
  readonly height: number;
  readonly gridLayers: readonly Part[];
  readonly nameLayers: readonly Part[];
}

/** `kind` is what the things are called in the data. Names of variants are left out where there is only one. */
export function lanesOf(kind: string, things: readonly string[], labels: readonly string[]): Lanes {
  const lanes = things.flatMap((thing) => labels.map((_, variant) => ({ thing, variant })));
  const hasNames = labels.length > 1;
  const labelWidth = hasNames ? widthOf(labels, labelsLimit) : 0;
  const left = widthOf(things, namesLimit) + labelWidth;
  return {
    lanes,
    rows: lanes.map(({ thing, variant }, row) => ({
      row,
      [kind]: variant === 0 ? cutTo(thing, namesLimit) : '',
      variant: hasNames ? cutTo(labels[variant]!, labelsLimit) : '',
      id_x: -left,
      label_x: -labelWidth,
      strong: variant === 0,
    })),
    width: plotWidth - left,
    height: Math.max(1, lanes.length) * rowHeight,
    gridLayers: [gridLayer(lanes.length)],
    nameLayers: [nameLayer(kind, 'id_x', true), ...(hasNames ? [nameLayer('variant', 'label_x', false)] : [])],
  };
}

export interface LaneBars {
  /** Name of the rows in `datasets`: row, from, to, and what the tooltip tells. */
  readonly data: string;
  /** Edges within a lane, 0 above and 1 below. */
  readonly top: number;
  readonly bottom: number;
  readonly rows: number;
  /** One colour for all of them, or how they are coloured. */
  readonly look: string | Part;
  readonly tooltip: readonly Part[];
}

export function laneBars(run: RunFile, { data, top, bottom, rows, look, tooltip }: LaneBars): Part {
  const x = timeAxis(run);
  return {
    data: { name: data },
    transform: [
      { calculate: `datum.row + ${top}`, as: 'top' },
      { calculate: `datum.row + ${bottom}`, as: 'bottom' },
    ],
    mark: { type: 'rect', clip: true, ...(typeof look === 'string' ? { color: look } : {}) },
    encoding: {
      x: { ...x, field: 'from' },
      x2: { field: 'to' },
      y: { ...rowScale(rows), field: 'top' },
      y2: { field: 'bottom' },
      ...(typeof look === 'string' ? {} : look),
      tooltip,
    },
  };
}

const rowScale = (rows: number): Part => ({ type: 'quantitative', scale: { domain: [rows, 0], nice: false }, axis: null });

const widthOf = (texts: readonly string[], limit: number): number =>
  Math.ceil(Math.min(limit, Math.max(0, ...texts.map((text) => textWidth(text, 11, true))))) + 12;

/** A line above each thing. */
const gridLayer = (rows: number): Part => ({
  data: { name: 'lanes' },
  transform: [{ filter: 'datum.strong' }],
  mark: { type: 'rule', color: ink.line, strokeWidth: 0.8, tooltip: null },
  encoding: { y: { ...rowScale(rows), field: 'row' } },
});

const nameLayer = (field: string, x: string, strong: boolean): Part => ({
  data: { name: 'lanes' },
  transform: [{ calculate: 'datum.row + 0.55', as: 'middle' }],
  mark: {
    type: 'text',
    align: 'left',
    baseline: 'middle',
    fontSize: 11,
    fontWeight: strong ? 600 : 400,
    color: strong ? ink.strong : ink.muted,
    tooltip: null,
  },
  encoding: {
    x: { field: x, type: 'quantitative', scale: null, axis: null },
    y: { field: 'middle', type: 'quantitative', axis: null },
    text: { field, type: 'nominal' },
  },
});

function cutTo(text: string, width: number): string {
  let kept = text;
  while (kept.length > 1 && textWidth(kept === text ? text : `${kept}…`, 11, true) > width) kept = kept.slice(0, -1);
  return kept === text ? text : `${kept}…`;
}
