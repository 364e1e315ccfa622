/** A law for measured service times: lognormal where it fits, the measured percentiles where it does not. Measured times include what a
 *  server's own queue added, so a law fitted to a server near its limit is too slow for one with time to spare. */
import { exp } from '../../core/math.ts';
import type { Ms } from '../../core/time.ts';
import type { DurationSketch } from './duration-sketch.ts';

export interface FittedService {
  /** Requests with a known duration. */
  readonly count: number;
  readonly meanMs: Ms;
  /** By percentile name, from p0 to p100. */
  readonly quantiles: Readonly<Record<string, Ms>>;
  /** By maximum likelihood; absent when all times are alike. */
  readonly lognormal?: { readonly p50: Ms; readonly p99: Ms };
  /** The largest relative difference between law and measurement over mean, p25, p50, p75, p90, p95 and p99. */
  readonly lognormalError: number;
  readonly choice: 'lognormal' | 'quantiles';
}

/** Beyond this a law is not what was measured. */
export const maxFitError = 0.1;
/** A nanosecond: shorter is no duration. */
const shortest: Ms = 1e-6;
/** Of the logarithms: below, all times are alike but for rounding. */
const minSpread = 1e-3;
/** Fewer do not tell a law. */
const minCount = 100;

export function fitService(sketch: DurationSketch, tickMs: Ms): FittedService | undefined {
  if (sketch.count === 0 || sketch.max < shortest) return undefined;
  const quantiles = Object.fromEntries(percentiles.map((percent) => [`p${percent}`, sketch.quantile(Number(`${percent}e-2`))]));
  const { mean: mu, deviation: sigma } = sketch.logMoments();
  const measured = { count: sketch.count, meanMs: sketch.mean(), quantiles };
  if (!(sigma > minSpread)) return { ...measured, lognormalError: Infinity, choice: 'quantiles' };
  const differences = checked.map(([percent, z]) =>
    difference(exp(mu + z * sigma), sketch.quantile(Number(`${percent}e-2`)), tickMs),
  );
  differences.push(difference(exp(mu + (sigma * sigma) / 2), sketch.mean(), tickMs));
  const lognormalError = Math.max(...differences);
  return {
    ...measured,
    lognormal: { p50: exp(mu), p99: exp(mu + z99 * sigma) },
    lognormalError,
    choice: lognormalError <= maxFitError && sketch.count >= minCount ? 'lognormal' : 'quantiles',
  };
}

/** A clock's tick hides differences up to half of it. */
const difference = (law: Ms, measured: Ms, tickMs: Ms): number =>
  Math.max(0, Math.abs(law - measured) - tickMs / 2) / Math.max(measured, tickMs / 2, 1e-9);

const percentiles = ['0', '10', '25', '50', '75', '90', '95', '99', '99.9', '100'];
const z99 = 2.3263478740408408;
/** Percentiles with their standard normal quantiles. */
const checked: readonly (readonly [percent: number, z: number])[] = [
  [25, -0.6744897501960817],
  [50, 0],
  [75, 0.6744897501960817],
  [90, 1.2815515655446004],
  [95, 1.6448536269514722],
  [99, z99],
];
