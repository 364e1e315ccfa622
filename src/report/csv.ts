/** CSV as spreadsheets and data frames read it: a header, `\n` line ends, numbers in shortest round-trip form, empty cells for values
 *  that do not exist. Text that a spreadsheet would run as a formula gets a leading apostrophe; negative numbers stay numbers. */
import { stringify } from 'csv-stringify/sync';
import { isNumber } from './format.ts';

export type Cell = string | number | null;

export function csv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const body = rows.map((row) => row.map((cell) => (typeof cell === 'string' ? cell : isNumber(cell) ? cell : '')));
  return stringify([[...header], ...body], { escape_formulas: true, record_delimiter: '\n' });
}
