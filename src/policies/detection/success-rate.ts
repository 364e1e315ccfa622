/** The success-rate rule of outlier detection: an endpoint is an outlier when its success rate is below the mean by more than a multiple of
 *  the standard deviation over endpoints (of the population, not of a sample). */

export interface SuccessRateJudgement {
  readonly mean: number;
  readonly stdev: number;
  readonly threshold: number;
  /** Indices of the outliers. */
  readonly ejected: readonly number[];
}

/** `stdevFactor` is a thousandfold: 1900 is 1.9 deviations, as Envoy and gRPC configure it. */
export function judgeSuccessRates(rates: readonly number[], stdevFactor: number): SuccessRateJudgement {
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) * (rate - mean), 0) / rates.length;
  const stdev = Math.sqrt(variance);
  const threshold = mean - (stdev * stdevFactor) / 1000;
  return { mean, stdev, threshold, ejected: rates.flatMap((rate, i) => (rate < threshold ? [i] : [])) };
}
