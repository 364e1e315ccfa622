/** When a metric of an analysis is decided: by counts of measurements that succeeded, failed, said nothing or could not be made.
 *
 *  After argoproj/argo-rollouts: analysis/analysis.go, assessMetricStatus. */

/** In order of badness. */
export const finishedPhases = ['Successful', 'Inconclusive', 'Error', 'Failed'] as const;
export type FinishedPhase = (typeof finishedPhases)[number];
export type MetricPhase = 'Pending' | 'Running' | FinishedPhase;

export interface MetricLimits {
  /** More failures than this fail the metric; below 0: no number does. */
  readonly failureLimit: number;
  /** More measurements that say nothing than this make it inconclusive. */
  readonly inconclusiveLimit: number;
  /** More measurements in a row that could not be made than this are an error. */
  readonly consecutiveErrorLimit: number;
  /** So many successes in a row are enough; 0: no number is. */
  readonly consecutiveSuccessLimit: number;
  /** Measurements to make; Infinity to go on for as long as the analysis does. */
  readonly count: number;
}

export interface MetricResult {
  readonly successful: number;
  readonly failed: number;
  readonly inconclusive: number;
  /** In a row, up to now. */
  readonly consecutiveError: number;
  readonly consecutiveSuccess: number;
  /** All but errors. */
  readonly count: number;
  /** Undefined before the first; `Running` while one is being made. */
  readonly lastMeasurement: 'Running' | FinishedPhase | undefined;
}

/** Without an interval a metric is measured once, if nothing says how often. */
export const effectiveCount = (count: number | undefined, hasInterval: boolean): number => count ?? (hasInterval ? Infinity : 1);

/** `isTerminating`: the analysis is being ended, because its time is over or another metric is decided. */
export function assessMetric(limits: MetricLimits, result: MetricResult, isTerminating: boolean): MetricPhase {
  if (result.lastMeasurement === undefined) return isTerminating ? 'Successful' : 'Pending';
  if (result.lastMeasurement === 'Running') return 'Running';
  const bad = badPhase(limits, result);
  if (bad !== undefined) return bad;
  const needsRun = limits.consecutiveSuccessLimit > 0;
  if (needsRun && result.consecutiveSuccess >= limits.consecutiveSuccessLimit) return 'Successful';
  if (result.count >= limits.count) {
    if (!needsRun) return 'Successful';
    // The run of successes did not come, nor did the failures that would have settled it.
    return limits.failureLimit < 0 ? 'Failed' : 'Inconclusive';
  }
  return isTerminating ? 'Successful' : 'Running';
}

/** The last of these that is true counts. */
function badPhase(limits: MetricLimits, result: MetricResult): FinishedPhase | undefined {
  if (result.consecutiveError > limits.consecutiveErrorLimit) return 'Error';
  if (result.inconclusive > limits.inconclusiveLimit) return 'Inconclusive';
  return limits.failureLimit >= 0 && result.failed > limits.failureLimit ? 'Failed' : undefined;
}
