/** How well clients judged instances, beside what users had of it: a detector that notices everything at once is no good if it also shuns the
 *  well, and neither matters if no request fails. Without anybody who judges, the users' part alone: the error budget. */
import { isMeasured, type RunFile, type VariantResult } from '../../lab/types.ts';
import { failureBuckets } from '../../stats/result.ts';
import { formatAvailability, formatMs, formatPercent, formatShare, isNumber, missing, significant } from '../format.ts';
import { labelColumn, minutesText } from './faults.ts';
import { type DataColumn, type DataTable, unlessEmpty } from './table.ts';

/** Whether anybody judged instances. */
export const judgesInstances = ({ variants }: RunFile): boolean => isMeasured(variants, 'detection.accuracy');

/** Null where nothing failed and nobody judged. */
export function detectionTable(run: RunFile): DataTable | null {
  const { variants } = run;
  const isJudged = judgesInstances(run);
  if (!isJudged && !variants.some((variant) => failures(variant) > 0)) return null;
  const column = (header: string, cell: (variant: VariantResult) => string, dropOrder?: number): DataColumn => ({
    header,
    align: 'right',
    cells: variants.map(cell),
    ...(dropOrder === undefined ? {} : { dropOrder }),
  });
  const measured = (header: string, metric: string, show: (value: number) => string, dropOrder?: number): DataColumn[] =>
    isJudged
      ? unlessEmpty(
          column(
            header,
            ({ estimates }) => {
              const value = estimates[metric]?.mean ?? NaN;
              return isNumber(value) ? show(value) : '';
            },
            dropOrder,
          ),
          (cell) => cell === '',
        )
      : [];
  const objectives = [...new Set(variants.map(({ availability }) => availability.objective))];
  const [objective = NaN] = objectives;
  const time = (value: number): string => (value === 0 ? '0' : formatMs(value));
  return {
    title: isJudged ? 'Detectors and users' : 'Error budget',
    about:
      (isJudged
        ? 'Means over clients, instances and seeds, since warm-up: how soon a bad instance is no longer used, how many are never ' +
          'noticed, how soon it is used again, how often a client shuns a well one (per hour and instance), for how long, and the ' +
          'share of time in which the well are used. '
        : '') +
      (objectives.length === 1 ? `Objective: ${formatPercent(objective)} of the requests end well. ` : '') +
      'Error minutes missed the objective; the budget is what it lets fail, spent once at 1×.',
    columns: [
      labelColumn(
        isJudged ? 'detectors and users' : 'error budget',
        variants.map(({ label }) => label),
      ),
      ...measured('noticed', 'detection.time', time, 8),
      ...measured('missed', 'detection.missed', formatPercent, 5),
      ...measured('used again', 'detection.recovery', time, 1),
      ...measured('mistakes/h', 'detection.mistakes', (value) => significant(value), 7),
      ...measured('corrected', 'detection.mistakeTime', time, 2),
      ...measured('accuracy', 'detection.accuracy', formatAvailability, 4),
      ...measured('messages/s', 'detection.messages', (value) => significant(value), 3),
      column('failed', (variant) => formatShare(failures(variant), variant.ledger.offered)),
      ...(objectives.length > 1 ? [column('objective', ({ availability }) => formatPercent(availability.objective), 0)] : []),
      column('error min', ({ availability }) => minutesText(availability.errorMinutes), 6),
      column('budget', ({ availability: { budgetSpent } }) => (isNumber(budgetSpent) ? `${significant(budgetSpent)}×` : missing)),
    ],
  };
}

const failures = ({ ledger }: VariantResult): number => failureBuckets.reduce((sum, bucket) => sum + ledger.failed[bucket], 0);
