/** `waterfalls.csv`: the slowest requests as spans, one row each. Times are in ms since the request arrived; `parent` is the number of the
 *  span it belongs to, empty for the request itself. */
import type { RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';

/** Null without any. */
export function waterfallsCsv({ scenario, variants }: RunFile): string | null {
  const rows = variants.flatMap(({ label, waterfalls }) =>
    waterfalls.flatMap(({ edge, request, class: kind, arrivalMs, latencyMs, result, spans }, rank) =>
      spans.map((span, index): Cell[] => [
        ...[scenario.name, label, rank + 1, edge, request, kind, arrivalMs, latencyMs, result],
        ...[index, span.parent < 0 ? null : span.parent, span.kind, span.what],
        ...[span.fromMs - arrivalMs, span.toMs - arrivalMs, span.outcome],
      ]),
    ),
  );
  if (rows.length === 0) return null;
  return csv([...request, ...span], rows);
}

const request = ['scenario', 'variant', 'rank', 'edge', 'request', 'class', 'arrival_ms', 'latency_ms', 'result'];
const span = ['span', 'parent', 'kind', 'what', 'from_ms', 'to_ms', 'outcome'];
