/** How much load the clients add by themselves: messages sent for the requests of the traffic, over requests that arrived, per window.
 *  Retries that follow failures and failures that follow load show here as a line that climbs and stays up. */
import type { RunFile } from '../../lab/types.ts';
import { isNumber, significant } from '../format.ts';
import { triesAgain } from '../summary.ts';
import { bandPanel, hoverRows } from './band-lines.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { condensedNote, contextDatasets, highlightParam, seriesRows, timeUnit } from './time.ts';

export function attemptsOverTime(run: RunFile): ChartSpec {
  const rows = ratioRows(run);
  return chart(
    {
      title: peak(run, rows),
      subtitle: sentences(
        'Messages sent per request that arrived: first tries, retries and hedges; 1 is one message per request.',
        run.seeds.length > 1 ? `Line: medians of ${run.seeds.length} seeds.` : '',
        condensedNote(run, 'the mean of'),
      ),
    },
    {
      attempts: rows,
      attempts_hover: hoverRows(run, rows, (value) => significant(value)),
      ...contextDatasets(run),
    },
    { params: [highlightParam], ...bandPanel(run, { data: 'attempts', y: axis(rows), height: 200, bands: false }) },
  );
}

export const anyRetry = (run: RunFile): boolean =>
  triesAgain(run) && run.variants.some(({ series }) => series.columns.attempts.median.filter(isNumber).length > 1);

/** Median attempts over median requests. A band over seeds would rather show how many requests each seed has in the window. */
function ratioRows(run: RunFile): Row[] {
  const offered = seriesRows(run, 'offered', 'mean');
  const { field } = timeUnit(run);
  return seriesRows(run, 'attempts', 'mean').map((row, index) => {
    const requests = offered[index].median;
    const isKnown = isNumber(row.median) && isNumber(requests) && requests > 0;
    return {
      variant: row.variant,
      [field]: row[field],
      median: isKnown ? rounded((row.median as number) / (requests as number)) : null,
    };
  });
}

/** From zero, because twice as high is twice the load. */
function axis(rows: readonly Row[]): Part {
  const highest = Math.max(1, ...rows.map((row) => row.median).filter(isNumber));
  return {
    title: 'attempts per request',
    scale: { domain: [0, rounded(highest * 1.15)], nice: false },
    axis: { tickCount: 5, format: '~g' },
  };
}

/** After warm-up: an empty system has no retries, and the first windows are few. */
function peak(run: RunFile, rows: readonly Row[]): string {
  const unit = timeUnit(run);
  const peaks = run.variants.flatMap(({ label }) => {
    const own = rows.filter((row) => row.variant === label && (row[unit.field] as number) >= run.scenario.warmupMs * unit.perMs);
    const values = own.map((row) => row.median).filter(isNumber);
    return values.length === 0 ? [] : [{ label: short(label), value: Math.max(...values) }];
  });
  peaks.sort((a, b) => b.value - a.value);
  const [highest] = peaks;
  const lowest = peaks.at(-1);
  if (highest === undefined || lowest === undefined) return 'Attempts per request';
  const head = `Up to ${significant(highest.value)} attempts per request`;
  if (peaks.length === 1) return head;
  return significant(lowest.value) === significant(highest.value)
    ? `${head} with every variant`
    : `${head} with ${highest.label}, ${significant(lowest.value)} with ${lowest.label}`;
}
