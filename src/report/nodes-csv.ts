/** `nodes.csv`: a row per life of a node: from when to when it was there, how it ended (empty when it did not), and the share of its
 *  processor that was reserved on average; of the first seed. */
import type { RunFile } from '../lab/types.ts';
import { csv, type Cell } from './csv.ts';
import { isNumber } from './format.ts';

/** Null without nodes. */
export function nodesCsv({ scenario, variants }: RunFile): string | null {
  const rows = variants.flatMap(({ label, elastic, series }) =>
    (elastic?.nodes ?? []).flatMap(({ id, zone, spans, reserved }) =>
      spans.map(({ fromMs, toMs, end }): Cell[] => [
        ...[scenario.name, label, id, zone, fromMs / 1000, toMs / 1000, end],
        mean(reserved.filter((_, window) => isWithin((window + 1) * series.windowMs, fromMs, toMs))),
      ]),
    ),
  );
  return rows.length === 0 ? null : csv(['scenario', 'variant', 'node', 'zone', 'from_s', 'to_s', 'end', 'reserved'], rows);
}

const isWithin = (atMs: number, fromMs: number, toMs: number): boolean => atMs > fromMs && atMs <= toMs;

function mean(values: readonly number[]): number {
  const present = values.filter(isNumber);
  return present.reduce((sum, value) => sum + value, 0) / present.length;
}
