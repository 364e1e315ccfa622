/** Value axes: latencies from microseconds to minutes, shares of success near 100 %. Domains and ticks are set here and not left to
 *  defaults, which round a logarithmic axis away from the data and warn about zeros. */
import { findMetric } from '../../core/metrics.ts';
import { isNumber } from '../format.ts';
import { metricTitle } from '../summary.ts';
import { rounded, type Part } from './spec.ts';

/** Logarithmic as soon as the values span more than a factor of six, else linear from zero. Some room on top holds names of faults. */
export function latencyAxis(values: readonly (number | null | undefined)[], title: string | null, isSmall = false): Part {
  const positive = values.filter((value): value is number => isNumber(value) && value > 0);
  const low = Math.min(...positive);
  const high = Math.max(...positive);
  if (positive.length === 0 || high / low < 6) {
    return {
      title,
      scale: { domain: [0, positive.length === 0 ? 1 : rounded(high * 1.08)], nice: false },
      axis: { labelExpr: latencyLabel, tickCount: isSmall ? 3 : 6 },
    };
  }
  // A tick count would make Vega drop every other one of the values given.
  return {
    title,
    ...logScale(low / 1.1, high * (isSmall ? 1.1 : 1.1 + 0.04 * Math.sqrt(high / low)), { labelExpr: latencyLabel }),
  };
}

/** A logarithmic axis over exactly this domain, ticks at 1, 2, 5 per decade or at decades alone when there are many. */
export function logScale(low: number, high: number, axis: Part = {}): Part {
  return {
    scale: { type: 'log', domain: [rounded(low), rounded(high)], nice: false },
    axis: { ...axis, values: logTicks(low, high) },
  };
}

export function logTicks(low: number, high: number): number[] {
  const ticks: number[] = [];
  for (let exponent = -9; exponent <= 15; exponent++) {
    for (const digit of [1, 2, 5]) {
      const tick = Number(`${digit}e${exponent}`);
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  const decades = ticks.filter((tick) => /^1(e|0*$)|^0\.0*1$/.test(String(tick)));
  return ticks.length > 9 && decades.length > 1 ? decades : ticks;
}

export const latencyLabel =
  "datum.value === 0 ? '0' : datum.value >= 1000 ? format(datum.value / 1000, '~g') + ' s' : " +
  "datum.value >= 1 ? format(datum.value, '~g') + ' ms' : format(datum.value * 1000, '~g') + ' µs'";

export const percentLabel = "format(datum.value * 100, '.7~g') + ' %'";

/** Room for names below the lowest value, and a little above 100 %, so that a line there is not cut in half. */
export function availabilityAxis(values: readonly (number | null | undefined)[], title: string | null): Part {
  const present = values.filter(isNumber);
  // Without any failure there is still an axis, down to 99.9 %.
  const low = Math.min(0.999, ...present);
  return {
    title,
    scale: { domain: [rounded(Math.max(0, low - (1 - low) * 0.12)), rounded(1 + (1 - low) * 0.02)], nice: false, zero: false },
    axis: { labelExpr: percentLabel, tickCount: 6 },
  };
}

/** An axis for points of any metric: from the values up, not from zero, so that their spread shows. */
export function valueAxis(metric: string, values: readonly number[]): Part {
  const title = metricTitle(metric);
  const unit = findMetric(metric)?.unit;
  if (unit === 'ms') {
    const axis = latencyAxis(values, title);
    const isLog = (axis.scale as { readonly type?: string }).type === 'log';
    return isLog ? axis : { ...axis, scale: { zero: false, nice: true } };
  }
  return {
    title: unit === 'per second' ? `${title} (per second)` : title,
    scale: { zero: false, nice: true },
    axis: unit === 'fraction' ? { labelExpr: percentLabel, tickCount: 6 } : { tickCount: 6, format: '~g' },
  };
}
