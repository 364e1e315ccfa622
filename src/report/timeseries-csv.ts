/** The time series over seeds in tidy form: one row per variant, column and window. */
import { seriesColumns } from '../stats/result.ts';
import type { RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';

export function timeseriesCsv(run: RunFile): string {
  const rows: Cell[][] = [];
  for (const variant of run.variants) {
    const { windowMs, columns } = variant.series;
    for (const column of seriesColumns) {
      const band = columns[column];
      band?.median.forEach((median, window) => {
        rows.push([
          (window * windowMs) / 1000,
          variant.label,
          column,
          median,
          band.min[window] ?? null,
          band.max[window] ?? null,
        ]);
      });
    }
  }
  return csv(['window_start_s', 'variant', 'column', 'median', 'min', 'max'], rows);
}
