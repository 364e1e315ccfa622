/** One metric side by side: mean over seeds with its 95 % interval. Bars start at zero; metrics near 1, where a bar would only show
 *  that all are near 1, are points on an axis of their own. */
import type { RunFile } from '../../lab/types.ts';
import { formatEstimate, isNumber } from '../format.ts';
import { metricTitle } from '../summary.ts';
import { textWidth } from '../text-width.ts';
import { valueAxis } from './axes.ts';
import { ink, variantColor } from './palette.ts';
import {
  chart,
  metricHeading,
  labelsWidth,
  plotWidth,
  roundedOrNull,
  short,
  type ChartSpec,
  type Part,
  type Row,
} from './spec.ts';

export function barsByVariant(run: RunFile, metric: string): ChartSpec {
  const rows: Row[] = run.variants.flatMap((variant) => {
    const estimate = variant.estimates[metric];
    if (estimate === undefined || !isNumber(estimate.mean)) return [];
    const { value, interval } = formatEstimate(metric, estimate);
    const text = interval === null ? value : `${value}  (${interval})`;
    return [
      {
        variant: variant.label,
        mean: roundedOrNull(estimate.mean),
        low: roundedOrNull(estimate.low),
        high: roundedOrNull(estimate.high),
        text,
      },
    ];
  });
  const texts = Math.ceil(Math.max(0, ...rows.map((row) => textWidth(String(row.text), 11))));
  const width = Math.max(240, plotWidth - labelsWidth(run) - texts - 20);
  const isPoint = nearOne.has(metric);
  const axis = isPoint
    ? valueAxis(metric, rows.flatMap((row) => [row.mean, row.low, row.high]).filter(isNumber))
    : { ...valueAxis(metric, []), scale: { zero: true, nice: true } };
  const x = (field: string): Part => ({ field, type: 'quantitative', ...axis });
  const y: Part = {
    field: 'variant',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { domain: false, ticks: false, labelPadding: 8 },
  };
  return chart(
    {
      title: extremes(run, metric),
      subtitle: run.seeds.length > 1 ? `Mean of ${run.seeds.length} seeds with its 95 % interval.` : 'One seed.',
    },
    { values: rows },
    {
      data: { name: 'values' },
      width,
      height: { step: 30 },
      layer: [
        {
          mark: isPoint
            ? { type: 'point', filled: true, size: 80, opacity: 1 }
            : { type: 'bar', height: { band: 0.6 }, opacity: 0.85 },
          encoding: {
            x: x('mean'),
            y,
            color: variantColor(run, null),
            tooltip: [
              { field: 'variant', type: 'nominal' },
              { field: 'text', type: 'nominal', title: metricTitle(metric) },
            ],
          },
        },
        {
          transform: [{ filter: 'isValid(datum.low) && isValid(datum.high)' }],
          mark: { type: 'rule', color: '#000', strokeWidth: 1.6, tooltip: null },
          encoding: { x: x('low'), x2: { field: 'high' }, y },
        },
        {
          mark: { type: 'text', align: 'left', baseline: 'middle', fontSize: 11, color: ink.normal, tooltip: null },
          encoding: { x: { value: width + 10 }, y, text: { field: 'text', type: 'nominal' } },
        },
      ],
    },
  );
}

const nearOne = new Set(['availability', 'instances.up', 'load.jain', 'load.maxOverMean']);

function extremes(run: RunFile, metric: string): string {
  const found = run.variants
    .flatMap((variant) => {
      const estimate = variant.estimates[metric];
      return estimate === undefined || !isNumber(estimate.mean)
        ? []
        : [{ label: short(variant.label), mean: estimate.mean, text: formatEstimate(metric, estimate).value }];
    })
    .sort((a, b) => a.mean - b.mean);
  const [lowest] = found;
  const highest = found.at(-1);
  if (lowest === undefined || highest === undefined) return metricHeading(metric);
  if (lowest.text === highest.text)
    return `${metricHeading(metric)}: ${lowest.text}${found.length > 1 ? ' with every variant' : ''}`;
  return `${metricHeading(metric)}: from ${lowest.text} with ${lowest.label} to ${highest.text} with ${highest.label}`;
}
