/** A chart as a Vega-Lite specification. Its rows stand in `datasets`, by name, so that the same specification can be drawn, be saved
 *  next to its data, or have the data shown as a table. */
import type { RunFile } from '../../lab/types.ts';
import { forTerminal } from '../plain-text.ts';
import { metricTitle } from '../summary.ts';
import { textWidth, wrapToWidth } from '../text-width.ts';
import { font, ink, legendLabelLimit, plotWidth } from './palette.ts';

export type Value = string | number | boolean | null;
export type Row = Readonly<Record<string, Value>>;
export type Datasets = Readonly<Record<string, readonly Row[]>>;

export interface ChartSpec {
  readonly $schema: string;
  readonly datasets: Datasets;
  readonly [property: string]: unknown;
}
/** Any inner part of a specification. */
export type Part = Readonly<Record<string, unknown>>;

export { plotWidth };

export interface ChartText {
  /** What the picture shows, as a finding. */
  readonly title: string;
  /** How to read it. */
  readonly subtitle: string;
}

export function chart({ title, subtitle }: ChartText, datasets: Datasets, body: Part): ChartSpec {
  const { config, ...rest } = body as { config?: Part };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    description: forTerminal(`${title}. ${subtitle}`),
    title: {
      text: wrapToWidth(forTerminal(title), plotWidth, 15, true),
      subtitle: wrapToWidth(forTerminal(subtitle), plotWidth, 12),
    },
    background: 'white',
    padding: 14,
    datasets,
    ...rest,
    config: { ...theme, ...config },
  };
}

/** As a file: indented, with one row of data per line. */
export function serializeSpec({ datasets, ...rest }: ChartSpec): string {
  const sets = Object.entries(datasets).map(([name, rows]) => {
    const lines = rows.map((row) => `   ${JSON.stringify(row)}`).join(',\n');
    return `  ${JSON.stringify(name)}: [${lines === '' ? '' : `\n${lines}\n  `}]`;
  });
  const head = JSON.stringify(rest, null, 1).slice(0, -2);
  return `${head},\n "datasets": {\n${sets.join(',\n')}\n }\n}\n`;
}

/** Numbers in charts need no more than six digits. */
export const rounded = (value: number): number => Number(value.toPrecision(6));
export const roundedOrNull = (value: number | null | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? rounded(value) : null;

/** Room that the names of variants need beside a plot. */
export const labelsWidth = (run: RunFile): number =>
  Math.min(260, Math.ceil(Math.max(0, ...run.variants.map(({ label }) => textWidth(label, 11)))));

/** Joins the sentences that there are. */
export const sentences = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' ');

/** A metric at the start of a title; percentiles keep their small p. */
export function metricHeading(metric: string): string {
  const title = metricTitle(metric);
  return /^p\d/.test(title) ? title : title.charAt(0).toUpperCase() + title.slice(1);
}

/** A name inside a title. */
export const short = (label: string): string => (label.length > 40 ? `${label.slice(0, 39)}…` : label);

const theme: Part = {
  font,
  // One description per chart and a table below it serve better than a label on each of thousands of marks.
  aria: false,
  view: { stroke: null },
  title: {
    anchor: 'start',
    frame: 'bounds',
    fontSize: 15,
    fontWeight: 600,
    lineHeight: 19,
    color: ink.strong,
    subtitleColor: ink.muted,
    subtitleFontSize: 12,
    subtitleLineHeight: 16,
    subtitlePadding: 6,
    offset: 14,
  },
  axis: {
    labelColor: ink.normal,
    titleColor: ink.muted,
    labelFontSize: 11,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    titlePadding: 8,
    labelLimit: 260,
    domainColor: ink.line,
    tickColor: ink.line,
    gridColor: ink.grid,
    labelOverlap: 'greedy',
  },
  legend: {
    labelColor: ink.normal,
    labelFontSize: 12,
    labelLimit: legendLabelLimit,
    symbolSize: 120,
    title: null,
    orient: 'top',
    offset: 8,
  },
  header: { labelColor: ink.strong, labelFontSize: 12, labelFontWeight: 600, labelLimit: 400, labelAnchor: 'start', title: null },
};
