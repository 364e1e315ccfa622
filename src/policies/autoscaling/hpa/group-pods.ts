/** Which replicas count with their sample, which count as unready or as missing, and which not at all: the first step of every
 *  computation of the HPA that looks at single pods. The order of the tests matters.
 *
 *  A pod that is starting burns CPU that says nothing about load, so for CPU alone a sample counts only once the pod is ready and the
 *  sample began after that.
 *
 *  After kubernetes/kubernetes: pkg/controller/podautoscaler/replica_calculator.go, groupPods. */
import type { Ms } from '../../../core/time.ts';
import type { ReplicaSample } from '../autoscaler.ts';

/** What a pod used, in thousandths. */
export interface UsageSample {
  readonly milli: number;
  readonly atMs: Ms;
  readonly windowMs: Ms;
}
/** By replica. */
export type Usage = ReadonlyMap<number, UsageSample>;

export interface Readiness {
  readonly cpuInitializationPeriodMs: Ms;
  readonly initialReadinessDelayMs: Ms;
}

export type Pod = Pick<
  ReplicaSample,
  'replica' | 'phase' | 'isReady' | 'startedAtMs' | 'readyChangedAtMs' | 'isDeleting' | 'request'
>;

export interface PodGroups {
  readonly readyCount: number;
  readonly unready: readonly number[];
  readonly missing: readonly number[];
  readonly ignored: readonly number[];
}

export function groupPods(pods: readonly Pod[], usage: Usage, isCpu: boolean, readiness: Readiness, nowMs: Ms): PodGroups {
  let readyCount = 0;
  const unready: number[] = [];
  const missing: number[] = [];
  const ignored: number[] = [];
  for (const pod of pods) {
    const sample = usage.get(pod.replica);
    if (pod.isDeleting || pod.phase === 'failed') ignored.push(pod.replica);
    else if (pod.phase === 'pending') unready.push(pod.replica);
    else if (sample === undefined) missing.push(pod.replica);
    else if (isCpu && isStarting(pod, sample, readiness, nowMs)) unready.push(pod.replica);
    else readyCount++;
  }
  return { readyCount, unready, missing, ignored };
}

function isStarting(pod: Pod, sample: UsageSample, readiness: Readiness, nowMs: Ms): boolean {
  const { isReady, startedAtMs, readyChangedAtMs = -Infinity } = pod;
  if (isReady === undefined || startedAtMs === undefined) return true;
  if (startedAtMs + readiness.cpuInitializationPeriodMs > nowMs)
    return !isReady || sample.atMs < readyChangedAtMs + sample.windowMs;
  // Later on, one that is not ready counts, unless it has never been.
  return !isReady && startedAtMs + readiness.initialReadinessDelayMs > readyChangedAtMs;
}
