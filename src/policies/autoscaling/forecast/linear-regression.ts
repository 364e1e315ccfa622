/** A straight line through the latest measurements by least squares, continued.
 *
 *  Use it for ramps that last longer than the window. It fails at every turn: it goes on climbing for half a window after the peak.
 *  Missing measurements are left out and keep their place in time. Two are needed.
 *
 *  A. M. Legendre (1805) */
import type { Forecaster } from './forecaster.ts';

export class LinearRegression implements Forecaster {
  readonly #window: number;
  /** Time and value of the measurements in the window, oldest first. */
  readonly #points: { readonly at: number; readonly value: number }[] = [];
  #now = -1;

  constructor(window: number) {
    this.#window = window;
  }

  observe(value: number): void {
    this.#advance();
    this.#points.push({ at: this.#now, value });
  }

  skip(): void {
    this.#advance();
  }

  forecast(steps: number): number | undefined {
    const count = this.#points.length;
    if (count < 2) return undefined;
    // Centred, so that large times do not eat digits.
    const meanAt = this.#points.reduce((sum, { at }) => sum + at, 0) / count;
    const meanValue = this.#points.reduce((sum, { value }) => sum + value, 0) / count;
    let covariance = 0;
    let variance = 0;
    for (const { at, value } of this.#points) {
      covariance += (at - meanAt) * (value - meanValue);
      variance += (at - meanAt) * (at - meanAt);
    }
    return meanValue + (covariance / variance) * (this.#now + steps - meanAt);
  }

  #advance(): void {
    this.#now++;
    while (this.#points.length > 0 && this.#points[0].at <= this.#now - this.#window) this.#points.shift();
  }
}
