/** What does a millisecond cost: price per hour against tail latency, one point per variant with its 95 % intervals, larger where more
 *  requests fail. The step line joins those that no other variant beats in both; what lies above it is dominated. */
import type { RunFile } from '../../lab/types.ts';
import type { Estimate } from '../../stats/result.ts';
import { formatMs, formatPercent, isNumber, significant } from '../format.ts';
import { latencyAxis } from './axes.ts';
import { ink, partOf, plotWidth, variantColor, variantShape } from './palette.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { highlightOpacity, highlightParam } from './time.ts';

const minPoints = 2;
/** In the legend, filled as in the picture. */
const symbols = { symbolType: 'circle', symbolStrokeWidth: 0, symbolSize: 80, symbolOpacity: 1 } as const;
/** Areas of the points: nothing fails, and a tenth or what fails at most. */
const smallest = 80;
const largest = 700;

interface Point {
  readonly variant: string;
  readonly cost: Estimate;
  readonly p99: Estimate;
  /** Share of ended requests. */
  readonly failed: number;
}

/** Two variants or more that have a price. */
export const severalCosts = (run: RunFile): boolean => points(run).length >= minPoints;

export function pareto(whole: RunFile): ChartSpec {
  const found = points(whole);
  const names = new Set(found.map(({ variant }) => variant));
  const run = partOf(whole, { ...whole, variants: whole.variants.filter(({ label }) => names.has(label)) });
  const y = latencyAxis(
    // Some room below the fastest.
    found.flatMap(({ p99 }) => [p99.mean * 0.85, p99.low, p99.high]),
    'p99 latency',
  );
  const [least, most] = (y.scale as { readonly domain: readonly [number, number] }).domain;
  const costs = found.flatMap(({ cost }) => [cost.mean, cost.low, cost.high]).filter(isNumber);
  const [from, to] = costDomain(costs);
  const x: Part = {
    title: 'cost per hour',
    scale: { domain: [from, to], nice: false, zero: false },
    axis: { tickCount: 8, format: '~g' },
  };
  // The t interval knows nothing of what values can be.
  const ends = ({ mean, low, high }: Estimate, floor: number) => ({
    low: rounded(isNumber(low) ? Math.max(floor, low) : mean),
    high: rounded(isNumber(high) ? high : mean),
  });
  const rows: Row[] = found.map(({ variant, cost, p99, failed }) => {
    const [price, time] = [ends(cost, 0), ends(p99, least)];
    return {
      ...{ variant, cost: rounded(cost.mean), cost_low: price.low, cost_high: price.high },
      ...{ p99_ms: rounded(p99.mean), p99_low: time.low, p99_high: time.high },
      failed: rounded(failed),
      text: `${significant(cost.mean)} per hour, p99 ${formatMs(p99.mean)}, ${formatPercent(failed)} fail`,
    };
  });
  const front = frontOf(found);
  const last = front.at(-1)!;
  // From above the cheapest to beyond the fastest: all that is dominated lies on one side.
  const corners: Row[] = [
    { cost: rounded(front[0]!.cost.mean), p99_ms: most },
    ...front.map(({ cost, p99 }) => ({ cost: rounded(cost.mean), p99_ms: rounded(p99.mean) })),
    { cost: to, p99_ms: rounded(last.p99.mean) },
  ].map((corner, order) => ({ ...corner, order }));
  const across = (field: string): Part => ({ field, type: 'quantitative', ...x });
  const up = (field: string): Part => ({ field, type: 'quantitative', ...y });
  const color = variantColor(run, 'shared');
  const rule: Part = { type: 'rule', strokeWidth: 1.4, clip: true, tooltip: null };
  const opacity = highlightOpacity(0.7, 0.08);
  return chart(
    {
      title: finding(front, found.length),
      subtitle: sentences(
        'Lower left is better. Step line: no other is both cheaper and faster.',
        found.some(({ failed }) => failed > 0)
          ? 'The larger a point, the more requests fail; p99 is of those that end well.'
          : '',
        run.seeds.length > 1 ? `Points: mean of ${run.seeds.length} seeds; bars: 95 % intervals.` : 'One seed.',
      ),
    },
    { pareto: rows, front: corners },
    {
      params: [highlightParam],
      data: { name: 'pareto' },
      width: plotWidth,
      height: 320,
      layer: [
        {
          data: { name: 'front' },
          mark: {
            type: 'line',
            interpolate: 'step-after',
            color: ink.muted,
            strokeWidth: 1.4,
            strokeDash: [5, 3],
            tooltip: null,
          },
          encoding: { x: across('cost'), y: up('p99_ms'), order: { field: 'order', type: 'quantitative' } },
        },
        { mark: rule, encoding: { x: across('cost_low'), x2: { field: 'cost_high' }, y: up('p99_ms'), color, opacity } },
        { mark: rule, encoding: { x: across('cost'), y: up('p99_low'), y2: { field: 'p99_high' }, color, opacity } },
        {
          mark: { type: 'point', filled: true },
          encoding: {
            x: across('cost'),
            y: up('p99_ms'),
            color: variantColor(run, symbols),
            shape: variantShape(run, symbols),
            size: sizeByFailures(found),
            opacity: highlightOpacity(0.9, 0.1),
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
    const { cost, 'latency.p99': p99, availability } = estimates;
    if (!isNumber(cost?.mean) || !isNumber(p99?.mean)) return [];
    return [{ variant: label, cost, p99, failed: isNumber(availability?.mean) ? Math.max(0, 1 - availability.mean) : 0 }];
  });

/** From zero unless that would leave most of the picture empty. */
function costDomain(costs: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...costs), Math.max(...costs)];
  const margin = Math.max((high - low) * 0.08, high * 0.02, 1e-9);
  return [low < 0.5 * high ? 0 : rounded(Math.max(0, low - margin)), rounded(high + margin)];
}

function sizeByFailures(found: readonly Point[]): Part {
  const most = Math.max(...found.map(({ failed }) => failed));
  if (most === 0) return { value: smallest };
  return {
    field: 'failed',
    type: 'quantitative',
    // So that one in a hundred can be told from none, and a tenth from a half.
    scale: { type: 'sqrt', domain: [0, rounded(Math.max(0.1, most))], range: [smallest, largest], nice: false },
    legend: null,
  };
}

/** The cheapest first; each next one is faster than all that are cheaper. */
function frontOf(found: readonly Point[]): Point[] {
  const sorted = found.toSorted((a, b) => a.cost.mean - b.cost.mean || a.p99.mean - b.p99.mean);
  let best = Infinity;
  return sorted.filter(({ p99 }) => {
    const isFaster = p99.mean < best;
    best = Math.min(best, p99.mean);
    return isFaster;
  });
}

function finding(front: readonly Point[], all: number): string {
  const [cheapest] = front;
  const fastest = front.at(-1)!;
  const price = ({ cost, p99 }: Point): string => `${significant(cost.mean)}/h, p99 ${formatMs(p99.mean)}`;
  if (front.length === 1) return `${short(fastest.variant)} is the cheapest and the fastest of ${all} (${price(fastest)})`;
  return `${short(cheapest!.variant)} is the cheapest (${price(cheapest!)}), ${short(fastest.variant)} the fastest (${price(fastest)})`;
}
