/** Numbers as people read them: three significant digits, a unit, no locale. Shares of success are cut off, never rounded up, so that
 *  99.996 % does not turn into a promise of 100 %. A value that does not exist (NaN, or null in a file) is shown as an en dash. */
import { findMetric, type MetricUnit } from '../core/metrics.ts';
import type { Ms } from '../core/time.ts';

export const missing = '–';

export const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Three significant digits without an exponent where that stays readable: 12.0, 840, 12300, 0.00123. */
export function significant(value: number, digits = 3): string {
  if (!isNumber(value)) return missing;
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e15 || size < 1e-6) return value.toExponential(digits - 1);
  const rounded = Number(value.toPrecision(digits));
  // Whole numbers beyond the digits lose their exponent form by going through Number; small ones keep trailing zeros, which say how
  // precisely the value is known.
  return Math.abs(rounded) >= 10 ** (digits - 1) ? String(rounded) : rounded.toPrecision(digits);
}

export type TimeUnit = 'µs' | 'ms' | 's';
const msPerUnit: Readonly<Record<TimeUnit, number>> = { µs: 0.001, ms: 1, s: 1000 };

/** One unit for numbers that are to be compared with each other, as in a column of a table. */
export function commonTimeUnit(values: readonly number[]): TimeUnit {
  const present = values.filter((value) => isNumber(value) && value !== 0).map(Math.abs);
  if (present.length === 0) return 'ms';
  if (Math.min(...present) >= 1000) return 's';
  return Math.max(...present) < 1 ? 'µs' : 'ms';
}

export const formatMs = (value: Ms, unit: TimeUnit = commonTimeUnit([value])): string =>
  isNumber(value) ? `${significant(value / msPerUnit[unit])} ${unit}` : missing;

/** A span of simulated time: `5m`, `1h 30m`, `90s` is `1m 30s`, `250ms`. */
export function formatSpan(ms: Ms): string {
  if (!isNumber(ms)) return missing;
  if (ms < 1000) return `${trimZeros(significant(ms))}ms`;
  if (ms < 59_950) return `${trimZeros(significant(ms / 1000))}s`;
  // Rounded before it is taken apart: 2m 59.9s is 3m.
  const seconds = Math.round(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = seconds % 60;
  return [hours > 0 ? `${hours}h` : '', minutes > 0 ? `${minutes}m` : '', rest > 0 ? `${rest}s` : ''].filter(Boolean).join(' ');
}

/** A share of success in percent, cut off after the first digit that is not a nine and at least two decimals: 99.40 %, 99.9996 %. */
export function formatAvailability(fraction: number, decimals = availabilityDecimals(fraction)): string {
  if (!isNumber(fraction)) return missing;
  if (fraction >= 1) return '100 %';
  return `${truncatedPercent(fraction, decimals)} %`;
}

/** How many decimals of a percentage show the first digit that is not a nine. */
export function availabilityDecimals(fraction: number): number {
  if (!isNumber(fraction) || fraction >= 1) return 2;
  const nines = /^0\.99(9*)/.exec(decimalDigits(fraction))?.[1]?.length ?? 0;
  return Math.max(2, nines + 1);
}

/** Percent with three significant digits, rounded; for shares where neither direction is a promise. */
export const formatPercent = (fraction: number): string =>
  isNumber(fraction) ? `${trimZeros(significant(fraction * 100))} %` : missing;

/** A count as a share in percent: two decimals, cut off, and what is there never reads as nothing. */
export function formatShare(count: number, total: number): string {
  if (!(total > 0) || !isNumber(count)) return missing;
  if (count === 0) return '0';
  if (count === total) return '100 %';
  const hundredths = Math.floor((count * 10_000) / total);
  return hundredths === 0 ? '<0.01 %' : `${(hundredths / 100).toFixed(2)} %`;
}

export interface ChangeText {
  /** `-86.3 %`, `+0.018 pp`. */
  readonly text: string;
  /** `[-86.6 .. -86.0]` in the same unit; empty when there is no interval. */
  readonly interval: string;
}

/** A difference with its interval: all three numbers with the same decimals, as many as the width of the interval deserves. `scale`
 *  turns the values into the unit. */
export function formatDifference({ mean, low, high }: EstimateValues, scale: number, unit: string): ChangeText {
  if (!isNumber(mean)) return { text: missing, interval: '' };
  const suffix = unit === '' ? '' : ` ${unit}`;
  if (!isNumber(low) || !isNumber(high)) return { text: signed(mean * scale, decimalsFor(mean * scale)) + suffix, interval: '' };
  // What six decimals do not show is rounding noise of equal values.
  const isNothing = [mean, low, high].every((value) => Math.abs(value * scale) < 5e-7);
  const decimals = isNothing ? 0 : decimalsFor((high - low) * scale || mean * scale);
  return {
    text: signed(mean * scale, decimals) + suffix,
    interval: `[${signed(low * scale, decimals)} .. ${signed(high * scale, decimals)}]`,
  };
}

/** So many that a width is at least five units of the last decimal. */
function decimalsFor(width: number): number {
  let decimals = 0;
  for (let unit = 1; decimals < 6 && Math.abs(width) < 5 * unit; unit /= 10) decimals++;
  return width === 0 ? 0 : decimals;
}

function signed(value: number, decimals: number): string {
  const text = Math.abs(value).toFixed(decimals);
  return (/[1-9]/.test(text) ? (value < 0 ? '-' : '+') : '') + text;
}

/** A metric's value in the unit the glossary gives it. */
export function formatMetric(metric: string, value: number): string {
  if (!isNumber(value)) return missing;
  if (metric === 'availability' || metric === 'instances.up') return formatAvailability(value);
  switch (findMetric(metric)?.unit) {
    case 'ms':
      return formatMs(value);
    case 'fraction':
      return formatPercent(value);
    case 'per second':
      return `${significant(value)} /s`;
    default:
      return significant(value);
  }
}

export interface EstimateText {
  readonly value: string;
  /** `low .. high unit`; null when there is none, as after a single seed. */
  readonly interval: string | null;
}

/** Mean and interval in the same unit and with the same digits: as many as it takes to tell the two ends apart. */
export function formatEstimate(metric: string, { mean, low, high }: EstimateValues): EstimateText {
  if (!isNumber(mean)) return { value: missing, interval: null };
  // The same value in every seed needs no interval either.
  if (!isNumber(low) || !isNumber(high) || low === high) return { value: formatMetric(metric, mean), interval: null };
  const unit = findMetric(metric)?.unit;
  // The t interval knows nothing of the bounds 0 and 1; the reader does.
  // An interval of differences from the mean knows no bounds, the metrics do: no time and no count is below zero.
  const ends = unit === 'fraction' ? [Math.max(0, low), Math.min(1, high)] : [Math.max(0, low), high];
  const [value, from, to] = scaled(metric, unit, [mean, ...ends]);
  const suffix = unitText(unit, [mean, ...ends]);
  return { value: value! + suffix, interval: `${from} .. ${to}${suffix}` };
}
interface EstimateValues {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** Numbers of one estimate without their unit. */
function scaled(metric: string, unit: MetricUnit | undefined, values: readonly number[]): string[] {
  if (metric === 'availability' || metric === 'instances.up') {
    const decimals = Math.max(...values.map(availabilityDecimals));
    return values.map((value) => formatAvailability(value, decimals).slice(0, -2));
  }
  const scale = unit === 'ms' ? 1 / msPerUnit[commonTimeUnit(values)] : unit === 'fraction' ? 100 : 1;
  const [, low, high] = values as [number, number, number];
  let digits = 3;
  while (digits < 6 && low < high && significant(low * scale, digits) === significant(high * scale, digits)) digits++;
  return values.map((value) => significant(value * scale, digits));
}

function unitText(unit: MetricUnit | undefined, values: readonly number[]): string {
  if (unit === 'ms') return ` ${commonTimeUnit(values)}`;
  if (unit === 'fraction') return ' %';
  return unit === 'per second' ? ' /s' : '';
}

/** Counts: exact up to 9999, then 12.3k, 6.75M, 1.20G. */
export function formatCount(value: number): string {
  if (!isNumber(value)) return missing;
  if (Math.abs(value) < 10_000) return String(Math.round(value));
  for (const [size, letter] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    // 999 600 would read 1000k; it belongs to the next letter.
    if (Math.abs(value) >= size * 0.9995) return `${significant(value / size)}${letter}`;
  }
  return String(value);
}

const trimZeros = (text: string): string => (text.includes('.') && !text.includes('e') ? text.replace(/\.?0+$/, '') : text);

/** Cuts the decimal text of a fraction. Arithmetic would do harm here: 0.9994 · 100 is 99.94 or 99.93999… depending on luck. */
function truncatedPercent(fraction: number, decimals: number): string {
  if (fraction <= 0) return `0.${'0'.repeat(decimals)}`;
  const digits = decimalDigits(fraction)
    .slice(2)
    .padEnd(decimals + 2, '0');
  const whole = String(Number(digits.slice(0, 2)));
  return `${whole}.${digits.slice(2, decimals + 2)}`;
}

/** `0.ddd…` of a number in (0, 1). Twelve digits drop the noise of adding doubles, unless that would make it 1. */
function decimalDigits(fraction: number): string {
  const clean = fraction.toFixed(12);
  return clean.startsWith('0') ? clean : fraction.toFixed(20);
}
