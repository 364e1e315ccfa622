/** Forecasts of series whose continuation is known. */
import { describe, expect, it } from 'vitest';
import { Autoregressive, yuleWalker } from '../../../src/policies/autoscaling/forecast/autoregressive.ts';
import { EwmaForecaster } from '../../../src/policies/autoscaling/forecast/ewma.ts';
import type { Forecaster } from '../../../src/policies/autoscaling/forecast/forecaster.ts';
import { HoltWinters } from '../../../src/policies/autoscaling/forecast/holt-winters.ts';
import { LinearRegression } from '../../../src/policies/autoscaling/forecast/linear-regression.ts';
import { testRng } from '../fixtures.ts';

const after = <Made extends Forecaster>(forecaster: Made, series: readonly (number | undefined)[]): Made => {
  for (const value of series) {
    if (value === undefined) forecaster.skip();
    else forecaster.observe(value);
  }
  return forecaster;
};
const ahead = (forecaster: Forecaster, steps: number): readonly (number | undefined)[] =>
  Array.from({ length: steps }, (_, i) => forecaster.forecast(i + 1));
const _ = undefined;

describe('an exponentially weighted average', () => {
  it('moves by alpha towards what is measured, and forecasts itself', () => {
    const forecaster = after(new EwmaForecaster(0.25), [8, 4, _, 8]);
    expect(ahead(forecaster, 2)).toEqual([7.25, 7.25]);
    expect(new EwmaForecaster(0.5).forecast()).toBeUndefined();
  });
});

describe('linear regression', () => {
  it('continues a line, over gaps too, and looks at its window alone', () => {
    expect(ahead(after(new LinearRegression(10), [10, 12, _, 16]), 3)).toEqual([18, 20, 22]);
    expect(after(new LinearRegression(3), [1000, -1000, 10, 20, 30]).forecast(1)).toBeCloseTo(40, 9);
    expect(after(new LinearRegression(10), [5]).forecast(1)).toBeUndefined();
    expect(after(new LinearRegression(3), [5, 6, _, _, _]).forecast(1)).toBeUndefined();
  });

  it('is the line of least squares', () => {
    // For 1, 2, 6 the slope is 2.5 and the mean 3 at the middle: 3 + 2.5 · 2.
    expect(after(new LinearRegression(5), [1, 2, 6]).forecast(1)).toBeCloseTo(8, 12);
  });
});

describe('Holt-Winters', () => {
  const params = { alpha: 0.4, beta: 0.2, gamma: 0.3, seasonLength: 4 };
  const season = [0, 10, 20, 10];
  const series = (length: number, growth: number): readonly number[] =>
    Array.from({ length }, (__, i) => 100 + growth * i + season[i % 4]);

  it('knows nothing before two seasons, and then continues what it has seen', () => {
    const forecaster = new HoltWinters(params);
    expect(after(forecaster, series(7, 0)).forecast(1)).toBeUndefined();
    after(forecaster, [110]);
    expect(ahead(forecaster, 8)).toEqual([100, 110, 120, 110, 100, 110, 120, 110].map((value) => expect.closeTo(value, 9)));
  });

  it('finds a trend under a season', () => {
    // The start takes the growth within the season for season; it is unlearnt in time.
    const forecaster = after(new HoltWinters(params), series(400, 0.5));
    const known = series(408, 0.5).slice(400);
    expect(ahead(forecaster, 8)).toEqual(known.map((value) => expect.closeTo(value, 1)));
  });

  it('takes what is missing to be as forecast', () => {
    const whole = after(new HoltWinters(params), series(40, 0));
    const gappy = after(
      new HoltWinters(params),
      series(40, 0).map((value, i) => ([3, 5, 6, 21].includes(i) ? _ : value)),
    );
    // In the first season a gap is filled by the neighbour, 10 away; that is unlearnt by the tenth.
    for (let step = 1; step <= 4; step++) expect(Math.abs(gappy.forecast(step)! - whole.forecast(step)!)).toBeLessThan(1);
    // A gap before the first measurement does not count.
    expect(after(new HoltWinters(params), [_, _, ...series(8, 0)]).forecast(1)).toBeCloseTo(100, 9);
  });
});

describe('an autoregressive model', () => {
  it('solves the equations of Yule and Walker', () => {
    // AR(2) by hand: with autocorrelations r1, r2 it is c1 = r1(1 − r2) / (1 − r1²), c2 = (r2 − r1²) / (1 − r1²).
    const series = [3, -1, 2, -4, 1, 2, -3, 0, 1, -1];
    const sum = (lag: number): number => series.slice(lag).reduce((total, value, i) => total + value * series[i], 0);
    const [r1, r2] = [sum(1) / sum(0), sum(2) / sum(0)];
    const [c1, c2] = yuleWalker(series, 2);
    expect(c1).toBeCloseTo((r1 * (1 - r2)) / (1 - r1 * r1), 12);
    expect(c2).toBeCloseTo((r2 - r1 * r1) / (1 - r1 * r1), 12);
  });

  it('finds the coefficients that made a long series', () => {
    // Standard error of an AR coefficient over 20,000 values: about 0.007. The seed is fixed.
    const rng = testRng(7);
    const series = [0, 0];
    for (let i = 2; i < 20_000; i++) series.push(0.6 * series[i - 1] - 0.3 * series[i - 2] + rng.next() - 0.5);
    const [c1, c2] = yuleWalker(series, 2);
    expect(Math.abs(c1 - 0.6)).toBeLessThan(0.03);
    expect(Math.abs(c2 + 0.3)).toBeLessThan(0.03);
  });

  it('goes back to the mean, and never away from it', () => {
    const wave = Array.from({ length: 60 }, (__, i) => 50 + 10 * [0, 1, 0, -1][i % 4]);
    const forecaster = after(new Autoregressive({ order: 2, window: 60, differences: false }), wave);
    const [one, two, three] = ahead(forecaster, 3);
    expect([one, two, three].map((value) => Math.round(value!))).toEqual([50, 60, 50]);
    expect(forecaster.forecast(1000)).toBeCloseTo(50, 3);
  });

  it('follows a trend by its differences', () => {
    const ramp = Array.from({ length: 30 }, (__, i) => 10 + 3 * i);
    const forecaster = after(new Autoregressive({ order: 3, window: 30, differences: true }), ramp);
    expect(ahead(forecaster, 3)).toEqual([100, 103, 106]);
  });

  it('needs two measurements per coefficient and two more, and bears what does not vary, or is missing', () => {
    const make = (): Autoregressive => new Autoregressive({ order: 2, window: 20, differences: false });
    expect(after(make(), [1, 2, 3, 4, 5]).forecast(1)).toBeUndefined();
    expect(after(make(), [1, 2, 3, 4, 5, 6]).forecast(1)).toBeDefined();
    expect(after(make(), [7, 7, _, 7, 7, 7, 7]).forecast(5)).toBe(7);
    expect(after(make(), [_, _]).forecast(1)).toBeUndefined();
  });
});
