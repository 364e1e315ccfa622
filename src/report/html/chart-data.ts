/** A chart as the page carries it: compiled, with its rows once and by column, from which picture, table, CSV and the downloadable
 *  specification are made in the browser. */
import type { ChartSpec, Row, Value } from '../charts/spec.ts';
import { compileSpec } from '../svg.ts';

export interface PackedChart {
  readonly name: string;
  readonly title: string;
  readonly finding: string;
  /** Drawn on a canvas, because thousands of SVG elements make a page slow. */
  readonly dense: boolean;
  readonly datasets: Readonly<Record<string, PackedRows>>;
  /** Vega-Lite without the rows. */
  readonly source: unknown;
  /** Vega without the rows. */
  readonly vega: unknown;
}

export interface PackedRows {
  readonly length: number;
  readonly columns: readonly PackedColumn[];
}
/** Texts are positions in `words`. */
export interface PackedColumn {
  readonly key: string;
  readonly values: readonly (Value | undefined)[];
  readonly words?: readonly string[];
}

const manyRows = 3000;

export async function packChart(name: string, title: string, spec: ChartSpec): Promise<PackedChart> {
  const { datasets, ...source } = spec;
  const vega = await compileSpec(spec);
  const data = (vega.data as readonly VegaData[]).map((each) =>
    Object.hasOwn(datasets, each.name) ? without(each, 'values') : each,
  );
  return {
    name,
    title,
    finding: findingOf(spec),
    dense: Object.values(datasets).some((rows) => rows.length > manyRows),
    datasets: Object.fromEntries(Object.entries(datasets).map(([key, rows]) => [key, packRows(rows)])),
    source,
    vega: clickableLegends({ ...vega, data }),
  };
}

interface VegaData {
  readonly name: string;
  readonly values?: unknown;
}

const without = (data: VegaData, key: 'values'): VegaData => {
  const { [key]: _, ...rest } = data;
  return rest;
};

function findingOf(spec: ChartSpec): string {
  const { text } = spec.title as { readonly text: readonly string[] };
  return text.join(' ');
}

function packRows(rows: readonly Row[]): PackedRows {
  const keys = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return {
    length: rows.length,
    columns: keys.map((key) =>
      packColumn(
        key,
        rows.map((row) => row[key]),
      ),
    ),
  };
}

function packColumn(key: string, values: readonly (Value | undefined)[]): PackedColumn {
  if (!values.every((value) => typeof value === 'string')) return { key, values };
  const words = [...new Set(values)];
  const at = new Map(words.map((word, index) => [word, index]));
  return { key, words, values: values.map((value) => at.get(value)!) };
}

/** Legends answer to the pointer only when told to. */
function clickableLegends(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(clickableLegends);
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => {
      if (key !== 'legends') return [key, key === 'marks' || key === 'scales' ? clickableLegends(value) : value];
      return [key, (value as readonly LegendPart[]).map(clickable)];
    }),
  );
}

interface LegendPart {
  readonly encode?: Readonly<Record<string, { readonly update?: object }>>;
}

function clickable(legend: LegendPart): LegendPart {
  const parts = ['symbols', 'labels'].map((part) => {
    const before = legend.encode?.[part] ?? {};
    return [part, { ...before, interactive: true, update: { ...before.update, cursor: { value: 'pointer' } } }] as const;
  });
  return { ...legend, encode: { ...legend.encode, ...Object.fromEntries(parts) } };
}
