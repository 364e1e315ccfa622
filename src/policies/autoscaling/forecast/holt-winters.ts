/** Holt-Winters' additive exponential smoothing: a level, a trend and a season of fixed length.
 *
 *  Use it for load that repeats, by day or week, around a slowly moving level. It fails when the size of the season grows with the level
 *  (that is the multiplicative form), when the season has another length than it is told, and on holidays. It knows nothing before two
 *  whole seasons have passed.
 *
 *  With y measured, L' = a(y − S) + (1 − a)(L + T), T' = b(L' − L) + (1 − b)T, S' = g(y − L') + (1 − g)S; h steps ahead stands
 *  L + hT + S[h]. The first two seasons give the start (the mean of the first is the level, the mean growth from one to the other the
 *  trend, the differences from the level the season), and are then gone through again. A missing measurement is taken to be as forecast.
 *
 *  P. R. Winters, Forecasting sales by exponentially weighted moving averages, Management Science 6 (1960) */
import type { Forecaster } from './forecaster.ts';

export interface HoltWintersParams {
  readonly alpha: number;
  readonly beta: number;
  readonly gamma: number;
  /** Measurements in a season. */
  readonly seasonLength: number;
}

export class HoltWinters implements Forecaster {
  readonly #params: HoltWintersParams;
  /** The first two seasons, until they are complete. */
  readonly #start: number[] = [];
  #smoothing: SeasonalSmoothing | undefined;

  constructor(params: HoltWintersParams) {
    this.#params = params;
  }

  observe(value: number): void {
    if (this.#smoothing !== undefined) {
      this.#smoothing.observe(value);
      return;
    }
    this.#start.push(value);
    if (this.#start.length < 2 * this.#params.seasonLength) return;
    this.#smoothing = new SeasonalSmoothing(this.#params, this.#start);
    for (const early of this.#start) this.#smoothing.observe(early);
    this.#start.length = 0;
  }

  skip(): void {
    // In the first two seasons: as one season ago, or as the measurement before. Before the first one there is no time to lose.
    const likely = this.forecast(1) ?? this.#start[this.#start.length - this.#params.seasonLength] ?? this.#start.at(-1);
    if (likely !== undefined) this.observe(likely);
  }

  forecast(steps: number): number | undefined {
    return this.#smoothing?.forecast(steps);
  }
}

/** The recursion, once there is a start. Holds no measurement of the seasons that it starts from: they are observed after that. */
export class SeasonalSmoothing {
  level: number;
  trend: number;
  readonly #params: HoltWintersParams;
  readonly #season: number[];
  #count = 0;

  constructor(params: HoltWintersParams, firstTwoSeasons: readonly number[]) {
    const { seasonLength } = params;
    const first = firstTwoSeasons.slice(0, seasonLength);
    this.#params = params;
    this.level = mean(first);
    this.trend = mean(first.map((value, i) => (firstTwoSeasons[seasonLength + i] - value) / seasonLength));
    this.#season = first.map((value) => value - this.level);
  }

  observe(value: number): void {
    const { alpha, beta, gamma, seasonLength } = this.#params;
    const phase = this.#count % seasonLength;
    const before = this.level;
    this.level = alpha * (value - this.#season[phase]) + (1 - alpha) * (before + this.trend);
    this.trend = beta * (this.level - before) + (1 - beta) * this.trend;
    this.#season[phase] = gamma * (value - this.level) + (1 - gamma) * this.#season[phase];
    this.#count++;
  }

  forecast(steps: number): number {
    return this.level + steps * this.trend + this.#season[(this.#count + steps - 1) % this.#params.seasonLength];
  }
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
