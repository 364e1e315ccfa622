/** A CloudWatch alarm on one metric: so many of the latest so many datapoints beyond a threshold.
 *
 *  Use it to act on what lasts and not on what happens once. It fails by being late: three of three one-minute datapoints are three
 *  minutes of overload. A datapoint that is missing counts neither way by default; when all are missing there is nothing to judge.
 *  CloudWatch also looks at older datapoints in place of missing ones, as many as it happens to have fetched; this alarm does not.
 *
 *  AWS: Amazon CloudWatch User Guide, "Evaluating an alarm" and "Configuring how CloudWatch alarms treat missing data" */
export const comparisons = {
  GreaterThanThreshold: (value: number, threshold: number): boolean => value > threshold,
  GreaterThanOrEqualToThreshold: (value: number, threshold: number): boolean => value >= threshold,
  LessThanThreshold: (value: number, threshold: number): boolean => value < threshold,
  LessThanOrEqualToThreshold: (value: number, threshold: number): boolean => value <= threshold,
} as const;
export type Comparison = keyof typeof comparisons;

export const missingDataRules = ['missing', 'ignore', 'breaching', 'notBreaching'] as const;
export type MissingData = (typeof missingDataRules)[number];

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

export interface AlarmParams {
  readonly comparison: Comparison;
  readonly threshold: number;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly missingData: MissingData;
}

export class MetricAlarm {
  state: AlarmState = 'INSUFFICIENT_DATA';
  readonly #params: AlarmParams;
  /** The latest datapoints, oldest first; before the first one all are missing. */
  readonly #datapoints: (number | undefined)[];

  constructor(params: AlarmParams) {
    this.#params = params;
    this.#datapoints = Array.from({ length: params.evaluationPeriods }, () => undefined);
  }

  /** A period is over. undefined: nothing was measured in it. */
  evaluate(datapoint: number | undefined): AlarmState {
    this.#datapoints.push(datapoint);
    this.#datapoints.shift();
    this.state = this.#judge();
    return this.state;
  }

  #judge(): AlarmState {
    const { comparison, threshold, datapointsToAlarm, missingData } = this.#params;
    const present = this.#datapoints.filter((value) => value !== undefined);
    const missing = this.#datapoints.length - present.length;
    const breaching =
      present.filter((value) => comparisons[comparison](value, threshold)).length + (missingData === 'breaching' ? missing : 0);
    if (breaching >= datapointsToAlarm) return 'ALARM';
    // With the missing ones it might be an alarm, so what was stays.
    if (missingData === 'ignore' && breaching + missing >= datapointsToAlarm) return this.state;
    return missingData === 'missing' && present.length === 0 ? 'INSUFFICIENT_DATA' : 'OK';
  }
}
