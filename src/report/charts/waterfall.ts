/** What one slow request did: its calls and attempts as rows below each other, in time. Pale segments are work for a caller that had given
 *  up; they cost the same as any other. */
import type { RunFile } from '../../lab/types.ts';
import type { Waterfall } from '../../stats/result.ts';
import { formatMs, formatSpan } from '../format.ts';
import { metricTitle } from '../summary.ts';
import { textWidth } from '../text-width.ts';
import { latencyLabel } from './axes.ts';
import { accents, ink, plotWidth } from './palette.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { type WaterfallRow, waterfallRows } from './waterfall-rows.ts';

/** Pictures of one run: enough for the slowest of a few variants, few enough to look at. */
export const maxWaterfalls = 6;
const maxRows = 60;
const rowHeight = 16;
const indent = 10;
const namesLimit = 300;

/** The colours are Okabe and Ito's, as everywhere. Waiting for others is grey: what they did stands in the rows below. */
const kinds: readonly { readonly kind: string; readonly title: string; readonly color: string }[] = [
  { kind: 'work', title: 'work', color: '#0072B2' },
  { kind: 'queue', title: 'waits for a slot', color: '#E69F00' },
  { kind: 'downstream', title: 'waits for others', color: '#c3cad1' },
  { kind: 'network', title: 'network', color: '#56B4E9' },
  { kind: 'connect', title: 'connects', color: '#CC79A7' },
  { kind: 'backoff', title: 'waits before a retry', color: '#F0E442' },
  { kind: 'cache', title: 'cache', color: '#009E73' },
  { kind: 'request', title: 'call', color: '#6a737d' },
];

/** The slowest of each variant first, then the second of each, and so on. */
export function pickedWaterfalls({
  variants,
}: RunFile): { readonly variant: string; readonly rank: number; readonly waterfall: Waterfall }[] {
  const longest = Math.max(0, ...variants.map(({ waterfalls }) => waterfalls.length));
  const ranks = Array.from({ length: longest }, (_, rank) => rank);
  return ranks
    .flatMap((rank) =>
      variants.flatMap(({ label, waterfalls }) => {
        const waterfall = waterfalls[rank];
        return waterfall === undefined || waterfall.spans.length === 0 ? [] : [{ variant: label, rank, waterfall }];
      }),
    )
    .slice(0, maxWaterfalls);
}

export function waterfall(run: RunFile, at: number): ChartSpec {
  const { variant, rank, waterfall: found } = pickedWaterfalls(run)[at];
  const { rows, left } = waterfallRows(found, maxRows);
  const names = rows.map((row) => ({ text: cutTo(nameOf(row), namesLimit - row.depth * indent), x: row.depth * indent }));
  const namesWidth = Math.min(namesLimit, Math.max(60, ...names.map(({ text, x }) => x + textWidth(text, 11)))) + 10;
  const results = rows.map(
    (row) =>
      `${formatMs(row.endMs - row.fromMs)}${row.outcome === '' || row.outcome === 'ok' ? '' : `  ${outcomeText(row.outcome)}`}`,
  );
  const resultsWidth = Math.max(40, ...results.map((text) => textWidth(text, 11))) + 10;
  const end = Math.max(found.latencyMs, ...rows.map((row) => row.toMs));
  // What goes on long after the end is told by its pale start.
  const shownMs = Math.min(end, found.latencyMs * 2);
  const bars = rows.flatMap((row, index) => barsOf(row, index, shownMs));
  return chart(
    {
      title: titleOf(run, variant, rank, found),
      subtitle: sentences(
        `Arrived at ${formatSpan(Math.round(found.arrivalMs))}${found.class === '' || found.class === 'default' ? '' : `, class ${short(found.class)}`}.`,
        'Right: how long the caller waited, and how it ended if not well.',
        bars.some((bar) => bar.in_vain === true) ? 'Pale: work that nobody waits for any more.' : '',
        end > shownMs ? `Cut off at ${formatMs(shownMs)}; the last of it ends at ${formatMs(end)}.` : '',
        left > 0 ? `${left} more calls and attempts, the shortest, are left out.` : '',
      ),
    },
    {
      spans: bars,
      names: rows.map((row, index) => ({
        row: index,
        name: names[index].text,
        indent: rounded(names[index].x - namesWidth),
        result: results[index],
        failed: row.outcome !== '' && row.outcome !== 'ok',
        strong: row.kind === 'request',
      })),
    },
    {
      width: plotWidth - Math.ceil(namesWidth) - Math.ceil(resultsWidth),
      height: Math.max(1, rows.length) * rowHeight,
      layer: [
        ...barLayers(bars, shownMs, rows.length),
        endLayer(found),
        ...textLayers(plotWidth - Math.ceil(namesWidth) - Math.ceil(resultsWidth)),
      ],
    },
  );
}

/** A call is a thin line from its begin to its end; an attempt a bed on which its segments lie. */
function barsOf(row: WaterfallRow, index: number, shownMs: number): Row[] {
  const bar = (kind: string, fromMs: number, toMs: number, inVain: boolean): Row[] =>
    fromMs >= shownMs
      ? []
      : [
          {
            ...{ row: index, kind: kinds.find((each) => each.kind === kind)?.title ?? kind, name: nameOf(row) },
            ...{ from_ms: rounded(fromMs), to_ms: rounded(Math.min(toMs, shownMs)), in_vain: inVain },
            took: formatMs(toMs - fromMs),
            outcome: row.outcome,
            shape: kind === 'request' ? 'line' : 'segment',
          },
        ];
  return [
    ...row.line.flatMap(({ kind, fromMs, toMs, inVain }) => bar(kind, fromMs, toMs, inVain)),
    ...row.segments.flatMap(({ kind, fromMs, toMs, inVain }) => bar(kind, fromMs, toMs, inVain)),
  ];
}

function barLayers(bars: readonly Row[], shownMs: number, rows: number): Part[] {
  const present = kinds.filter(({ title }) => bars.some((bar) => bar.kind === title));
  const x: Part = {
    field: 'from_ms',
    type: 'quantitative',
    title: 'time since arrival',
    scale: { domain: [0, rounded(shownMs)], nice: false },
    axis: { grid: true, tickCount: 8, labelExpr: latencyLabel },
  };
  const place = (dy: number): Part => ({
    field: 'row',
    type: 'quantitative',
    scale: { domain: [rows, 0], nice: false },
    axis: null,
    bandPosition: dy,
  });
  const color: Part = {
    field: 'kind',
    type: 'nominal',
    scale: { domain: present.map(({ title }) => title), range: present.map((each) => each.color) },
    legend: { symbolType: 'square' },
  };
  const layer = (shape: string, top: number, bottom: number): Part => ({
    data: { name: 'spans' },
    transform: [
      { filter: { field: 'shape', equal: shape } },
      { calculate: `datum.row + ${top}`, as: 'top' },
      { calculate: `datum.row + ${bottom}`, as: 'bottom' },
    ],
    mark: { type: 'rect', clip: true },
    encoding: {
      x,
      x2: { field: 'to_ms' },
      y: { ...place(0), field: 'top' },
      y2: { field: 'bottom' },
      color,
      opacity: { condition: { test: 'datum.in_vain', value: 0.32 }, value: 1 },
      tooltip: [
        { field: 'name', type: 'nominal', title: 'of' },
        { field: 'kind', type: 'nominal' },
        { field: 'from_ms', type: 'quantitative', title: 'from (ms)', format: '.5~g' },
        { field: 'took', type: 'nominal' },
        { field: 'outcome', type: 'nominal' },
      ],
    },
  });
  return [layer('line', 0.38, 0.62), layer('segment', 0.16, 0.84)];
}

/** When the request itself was over. */
const endLayer = ({ latencyMs, result }: Waterfall): Part => ({
  data: { values: [{ at: rounded(latencyMs) }] },
  mark: {
    type: 'rule',
    color: result === 'ok' ? ink.normal : accents.limit,
    strokeDash: [4, 3],
    strokeWidth: 1.2,
    clip: true,
    tooltip: null,
  },
  encoding: { x: { field: 'at', type: 'quantitative' } },
});

function textLayers(width: number): Part[] {
  const y: Part = { field: 'middle', type: 'quantitative', axis: null };
  const middle = { calculate: 'datum.row + 0.5', as: 'middle' };
  return [
    {
      data: { name: 'names' },
      transform: [middle],
      mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 11, tooltip: null },
      encoding: {
        x: { field: 'indent', type: 'quantitative', scale: null, axis: null },
        y,
        text: { field: 'name', type: 'nominal' },
        color: { condition: { test: 'datum.strong', value: ink.strong }, value: ink.muted },
      },
    },
    {
      data: { name: 'names' },
      transform: [middle],
      mark: { type: 'text', align: 'left', baseline: 'middle', dx: 8, fontSize: 11, tooltip: null },
      encoding: {
        x: { value: width },
        y,
        text: { field: 'result', type: 'nominal' },
        color: { condition: { test: 'datum.failed', value: accents.limit }, value: ink.muted },
      },
    },
  ];
}

/** A call by its edge, an attempt by where it went. */
const nameOf = ({ kind, what }: WaterfallRow): string =>
  what === '' ? kind : kind === 'cache' ? `${short(what)} (cache)` : short(what);

function cutTo(text: string, width: number): string {
  let kept = text;
  while (kept.length > 1 && textWidth(kept === text ? text : `${kept}…`, 11) > width) kept = kept.slice(0, -1);
  return kept === text ? text : `${kept}…`;
}

/** `noEndpoint` → `no endpoint`. */
const outcomeText = (outcome: string): string => metricTitle(`failures.${outcome}`).replace('failed: ', '');

function titleOf(run: RunFile, variant: string, rank: number, { edge, request, latencyMs, result }: Waterfall): string {
  const ordinal = rank === 0 ? 'The slowest request' : `Number ${rank + 1} of the slowest requests`;
  const who = run.variants.length > 1 ? ` with ${short(variant)}` : '';
  const end = result === 'ok' ? `took ${formatMs(latencyMs)}` : `failed after ${formatMs(latencyMs)}: ${outcomeText(result)}`;
  return `${ordinal}${who} (${short(edge)} ${request}) ${end}`;
}
