/** An exponentially weighted average: tomorrow is like the recent past.
 *
 *  Use it for series without trend and season, to take out noise. It fails by lagging behind everything that moves: a ramp by
 *  (1 − alpha) / alpha measurements. L' = alpha · y + (1 − alpha) · L; the first measurement is the first average.
 *
 *  R. G. Brown, Smoothing, Forecasting and Prediction of Discrete Time Series (1963) */
import type { Forecaster } from './forecaster.ts';

export class EwmaForecaster implements Forecaster {
  readonly #alpha: number;
  #level: number | undefined;

  constructor(alpha: number) {
    this.#alpha = alpha;
  }

  observe(value: number): void {
    this.#level = this.#level === undefined ? value : this.#alpha * value + (1 - this.#alpha) * this.#level;
  }

  skip(): void {}

  forecast(): number | undefined {
    return this.#level;
  }
}
