/** What KEDA reports in place of a metric that it cannot read: the value at which the HPA lands on the replicas that are wanted then.
 *
 *  After kedacore/keda: pkg/fallback/fallback.go. */
export const fallbackBehaviors = ['static', 'currentReplicas', 'currentReplicasIfHigher', 'currentReplicasIfLower'] as const;

export interface Fallback {
  readonly behavior: (typeof fallbackBehaviors)[number];
  readonly replicas: number;
  /** More failures in a row than this, and it counts. */
  readonly failureThreshold: number;
}

export interface FallbackMetric {
  readonly metricType: 'AverageValue' | 'Value';
  readonly target: number;
}

/** undefined: there is none, and the metric stays missing. */
export function fallbackValue(
  { behavior, replicas, failureThreshold }: Fallback,
  failures: number,
  { metricType, target }: FallbackMetric,
  currentReplicas: number,
  readyReplicas: number,
): number | undefined {
  if (failures <= failureThreshold) return undefined;
  const wanted = {
    static: replicas,
    currentReplicas,
    currentReplicasIfHigher: Math.max(currentReplicas, replicas),
    currentReplicasIfLower: Math.min(currentReplicas, replicas),
  }[behavior];
  if (metricType === 'AverageValue') return wanted * target;
  // Of a value as a whole the HPA makes a proportion to those that are ready.
  return readyReplicas === 0 ? undefined : (wanted * target) / readyReplicas;
}
