/** `faults.csv`: what each planned fault did, a row per fault and variant; medians over seeds, times since the fault began. An empty
 *  time is one that was not reached in most of the seeds that tell; how many did stands beside it. */
import type { Milestone, RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';
import { faultRows } from './tables/faults.ts';

/** Null without planned faults. */
export function faultsCsv({ scenario, variants }: RunFile): string | null {
  const rows = faultRows(variants)
    .flat()
    .map(({ variant, impact }): Cell[] => [
      scenario.name,
      variant.label,
      impact.label,
      impact.fromMs / 1000,
      impact.toMs / 1000,
      impact.failedInExcess,
      impact.errorMinutes,
      ...[impact.detected, impact.mitigated, impact.recovered].flatMap(milestoneCells),
    ]);
  if (rows.length === 0) return null;
  const milestones = ['detected', 'mitigated', 'recovered'].flatMap((name) => [
    `${name}_ms`,
    `seeds_${name}`,
    `seeds_telling_${name}`,
  ]);
  return csv(['scenario', 'variant', 'fault', 'from_s', 'to_s', 'failed_in_excess', 'error_minutes', ...milestones], rows);
}

const milestoneCells = ({ medianMs, reached, seeds }: Milestone): Cell[] => [medianMs, reached, seeds];
