/** Would anybody have been paged: share of requests that ended well, per window. */
import type { RunFile } from '../../lab/types.ts';
import { failureBuckets } from '../../stats/result.ts';
import { formatAvailability, isNumber } from '../format.ts';
import { availabilityAxis } from './axes.ts';
import { bandPanel, bandsNote, bandValues, hoverRows } from './band-lines.ts';
import { limitsOn } from './limits.ts';
import { chart, sentences, short, type ChartSpec } from './spec.ts';
import { condensedNote, contextDatasets, highlightParam, seriesRows } from './time.ts';

export function availabilityOverTime(run: RunFile): ChartSpec {
  const rows = seriesRows(run, 'availability', 'min');
  const limits = limitsOn(run, 'availability');
  return chart(
    {
      title: lowest(run),
      subtitle: sentences(
        'Share of requests that ended well, of those that ended.',
        bandsNote(run),
        condensedNote(run, 'the worst of'),
      ),
    },
    { availability: rows, availability_hover: hoverRows(run, rows, formatAvailability), ...contextDatasets(run) },
    {
      params: [highlightParam],
      ...bandPanel(run, {
        data: 'availability',
        y: availabilityAxis([...bandValues(rows), ...limits.map((limit) => limit.value)], 'availability'),
        height: 220,
        limits,
        goodIsUp: true,
      }),
    },
  );
}

/** Without a single failure the picture is a straight line. */
export const anyFailure = (run: RunFile): boolean =>
  run.variants.some((variant) => failureBuckets.some((bucket) => variant.ledger.failed[bucket] > 0)) &&
  run.variants.some((variant) => variant.series.columns.availability.median.filter(isNumber).length > 1);

function lowest(run: RunFile): string {
  const found = run.variants.flatMap((variant) => {
    const values = variant.series.columns.availability.median.filter(isNumber);
    return values.length === 0 ? [] : [{ label: short(variant.label), low: Math.min(...values) }];
  });
  found.sort((a, b) => a.low - b.low);
  const worst = found[0];
  if (worst === undefined) return 'Availability over time';
  const best = found.at(-1)!;
  const head = `Availability falls to ${formatAvailability(worst.low)}`;
  if (found.length === 1) return head;
  const tail = best.low >= 1 ? `stays at 100 % with ${best.label}` : `to ${formatAvailability(best.low)} with ${best.label}`;
  return `${head} with ${worst.label}, ${tail}`;
}
