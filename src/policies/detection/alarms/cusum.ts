/** The tabular CUSUM: sums up by how much values exceed a shift not worth noticing, upwards and downwards, and fires when a sum is large
 *  (Page).
 *
 *  C⁺ = max(0, C⁺ + x − (mean + kσ)), C⁻ = max(0, C⁻ + (mean − kσ) − x); an alarm above hσ. k is half the shift to be noticed, in
 *  deviations. With normal values and h = 5 a false alarm comes every 465 values and a shift of one σ is noticed after 10.4 on average, which
 *  no other chart of the kind betters. It fails on shifts much larger than 2kσ, which a z-score sees at once, and where values
 *  depend on each other or follow the hour.
 *
 *  Mean and σ are learned from the first values, so those must be of good times. After an alarm the sums go on: what went up must come down
 *  again value by value, so the alarm outlasts its cause. */
import { number, type ParamValues } from '../../../core/params.ts';
import { type Alarm, defineAlarm } from './alarm.ts';
import { Baseline, baselineParams } from './parts/baseline.ts';

const params = {
  k: number({ default: 0.5, min: 0, about: 'Half the shift to be noticed, in deviations: what is forgiven per value.' }),
  h: number({ default: 5, min: 0, about: 'Fires when a sum is above this many deviations.' }),
  ...baselineParams,
};
export type CusumParams = ParamValues<typeof params>;

export const cusum = defineAlarm({
  name: 'cusum',
  summary: 'Fires when values have added up to too much above or below their mean (tabular CUSUM).',
  useWhen: 'A small shift of known size shall be noticed as early as a given rate of false alarms allows.',
  failsWhen:
    'The metric follows the hour or the load, neighbouring values depend on each other, or the alarm must end with its cause.',
  cost: 'O(1)',
  sources: ['Page: Continuous Inspection Schemes (1954)', 'Montgomery: Statistical Quality Control, §9.1'],
  aliases: [{ system: 'literature', name: 'page-test' }],
  params,
  create: (values) => new CusumAlarm(values),
});

export class CusumAlarm implements Alarm {
  /** The sums, in units of the metric. */
  plus = -0;
  minus = -0;
  readonly #params: CusumParams;
  readonly #baseline: Baseline;

  constructor(params: CusumParams) {
    this.#params = params;
    this.#baseline = new Baseline(params);
  }

  update(value: number): boolean {
    if (Number.isNaN(value) || this.#baseline.learn(value)) return false;
    const { mean, stdDev } = this.#baseline;
    const { k, h } = this.#params;
    this.plus = Math.max(0, this.plus + value - (mean + k * stdDev));
    this.minus = Math.max(0, this.minus + (mean - k * stdDev) - value);
    return Math.max(this.plus, this.minus) > h * stdDev;
  }
}
