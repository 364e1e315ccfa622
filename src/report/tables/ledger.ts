/** What became of every request that arrived after warm-up, summed over seeds: nothing is left out, so the rows add up. Shares are of the
 *  requests offered, cut off and never rounded up. */
import type { RunFile } from '../../lab/types.ts';
import { failureBuckets, type Ledger } from '../../stats/result.ts';
import { formatCount, formatShare } from '../format.ts';
import { metricTitle } from '../summary.ts';
import type { DataColumn, DataTable } from './table.ts';

export interface Outcome {
  /** Name in `ledger.csv`. */
  readonly name: string;
  readonly title: string;
  /** `ok` for those that are already counted there. */
  readonly of: 'offered' | 'ok';
  readonly count: (ledger: Ledger) => number;
}

/** In reporting order; with `offered` left out they add up to it, but for `degraded`, which is part of `ok`. */
export const ledgerOutcomes: readonly Outcome[] = [
  { name: 'ok', title: 'ok', of: 'offered', count: ({ ok }) => ok },
  { name: 'degraded', title: 'of these degraded', of: 'ok', count: ({ degraded }) => degraded },
  ...failureBuckets.map((bucket): Outcome => ({
    name: bucket,
    title: metricTitle(`failures.${bucket}`),
    of: 'offered',
    count: ({ failed }) => failed[bucket],
  })),
  { name: 'cancelled', title: 'cancelled by the caller', of: 'offered', count: ({ cancelled }) => cancelled },
  { name: 'inFlight', title: 'in flight at the end', of: 'offered', count: ({ inFlight }) => inFlight },
];

const title = 'What became of the requests';
const about = 'Requests that arrived after warm-up, all seeds together. Shares are cut off, never rounded up.';

/** One row per outcome, also of those that did not occur; one column per variant. */
export function ledgerTable({ variants }: RunFile): DataTable {
  const counted = variants.map(({ label, ledger }): DataColumn => ({
    header: label,
    align: 'right',
    cells: [
      formatCount(ledger.offered),
      ...ledgerOutcomes.map(({ count, of }) => {
        const found = count(ledger);
        return found === 0 ? '0' : `${formatCount(found)} (${formatShare(found, ledger[of])})`;
      }),
    ],
  }));
  const names: DataColumn = {
    header: 'outcome',
    align: 'left',
    cells: ['offered', ...ledgerOutcomes.map((outcome) => outcome.title)],
  };
  return { title, about, columns: [names, ...counted] };
}

/** One row per variant, and only what occurred: for narrow places. Null when nothing failed. */
export function failedLedger({ variants }: RunFile): DataTable | null {
  if (!variants.some(({ ledger }) => failureBuckets.some((bucket) => ledger.failed[bucket] > 0))) return null;
  const occurred = ledgerOutcomes.filter(({ count }) => variants.some(({ ledger }) => count(ledger) > 0));
  const columns = occurred.map((outcome, index): DataColumn => {
    const isAside = outcome.name === 'inFlight' || outcome.name === 'cancelled' || outcome.name === 'degraded';
    return {
      header: outcome.name === 'degraded' ? 'degraded' : outcome.title.replace(/^failed: | at the end| by the caller/, ''),
      align: 'right',
      cells: variants.map(({ ledger }) => formatShare(outcome.count(ledger), ledger[outcome.of])),
      ...(isAside ? { dropOrder: index } : {}),
    };
  });
  return {
    title,
    about,
    columns: [
      { header: 'of the requests', align: 'left', cells: variants.map(({ label }) => label) },
      { header: 'offered', align: 'right', cells: variants.map(({ ledger }) => formatCount(ledger.offered)), dropOrder: 90 },
      ...columns,
    ],
  };
}
