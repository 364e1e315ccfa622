/** How the sentences of a search write numbers. */
import { findMetric } from '../../core/metrics.ts';
import { ms, percent } from '../phrases.ts';

/** `latency.p99{class=read}` belongs to `latency.p99`. */
export function valueText(metric: string, value: number): string {
  if (Number.isNaN(value)) return 'no value';
  if (!Number.isFinite(value)) return 'without bound';
  const name = metric.split('{', 1)[0];
  // A promise of success is cut off, not rounded up.
  if (name === 'availability' || name === 'instances.up') return percent(Math.max(0, Math.min(1, value)));
  switch (findMetric(name)?.unit) {
    case 'ms':
      return ms(value);
    case 'fraction':
      return shareText(value);
    case 'per second':
      return `${threeDigits(value)}/s`;
    default:
      return threeDigits(value);
  }
}

export function intervalText(metric: string, low: number, high: number): string {
  return Number.isFinite(low) && Number.isFinite(high) ? ` [${valueText(metric, low)} .. ${valueText(metric, high)}]` : '';
}

export const threeDigits = (value: number): string => {
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1000 ? String(Math.round(value)) : String(rounded);
};

/** A share of change: `12 %`. */
export const shareText = (share: number): string => `${threeDigits(share * 100)} %`;

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
