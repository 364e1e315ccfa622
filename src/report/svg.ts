/** A chart as SVG: the same bytes on every machine and every call. Vega is loaded on the first call only. */
import type { ChartSpec } from './charts/spec.ts';
import { highlightTest } from './charts/time.ts';
import { textWidth } from './text-width.ts';

export async function renderSvg(spec: ChartSpec): Promise<string> {
  const { vega, compile } = await loadVega();
  const complaints: string[] = [];
  const logger = strictLogger(complaints);
  const { spec: vegaSpec } = compile(withoutInteraction(spec) as never, { logger: logger as never });
  // Gradients are numbered per process; starting over makes the second picture equal to the first.
  vega.resetSVGDefIds();
  const view = new vega.View(vega.parse(vegaSpec), { renderer: 'none', logger: logger as never });
  try {
    const svg = await view.toSVG();
    refuse(complaints);
    return `${roundCoordinates(svg).trimEnd()}\n`;
  } finally {
    view.finalize();
  }
}

/** Three decimals are finer than any screen, and hide the last bits in which logarithms differ between processors and Node versions.
 *  Only inside tags: text is left alone. */
const roundCoordinates = (svg: string): string =>
  svg.replace(/<[^>]*>/g, (tag) =>
    tag.replace(/-?\d+\.\d{4,}(?:e-?\d+)?/g, (number) => String(Number(Number(number).toFixed(3)) + 0)),
  );

/** Vega-Lite to Vega; any warning is an error of the specification. */
export async function compileSpec(spec: ChartSpec): Promise<Record<string, unknown>> {
  const { compile } = await loadVega();
  const complaints: string[] = [];
  const compiled = compile(spec as never, { logger: strictLogger(complaints) as never }).spec;
  refuse(complaints);
  return compiled as unknown as Record<string, unknown>;
}

/** A picture has nobody to click on it: no selections, and everything shown as if nothing were selected. */
function withoutInteraction(part: unknown): unknown {
  if (Array.isArray(part)) return part.filter((each) => !isHoverLayer(each)).map(withoutInteraction);
  if (typeof part !== 'object' || part === null) return part;
  const { condition } = part as { condition?: { test?: unknown; value?: unknown } };
  if (condition?.test === highlightTest) return { value: condition.value };
  return Object.fromEntries(
    Object.entries(part).flatMap(([key, value]) => {
      if (key === 'params') return [];
      return [[key, key === 'datasets' ? value : withoutInteraction(value)]];
    }),
  );
}

const isHoverLayer = (part: unknown): boolean =>
  typeof part === 'object' && part !== null && String((part as { name?: unknown }).name).startsWith('hover_');

interface TextItem {
  readonly fontSize?: number;
  readonly fontWeight?: number | string;
  readonly limit?: number;
}

async function loadVega() {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  // Vega would measure with a canvas if one happens to be installed, and otherwise guess 0.8 em per character. It looks for a function
  // of its user's in this place, which its types do not mention.
  const { textMetrics } = vega as unknown as { textMetrics: { width: (item: TextItem, text: unknown) => number } };
  textMetrics.width = measure;
  return { vega, compile };
}

function measure(item: TextItem, text: unknown): number {
  const bold = item.fontWeight === 'bold' || Number(item.fontWeight) >= 600;
  const width = textWidth(text === null || text === undefined ? '' : String(text).trim(), item.fontSize ?? 11, bold);
  return item.limit !== undefined && item.limit > 0 ? Math.min(width, item.limit) : width;
}

/** Same methods as Vega's own logger. */
function strictLogger(complaints: string[]) {
  const collect = (...parts: readonly unknown[]): unknown => {
    complaints.push(parts.map(String).join(' '));
    return logger;
  };
  const ignore = (): unknown => logger;
  const logger = {
    level: (value?: number): unknown => (value === undefined ? 2 : logger),
    error: collect,
    warn: collect,
    info: ignore,
    debug: ignore,
  };
  return logger;
}

function refuse(complaints: readonly string[]): void {
  if (complaints.length > 0) throw new Error(`the chart cannot be drawn: ${complaints.join('; ')}`);
}
