/** The robust z-score: how far a value lies from the median of the values before it, in median distances (Iglewicz and Hoaglin).
 *
 *  z = 0.6745 · (x − median) / MAD, and an alarm beyond ±3.5. MAD is the median of the distances from the median; the factor makes z
 *  comparable with a plain z-score for normal values. Up to half of the window may be outliers without moving either.
 *
 *  Use it on metrics with frequent spikes, as latencies and error counts have. It fails where more than half of the values are equal, as in
 *  counts of rare events: MAD is 0 then and anything else is infinitely far, unless `minMad` says what does not matter. And skewed
 *  metrics alarm on their long side more often than the limit suggests. */
import { int, number, type ParamValues } from '../../../core/params.ts';
import { SampleWindow } from '../parts/sample-window.ts';
import { type Alarm, defineAlarm } from './alarm.ts';
import { MAD_PER_SIGMA, medianAndMad, standardScore } from './parts/scores.ts';

const params = {
  windowSize: int({ default: 60, min: 2, about: 'Values before the judged one that make up its background.' }),
  limit: number({ default: 3.5, min: 0, about: 'Fires when |z| is above this.' }),
  minSamples: int({ default: 10, min: 2, about: 'With fewer values in the window nothing is judged.' }),
  minMad: number({ default: 0, min: 0, about: 'The median distance is taken to be at least this, in units of the metric.' }),
};
export type RobustZScoreParams = ParamValues<typeof params>;

export const robustZScore = defineAlarm({
  name: 'robust-z-score',
  summary: 'Fires when a value is far from the median of those before it, in median distances.',
  useWhen: 'Sudden jumps matter and the metric has spikes that must not hide the next one.',
  failsWhen: 'Most values are equal, so that anything else is infinitely far; or the metric drifts.',
  cost: 'O(window · log window)',
  sources: ['Iglewicz, Hoaglin: How to Detect and Handle Outliers (1993)'],
  aliases: [{ system: 'literature', name: 'modified-z-score' }],
  params,
  create: (values) => new RobustZScoreAlarm(values),
});

export class RobustZScoreAlarm implements Alarm {
  /** Of the last value; 0 if it was not judged. */
  z = -0;
  readonly #params: RobustZScoreParams;
  readonly #window: SampleWindow;
  readonly #scratch: Float64Array;
  readonly #background = { median: -0, mad: -0 };

  constructor(params: RobustZScoreParams) {
    this.#params = params;
    this.#window = new SampleWindow(params.windowSize);
    this.#scratch = new Float64Array(params.windowSize);
  }

  update(value: number): boolean {
    if (Number.isNaN(value)) return false;
    const { minSamples, windowSize, limit } = this.#params;
    const isJudged = this.#window.count >= Math.min(minSamples, windowSize);
    this.z = isJudged ? this.#score(value) : 0;
    this.#window.add(value);
    return Math.abs(this.z) > limit;
  }

  #score(value: number): number {
    const background = this.#background;
    medianAndMad(this.#window.samples(), this.#scratch.subarray(0, this.#window.count), background);
    return MAD_PER_SIGMA * standardScore(value, background.median, Math.max(background.mad, this.#params.minMad));
  }
}

/** The score of a value among others, with what it is made of. */
export function robustScore(window: readonly number[], value: number): { median: number; mad: number; z: number } {
  const background = { median: 0, mad: 0 };
  medianAndMad(Float64Array.from(window), new Float64Array(window.length), background);
  return { ...background, z: MAD_PER_SIGMA * standardScore(value, background.median, background.mad) };
}
