/** What a test shows an autoscaler: replicas that are all alike unless it says otherwise. */
import type {
  AutoscalerDeps,
  MetricSample,
  ReplicaSample,
  ScaleObservation,
} from '../../../src/policies/autoscaling/autoscaler.ts';
import { unusedRng } from '../fixtures.ts';

export const depsFor = (replicas: number, epochMs = 0): AutoscalerDeps => ({
  rng: unusedRng,
  epochMs,
  specReplicas: replicas,
  readyReplicas: replicas,
});

export interface Shown {
  readonly nowMs?: number;
  readonly replicas: number;
  /** Metrics of every replica; undefined for missing. */
  readonly each?: Readonly<Record<string, number | undefined>>;
  /** Metrics of the service. */
  readonly total?: Readonly<Record<string, number | undefined>>;
  readonly request?: number;
  /** What is different of replica i. */
  readonly except?: Readonly<Record<number, Partial<ReplicaSample>>>;
  readonly status?: number;
}

export function shown({ nowMs = 0, replicas, each = {}, total = {}, request = 1, except = {}, status }: Shown): ScaleObservation {
  const sample = (value: number | undefined): MetricSample | undefined =>
    value === undefined ? undefined : { value, atMs: nowMs, windowMs: 15_000 };
  const samples = Array.from({ length: replicas }, (_, replica): ReplicaSample => ({
    ...{ replica, phase: 'running', isReady: true, startedAtMs: -1e9, readyChangedAtMs: -1e9, isDeleting: false },
    request: () => request,
    metric: (name) => sample(each[name]),
    ...except[replica],
  }));
  return {
    nowMs,
    specReplicas: replicas,
    statusReplicas: status ?? replicas,
    readyReplicas: samples.filter(({ isReady }) => isReady === true).length,
    replicas: samples,
    metric: (name) => sample(total[name]),
  };
}
