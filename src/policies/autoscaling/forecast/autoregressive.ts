/** An autoregressive model AR(p), fitted to the latest measurements by the Yule-Walker equations.
 *
 *  Use it for load that swings back to its mean, or oscillates, with a memory of p measurements. It fails on a trend, unless it is fitted
 *  to the differences between neighbours (`differences`), and on seasons much longer than p. It needs twice as many measurements as it has
 *  coefficients, and two more.
 *
 *  y − m = c1(y[−1] − m) + … + cp(y[−p] − m), with the coefficients that reproduce the autocorrelations of the window; Levinson and
 *  Durbin's recursion finds them in O(p²). A model found in this way never blows up, which one from least squares may. What is forecast
 *  goes in as if it had been measured. A missing measurement is taken to be as forecast, or as the one before.
 *
 *  G. U. Yule (1927), G. Walker (1931); J. Durbin, The fitting of time-series models (1960) */
import type { Forecaster } from './forecaster.ts';

export interface AutoregressiveParams {
  readonly order: number;
  /** Measurements it is fitted to. */
  readonly window: number;
  readonly differences: boolean;
}

export class Autoregressive implements Forecaster {
  readonly #params: AutoregressiveParams;
  readonly #values: number[] = [];

  constructor(params: AutoregressiveParams) {
    this.#params = params;
  }

  observe(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#params.window) this.#values.shift();
  }

  skip(): void {
    const likely = this.forecast(1) ?? this.#values.at(-1);
    if (likely !== undefined) this.observe(likely);
  }

  forecast(steps: number): number | undefined {
    const { order, differences } = this.#params;
    const values = this.#values;
    if (values.length < measurementsNeeded(this.#params)) return undefined;
    const series = differences ? values.slice(1).map((value, i) => value - values[i]) : values;
    const mean = series.reduce((sum, value) => sum + value, 0) / series.length;
    const centred = series.map((value) => value - mean);
    const coefficients = yuleWalker(centred, order);
    let total = values[values.length - 1];
    let latest = 0;
    for (let step = 0; step < steps; step++) {
      latest = coefficients.reduce((sum, c, lag) => sum + c * centred[centred.length - 1 - lag], 0);
      centred.push(latest);
      total += latest + mean;
    }
    return differences ? total : latest + mean;
  }
}

/** How many measurements there must be for a forecast. */
export const measurementsNeeded = ({ order, differences }: Pick<AutoregressiveParams, 'order' | 'differences'>): number =>
  2 * order + 2 + (differences ? 1 : 0);

/** Coefficients of lags 1 to `order` for a series with mean 0; all 0 for one that does not vary. */
export function yuleWalker(centred: readonly number[], order: number): readonly number[] {
  // Divided by the length and not by the number of products: that keeps the model stable.
  const covariance = (lag: number): number =>
    centred.slice(lag).reduce((sum, value, i) => sum + value * centred[i], 0) / centred.length;
  let coefficients: readonly number[] = [];
  let rest = covariance(0);
  for (let k = 1; k <= order; k++) {
    // Nothing is left to explain, but for rounding.
    if (!(rest > 1e-12 * covariance(0))) return [...coefficients, ...Array.from({ length: order - k + 1 }, () => 0)];
    const explained = coefficients.reduce((sum, c, i) => sum + c * covariance(k - 1 - i), 0);
    const reflection = (covariance(k) - explained) / rest;
    const previous = coefficients;
    coefficients = [...previous.map((c, i) => c - reflection * previous[k - 2 - i]), reflection];
    rest *= 1 - reflection * reflection;
  }
  return coefficients;
}
