/** What each planned fault did to users under each variant: requests it cost, minutes it spoilt, and how long it took to notice it, to stop
 *  the harm and to be back. */
import type { FaultImpact, Milestone, RunFile, VariantResult } from '../../lab/types.ts';
import { formatCount, formatSpan, isNumber, missing } from '../format.ts';
import { shortLabels } from './short-labels.ts';
import type { DataColumn, DataTable } from './table.ts';

interface FaultRow {
  readonly variant: VariantResult;
  readonly impact: FaultImpact;
}

/** Null without planned faults. With more rows than allowed, those faults stay that cost most requests. */
export function faultTable({ variants, seeds }: RunFile, maxRows = Infinity): DataTable | null {
  const all = faultRows(variants);
  if (all.length === 0) return null;
  const kept = costliest(all, maxRows);
  const rows = kept.flat();
  const left = all.length === kept.length ? '' : ` (${kept.length} of ${all.length})`;
  const column = (header: string, cell: (row: FaultRow) => string, dropOrder?: number): DataColumn => ({
    header,
    align: 'right',
    cells: rows.map(cell),
    ...(dropOrder === undefined ? {} : { dropOrder }),
  });
  return {
    title: 'What the faults did',
    about:
      `Medians over ${seeds.length === 1 ? 'one seed' : `${seeds.length} seeds`}, from the beginning of the fault. ` +
      'Extra failed: until the next fault begins (those that begin together share it), beyond what failed before. ' +
      'Noticed: a client ceases to use an instance that is hit. ' +
      'Mitigated: requests fail less than twice as often as before, for three windows. ' +
      'Recovered: goodput is back at 99 % of what it was, for five.' +
      (left === '' ? '' : ` ${kept.length} of ${all.length} faults: those that cost most requests.`),
    columns: [
      {
        header: `fault${left}`,
        align: 'left',
        cells: rows.map(({ impact }) => `${impact.label} at ${formatSpan(impact.fromMs)}`),
        short: { order: 3, cells: rows.map(({ impact }) => impact.label) },
      },
      ...(variants.length > 1
        ? [
            labelColumn(
              'variant',
              rows.map(({ variant }) => variant.label),
            ),
          ]
        : []),
      column('extra failed', ({ impact }) => formatCount(impact.failedInExcess)),
      column('error min', ({ impact }) => minutesText(impact.errorMinutes), 2),
      column('noticed', ({ impact }) => milestoneText(impact.detected), 4),
      column('mitigated', ({ impact }) => harmText(impact.mitigated, impact), 1),
      column('recovered', ({ impact }) => harmText(impact.recovered, impact), 5),
    ],
  };
}

/** Labels of variants; long ones get shorter before anything else gives way. */
export function labelColumn(header: string, labels: readonly string[]): DataColumn {
  const cells = shortLabels(labels);
  return { header, align: 'left', cells: labels, ...(cells === undefined ? {} : { short: { order: 0.5, cells } }) };
}

/** One list per fault, in the order of time: its rows, in the order of the variants. Variants need not have the same faults. */
export function faultRows(variants: readonly VariantResult[]): FaultRow[][] {
  const faults = new Map<string, { readonly fromMs: number; readonly rows: FaultRow[] }>();
  for (const variant of variants) {
    const seen = new Map<string, number>();
    for (const impact of variant.availability.faults) {
      const name = `${impact.fromMs} ${impact.label}`;
      const again = seen.get(name) ?? 0;
      seen.set(name, again + 1);
      const key = `${again} ${name}`;
      const fault = faults.get(key) ?? { fromMs: impact.fromMs, rows: [] };
      fault.rows.push({ variant, impact });
      faults.set(key, fault);
    }
  }
  return [...faults.values()].toSorted((a, b) => a.fromMs - b.fromMs).map(({ rows }) => rows);
}

/** Whole faults, in their order. */
function costliest(faults: readonly FaultRow[][], maxRows: number): readonly FaultRow[][] {
  if (faults.flat().length <= maxRows) return faults;
  const cost = (rows: readonly FaultRow[]): number =>
    rows.reduce((sum, { impact }) => sum + (isNumber(impact.failedInExcess) ? impact.failedInExcess : 0), 0);
  const kept = new Set<readonly FaultRow[]>();
  let left = maxRows;
  for (const rows of faults.toSorted((a, b) => cost(b) - cost(a))) {
    if (kept.size > 0 && rows.length > left) break;
    kept.add(rows);
    left -= rows.length;
  }
  return faults.filter((rows) => kept.has(rows));
}

/** `2s`, `2s in 3 of 4 seeds`, `never`; nothing where no seed tells. */
export function milestoneText({ medianMs, reached, seeds }: Milestone): string {
  if (seeds === 0) return '';
  if (reached === 0) return 'never';
  const time = medianMs === 0 ? 'at once' : formatSpan(medianMs);
  if (reached === seeds) return time;
  return isNumber(medianMs) ? `${time}, in ${reached} of ${seeds}` : `in ${reached} of ${seeds}`;
}

/** Of what hurt nobody there is nothing to recover from. */
const harmText = (reached: Milestone, { failedInExcess }: FaultImpact): string =>
  reached.medianMs === 0 && failedInExcess < 0.5 ? '' : milestoneText(reached);

/** `1.92`; hundredths of a minute are less than a second. */
export const minutesText = (minutes: number): string => (isNumber(minutes) ? String(Number(minutes.toFixed(2))) : missing);
