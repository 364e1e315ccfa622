/** The trade of every failure detector: who notices sooner is mistaken more often. One point per variant with its 95 % intervals; what lies
 *  to the lower left of another is better in both. */
import type { RunFile } from '../../lab/types.ts';
import { formatMs, isNumber, significant } from '../format.ts';
import { latencyAxis } from './axes.ts';
import { partOf, plotWidth, variantColor, variantShape } from './palette.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { highlightOpacity, highlightParam } from './time.ts';

const minPoints = 3;
/** So that points without a mistake are not cut in half. */
const belowZero = -0.06;
/** In the legend, filled as in the picture. */
const symbols = { symbolType: 'circle', symbolStrokeWidth: 0, symbolSize: 80, symbolOpacity: 1 } as const;

interface Point {
  readonly variant: string;
  readonly time: Ends;
  readonly mistakes: Ends;
}
interface Ends {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Three variants or more that measure both. */
export const severalDetectors = (run: RunFile): boolean => points(run).length >= minPoints;

export function detectionFrontier(whole: RunFile): ChartSpec {
  const found = points(whole);
  const names = new Set(found.map(({ variant }) => variant));
  const run = partOf(whole, { ...whole, variants: whole.variants.filter(({ label }) => names.has(label)) });
  const times = found.flatMap(({ time }) => [time.mean, time.low, time.high]);
  const x = latencyAxis(times, 'time until a client ceases to use a bad instance');
  const [least] = (x.scale as { readonly domain: readonly number[] }).domain;
  const most = Math.max(1, ...found.flatMap(({ mistakes }) => [mistakes.mean, mistakes.high]).filter(isNumber));
  const y: Part = {
    title: 'mistakes per hour, per client and instance',
    scale: { type: 'symlog', constant: 1, domain: [belowZero, rounded(most * 1.15)], nice: false },
    axis: { values: [0, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000].filter((tick) => tick <= most * 1.15), format: '~s' },
  };
  // The t interval knows nothing of what values can be; a logarithm wants more than zero.
  const rows: Row[] = found.map(({ variant, time, mistakes }) => ({
    variant,
    time_ms: rounded(time.mean),
    time_low: rounded(isNumber(time.low) ? Math.max(least!, time.low) : time.mean),
    time_high: rounded(isNumber(time.high) ? time.high : time.mean),
    mistakes: rounded(mistakes.mean),
    mistakes_low: rounded(isNumber(mistakes.low) ? Math.max(0, mistakes.low) : mistakes.mean),
    mistakes_high: rounded(isNumber(mistakes.high) ? mistakes.high : mistakes.mean),
    text: `noticed after ${formatMs(time.mean)}, ${significant(mistakes.mean)} mistakes per hour`,
  }));
  const across = (field: string): Part => ({ field, type: 'quantitative', ...x });
  const up = (field: string): Part => ({ field, type: 'quantitative', ...y });
  const color = variantColor(run, 'shared');
  const rule: Part = { type: 'rule', strokeWidth: 1.4, clip: true, tooltip: null };
  const opacity = highlightOpacity(0.7, 0.08);
  return chart(
    {
      title: finding(found),
      subtitle: sentences(
        'Lower left is better.',
        run.seeds.length > 1 ? `Points: mean of ${run.seeds.length} seeds; bars: 95 % intervals.` : 'One seed.',
      ),
    },
    { frontier: rows },
    {
      params: [highlightParam],
      data: { name: 'frontier' },
      width: plotWidth,
      height: 320,
      layer: [
        { mark: rule, encoding: { x: across('time_low'), x2: { field: 'time_high' }, y: up('mistakes'), color, opacity } },
        { mark: rule, encoding: { x: across('time_ms'), y: up('mistakes_low'), y2: { field: 'mistakes_high' }, color, opacity } },
        {
          mark: { type: 'point', filled: true, size: 90 },
          encoding: {
            x: across('time_ms'),
            y: up('mistakes'),
            color: variantColor(run, symbols),
            shape: variantShape(run, symbols),
            opacity: highlightOpacity(1, 0.1),
            tooltip: [
              { field: 'variant', type: 'nominal' },
              { field: 'text', type: 'nominal', title: 'on average' },
            ],
          },
        },
      ],
    },
  );
}

const points = ({ variants }: RunFile): Point[] =>
  variants.flatMap(({ label, estimates }) => {
    const [time, mistakes] = [estimates['detection.time'], estimates['detection.mistakes']];
    return isNumber(time?.mean) && isNumber(mistakes?.mean) ? [{ variant: label, time, mistakes }] : [];
  });

function finding(found: readonly Point[]): string {
  const [fastest] = found.toSorted((a, b) => a.time.mean - b.time.mean);
  const [surest] = found.toSorted((a, b) => a.mistakes.mean - b.mistakes.mean || a.time.mean - b.time.mean);
  if (fastest === undefined || surest === undefined) return 'Time to notice against mistakes';
  const rate = `${significant(surest.mistakes.mean)} per hour`;
  if (fastest === surest)
    return `${short(fastest.variant)} notices soonest (${formatMs(fastest.time.mean)}), and nobody makes fewer mistakes (${rate})`;
  return `${short(fastest.variant)} notices soonest (${formatMs(fastest.time.mean)}), ${short(surest.variant)} makes the fewest mistakes (${rate})`;
}
