/** `scaling.csv`: every change of how many instances are wanted, with the autoscaler's reason; of the first seed. */
import type { RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';

/** Null where nothing was changed. */
export function scalingCsv({ scenario, variants }: RunFile): string | null {
  const rows = variants.flatMap(({ label, elastic }) =>
    (elastic?.changes ?? []).map(({ atMs, service, from, to, reason }): Cell[] => [
      ...[scenario.name, label, atMs / 1000, service, from, to, reason],
    ]),
  );
  return rows.length === 0 ? null : csv(['scenario', 'variant', 'at_s', 'service', 'from', 'to', 'reason'], rows);
}
