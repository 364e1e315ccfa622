/** `phases.csv`: every phase that a roll-out came to, with the strategy's reason; of the first seed. */
import type { RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';

/** Null where nothing was rolled out. */
export function phasesCsv({ scenario, variants }: RunFile): string | null {
  const rows = variants.flatMap(({ label, change }) =>
    (change?.phases ?? []).map(({ atMs, service, kind, phase, reason }): Cell[] => [
      ...[scenario.name, label, atMs / 1000, service, kind, phase, reason],
    ]),
  );
  return rows.length === 0 ? null : csv(['scenario', 'variant', 'at_s', 'service', 'kind', 'phase', 'reason'], rows);
}
