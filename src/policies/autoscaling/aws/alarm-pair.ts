/** The alarms of a policy that scales both ways. */
import { InputError } from '../../../core/errors.ts';
import { type AlarmState, type MissingData, MetricAlarm } from './metric-alarm.ts';

export interface AlarmPairParams {
  readonly highThreshold: number;
  readonly lowThreshold: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly treatMissingData: MissingData;
}

export class AlarmPair {
  readonly #high: MetricAlarm;
  readonly #low: MetricAlarm;

  constructor(who: string, params: AlarmPairParams) {
    const { highThreshold, lowThreshold, evaluationPeriods, datapointsToAlarm, treatMissingData } = params;
    if (datapointsToAlarm > evaluationPeriods)
      throw InputError.of(
        'bad-alarm',
        `${who}: datapointsToAlarm is ${datapointsToAlarm} and evaluationPeriods is ${evaluationPeriods}`,
      );
    if (lowThreshold > highThreshold)
      throw InputError.of('bad-alarm', `${who}: lowThreshold is ${lowThreshold} and highThreshold is ${highThreshold}`);
    const common = { evaluationPeriods, datapointsToAlarm, missingData: treatMissingData };
    this.#high = new MetricAlarm({ ...common, comparison: 'GreaterThanOrEqualToThreshold', threshold: highThreshold });
    this.#low = new MetricAlarm({ ...common, comparison: 'LessThanOrEqualToThreshold', threshold: lowThreshold });
  }

  evaluate(datapoint: number | undefined): { readonly high: AlarmState; readonly low: AlarmState } {
    return { high: this.#high.evaluate(datapoint), low: this.#low.evaluate(datapoint) };
  }
}
