/** The answer of a sweep in sentences: who wins where, where the order changes, and what matters most. */
import type { Metric } from '../../core/metrics.ts';
import { estimate } from '../../stats/estimate.ts';
import { list, ms, percent } from '../phrases.ts';
import type { SweepFile } from './types.ts';
import type { SweepTable } from './winners.ts';

const crossingsSaid = 6;
const effectsSaid = 3;

export function sweepVerdict(
  table: SweepTable,
  metric: Metric,
  { winners, effects, crossings }: Pick<SweepFile, 'winners' | 'effects' | 'crossings'>,
): string[] {
  const what = metric.name.replace('latency.', '');
  if (winners.every(({ best }) => best < 0)) return ['Nothing was finished, so there is nothing to say.'];
  const more = crossings.length - crossingsSaid;
  return [
    ...(table.variants.length > 1 ? [whoWins(table, what, winners)] : [extremes(table, metric, what)]),
    ...crossings.slice(0, crossingsSaid).map(({ sentence }) => sentence),
    ...(more > 0 ? [`The order changes at ${more} more ${more === 1 ? 'place' : 'places'}.`] : []),
    ...whatMatters(what, effects),
  ];
}

function whoWins({ variants, points }: SweepTable, what: string, winners: SweepFile['winners']): string {
  const counts = variants.map((label, i) => ({ label, won: winners.filter(({ winner }) => winner === i).length }));
  const won = counts.filter((each) => each.won > 0).toSorted((x, y) => y.won - x.won);
  const open = winners.filter(({ winner }) => winner < 0).length;
  const all = points.length === 1 ? 'the only point' : `${points.length} points`;
  if (won.length === 0) return `Nobody can tell a winner in ${what} at any of ${all}.`;
  const parts = won.map(({ label, won: count }, i) =>
    i === 0 ? `${label} wins in ${what} at ${count} of ${all}` : `${label} at ${count}`,
  );
  return `${list(parts)}${open > 0 ? `; at ${open} nobody can tell` : ''}.`;
}

/** Nobody to compare: the best and the worst point. */
function extremes({ factors, points }: SweepTable, metric: Metric, what: string): string {
  const found = points
    .map(({ levels, cells }) => ({
      where: factors.map(({ path, values }, i) => `${path}=${values[levels[i]]}`).join(', '),
      mean: estimate(cells[0].metrics[metric.name] ?? []).mean,
    }))
    .filter(({ mean }) => !Number.isNaN(mean))
    .toSorted((x, y) => (metric.better === 'lower' ? x.mean - y.mean : y.mean - x.mean));
  const text = (value: number): string =>
    metric.unit === 'ms' ? ms(value) : metric.unit === 'fraction' ? percent(value) : String(Number(value.toPrecision(3)));
  const [best, worst] = [found[0], found[found.length - 1]];
  return `${what} is best at ${best.where} (${text(best.mean)}) and worst at ${worst.where} (${text(worst.mean)}).`;
}

function whatMatters(what: string, effects: SweepFile['effects']): string[] {
  const said = effects.filter(({ share }) => share >= 0.01).slice(0, effectsSaid);
  if (said.length === 0) return [];
  const parts = said.map(({ factors, share }) => `${factors.join(' with ')} ${Math.floor(share * 100)} %`);
  return [`Of the variation in ${what}, ${list(parts)}.`];
}
