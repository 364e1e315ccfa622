/** Truth against belief: when an instance was bad, and below it when clients did not use it, the darker the more of them. A bar below
 *  nothing is a mistake; what is missing at the left end of a bar is the time it took to notice. */
import type { RunFile, VariantResult } from '../../lab/types.ts';
import { formatMs, formatSpan, isNumber } from '../format.ts';
import { plural } from '../summary.ts';
import { disuses } from './belief-spans.ts';
import { laneBars, lanesOf } from './lanes.ts';
import { accents, variantColor } from './palette.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Row } from './spec.ts';
import { contextDatasets, contextLayers, spanTooltip, timeUnit } from './time.ts';

const maxRows = 30;
const maxVariants = 6;
/** Even a single client of many must be seen. */
const palest = 0.3;

export const anyBelief = ({ variants }: RunFile): boolean => variants.some(({ beliefs }) => beliefs.length > 0);

export function beliefTimeline(run: RunFile): ChartSpec {
  const judging = run.variants.filter(({ beliefs }) => beliefs.length > 0);
  const variants = judging.slice(0, maxVariants);
  const all = shownInstances(run, variants);
  const instances = all.shown;
  const frame = lanesOf(
    'instance',
    instances,
    variants.map(({ label }) => label),
  );
  const lanes = frame.lanes.map(({ thing, variant }) => ({ instance: thing, variant: variants[variant]! }));
  const { durationMs } = run.scenario;
  const spans = variants.map(({ beliefs }) => disuses(beliefs, durationMs));
  const most = Math.max(1, ...spans.flat().map(({ clients }) => clients));
  const unit = timeUnit(run);
  const at = (ms: number): number => rounded(Math.min(ms, durationMs) * unit.perMs);
  const truth: Row[] = lanes.flatMap(({ instance, variant }, row) =>
    variant.truth
      .filter((span) => span.instance === instance && span.fromMs < durationMs)
      .map(({ fromMs, toMs, what }) => ({
        ...{ row, instance, from: at(fromMs), to: at(isNumber(toMs) ? toMs : durationMs), what },
        lasted: formatSpan((isNumber(toMs) ? Math.min(toMs, durationMs) : durationMs) - fromMs),
      })),
  );
  const beliefs: Row[] = lanes.flatMap(({ instance, variant }, row) =>
    (spans[variants.indexOf(variant)] ?? [])
      .filter((span) => span.instance === instance && span.fromMs < durationMs)
      .map(({ fromMs, toMs, clients }) => ({
        ...{ row, instance, variant: variant.label, from: at(fromMs), to: at(toMs), clients },
        opacity: rounded(palest + ((1 - palest) * clients) / most),
        lasted: formatSpan(Math.min(toMs, durationMs) - fromMs),
      })),
  );
  return chart(
    {
      title: title(run),
      subtitle: sentences(
        `Orange: the instance was bad. Below: clients did not use it${most > 1 ? `, the darker the more of them (at most ${most} at once)` : ''}. First seed.`,
        instances.length < all.count ? `${instances.length} of ${all.count} instances.` : '',
        variants.length < judging.length ? `The first ${variants.length} of ${judging.length} variants.` : '',
      ),
    },
    {
      truth,
      beliefs,
      lanes: frame.rows,
      ...contextDatasets(run),
    },
    {
      width: frame.width,
      height: frame.height,
      layer: [
        ...contextLayers(run, 'none', frame.height),
        ...frame.gridLayers,
        laneBars(run, {
          ...{ data: 'truth', top: 0.1, bottom: 0.34, rows: lanes.length, look: accents.fault },
          tooltip: [{ field: 'instance', type: 'nominal' }, { field: 'what', type: 'nominal' }, ...spanTooltip(run)],
        }),
        laneBars(run, {
          ...{ data: 'beliefs', top: 0.4, bottom: 0.9, rows: lanes.length },
          look: {
            color: variantColor(run, null),
            opacity: { field: 'opacity', type: 'quantitative', scale: null, legend: null },
          },
          tooltip: [
            { field: 'instance', type: 'nominal' },
            { field: 'variant', type: 'nominal' },
            { field: 'clients', type: 'quantitative', title: 'clients that do not use it' },
            ...spanTooltip(run),
          ],
        }),
        ...frame.nameLayers,
      ],
    },
  );
}

/** Those that were bad first, then those doubted most often; in the order of the run. */
function shownInstances(
  run: RunFile,
  variants: readonly VariantResult[],
): { readonly shown: readonly string[]; readonly count: number } {
  const weight = new Map<string, number>();
  const add = (instance: string, value: number): void => void weight.set(instance, (weight.get(instance) ?? 0) + value);
  for (const { truth, beliefs } of variants) {
    for (const { instance } of truth) add(instance, 1e6);
    for (const { instance } of beliefs) add(instance, 1);
  }
  const most = Math.max(1, Math.floor(maxRows / Math.max(1, variants.length)));
  const kept = [...weight.keys()].sort((a, b) => weight.get(b)! - weight.get(a)!).slice(0, most);
  const places = new Map((run.variants[0]?.instances ?? []).map(({ id }, index) => [id, index]));
  const place = (instance: string): number => places.get(instance) ?? Infinity;
  return { shown: kept.sort((a, b) => (place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : 0)), count: weight.size };
}

function title(run: RunFile): string {
  const found = run.variants
    .flatMap(({ label, estimates }) => {
      const mean = estimates['detection.time']?.mean;
      return isNumber(mean) ? [{ label: short(label), mean }] : [];
    })
    .sort((a, b) => a.mean - b.mean);
  const [fastest] = found;
  const slowest = found.at(-1);
  if (fastest === undefined || slowest === undefined) {
    const changes = run.variants.reduce((sum, { beliefs }) => sum + beliefs.length, 0);
    return `Clients change their minds about instances ${plural(changes, 'time')}`;
  }
  if (found.length === 1) return `A client ceases to use a bad instance after ${formatMs(fastest.mean)} on average`;
  return `A client ceases to use a bad instance after ${formatMs(fastest.mean)} with ${fastest.label}, ${formatMs(slowest.mean)} with ${slowest.label}`;
}
