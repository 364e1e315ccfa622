/** Does the cluster keep up: requests that arrive, and requests that end well, per second. */
import type { RunFile } from '../../lab/types.ts';
import { formatPercent, isNumber, significant } from '../format.ts';
import { bandPanel, bandsNote, bandValues, hoverRows } from './band-lines.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { condensedNote, contextDatasets, highlightParam, seriesRows, timeAxis } from './time.ts';

export function loadOverTime(run: RunFile): ChartSpec {
  const perSecond = 1000 / (run.variants[0]?.series.windowMs ?? 1000);
  const goodput = seriesRows(run, 'ok', 'mean', perSecond);
  const offered = distinctOffered(run, seriesRows(run, 'offered', 'mean', perSecond));
  const values = [...bandValues(goodput), ...offered.map((row) => row.median as number | null)];
  const panel = bandPanel(run, { data: 'goodput', y: rateAxis(values, 'requests per second'), height: 220 });
  return chart(
    {
      title: keptUp(run),
      subtitle: sentences(
        'Grey: requests offered per second; coloured: requests that ended well.',
        bandsNote(run),
        condensedNote(run, 'the mean of'),
      ),
    },
    { goodput, offered, goodput_hover: hoverRows(run, goodput, (value) => `${significant(value)} /s`), ...contextDatasets(run) },
    { params: [highlightParam], ...panel, layer: [offeredLine(run), ...(panel.layer as Part[])] },
  );
}

const offeredLine = (run: RunFile): Part => ({
  data: { name: 'offered' },
  mark: { type: 'line', color: '#9aa1a9', strokeWidth: 3.5, opacity: 0.55, clip: true, tooltip: null },
  encoding: { x: timeAxis(run), y: { field: 'median', type: 'quantitative' }, detail: { field: 'variant', type: 'nominal' } },
});

/** A line does not have to start at zero; a flat picture of a small dip would hide it. */
export function rateAxis(all: readonly (number | null)[], title: string): Part {
  const values = all.filter(isNumber);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const from = low > 0.5 * high ? low - (high - low) * 0.1 : 0;
  return {
    title,
    scale: { domain: [rounded(Math.max(0, from)), rounded(high + (high - low) * 0.12 + 1e-9)], nice: true, zero: false },
    axis: { tickCount: 5, format: '~s' },
  };
}

/** All variants see the same arrivals, unless the arrivals are what is compared. */
function distinctOffered(run: RunFile, rows: readonly Row[]): Row[] {
  const total = (label: string): number =>
    rows.filter((row) => row.variant === label).reduce((sum, row) => sum + ((row.median as number | null) ?? 0), 0);
  const kept: { readonly label: string; readonly total: number }[] = [];
  for (const { label } of run.variants) {
    const own = total(label);
    if (!kept.some((each) => Math.abs(each.total - own) <= 0.02 * Math.abs(own))) kept.push({ label, total: own });
  }
  return rows.filter((row) => kept.some((each) => each.label === row.variant));
}

function keptUp(run: RunFile): string {
  const shares = run.variants.map((variant) => ({
    label: short(variant.label),
    share: variant.ledger.ok / Math.max(1, variant.ledger.offered),
  }));
  shares.sort((a, b) => a.share - b.share);
  const worst = shares[0];
  if (worst === undefined) return 'Load over time';
  if (worst.share > 0.999) return 'Nearly everything that was offered ended well';
  return `${formatPercent(1 - worst.share)} of the offered requests did not end well${run.variants.length > 1 ? ` with ${worst.label}` : ''}`;
}
