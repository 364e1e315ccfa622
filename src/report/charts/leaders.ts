/** Who was in charge of changes: from when to when each controller believed to lead. Where two bars of a variant lie below each other at the
 *  same time, two controllers decided at once, and only fencing kept their writes apart. */
import type { RunFile, VariantResult } from '../../lab/types.ts';
import type { LeaderSpan } from '../../stats/result.ts';
import { formatSpan, isNumber } from '../format.ts';
import { laneBars, lanesOf } from './lanes.ts';
import { accents, variantColor } from './palette.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Row } from './spec.ts';
import { contextDatasets, contextLayers, spanTooltip, timeUnit } from './time.ts';

const maxRows = 30;
const maxVariants = 6;

export const anyLeader = (run: RunFile): boolean => ledOf(run).length > 0;

export function leaders(run: RunFile): ChartSpec {
  const led = ledOf(run);
  const variants = led.slice(0, maxVariants);
  const all = [...new Set(variants.flatMap((variant) => leadersOf(variant).map(({ controller }) => controller)))].sort();
  const controllers = all.slice(0, Math.max(1, Math.floor(maxRows / variants.length)));
  const frame = lanesOf(
    'controller',
    controllers,
    variants.map(({ label }) => label),
  );
  const bars = (spansOf: (variant: VariantResult) => readonly LeaderSpan[]): Row[] =>
    frame.lanes.flatMap(({ thing, variant }, row) =>
      spansOf(variants[variant]!)
        .filter(({ controller, fromMs }) => controller === thing && fromMs < run.scenario.durationMs)
        .map((span) => ({ row, controller: thing, variant: variants[variant]!.label, ...barRow(run, span) })),
    );
  const both = bars((variant) => overlaps(leadersOf(variant)));
  const tooltip = [
    { field: 'controller', type: 'nominal' },
    { field: 'variant', type: 'nominal' },
    { field: 'token', type: 'quantitative' },
    ...spanTooltip(run),
  ];
  const rows = frame.lanes.length;
  return chart(
    {
      title: finding(run),
      subtitle: sentences(
        'From when to when each controller believed to lead.',
        both.length > 0 ? 'Red: another one did so, too.' : '',
        'First seed.',
        controllers.length < all.length ? `The first ${controllers.length} of ${all.length} controllers.` : '',
        variants.length < led.length ? `The first ${variants.length} of ${led.length} variants.` : '',
      ),
    },
    { leaders: bars(leadersOf), both, lanes: frame.rows, ...contextDatasets(run) },
    {
      width: frame.width,
      height: frame.height,
      layer: [
        ...contextLayers(run, 'none', frame.height),
        ...frame.gridLayers,
        laneBars(run, { data: 'leaders', top: 0.2, bottom: 0.8, rows, look: { color: variantColor(run, null) }, tooltip }),
        laneBars(run, { data: 'both', top: 0.2, bottom: 0.8, rows, look: accents.limit, tooltip }),
        ...frame.nameLayers,
      ],
    },
  );
}

const leadersOf = ({ change }: VariantResult): readonly LeaderSpan[] => change?.leaders ?? [];
const ledOf = ({ variants }: RunFile): VariantResult[] => variants.filter((variant) => leadersOf(variant).length > 0);

function barRow(run: RunFile, { fromMs, toMs, token }: LeaderSpan): Row {
  const { perMs } = timeUnit(run);
  const endMs = Math.min(toMs, run.scenario.durationMs);
  return { from: rounded(fromMs * perMs), to: rounded(endMs * perMs), lasted: formatSpan(endMs - fromMs), token };
}

/** The parts of spans during which another controller believed to lead as well. */
function overlaps(spans: readonly LeaderSpan[]): LeaderSpan[] {
  return spans.flatMap((span) =>
    spans
      .filter((other) => other.controller !== span.controller && other.fromMs < span.toMs && span.fromMs < other.toMs)
      .map((other) => ({
        ...span,
        fromMs: Math.max(span.fromMs, other.fromMs),
        toMs: Math.min(span.toMs, other.toMs),
      })),
  );
}

function finding(run: RunFile): string {
  const found = ledOf(run)
    .flatMap(({ label, estimates }) => {
      const mean = estimates['rollout.split']?.mean;
      return isNumber(mean) ? [{ label: short(label), mean, text: mean === 0 ? 'never' : `for ${formatSpan(mean)}` }] : [];
    })
    .sort((a, b) => a.mean - b.mean);
  const [least] = found;
  const most = found.at(-1);
  if (least === undefined || most === undefined) return 'Controllers that believed to lead';
  const head = `Two controllers believe to lead at once ${most.text} with ${most.label}`;
  if (most.mean === 0) return 'Two controllers never believe to lead at once';
  return least.text === most.text ? head : `${head}, ${least.text} with ${least.label}`;
}
