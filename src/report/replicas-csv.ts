/** `replicas.csv`: instances of every service that scales, window by window: needed by the offered work, wanted, ready, and existing in any
 *  state; means over seeds. */
import type { RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';

/** Null where no instances come and go. */
export function replicasCsv({ scenario, variants }: RunFile): string | null {
  const rows = variants.flatMap(({ label, elastic, series }) =>
    (elastic?.services ?? []).flatMap(({ name, needed, desired, ready, present }) =>
      needed.map((count, window): Cell[] => [
        ...[scenario.name, label, name, (window * series.windowMs) / 1000],
        ...[count, desired[window] ?? null, ready[window] ?? null, present[window] ?? null],
      ]),
    ),
  );
  if (rows.length === 0) return null;
  return csv(['scenario', 'variant', 'service', 'window_start_s', 'needed', 'desired', 'ready', 'present'], rows);
}
