/** What passed through the queues of messages since warm-up, and how far behind their consumers were at worst. */
import type { RunFile } from '../../lab/types.ts';
import { commonTimeUnit, formatCount, formatMs, isNumber } from '../format.ts';
import { type DataColumn, type DataTable, unlessEmpty } from './table.ts';

/** Null without queues. */
export function queueTable({ variants, seeds }: RunFile): DataTable | null {
  const names = variants[0]?.queues.map(({ name }) => name) ?? [];
  const rows = names.flatMap((name) =>
    variants.flatMap((variant) =>
      variant.queues.filter((queue) => queue.name === name).map((queue) => ({ label: variant.label, queue })),
    ),
  );
  if (rows.length === 0) return null;
  type QueueRow = (typeof rows)[number];
  const counted = (header: string, of: (queue: QueueRow['queue']) => number, dropOrder?: number): DataColumn => ({
    header,
    align: 'right',
    cells: rows.map(({ queue }) => formatCount(of(queue))),
    ...(dropOrder === undefined ? {} : { dropOrder }),
  });
  const oldest = rows.map(({ queue }) => highest(queue.oldestMs));
  const unit = commonTimeUnit(oldest);
  return {
    title: 'Queues of messages',
    about: `Counts since warm-up, all seeds together; the deepest and the oldest are the highest point of the mean over ${seeds.length === 1 ? 'one seed' : `${seeds.length} seeds`}.`,
    columns: [
      { header: 'queue', align: 'left', cells: rows.map(({ queue }) => queue.name) },
      ...(variants.length > 1 ? [{ header: 'variant', align: 'left', cells: rows.map(({ label }) => label) } as const] : []),
      counted('published', ({ published }) => published, 1),
      counted('done', ({ done }) => done),
      ...unlessEmpty(
        counted('again', ({ redelivered }) => redelivered, 2),
        (cell) => cell === '0',
      ),
      ...unlessEmpty(
        counted('dead', ({ dead }) => dead),
        (cell) => cell === '0',
      ),
      { header: 'deepest', align: 'right', cells: rows.map(({ queue }) => formatCount(highest(queue.depth))), dropOrder: 3 },
      { header: 'oldest', align: 'right', cells: oldest.map((age) => formatMs(age, unit)) },
    ],
  };
}

const highest = (values: readonly number[]): number => values.filter(isNumber).reduce((most, value) => Math.max(most, value), 0);
