/** Availability as users saw it, held against an objective: the error budget and how fast it is spent, the minutes that missed the
 *  objective, and what each planned fault did. The objective is what `expect` asks of the variant's availability, the strictest line if
 *  there are several, else 99.9 %.
 *
 *  Burn rate and budget are those of Google's Site Reliability Workbook (2018), chapter 5: the share of requests that fail over the share
 *  that may. A minute is an *error minute* if the requests that ended in it, taken together, missed the objective, or if none ended although
 *  some arrived. Minutes are counted from the end of the warm-up in whole windows; what is left at the end is a part of one. */
import type { Scenario } from '../scenario/spec.ts';
import type { CellResult, SeriesData } from '../stats/result.ts';
import { judgeFaults } from './fault-impact.ts';
import type { SeriesBands, VariantAvailability } from './types.ts';
import { median, minutesOf, sum } from './window-sums.ts';

type World = Pick<Scenario, 'run' | 'faults' | 'services' | 'expect'>;

/** Where nobody says what availability should be. */
export const usualObjective = 0.999;

export function judgeAvailability(
  label: string,
  world: World,
  series: SeriesBands,
  cells: readonly CellResult[],
): VariantAvailability {
  const objective = objectiveOf(label, world);
  const { availability } = series.columns;
  const burns = (values: readonly number[]): number[] => values.map((share) => burnRate(share, objective));
  const seeds = cells.map((cell) => {
    const from = Math.ceil(world.run.warmupMs / cell.series.windowMs);
    return {
      ...minutesOf({ ...cell.series, ...cell.series.columns }, from, Infinity, objective, world.run.durationMs),
      budgetSpent: burnRate(shareOk(cell.series, from), objective),
    };
  });
  return {
    objective,
    minutes: Math.max(0, ...seeds.map(({ minutes }) => minutes)),
    errorMinutes: median(seeds.map(({ errorMinutes }) => errorMinutes)),
    budgetSpent: median(seeds.map(({ budgetSpent }) => budgetSpent).filter((spent) => !Number.isNaN(spent))),
    // The lowest share of success is the highest burn rate.
    burn: { median: burns(availability.median), min: burns(availability.max), max: burns(availability.min) },
    faults: judgeFaults(world, objective, cells),
  };
}

/** What may fail is not zero: an objective of 100 % has no budget to spend. */
export function objectiveOf(label: string, { expect }: Pick<World, 'expect'>): number {
  const asked = expect
    .filter(({ metric, view, comparator }) => metric === 'availability' && view === undefined && comparator.startsWith('>'))
    .filter(({ variants, limit }) => (variants.length === 0 || variants.includes(label)) && limit > 0 && limit < 1);
  return asked.length === 0 ? usualObjective : Math.max(...asked.map(({ limit }) => limit));
}

/** How many times faster than the objective allows requests fail. */
export const burnRate = (availability: number, objective: number): number => (1 - availability) / (1 - objective);

/** Of the requests that ended. */
function shareOk({ columns: { ok, failed } }: SeriesData, from: number): number {
  const well = sum(ok, from, ok.length);
  return well / (well + sum(failed, from, failed.length));
}
