/** Would anybody have been paged: how many times faster than allowed the error budget is spent, per window, with the rates at which Google's
 *  Site Reliability Workbook (chapter 5) calls somebody. Those are meant for hours; a window is shorter, so a peak over a line alone would
 *  not page, but a stretch above it would. */
import type { RunFile } from '../../lab/types.ts';
import { formatPercent, isNumber, significant } from '../format.ts';
import { anyFailure } from './availability-over-time.ts';
import { bandPanel, bandsNote, bandValues, hoverRows } from './band-lines.ts';
import { limitsOn } from './limits.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Row } from './spec.ts';
import { condenseBand, condensedNote, contextDatasets, groupSize, highlightParam, timeUnit } from './time.ts';

/** Two, five and ten percent of a month's budget within one hour, six hours, three days. */
const pages = [
  { value: 14.4, text: '14.4×: page after an hour' },
  { value: 6, text: '6×: page after six hours' },
  { value: 1, text: '1×: spends just what is allowed' },
] as const;

export function budgetBurn(run: RunFile): ChartSpec {
  const rows = burnRows(run);
  const highest = Math.max(20, ...bandValues(rows).filter(isNumber));
  const ticks = [0, 1, 10, 100, 1000, 10_000, 100_000].filter((tick) => tick <= highest * 1.3);
  const objectives = [...new Set(run.variants.map(({ availability }) => availability.objective))].sort((a, b) => a - b);
  return chart(
    {
      title: title(run),
      subtitle: sentences(
        `Failed requests over those that an objective of ${objectives.map(formatPercent).join(' or ')} allows.`,
        bandsNote(run),
        condensedNote(run, 'the worst of'),
      ),
    },
    { burn: rows, burn_hover: hoverRows(run, rows, (value) => `${significant(value)}×`), ...contextDatasets(run) },
    {
      params: [highlightParam],
      ...bandPanel(run, {
        data: 'burn',
        y: {
          title: 'burn rate of the error budget',
          scale: { type: 'symlog', constant: 1, domain: [0, rounded(highest * 1.3)], nice: false },
          axis: { values: ticks, labelExpr: "format(datum.value, '~s') + '×'" },
        },
        height: 240,
        limits: pages,
      }),
    },
  );
}

/** A budget is a matter of some objective: where faults are planned, or availability is asked for. */
export const spendsBudget = (run: RunFile): boolean =>
  anyFailure(run) &&
  (limitsOn(run, 'availability').length > 0 || run.variants.some(({ availability }) => availability.faults.length > 0)) &&
  run.variants.some(({ availability }) => availability.burn.median.filter(isNumber).length > 1);

function burnRows(run: RunFile): Row[] {
  const unit = timeUnit(run);
  return run.variants.flatMap(({ label, availability: { burn }, series }) =>
    condenseBand(burn, 'max').map(({ window, median, low, high }) => ({
      variant: label,
      [unit.field]: rounded((window + groupSize(burn.median.length) / 2) * series.windowMs * unit.perMs),
      median,
      low,
      high,
    })),
  );
}

function title(run: RunFile): string {
  const found = run.variants
    .map(({ label, availability: { burn } }) => ({ label: short(label), peak: Math.max(0, ...burn.median.filter(isNumber)) }))
    .sort((a, b) => b.peak - a.peak);
  const [worst] = found;
  const best = found.at(-1);
  if (worst === undefined || best === undefined) return 'Burn rate of the error budget';
  const rate = (peak: number): string => `${significant(peak)}×`;
  if (found.length === 1 || rate(best.peak) === rate(worst.peak))
    return `At worst the error budget burns at ${rate(worst.peak)} what is allowed`;
  return `At worst the error budget burns at ${rate(worst.peak)} what is allowed with ${worst.label}, at ${rate(best.peak)} with ${best.label}`;
}
