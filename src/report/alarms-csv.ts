/** `alarms.csv`: when each service's alarm began to fire and when it ceased to, with the value that it was shown; of the first seed. */
import type { RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';

/** Null where no alarm ever fired. */
export function alarmsCsv({ scenario, variants }: RunFile): string | null {
  const rows = variants.flatMap(({ label, alarms }) =>
    alarms.map(({ atMs, service, fires, value }): Cell[] => [
      ...[scenario.name, label, atMs / 1000, service, fires ? 'fires' : 'ceases', value],
    ]),
  );
  return rows.length === 0 ? null : csv(['scenario', 'variant', 'at_s', 'service', 'change', 'value'], rows);
}
