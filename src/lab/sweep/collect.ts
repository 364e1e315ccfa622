/** From finished cells to the whole result of a sweep. The same cells give the same bytes, wherever and in whatever order they ran. */
import { comparedMetrics, findMetric, type Metric } from '../../core/metrics.ts';
import { version } from '../../core/version.ts';
import { findSweepCrossings } from './crossings.ts';
import { findEffects } from './effects.ts';
import type { SweepOutline } from './plan.ts';
import type { SweptCell } from './run.ts';
import { sweepVerdict } from './sentences.ts';
import { type SweepFile, type SweepPoint, sweepSchema } from './types.ts';
import { findWinners } from './winners.ts';

/** `keys` in the order of the plan: by seed, then point, then variant. */
export function collectSweep(
  { levels, ...outline }: SweepOutline,
  keys: readonly string[],
  cells: ReadonlyMap<string, SweptCell>,
): SweepFile {
  const { variants, seeds, metric } = outline;
  const names = [...new Set([...comparedMetrics.map(({ name }) => name), metric])].sort();
  const perSeed = levels.length * variants.length;
  const cellAt = (seed: number, point: number, variant: number): SweptCell | undefined =>
    cells.get(keys[seed * perSeed + point * variants.length + variant] ?? '');
  // Pairs are made by position: only seeds that every point and variant has.
  const whole = seeds.flatMap((_, seed) =>
    levels.every((_, point) => variants.every((_, variant) => cellAt(seed, point, variant) !== undefined)) ? [seed] : [],
  );
  let requests = 0;
  const points = levels.map((chosen, point): SweepPoint => ({
    levels: chosen,
    cells: variants.map((_, variant) => {
      const own = whole.map((seed) => cellAt(seed, point, variant)!);
      for (const cell of own) requests += cell.requests;
      return {
        metrics: Object.fromEntries(names.map((name) => [name, own.map(({ metrics }) => metrics[name] ?? NaN)])),
        digests: own.map(({ digest }) => digest),
      };
    }),
  }));
  const about: Metric = { ...findMetric(metric.split('{', 1)[0])!, name: metric };
  const table = { factors: outline.factors, variants, points, design: outline.design };
  const winners = findWinners(table, about);
  const effects = findEffects(table, about);
  const crossings = outline.design === 'factorial' ? findSweepCrossings(table, about) : [];
  return {
    schema: sweepSchema,
    version,
    complete: whole.length === seeds.length,
    ...outline,
    seeds: whole.map((seed) => seeds[seed]),
    points,
    winners,
    effects,
    crossings,
    verdict: sweepVerdict(table, about, { winners, effects, crossings }),
    requests,
  };
}
