/** `traffic-by-version.csv`: attempts that met each version, window by window, those of them that failed, and how many instances or hosts had
 *  it at the end of the window; means over seeds. */
import type { RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';

/** Null where nothing was rolled out. */
export function trafficByVersionCsv({ scenario, variants }: RunFile): string | null {
  const rows = variants.flatMap(({ label, change, series: { windowMs } }) =>
    (change?.traffic ?? []).flatMap(({ service, kind, versions, requests, failed, hosts }) =>
      versions.flatMap((version, at) =>
        (requests[at] ?? []).map((count, window): Cell[] => [
          ...[scenario.name, label, service, kind, version, (window * windowMs) / 1000],
          ...[count, failed[at]?.[window] ?? null, hosts[at]?.[window] ?? null],
        ]),
      ),
    ),
  );
  if (rows.length === 0) return null;
  return csv(['scenario', 'variant', 'service', 'kind', 'version', 'window_start_s', 'requests', 'failed', 'hosts'], rows);
}
