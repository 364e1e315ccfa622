/** What alarms were worth, one row per variant that has some: how soon they fired, which incidents they missed, how often they fired for nothing. */
import { isMeasured, type RunFile, type VariantResult } from '../../lab/types.ts';
import { commonTimeUnit, formatMs, formatPercent, isNumber, significant } from '../format.ts';
import { labelColumn } from './faults.ts';
import { type DataColumn, type DataTable, unlessEmpty } from './table.ts';

const measures = ['alarm.time', 'alarm.missed', 'alarm.false'];

/** Null where nothing is watched. */
export function alarmTable(run: RunFile): DataTable | null {
  const variants = run.variants.filter((variant) => measures.some((metric) => isMeasured([variant], metric)));
  if (variants.length === 0) return null;
  const value = ({ estimates }: VariantResult, metric: string): number => estimates[metric]?.mean ?? NaN;
  const column = (header: string, metric: string, show: (mean: number) => string): DataColumn[] =>
    unlessEmpty(
      {
        header,
        align: 'right',
        cells: variants.map((variant) => (isNumber(value(variant, metric)) ? show(value(variant, metric)) : '')),
      },
      (cell) => cell === '',
    );
  const unit = commonTimeUnit(variants.map((variant) => value(variant, 'alarm.time')));
  return {
    title: 'Alarms',
    about:
      'Means over seeds, since warm-up. An incident is a time in which some fault holds. Fired after: from its beginning until an alarm ' +
      'fires. Missed: incidents that end without one. False: alarms that begin while no fault holds, per hour of such time.',
    columns: [
      labelColumn(
        'alarms',
        variants.map(({ label }) => label),
      ),
      ...column('fired after', 'alarm.time', (mean) => (mean === 0 ? '0' : formatMs(mean, unit))),
      ...column('missed', 'alarm.missed', (mean) => (mean === 0 ? '0' : formatPercent(mean))),
      ...column('false/h', 'alarm.false', (mean) => significant(mean)),
    ],
  };
}
