/** What the metrics of an HPA ask for, and the count that each of them proposes; the largest proposal wins. */
import type { MetricSample, ReplicaSample, ScaleObservation } from '../autoscaler.ts';
import type { Readiness, UsageSample } from './group-pods.ts';
import { toMilli } from './milli.ts';
import {
  isProposal,
  type NoProposal,
  type PodsInput,
  type Proposal,
  replicasForAverage,
  replicasForShare,
  replicasForUtilization,
  replicasForValue,
} from './replica-calculator.ts';
import type { Tolerance } from './tolerance.ts';

export const metricTypes = ['Resource', 'Pods', 'Object', 'External'] as const;

/** One of the three targets is above 0. */
export interface Metric {
  readonly type: (typeof metricTypes)[number];
  /** `cpu` and `memory` for resources; for the others as the observation calls it. */
  readonly name: string;
  /** Of what a replica requests, as a fraction. */
  readonly averageUtilization: number;
  /** Per replica. */
  readonly averageValue: number;
  readonly value: number;
}

export interface Reading {
  /** undefined: some metrics are missing, and going down without them is not safe; or all are missing. */
  readonly replicas: number | undefined;
  /** The official word for why a metric could not be used, `ValidMetricFound` otherwise. */
  readonly reason: string;
}

export function replicasForMetrics(
  metrics: readonly Metric[],
  observation: ScaleObservation,
  tolerance: Tolerance,
  readiness: Readiness,
): Reading {
  let replicas = 0;
  let failed = 0;
  let reason = 'ValidMetricFound';
  for (const metric of metrics) {
    const result = replicasForMetric(metric, observation, tolerance, readiness);
    if (isProposal(result)) replicas = Math.max(replicas, result.replicas);
    else if (++failed === 1) reason = failureOf(metric);
  }
  const isBlind = failed >= metrics.length || (failed > 0 && replicas < observation.specReplicas);
  return isBlind ? { replicas: undefined, reason } : { replicas, reason: 'ValidMetricFound' };
}

const failureOf = ({ type }: Metric): string =>
  metricTypes.includes(type) ? `FailedGet${type}Metric` : 'InvalidMetricSourceType';

function replicasForMetric(
  metric: Metric,
  observation: ScaleObservation,
  tolerance: Tolerance,
  readiness: Readiness,
): Proposal | NoProposal {
  const { type, name } = metric;
  if (type === 'Resource' || type === 'Pods') {
    const resource = type === 'Resource' ? name : '';
    const input = podsInput(name, observation, tolerance, readiness);
    if (input.usage.size === 0) return { problem: `no samples of ${name}` };
    return metric.averageUtilization > 0
      ? replicasForUtilization(input, resource, Math.round(metric.averageUtilization * 100))
      : replicasForAverage(input, resource, toMilli(metric.averageValue));
  }
  if (type !== 'Object' && type !== 'External') return { problem: `unknown metric source type ${String(type)}` };
  const sample = observation.metric(name);
  if (sample === undefined) return { problem: `no sample of ${name}` };
  const totalMilli = toMilli(sample.value);
  if (metric.averageValue > 0)
    return replicasForShare(observation.statusReplicas, totalMilli, toMilli(metric.averageValue), tolerance);
  const { specReplicas, replicas } = observation;
  if (specReplicas > 0 && replicas.length === 0) return { problem: 'no pods while calculating replica count' };
  return replicasForValue(specReplicas, replicas.filter(isServing).length, totalMilli, toMilli(metric.value), tolerance);
}

const isServing = ({ phase, isReady }: ReplicaSample): boolean => phase === 'running' && isReady === true;

function podsInput(name: string, observation: ScaleObservation, tolerance: Tolerance, readiness: Readiness): PodsInput {
  const usage = new Map<number, UsageSample>();
  for (const pod of observation.replicas) {
    const sample = pod.metric(name);
    if (sample !== undefined) usage.set(pod.replica, usageOf(sample));
  }
  return {
    currentReplicas: observation.specReplicas,
    pods: observation.replicas,
    usage,
    tolerance,
    readiness,
    nowMs: observation.nowMs,
  };
}

const usageOf = ({ value, atMs, windowMs }: MetricSample): UsageSample => ({ milli: toMilli(value), atMs, windowMs });
