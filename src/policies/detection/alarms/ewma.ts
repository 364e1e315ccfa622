/** The EWMA chart: an exponentially weighted average of the metric, and an alarm when it leaves its control limits (Roberts).
 *
 *  z = λ x + (1 − λ) z from the mean; limits mean ± L σ √(λ / (2 − λ) · (1 − (1 − λ)^(2i))) after i values. Averaging makes small, lasting
 *  shifts visible that no single value shows: about one σ, within ten values or so. It fails on metrics whose values depend on
 *  each other or follow the hour, for the limits assume neither; a large jump is seen a little later than by a z-score.
 *
 *  Mean and σ are learned from the first values, so those must be of good times. The chart never learns again: after a lasting change
 *  for the better it alarms until it is made anew. */
import { fraction, number, type ParamValues } from '../../../core/params.ts';
import { type Alarm, defineAlarm } from './alarm.ts';
import { Baseline, baselineParams } from './parts/baseline.ts';

const params = {
  lambda: fraction({ default: 0.2, min: 0.001, about: 'Weight of the newest value in the average.', official: 'the chart’s λ' }),
  limitWidth: number({
    default: 3,
    min: 0,
    about: 'Width of the limits, in deviations of the average.',
    official: 'the chart’s L',
  }),
  ...baselineParams,
};
export type EwmaParams = ParamValues<typeof params>;

export const ewma = defineAlarm({
  name: 'ewma',
  summary: 'Fires when an exponentially weighted average leaves its control limits (EWMA chart).',
  useWhen: 'Small shifts that last shall be noticed, and good times can be told from bad beforehand.',
  failsWhen: 'The metric follows the hour or the load, or neighbouring values depend on each other.',
  cost: 'O(1)',
  sources: [
    'Roberts: Control Chart Tests Based on Geometric Moving Averages (1959)',
    'Montgomery: Statistical Quality Control, §9.2',
  ],
  aliases: [{ system: 'literature', name: 'ewma-chart' }],
  params,
  create: (values) => new EwmaAlarm(values),
});

export class EwmaAlarm implements Alarm {
  /** The average, and the limits it is held to. */
  z = -0;
  upper = -0;
  lower = -0;
  readonly #params: EwmaParams;
  readonly #baseline: Baseline;
  /** (1 − λ)^(2i): what is left of the certainty of the start. */
  #memory = -0;

  constructor(params: EwmaParams) {
    this.#params = params;
    this.#baseline = new Baseline(params);
    this.#memory = 1;
    this.upper = Infinity;
    this.lower = -Infinity;
    this.z = this.#baseline.mean;
  }

  update(value: number): boolean {
    if (Number.isNaN(value)) return false;
    if (this.#baseline.learn(value)) {
      this.z = this.#baseline.mean;
      return false;
    }
    const { lambda, limitWidth } = this.#params;
    const { mean, stdDev } = this.#baseline;
    this.z = lambda * value + (1 - lambda) * this.z;
    this.#memory *= (1 - lambda) * (1 - lambda);
    const half = limitWidth * stdDev * Math.sqrt((lambda / (2 - lambda)) * (1 - this.#memory));
    this.upper = mean + half;
    this.lower = mean - half;
    return this.z > this.upper || this.z < this.lower;
  }
}
