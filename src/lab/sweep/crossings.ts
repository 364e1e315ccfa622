/** Where the order of two variants changes along a numeric factor, everything else being the same. Only verdicts count, so a crossing is a
 *  finding and not a crossing of two noisy lines; where it lies is then read off the means between the last value with the old verdict and
 *  the first with the new one. */
import type { Metric } from '../../core/metrics.ts';
import { exactly } from '../phrases.ts';
import type { Comparison } from '../types.ts';
import type { Factor, SweepCrossing } from './types.ts';
import { comparisonsOf, type PairVerdicts, type SweepTable } from './winners.ts';

export function findSweepCrossings(table: SweepTable, metric: Metric): SweepCrossing[] {
  const { factors, variants } = table;
  if (variants.length < 2) return [];
  const pairs = comparisonsOf(table, metric);
  const found = factors.flatMap((factor, axis) => {
    if (factor.numbers === null || factor.values.length < 2) return [];
    return linesAlong(table, axis).flatMap((line) =>
      variants.flatMap((_, rival) =>
        variants
          .slice(rival + 1)
          .flatMap((_, k) => crossingsOn({ table, metric, pairs, axis, line, rival, variant: rival + 1 + k })),
      ),
    );
  });
  // A change of places says more than a gap that opens or closes.
  return found.toSorted((x, y) => Number(y.sentence.includes(' overtakes ')) - Number(x.sentence.includes(' overtakes ')));
}

/** Points that differ in this factor only, in its order. */
function linesAlong({ points }: SweepTable, axis: number): number[][] {
  const lines = new Map<string, number[]>();
  points.forEach(({ levels }, point) => {
    const rest = levels.filter((_, i) => i !== axis).join(' ');
    lines.set(rest, [...(lines.get(rest) ?? []), point]);
  });
  return [...lines.values()].map((line) => line.toSorted((x, y) => points[x].levels[axis] - points[y].levels[axis]));
}

interface Search {
  readonly table: SweepTable;
  readonly metric: Metric;
  readonly pairs: PairVerdicts;
  readonly axis: number;
  readonly line: readonly number[];
  readonly variant: number;
  readonly rival: number;
}

function crossingsOn({ table, metric, pairs, axis, line, variant, rival }: Search): SweepCrossing[] {
  const { factors, variants, points } = table;
  const factor = factors[axis];
  const decided = line.filter((point) => pairs.verdict(point, variant, rival) !== 'inconclusive');
  return decided.slice(1).flatMap((after, i): SweepCrossing[] => {
    const before = decided[i];
    const [old, now] = [pairs.verdict(before, variant, rival), pairs.verdict(after, variant, rival)];
    if (old === now || now === 'inconclusive') return [];
    const between = line.slice(line.indexOf(before), line.indexOf(after) + 1);
    const isOver = old !== 'equivalent' && now !== 'equivalent';
    const level = (point: number): number => factor.numbers![points[point].levels[axis]];
    const at = zeroBetween(
      between.map((point) => ({ x: level(point), ...heightOf(pairs.difference(point, variant, rival), isOver ? 0 : 1) })),
    );
    const [from, to] = [before, after].map((point) => factor.values[points[point].levels[axis]]);
    const where = factors
      .flatMap(({ path, values }, other) => (other === axis ? [] : [`${path}=${values[points[after].levels[other]]}`]))
      .join(', ');
    const names = { variant: variants[variant], rival: variants[rival] };
    const what = sentenceHead(names, old, now);
    const place = `above ${placeText(factor, at)} (between ${from} and ${to})`;
    return [
      {
        ...names,
        factor: factor.path,
        at,
        from,
        to,
        where,
        sentence: `${what} in ${metric.name.replace('latency.', '')} ${place}${where === '' ? '' : `, at ${where}`}.`,
      },
    ];
  });
}

type Verdict = Comparison['verdict'];

function sentenceHead({ variant, rival }: { variant: string; rival: string }, old: Verdict, now: Verdict): string {
  if (now === 'better') return old === 'worse' ? `${variant} overtakes ${rival}` : `${variant} pulls ahead of ${rival}`;
  if (now === 'worse') return old === 'better' ? `${rival} overtakes ${variant}` : `${variant} falls behind ${rival}`;
  return old === 'better' ? `${rival} catches up with ${variant}` : `${variant} catches up with ${rival}`;
}

/** A factor that multiplies the load is a number without a sign: above 0.71 load. */
const placeText = ({ path, unit }: Factor, at: number): string =>
  path === 'load' || path === 'compare.load'
    ? `${Number((unit === '%' ? at / 100 : at).toPrecision(2))} load`
    : `${path} = ${unit === '%' ? exactly(at / 100) : `${Number(at.toPrecision(3))}${unit}`}`;

/** Height above zero, or above the edge of the zone of indifference on the side that is left or entered. */
const heightOf = ({ difference, indifference }: Comparison, edge: number) => ({
  mean: difference.mean,
  zone: indifference * edge,
});

/** Where the line through the means crosses zero, or the zone's edge; the middle where it does not. */
function zeroBetween(line: readonly { readonly x: number; readonly mean: number; readonly zone: number }[]): number {
  const [first, last] = [line[0], line[line.length - 1]];
  // The side of the end that lies outside the zone.
  const side = Math.abs(last.mean) >= Math.abs(first.mean) ? Math.sign(last.mean) : Math.sign(first.mean);
  const height = ({ mean, zone }: { readonly mean: number; readonly zone: number }): number => mean - side * zone;
  for (let i = 1; i < line.length; i++) {
    const [low, high] = [height(line[i - 1]), height(line[i])];
    if (low <= 0 === high <= 0) continue;
    return line[i - 1].x + ((line[i].x - line[i - 1].x) * low) / (low - high);
  }
  return (first.x + last.x) / 2;
}
