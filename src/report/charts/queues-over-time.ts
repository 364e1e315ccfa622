/** Do the consumers keep up: messages in each queue, and the age of the oldest, over time. An age that climbs while the depth stays is a
 *  message that comes back again and again. */
import type { RunFile } from '../../lab/types.ts';
import { formatCount, formatMs, isNumber } from '../format.ts';
import { latencyAxis } from './axes.ts';
import { bandPanel, hoverRows } from './band-lines.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Row } from './spec.ts';
import { condenseBand, condensedNote, contextDatasets, groupSize, highlightParam, timeUnit } from './time.ts';

/** More than these make a picture nobody scrolls through; `queues.csv` has all of them. */
const maxQueues = 4;

export function queuesOverTime(run: RunFile): ChartSpec {
  const all = queueNames(run);
  const names = all.slice(0, maxQueues);
  const panels = names.flatMap((name, index) => [
    { key: `depth_${index}`, name, rows: queueRows(run, name, `depth_${index}`, 'depth'), isAge: false },
    { key: `oldest_${index}`, name, rows: queueRows(run, name, `oldest_${index}`, 'oldestMs'), isAge: true },
  ]);
  const hover = panels.map(({ key, rows, isAge }) => [
    `queues_${key}_hover`,
    hoverRows(run, rows, (value) => (isAge ? formatMs(value) : formatCount(value))),
  ]);
  return chart(
    {
      title: deepest(run),
      subtitle: sentences(
        'Messages waiting or out, and the age of the oldest of them',
        run.seeds.length > 1 ? `at the end of each window, mean of ${run.seeds.length} seeds.` : 'at the end of each window.',
        condensedNote(run, 'the worst of'),
        all.length > names.length ? `The first ${names.length} of ${all.length} queues.` : '',
      ),
    },
    { queues: panels.flatMap(({ rows }) => rows), ...Object.fromEntries(hover), ...contextDatasets(run) },
    {
      params: [highlightParam],
      vconcat: panels.map(({ key, name, rows, isAge }, index) =>
        bandPanel(run, {
          data: 'queues',
          where: { field: 'panel', equal: key },
          y: isAge
            ? latencyAxis(values(rows), `oldest in ${short(name)}`, true)
            : countAxis(values(rows), `messages in ${short(name)}`),
          height: isAge ? 100 : 130,
          first: index === 0,
          last: index === panels.length - 1,
          bands: false,
        }),
      ),
      spacing: 14,
      resolve: { scale: { color: 'independent', strokeDash: 'independent' } },
    },
  );
}

export const anyQueue = (run: RunFile): boolean =>
  run.variants.some(({ queues }) => queues.some(({ depth }) => depth.filter(isNumber).length > 1));

const queueNames = ({ variants }: RunFile): string[] => [
  ...new Set(variants.flatMap(({ queues }) => queues.map(({ name }) => name))),
];

const values = (rows: readonly Row[]): (number | null)[] => rows.map((row) => row.median as number | null);

/** At the end of its windows; of windows that share a point, the worst. An age of zero has no logarithm and no message. */
function queueRows(run: RunFile, name: string, panel: string, column: 'depth' | 'oldestMs'): Row[] {
  const unit = timeUnit(run);
  return run.variants.flatMap(({ label, queues, series }) => {
    const found = queues.find((queue) => queue.name === name)?.[column] ?? [];
    const size = groupSize(found.length);
    return condenseBand({ median: found, min: [], max: [] }, 'max').map(({ window, median }) => ({
      panel,
      variant: label,
      [unit.field]: rounded(Math.min(window + size, found.length) * series.windowMs * unit.perMs),
      median: column === 'oldestMs' && median === 0 ? null : median,
    }));
  });
}

const countAxis = (present: readonly (number | null)[], title: string) => ({
  title,
  scale: { domain: [0, rounded(Math.max(1, ...present.filter(isNumber)) * 1.15)], nice: false },
  axis: { tickCount: 4, format: '~s' },
});

/** `jobs holds up to 1200 messages, the oldest 34 s old, with no retries`. */
function deepest(run: RunFile): string {
  const found = run.variants.flatMap(({ label, queues }) =>
    queues.map(({ name, depth, oldestMs }) => ({ label, name, depth: most(depth), oldest: most(oldestMs) })),
  );
  found.sort((a, b) => b.depth - a.depth);
  const [worst] = found;
  if (worst === undefined) return 'Queues of messages over time';
  const age = worst.oldest > 0 ? `, the oldest up to ${formatMs(worst.oldest)} old` : '';
  const who = run.variants.length > 1 ? `, with ${short(worst.label)}` : '';
  return `${short(worst.name)} holds up to ${formatCount(worst.depth)} messages${age}${who}`;
}

const most = (of: readonly number[]): number => of.filter(isNumber).reduce((top, value) => Math.max(top, value), 0);
