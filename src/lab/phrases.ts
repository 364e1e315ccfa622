/** Numbers as the sentences of a verdict say them. Shares are cut off and never rounded up: 99.996 % must not read as 100 %. */
import type { Ms } from '../core/time.ts';

export function list(labels: readonly string[]): string {
  return labels.length <= 1 ? labels.join('') : `${labels.slice(0, -1).join(', ')} and ${labels.at(-1)}`;
}

/** A latency. */
export function ms(value: Ms): string {
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  return value >= 100 ? `${value.toFixed(0)} ms` : value >= 10 ? `${value.toFixed(1)} ms` : `${value.toFixed(2)} ms`;
}

/** A stretch of time that was read from windows, so that decimals would promise too much. */
export function span(value: Ms): string {
  if (value < 1000) return `${Math.round(value)} ms`;
  const seconds = value / 1000;
  return `${seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds)} s`;
}

export const interval = (low: number, high: number, show: (value: number) => string): string =>
  Number.isNaN(low) ? '' : ` (95 % interval ${show(low)} to ${show(high)})`;

/** A change, relative to what it was. Nothing falls by 100 % that is still there. */
export function signed(share: number): string {
  const size = Math.abs(share);
  const rounded = (size * 100).toFixed(size < 0.1 ? 1 : 0);
  return `${sign(share)}${share > -1 && share < 0 && rounded === '100' ? cut(size, 2) : rounded} %`;
}

/** A change of a share. */
export const points = (difference: number): string => `${sign(difference)}${cut(Math.abs(difference), 3)} points`;

export const percent = (share: number): string => (share === 1 ? '100 %' : `${cut(share, 3)} %`);

/** A share in whole percent; below one, in as many decimals as show something. */
export function roughly(share: number): string {
  if (share <= 0) return '0 %';
  if (share < 0.0001) return 'less than 0.01 %';
  return share < 0.01 ? `${cut(share, 2)} %` : `${cut(share, 0)} %`;
}

/** A share that somebody wrote, as written. */
export const exactly = (share: number): string => `${Number((share * 100).toPrecision(12))} %`;

const sign = (value: number): string => (value < 0 ? '−' : '+');

/** In percent, cut off after so many decimals. The small addition keeps 0.29 · 100 = 28.999999999999996 at 29. */
function cut(share: number, decimals: 0 | 2 | 3): string {
  const steps = decimals === 0 ? 1 : decimals === 2 ? 100 : 1000;
  return (Math.floor(share * 100 * steps + 1e-7) / steps).toFixed(decimals);
}
