/** Which factor matters, and whether factors matter together. The variation of the metric between points and variants is split into parts:
 *  one per factor (main effects), one per pair of factors (interactions), and the rest. In a factorial design the parts are orthogonal and
 *  the split is exact: the classical analysis of variance. In a Latin hypercube each factor's range is cut into four parts; main effects
 *  are then those of the parts, and interactions are not told apart from the rest.
 *  Intervals of main effects are t intervals over seeds, like all others. */
import type { Metric } from '../../core/metrics.ts';
import { estimate } from '../../stats/estimate.ts';
import type { Effect, Factor } from './types.ts';
import type { SweepTable } from './winners.ts';

interface Dimension {
  readonly name: string;
  readonly values: readonly string[];
  /** Level of a cell. */
  readonly level: (point: number, variant: number) => number;
}

const PARTS = 4;

/** Largest first. */
export function findEffects(table: SweepTable, metric: Metric): Effect[] {
  const { points, variants } = table;
  const seeds = Math.min(...points.flatMap(({ cells }) => cells.map((cell) => cell.metrics[metric.name]?.length ?? 0)));
  if (seeds === 0) return [];
  const all = points.flatMap(({ cells }, point) =>
    cells.map((cell, variant) => ({ point, variant, values: cell.metrics[metric.name] ?? [] })),
  );
  // Without a value everywhere nothing adds up.
  if (all.some(({ values }) => values.some(Number.isNaN))) return [];
  const dimensions = dimensionsOf(table);
  const means = all.map(({ values }) => estimate(values).mean);
  const total = sumOfSquares(means, mean(means));
  const mains = dimensions.map((dimension): Effect & { readonly squares: number; readonly of: readonly Dimension[] } => {
    const groups = groupsBy(all, ({ point, variant }) => dimension.level(point, variant));
    const squares = groupSquares(means, groups);
    return {
      ...{ factors: [dimension.name], share: shareOf(squares, total), squares, of: [dimension] },
      levels: dimension.values.map((value, level) => {
        const own = groups.get(level) ?? [];
        const perSeed = Array.from({ length: seeds }, (_, seed) => {
          const grand = mean(all.map(({ values }) => values[seed]));
          return own.length === 0 ? NaN : mean(own.map((i) => all[i].values[seed])) - grand;
        });
        return { value, effect: estimate(perSeed) };
      }),
    };
  });
  const pairs =
    table.design === 'lhs'
      ? []
      : mains.flatMap((one, i) =>
          mains.slice(i + 1).map((other): Effect => {
            const [a, b] = [one.of[0], other.of[0]];
            const groups = groupsBy(
              all,
              ({ point, variant }) => a.level(point, variant) * b.values.length + b.level(point, variant),
            );
            const squares = Math.max(0, groupSquares(means, groups) - one.squares - other.squares);
            return { factors: [a.name, b.name], share: shareOf(squares, total), levels: [] };
          }),
        );
  const effects = [...mains.map(({ factors, share, levels }): Effect => ({ factors, share, levels })), ...pairs];
  // One variant or one value has no effect.
  return effects
    .filter(({ factors }) => variants.length > 1 || !factors.includes('variant'))
    .toSorted((x, y) => y.share - x.share);
}

/** What rounding leaves of nothing is nothing. */
const shareOf = (squares: number, total: number): number => (total > 0 && squares / total > 1e-12 ? squares / total : 0);

function dimensionsOf({ factors, variants, points, design }: SweepTable): Dimension[] {
  const own = factors.map((factor, i): Dimension => {
    if (design === 'factorial' || factor.values.length <= PARTS)
      return { name: factor.path, values: factor.values, level: (point) => points[point].levels[i] };
    const size = factor.values.length;
    const part = (level: number): number => Math.floor((level * PARTS) / size);
    return { name: factor.path, values: partNames(factor, part), level: (point) => part(points[point].levels[i]) };
  });
  return [...own, { name: 'variant', values: variants, level: (_, variant) => variant }];
}

function partNames({ values }: Factor, part: (level: number) => number): string[] {
  return Array.from({ length: PARTS }, (_, k) => {
    const own = values.filter((_, level) => part(level) === k);
    return own.length === 1 ? own[0] : `${own[0]}..${own[own.length - 1]}`;
  });
}

function groupsBy<Item>(items: readonly Item[], level: (item: Item) => number): Map<number, number[]> {
  const groups = new Map<number, number[]>();
  items.forEach((item, i) => {
    const key = level(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  });
  return groups;
}

/** Sum of squares between groups. */
function groupSquares(values: readonly number[], groups: ReadonlyMap<number, readonly number[]>): number {
  const grand = mean(values);
  let sum = 0;
  for (const group of groups.values()) {
    const difference = mean(group.map((i) => values[i])) - grand;
    sum += group.length * difference * difference;
  }
  return sum;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const sumOfSquares = (values: readonly number[], centre: number): number =>
  values.reduce((sum, value) => sum + (value - centre) * (value - centre), 0);
