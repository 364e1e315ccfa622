/** How each variant came out of the trigger: in how many seeds it stayed down, came back, after how long, and at which load it would come
 *  back by itself. */
import type { EscapeLoad, RunFile } from '../../lab/types.ts';
import { formatPercent, formatSpan, isNumber } from '../format.ts';
import type { DataColumn, DataTable } from './table.ts';

/** Null when the scenario does not ask. */
export function recoveryTable({ variants, metastability }: RunFile): DataTable | null {
  const judged = variants.flatMap(({ label, metastability: found }) => (found === null ? [] : [{ label, found }]));
  if (metastability === null || judged.length === 0) return null;
  const column = (header: string, cell: (row: (typeof judged)[number]) => string, dropOrder?: number): DataColumn => ({
    header,
    align: 'right',
    cells: judged.map(cell),
    ...(dropOrder === undefined ? {} : { dropOrder }),
  });
  const escapes = judged.map(({ found }) => escapeText(found.escape));
  const count = (found: (typeof judged)[number]['found'], state: string): string =>
    `${found.perSeed.filter((seed) => seed.state === state).length} of ${found.perSeed.length}`;
  const isAny = (state: string): boolean => judged.some(({ found }) => found.perSeed.some((seed) => seed.state === state));
  return {
    title: 'After the trigger',
    about:
      `The trigger acts from ${formatSpan(metastability.triggerBeginsMs)} to ${formatSpan(metastability.triggerEndsMs)}. Recovered: goodput over offered load is back at ` +
      `${formatPercent(metastability.recoveredShare)} of what it was before. Numbers of seeds, and the median time to recovery.`,
    columns: [
      { header: 'after the trigger', align: 'left', cells: judged.map(({ label }) => label) },
      column('stays down', ({ found }) => count(found, 'metastable')),
      column('recovers', ({ found }) => count(found, 'recovered')),
      ...(isAny('never-failed') ? [column('never failed', ({ found }) => count(found, 'never-failed'), 1)] : []),
      ...(isAny('too-short') ? [column('cannot be told', ({ found }) => count(found, 'too-short'), 2)] : []),
      column('back after', ({ found }) => (isNumber(found.medianRecoveryMs) ? formatSpan(found.medianRecoveryMs) : ''), 3),
      ...(escapes.every((text) => text === '')
        ? []
        : [{ header: 'recovers by itself at', align: 'left', cells: escapes, dropOrder: 4 } as const]),
    ],
  };
}

/** `55 % to 60 % of the load`. */
export function escapeText(escape: EscapeLoad | null): string {
  if (escape === null) return '';
  const { low, high, unavailable, interrupted } = escape;
  if (interrupted) return 'interrupted';
  if (unavailable !== '') return 'not searched';
  if (isNumber(low) && isNumber(high)) return `${formatPercent(low)} to ${formatPercent(high)} of the load`;
  if (isNumber(low)) return `${formatPercent(low)} of the load or more`;
  return isNumber(high) ? `less than ${formatPercent(high)} of the load` : 'cannot be told';
}
