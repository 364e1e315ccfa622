/** Nodes as they come and go: a row per place of a node, a bar while there is one, coloured by the share of its processor that is reserved,
 *  and a mark for how it ended. One picture per variant, of its first seed. */
import type { RunFile, VariantResult } from '../../lab/types.ts';
import type { NodeData } from '../../stats/result.ts';
import { isNumber } from '../format.ts';
import { accents, ink } from './palette.ts';
import { chart, plotWidth, rounded, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { contextDatasets, contextLayers, timeAxis, timeUnit } from './time.ts';

const maxVariants = 8;
const maxRows = 40;
/** Of all pictures together. */
const maxRowsOfAll = 120;
/** Likewise; beyond, a page gets slow and heavy. */
const maxCells = 12_000;
const plot = plotWidth - 60;

/** What is not among them looks like the last. */
const endLooks = [
  { end: 'removed', color: ink.normal, shape: 'square' },
  { end: 'interrupted', color: '#D55E00', shape: 'triangle-left' },
  { end: 'lost', color: accents.limit, shape: 'cross' },
] as const;

interface PickedVariant {
  readonly variant: VariantResult;
  readonly nodes: readonly NodeData[];
}

export const anyNode = ({ variants }: RunFile): boolean => variants.some(({ elastic }) => (elastic?.nodes.length ?? 0) > 0);

export function nodeMap(run: RunFile): ChartSpec {
  const having = run.variants.filter(({ elastic }) => (elastic?.nodes.length ?? 0) > 0);
  const shown = having.slice(0, maxVariants);
  const rowLimit = Math.min(maxRows, Math.floor(maxRowsOfAll / shown.length));
  const picked = shown.map((variant) => ({ variant, nodes: pick(variant.elastic!.nodes, rowLimit) }));
  const rowCount = picked.reduce((sum, { nodes }) => sum + nodes.length, 0);
  const most = Math.max(...picked.map(({ variant }) => variant.elastic!.nodes.length));
  const isCut = picked.some(({ variant, nodes }) => nodes.length < variant.elastic!.nodes.length);
  const perRow = Math.max(20, Math.min(190, Math.floor(maxCells / rowCount)));
  const bars = picked.flatMap((each) => barRows(run, each, perRow));
  const ends = picked.flatMap((each) => endRows(run, each));
  return chart(
    {
      title: finding(picked),
      subtitle: sentences(
        bars.some((row) => row.reserved !== null)
          ? 'Share of a node’s processor that is reserved, while it is there; marks: how it ended. First seed.'
          : 'Nodes while they are there; marks: how they ended. First seed.',
        isCut ? `${rowLimit} of up to ${most} nodes: those that came and went most.` : '',
        picked.length < having.length ? `The first ${picked.length} of ${having.length} variants.` : '',
      ),
    },
    { nodes: bars, ends, ...contextDatasets(run) },
    {
      vconcat: picked.map((each, index) =>
        panel(run, each, {
          key: index,
          ends: [...new Set(ends.map((row) => row.end as string))],
          isFirst: index === 0,
          isLast: index === picked.length - 1,
        }),
      ),
      spacing: 10,
      resolve: { scale: { color: 'independent', shape: 'independent', fill: 'independent', stroke: 'independent' } },
    },
  );
}

/** All of them, or those that came and went most, in their usual order. */
function pick(nodes: readonly NodeData[], rowLimit: number): readonly NodeData[] {
  if (nodes.length <= rowLimit) return nodes;
  const changes = ({ spans }: NodeData): number =>
    spans.reduce((sum, { fromMs, toMs }) => sum + (fromMs > 0 ? 1 : 0) + (isNumber(toMs) ? 1 : 0), 0);
  const order = nodes.map((node, index) => ({ index, weight: changes(node) }));
  order.sort((a, b) => b.weight - a.weight || a.index - b.index);
  const kept = new Set(order.slice(0, rowLimit).map(({ index }) => index));
  return nodes.filter((_, index) => kept.has(index));
}

/** `general/3`, and its zone where there are several. */
function nameOf({ id, zone }: NodeData, nodes: readonly NodeData[]): string {
  return nodes.some((each) => each.zone !== zone) ? `${short(id)} (${zone})` : short(id);
}

/** Stretches of time with about the same share reserved. */
function barRows(run: RunFile, { variant, nodes }: PickedVariant, perRow: number): Row[] {
  const { durationMs } = run.scenario;
  const { windowMs } = variant.series;
  const { perMs } = timeUnit(run);
  return nodes.flatMap((node) => {
    const size = Math.max(1, Math.ceil(node.reserved.length / perRow));
    const base = { variant: variant.label, node: nameOf(node, nodes), zone: node.zone };
    return node.spans.flatMap(({ fromMs, toMs }) => {
      const endMs = Math.min(toMs, durationMs);
      const found: { fromMs: number; toMs: number; share: number | null }[] = [];
      const stepMs = node.reserved.length === 0 ? Infinity : size * windowMs;
      for (let at = fromMs; at < endMs;) {
        const nextMs = Math.min(endMs, (Math.floor(at / stepMs + 1e-9) + 1) * stepMs);
        const share = meanShare(node.reserved, windowMs, at, nextMs);
        const last = found.at(-1);
        if (last !== undefined && last.share === share) last.toMs = nextMs;
        else found.push({ fromMs: at, toMs: nextMs, share });
        at = nextMs;
      }
      return found.map((cell) => ({
        ...base,
        from: rounded(cell.fromMs * perMs),
        to: rounded(cell.toMs * perMs),
        reserved: cell.share,
      }));
    });
  });
}

/** Of the windows that end within the time; what is reserved is known at their ends. */
function meanShare(reserved: readonly number[], windowMs: number, fromMs: number, toMs: number): number | null {
  const values = reserved.slice(Math.floor(fromMs / windowMs + 1e-9), Math.ceil(toMs / windowMs - 1e-9)).filter(isNumber);
  return values.length === 0 ? null : Number((values.reduce((sum, value) => sum + value, 0) / values.length).toFixed(2));
}

const endRows = (run: RunFile, { variant, nodes }: PickedVariant): Row[] =>
  nodes.flatMap((node) =>
    node.spans
      .filter(({ toMs }) => toMs <= run.scenario.durationMs)
      .map(({ toMs, end }) => ({
        variant: variant.label,
        node: nameOf(node, nodes),
        at: rounded(toMs * timeUnit(run).perMs),
        end: end === '' ? 'ended' : end,
      })),
  );

interface PanelLook {
  readonly key: number;
  /** Ways to end that occur anywhere. */
  readonly ends: readonly string[];
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

function panel(run: RunFile, { variant, nodes }: PickedVariant, { key, ends, isFirst, isLast }: PanelLook): Part {
  const step = nodes.length > 24 ? 9 : nodes.length > 12 ? 12 : 15;
  const height = step * nodes.length;
  const axis = timeAxis(run);
  const own = (data: string): Part => ({
    data: { name: data },
    transform: [{ filter: { field: 'variant', equal: variant.label } }],
  });
  const x: Part = { ...axis, axis: isLast ? axis.axis : { grid: false, labels: false, ticks: false, title: null } };
  const y: Part = {
    field: 'node',
    type: 'nominal',
    sort: null,
    title: null,
    scale: { domain: nodes.map((node) => nameOf(node, nodes)), paddingInner: 0.25, paddingOuter: 0.1 },
    axis: { ticks: false, domain: false, labelFontSize: step < 12 ? 8 : 10, labelOverlap: false },
  };
  const known: readonly { readonly end: string; readonly color: string; readonly shape: string }[] = endLooks;
  const looks = ends.map((end) => known.find((look) => look.end === end) ?? { ...endLooks.at(-1)!, end });
  const endScale = (range: readonly string[], hasLegend: boolean): Part => ({
    field: 'end',
    type: 'nominal',
    scale: { domain: looks.map(({ end }) => end), range },
    legend: hasLegend && isFirst ? { orient: 'top', symbolSize: 60, symbolStrokeWidth: 0 } : null,
  });
  return {
    width: plot,
    height,
    title: { text: variant.label, fontSize: 12, fontWeight: 600, anchor: 'start', offset: 6, limit: plotWidth },
    layer: [
      ...contextLayers(run, 'none', height),
      {
        ...own('nodes'),
        mark: { type: 'rect', clip: true, color: '#d5dade', opacity: 1, tooltip: null },
        encoding: { x: { ...x, field: 'from' }, x2: { field: 'to' }, y },
      },
      {
        name: `cells_${key}`,
        ...own('nodes'),
        mark: { type: 'rect', clip: true },
        encoding: {
          x: { ...x, field: 'from' },
          x2: { field: 'to' },
          y,
          color: {
            field: 'reserved',
            type: 'quantitative',
            title: 'processor reserved',
            scale: { scheme: 'viridis', domain: [0, 1], clamp: true },
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
            { field: 'node', type: 'nominal' },
            { field: 'from', type: 'quantitative', title: `from, ${timeUnit(run).title}`, format: '.4~g' },
            { field: 'to', type: 'quantitative', title: 'to', format: '.4~g' },
            { field: 'reserved', type: 'quantitative', title: 'reserved', format: '.0%' },
          ],
        },
      },
      {
        ...own('ends'),
        mark: { type: 'point', filled: true, size: step < 12 ? 34 : 60, opacity: 1, clip: false },
        encoding: {
          x: { ...x, field: 'at' },
          y,
          shape: endScale(
            looks.map(({ shape }) => shape),
            true,
          ),
          stroke: endScale(
            looks.map(({ color }) => color),
            true,
          ),
          fill: endScale(
            looks.map(({ color }) => color),
            true,
          ),
          tooltip: [
            { field: 'node', type: 'nominal' },
            { field: 'end', type: 'nominal' },
            { field: 'at', type: 'quantitative', title: timeUnit(run).title, format: '.4~g' },
          ],
        },
      },
    ],
  };
}

/** `Up to 9 nodes at once with hpa, 6 with none; 5 interrupted, 2 removed`. */
function finding(picked: readonly PickedVariant[]): string {
  const peaks = picked
    .map(({ variant }) => ({ label: short(variant.label), peak: mostAtOnce(variant.elastic!.nodes) }))
    .sort((a, b) => b.peak - a.peak);
  const highest = peaks[0]!;
  const lowest = peaks.at(-1)!;
  const counts = new Map<string, number>();
  for (const { variant } of picked)
    for (const { spans } of variant.elastic!.nodes)
      for (const { toMs, end } of spans) if (isNumber(toMs)) counts.set(end, (counts.get(end) ?? 0) + 1);
  const ended = [...counts].map(([end, count]) => `${count} ${end === '' ? 'ended' : end}`).join(', ');
  const head =
    highest.peak === lowest.peak
      ? `Up to ${highest.peak} nodes at once${peaks.length > 1 ? ' with every variant' : ''}`
      : `Up to ${highest.peak} nodes at once with ${highest.label}, ${lowest.peak} with ${lowest.label}`;
  return ended === '' ? head : `${head}; ${ended}`;
}

function mostAtOnce(nodes: readonly NodeData[]): number {
  const changes = nodes.flatMap(({ spans }) =>
    spans.flatMap(({ fromMs, toMs }) => [
      { at: fromMs, by: 1 },
      { at: toMs, by: -1 },
    ]),
  );
  // Who leaves as another comes was not there at the same time.
  changes.sort((a, b) => (a.at === b.at ? a.by - b.by : a.at < b.at ? -1 : 1));
  let now = 0;
  let most = 0;
  for (const { by } of changes) most = Math.max(most, (now += by));
  return most;
}
