/** The z-score: how many deviations a value lies from the mean of the values before it.
 *
 *  z = (x − mean) / σ over a sliding window that ends before x, and an alarm beyond ±3. Use it for sudden jumps of a metric whose level
 *  nobody can state beforehand. It fails where outliers are in the window: they widen σ and hide the next one (`robust-z-score` does not
 *  mind), and where the metric shifts slowly, for the window shifts with it. A shift that lasts alarms until the window has learned
 *  it. With normal values one in 370 is beyond 3: look every 15 seconds, and chance alone alarms about every hour and a half.
 *
 *  Judges nothing before `minSamples` values. Where the window does not vary at all, any other value is infinitely far away; `minStdDev`
 *  says what deviation is too small to matter. */
import { int, number, type ParamValues } from '../../../core/params.ts';
import { SampleWindow } from '../parts/sample-window.ts';
import { type Alarm, defineAlarm } from './alarm.ts';
import { standardScore } from './parts/scores.ts';

const params = {
  windowSize: int({ default: 60, min: 2, about: 'Values before the judged one that make up its background.' }),
  limit: number({ default: 3, min: 0, about: 'Fires when |z| is above this.' }),
  minSamples: int({ default: 10, min: 2, about: 'With fewer values in the window nothing is judged.' }),
  minStdDev: number({ default: 0, min: 0, about: 'The deviation is taken to be at least this, in units of the metric.' }),
};
export type ZScoreParams = ParamValues<typeof params>;

export const zScore = defineAlarm({
  name: 'z-score',
  summary: 'Fires when a value is more than three standard deviations from the mean of those before it.',
  useWhen: 'Sudden jumps matter and the metric’s level is not known beforehand.',
  failsWhen: 'Outliers are frequent, for they hide each other; or the metric drifts, and the window with it.',
  cost: 'O(1)',
  sources: ['Shewhart: Economic Control of Quality of Manufactured Product (1931)'],
  aliases: [],
  params,
  create: (values) => new ZScoreAlarm(values),
});

export class ZScoreAlarm implements Alarm {
  /** Of the last value; 0 if it was not judged. */
  z = -0;
  readonly #params: ZScoreParams;
  readonly #window: SampleWindow;

  constructor(params: ZScoreParams) {
    this.#params = params;
    this.#window = new SampleWindow(params.windowSize);
  }

  update(value: number): boolean {
    if (Number.isNaN(value)) return false;
    const { minSamples, minStdDev, windowSize, limit } = this.#params;
    const isJudged = this.#window.count >= Math.min(minSamples, windowSize);
    this.z = isJudged ? standardScore(value, this.#window.mean, Math.max(this.#window.stdDeviation, minStdDev)) : 0;
    this.#window.add(value);
    return Math.abs(this.z) > limit;
  }
}
