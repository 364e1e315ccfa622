/** Did it come back: goodput over offered load, relative to what it was before the trigger, with the trigger as a shaded span, the share
 *  from which a variant counts as recovered, where each one recovered, and the load at which it would have. */
import type { RunFile } from '../../lab/types.ts';
import { formatPercent, formatSpan, isNumber } from '../format.ts';
import { escapeText } from '../tables/recovery.ts';
import { percentLabel } from './axes.ts';
import { bandPanel, bandsNote, hoverRows } from './band-lines.ts';
import { ink, partOf, variantColor } from './palette.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { condensedNote, contextDatasets, highlightParam, seriesRows, timeUnit } from './time.ts';

const height = 260;
/** Room for the labels and the title of the axis, then a line each. */
const belowAxis = 52;
const leading = 16;

export function recovery(whole: RunFile): ChartSpec {
  const run = withTriggerAlone(whole);
  const rows = shareRows(run);
  const back = recoveryPoints(run);
  const notes = escapeNotes(run);
  const limit = run.metastability?.recoveredShare ?? 0.9;
  return chart(
    {
      title: title(run),
      subtitle: sentences(
        'Goodput over offered load, relative to what it was before the trigger.',
        bandsNote(run),
        condensedNote(run, 'the mean of'),
        back.length > 0 ? 'Diamonds: where a variant recovered (median).' : '',
      ),
    },
    {
      share: rows,
      share_hover: hoverRows(run, rows, formatPercent),
      back,
      notes,
      ...contextDatasets(run),
    },
    {
      params: [highlightParam],
      ...withLayers(
        bandPanel(run, {
          data: 'share',
          y: {
            title: 'goodput share',
            scale: { domain: [0, rounded(highest(rows) * 1.1)], nice: false },
            axis: { labelExpr: percentLabel, tickCount: 6 },
          },
          height,
          limits: [{ value: limit, text: `recovered: ${formatPercent(limit)}` }],
          goodIsUp: true,
          names: 'top',
        }),
        [...backLayers(run, back), ...noteLayers(notes)],
      ),
    },
  );
}

export const anyRecovery = ({ metastability, variants }: RunFile): boolean =>
  metastability !== null &&
  variants.some((variant) => variant.metastability !== null && variant.series.columns.ok.median.filter(isNumber).length > 1);

/** The trigger is what this picture is about; it may be a fault, a spike of traffic, or several of them. */
function withTriggerAlone(run: RunFile): RunFile {
  const { metastability } = run;
  return metastability === null ? run : partOf(run, { ...run, faults: [] });
}

/** Ok of every seed over the offered requests of the median seed, which all seeds of a window nearly have. */
function shareRows(run: RunFile): Row[] {
  const offered = seriesRows(run, 'offered', 'mean');
  const before = new Map(run.variants.map(({ label, metastability }) => [label, baseline(metastability?.perSeed ?? [])]));
  const share = (ok: unknown, row: Row, variant: string): number | null => {
    const expected = isNumber(row.median) ? row.median * (before.get(variant) ?? 1) : 0;
    return isNumber(ok) && expected > 0 ? rounded(ok / expected) : null;
  };
  return seriesRows(run, 'ok', 'mean').map((row, index) => {
    const [requests, variant] = [offered[index], row.variant as string];
    return {
      ...row,
      median: share(row.median, requests, variant),
      low: share(row.low, requests, variant),
      high: share(row.high, requests, variant),
    };
  });
}

function baseline(perSeed: readonly { readonly baseline: number }[]): number {
  const known = perSeed.map((seed) => seed.baseline).filter((value) => isNumber(value) && value > 0);
  return known.length === 0 ? 1 : known.reduce((sum, value) => sum + value, 0) / known.length;
}

const highest = (rows: readonly Row[]): number => Math.max(1, ...rows.flatMap((row) => [row.median, row.high]).filter(isNumber));

/** Those that recovered in most seeds, at the recovery threshold. */
function recoveryPoints(run: RunFile): Row[] {
  const unit = timeUnit(run);
  const { metastability } = run;
  if (metastability === null) return [];
  return run.variants.flatMap(({ label, metastability: found }) => {
    if (found === null || 2 * found.recoveredSeeds <= found.perSeed.length || !isNumber(found.medianRecoveryMs)) return [];
    return [
      {
        variant: label,
        [unit.field]: rounded((metastability.triggerEndsMs + found.medianRecoveryMs) * unit.perMs),
        share: metastability.recoveredShare,
        after: formatSpan(found.medianRecoveryMs),
      },
    ];
  });
}

function backLayers(run: RunFile, back: readonly Row[]): Part[] {
  if (back.length === 0) return [];
  return [
    {
      data: { name: 'back' },
      mark: { type: 'point', shape: 'diamond', size: 110, filled: true, opacity: 1, stroke: 'white', strokeWidth: 1, clip: true },
      encoding: {
        x: { field: timeUnit(run).field, type: 'quantitative' },
        y: { field: 'share', type: 'quantitative' },
        color: variantColor(run, run.variants.length > 1 ? 'shared' : null),
        tooltip: [
          { field: 'variant', type: 'nominal' },
          { field: 'after', type: 'nominal', title: 'back after' },
        ],
      },
    },
  ];
}

/** One line per variant whose escape load was asked for, below the axis, where no line can run through it. */
function escapeNotes(run: RunFile): Row[] {
  const found = run.variants.flatMap(({ label, metastability }) => {
    const text = escapeText(metastability?.escape ?? null);
    return text === '' || text === 'not searched' || text === 'interrupted' ? [] : [{ variant: label, text }];
  });
  return found.map(({ variant, text }, index) => ({
    variant,
    text: `${short(variant)}: recovers by itself at ${text}`,
    y: height + belowAxis + index * leading,
  }));
}

function noteLayers(notes: readonly Row[]): Part[] {
  if (notes.length === 0) return [];
  return [
    {
      data: { name: 'notes' },
      mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 12, color: ink.strong, tooltip: null },
      encoding: {
        x: { value: 0 },
        y: { field: 'y', type: 'quantitative', scale: null, axis: null },
        text: { field: 'text', type: 'nominal' },
      },
    },
  ];
}

/** Above the lines, below the layer that answers the pointer. */
function withLayers(panel: Part, more: readonly Part[]): Part {
  const layers = panel.layer as readonly Part[];
  return { ...panel, layer: [...layers.slice(0, -1), ...more, ...layers.slice(-1)] };
}

function title(run: RunFile): string {
  const judged = run.variants.flatMap(({ label, metastability }) =>
    metastability === null || metastability.perSeed.length === 0 ? [] : [{ label: short(label), found: metastability }],
  );
  const isMost = (seeds: number, of: readonly unknown[]): boolean => 2 * seeds > of.length;
  const stuck = judged.filter(({ found }) => isMost(found.metastableSeeds, found.perSeed));
  const back = judged.filter(({ found }) => isMost(found.recoveredSeeds, found.perSeed));
  if (stuck.length === 0 && back.length === 0) return 'Goodput after the trigger';
  const names = (which: typeof judged): string => {
    const all = list(which.map(({ label }) => label));
    return which.length < 2 || all.length <= 60 ? all : `${which.length} of ${judged.length} variants`;
  };
  const returning = `${names(back)} ${back.length === 1 ? 'comes' : 'come'} back after the trigger`;
  if (judged.length === 1)
    return stuck.length > 0 ? 'It stays down after the trigger is over' : 'It comes back after the trigger';
  if (stuck.length === 0) return back.length === judged.length ? 'Every variant comes back after the trigger' : returning;
  const staying = `${names(stuck)} ${stuck.length === 1 ? 'stays' : 'stay'} down after the trigger is over`;
  return back.length === 0 ? staying : `${staying}; ${returning.replace(' after the trigger', '')}`;
}

const list = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
