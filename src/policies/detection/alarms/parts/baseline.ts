/** Mean and standard deviation of a metric while all is well: given, or learned from its first values (phase I of a control chart). */
import { int, number } from '../../../../core/params.ts';
import { SampleWindow } from '../../parts/sample-window.ts';

/** The parameters that charts share. */
export const baselineParams = {
  learnFrom: int({ default: 30, min: 0, about: 'Number of first values to learn mean and deviation from; 0 uses those given.' }),
  mean: number({ default: 0, about: 'Mean while all is well, where it is given.' }),
  stdDev: number({
    default: 0,
    min: 0,
    about: 'Standard deviation while all is well, where given; else the least to be assumed.',
  }),
};

export interface BaselineParams {
  readonly learnFrom: number;
  readonly mean: number;
  readonly stdDev: number;
}

export class Baseline {
  mean = -0;
  stdDev = -0;
  readonly #params: BaselineParams;
  readonly #window: SampleWindow;

  constructor(params: BaselineParams) {
    this.mean = params.mean;
    this.stdDev = params.stdDev;
    this.#params = params;
    this.#window = new SampleWindow(Math.max(1, params.learnFrom));
  }

  /** Takes a value to learn from; false if it has learned enough. */
  learn(value: number): boolean {
    if (this.#window.count >= this.#params.learnFrom) return false;
    this.#window.add(value);
    this.mean = this.#window.mean;
    this.stdDev = Math.max(this.#window.stdDeviation, this.#params.stdDev);
    return true;
  }
}
