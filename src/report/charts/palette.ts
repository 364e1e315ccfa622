/** Colours, dashes and shapes of every chart in one place. The colours are Okabe and Ito's, told apart with every common colour vision;
 *  dash and shape repeat what the colour says. A variant looks the same in all charts, and the baseline is always the dark neutral one. */
import type { RunFile, Verdict } from '../../lab/types.ts';
import { textWidth } from '../text-width.ts';

/** Width of the plotting area of a full-width chart. */
export const plotWidth = 840;
export const legendLabelLimit = 240;

export const font = 'Helvetica, Arial, "Liberation Sans", "DejaVu Sans", sans-serif';

export const ink = { strong: '#1a1d21', normal: '#3c434b', muted: '#6a737d', line: '#b6bcc3', grid: '#e9ecef' } as const;

export const accents = { fault: '#D55E00', limit: '#B0203A', band: '#8a929a' } as const;

const neutral = '#3d3d3d';
export const colors = ['#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#A08A00'];
const dashes = [
  [1, 0],
  [7, 3],
  [2, 2],
  [10, 3, 2, 3],
  [4, 2],
  [12, 4],
  [6, 2, 2, 2, 2, 2],
];
const shapes = ['circle', 'square', 'triangle-up', 'diamond', 'cross', 'triangle-down', 'triangle-right', 'triangle-left'];

export interface VariantLook {
  readonly label: string;
  readonly color: string;
  readonly dash: readonly number[];
  readonly shape: string;
}

/** Beyond seven variants colours repeat, with another dash and shape. */
export function variantLooks(run: RunFile): readonly VariantLook[] {
  const all = wholeRuns.get(run) ?? run;
  const hasBaseline = new Set(all.variants.map((variant) => variant.isBaseline)).size > 1;
  let next = 0;
  const looks = all.variants.map(({ label, isBaseline }, index) => {
    const shape = shapes[index % shapes.length]!;
    if (isBaseline && hasBaseline) return { label, color: neutral, dash: [1, 0], shape };
    const at = next++;
    // Shifted by the round, so that a colour that comes again brings another dash.
    const dash = dashes[(at + Math.floor(at / colors.length) * 3) % dashes.length]!;
    return { label, color: colors[at % colors.length]!, dash, shape };
  });
  return looks.filter(({ label }) => run.variants.some((variant) => variant.label === label));
}

/** A run with fewer variants, in which those that are left keep the looks they have in the whole. */
export function partOf(whole: RunFile, part: RunFile): RunFile {
  wholeRuns.set(part, wholeRuns.get(whole) ?? whole);
  return part;
}
const wholeRuns = new WeakMap<RunFile, RunFile>();

/** How a legend is to look; `null` for none, `'shared'` for a layer whose legend another layer of the same picture describes. */
export type LegendChoice = object | null | 'shared';

export const variantColor = (run: RunFile, legend: LegendChoice = {}): object => encoding(run, (look) => look.color, legend);
export const variantDash = (run: RunFile, legend: LegendChoice = {}): object => encoding(run, (look) => look.dash, legend);
export const variantShape = (run: RunFile, legend: LegendChoice = null): object => encoding(run, (look) => look.shape, legend);

function encoding(run: RunFile, value: (look: VariantLook) => unknown, legend: LegendChoice): object {
  const looks = variantLooks(run);
  const described =
    looks.length < 2 || typeof legend !== 'object' || legend === null ? null : { ...legendColumns(looks), ...legend };
  return {
    field: 'variant',
    type: 'nominal',
    scale: { domain: looks.map((look) => look.label), range: looks.map(value) },
    ...(legend === 'shared' ? {} : { legend: described }),
  };
}

/** As many entries per row as the widest allows: its symbol, its name, and a gap. */
function legendColumns(looks: readonly VariantLook[]): object {
  const widest = Math.max(...looks.map(({ label }) => Math.min(legendLabelLimit, textWidth(label, 12)))) + 44;
  return { columns: Math.max(1, Math.floor(plotWidth / widest)), symbolType: 'stroke', symbolStrokeWidth: 2.5 };
}

export const verdictLooks: Readonly<Record<Verdict, { readonly color: string; readonly shape: string }>> = {
  better: { color: '#009E73', shape: 'circle' },
  worse: { color: '#D55E00', shape: 'diamond' },
  equivalent: { color: '#0072B2', shape: 'square' },
  inconclusive: { color: '#6a737d', shape: 'cross' },
};
