/** `queues.csv`: depth of every queue of messages and age of its oldest message at the end of each window, means over seeds; beside them
 *  what passed through since warm-up, all seeds together. */
import type { RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';

/** Null without queues. */
export function queuesCsv({ scenario, variants }: RunFile): string | null {
  const rows = variants.flatMap(({ label, queues, series }) =>
    queues.flatMap(({ name, depth, oldestMs, published, done, redelivered, dead }) =>
      depth.map((messages, window): Cell[] => [
        scenario.name,
        label,
        name,
        ((window + 1) * series.windowMs) / 1000,
        messages,
        oldestMs[window] ?? null,
        published,
        done,
        redelivered,
        dead,
      ]),
    ),
  );
  if (rows.length === 0) return null;
  return csv(
    ['scenario', 'variant', 'queue', 'window_end_s', 'depth', 'oldest_ms', 'published', 'done', 'redelivered', 'dead'],
    rows,
  );
}
