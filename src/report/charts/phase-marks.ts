/** What a roll-out decided, as rules over a course in time with a word above each: asked for, paused, given up, accepted. Of the first seed,
 *  because seeds decide at different times. Planned faults are bars above the plot, because shading would change the colours of versions. */
import type { RunFile, VariantResult } from '../../lab/types.ts';
import { textWidth } from '../text-width.ts';
import { accents, ink, plotWidth } from './palette.ts';
import { rounded, short, type Part, type Row } from './spec.ts';
import { timeUnit } from './time.ts';
import type { Versioned } from './version-looks.ts';

/** Beyond, the rules would hide what they are drawn on; those that matter least are left out. */
const maxMarks = 40;
const gap = 6;
/** A word may stand so many pixels to the right of its rule, where another one is in its place. */
const maxShift = 40;
/** That it goes on after a pause says little, and nothing where the next pause begins at once. */
const lastShifted = 4;
const barHeight = 3;
/** Room for faults and words between a title and its plot. */
export const marksHeight = 20;

interface Mark {
  readonly atMs: number;
  readonly text: string;
  readonly reason: string;
  /** Of several words in one place the lowest is shown. */
  readonly rank: number;
}

interface Place {
  /** Of the rows of the picture. */
  readonly key: string;
  readonly versioned: Versioned;
  readonly variant: VariantResult;
}

/** To be the dataset `phases`. */
export function phaseRows(run: RunFile, { key, versioned, variant }: Place): Row[] {
  const { perMs } = timeUnit(run);
  const toPixels = plotWidth / run.scenario.durationMs;
  const marks = marksOf(variant, versioned).filter(({ atMs }) => atMs <= run.scenario.durationMs);
  const kept = marks.toSorted((a, b) => a.rank - b.rank || a.atMs - b.atMs).slice(0, maxMarks);
  const taken: Room[] = [];
  const rows = kept.map(({ atMs, text, reason, rank }) => {
    const width = textWidth(text, 10);
    const from = placeFor(
      Math.max(0, Math.min(atMs * toPixels, plotWidth - width)),
      width,
      taken,
      rank <= lastShifted ? maxShift : 0,
    );
    if (from !== null) taken.push({ from, to: from + width });
    const word_at = from === null ? null : rounded((from / toPixels) * perMs);
    return { panel: key, at: rounded(atMs * perMs), phase: text, reason, word_at };
  });
  return rows.toSorted((a, b) => a.at - b.at);
}

interface Room {
  readonly from: number;
  readonly to: number;
}

/** Where a word begins, near where it should; null where there is no room. */
function placeFor(wish: number, width: number, taken: readonly Room[], shift: number): number | null {
  const isFree = (from: number): boolean =>
    from + width <= plotWidth && taken.every((each) => from >= each.to + gap || from + width + gap <= each.from);
  const places = [wish, ...taken.map(({ to }) => to + gap).filter((from) => from > wish && from <= wish + shift)];
  return places.toSorted((a, b) => a - b).find(isFree) ?? null;
}

/** A roll-out begins with a phase of its own, which the name of the version says better. */
function marksOf({ change }: VariantResult, { service, kind }: Versioned): Mark[] {
  if (change === null) return [];
  const isOwn = (each: { readonly service: string; readonly kind: string }): boolean =>
    each.service === service && each.kind === kind;
  const rollouts = change.rollouts.filter(isOwn);
  const starts = rollouts
    .filter(({ seed }) => seed === rollouts[0]?.seed)
    .map(({ startedMs, to }): Mark => ({ atMs: startedMs, text: `to ${short(to)}`, reason: '', rank: 0 }));
  const phases = change.phases
    .filter((each) => isOwn(each) && !starts.some(({ atMs }) => each.phase === 'progressing' && Math.abs(atMs - each.atMs) < 1))
    .map(({ atMs, phase, reason }): Mark => ({ atMs, ...(words[phase] ?? { text: phase, rank: 2 }), reason }));
  return [...starts, ...phases];
}

const words: Readonly<Record<string, { readonly text: string; readonly rank: number }>> = {
  succeeded: { text: 'accepted', rank: 1 },
  aborted: { text: 'given up', rank: 1 },
  halted: { text: 'halted', rank: 1 },
  'rolling-back': { text: 'going back', rank: 2 },
  stalled: { text: 'stalled', rank: 2 },
  promoting: { text: 'takes over', rank: 3 },
  paused: { text: 'pause', rank: 4 },
  progressing: { text: 'goes on', rank: 5 },
  idle: { text: 'idle', rank: 6 },
};

export function phaseLayers(run: RunFile, key: string): Part[] {
  const own: Part = { data: { name: 'phases' }, transform: [{ filter: { field: 'panel', equal: key } }] };
  const tooltip = [
    { field: 'at', type: 'quantitative', title: timeUnit(run).title, format: '.5~g' },
    { field: 'phase', type: 'nominal' },
    { field: 'reason', type: 'nominal' },
  ];
  const faults: Part = {
    data: { name: 'faults' },
    mark: { type: 'rect', color: accents.fault },
    encoding: {
      x: { field: 'from', type: 'quantitative' },
      x2: { field: 'to' },
      y: { value: -barHeight - 1 },
      y2: { value: -1 },
      tooltip: { field: 'fault', type: 'nominal' },
    },
  };
  return [
    ...(run.faults.length > 0 ? [faults] : []),
    {
      ...own,
      mark: { type: 'rule', color: ink.strong, strokeWidth: 1, strokeDash: [1, 2], clip: true },
      encoding: { x: { field: 'at', type: 'quantitative' }, tooltip },
    },
    {
      ...own,
      transform: [...(own.transform as Part[]), { filter: 'isValid(datum.word_at)' }],
      mark: { type: 'text', align: 'left', baseline: 'alphabetic', fontSize: 10, color: ink.normal, tooltip: null },
      encoding: {
        x: { field: 'word_at', type: 'quantitative' },
        y: { value: -barHeight - 4 },
        text: { field: 'phase', type: 'nominal' },
      },
    },
  ];
}
