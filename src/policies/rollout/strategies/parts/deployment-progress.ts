/** When a Deployment counts as done, as getting on, and as stuck. A deadline says that nothing changed for the better for so long; it does
 *  not undo anything, and what is done can no longer be late.
 *
 *  After kubernetes/kubernetes: pkg/controller/deployment/util/deployment_util.go and pkg/api/v1/pod/util.go. */
import type { Ms } from '../../../../core/time.ts';

export interface DeploymentStatus {
  readonly replicas: number;
  /** Of the new version. */
  readonly updated: number;
  readonly ready: number;
  readonly available: number;
}

export const isComplete = (desired: number, { replicas, updated, available }: DeploymentStatus): boolean =>
  updated === desired && replicas === desired && available === desired;

/** More of the new version, fewer of the old ones, more ready or more available than before. */
export const isProgress = (before: DeploymentStatus, after: DeploymentStatus): boolean =>
  after.updated > before.updated ||
  after.replicas - after.updated < before.replicas - before.updated ||
  after.ready > before.ready ||
  after.available > before.available;

/** Kubernetes' words for how an update is getting on. */
export type ProgressReason = 'ReplicaSetUpdated' | 'NewReplicaSetAvailable' | 'ProgressDeadlineExceeded';

/** What is done cannot be late any more, and what is late stays so until something changes. `deadlineMs` is Infinity for none. */
export function isTimedOut(reason: ProgressReason, lastProgressMs: Ms, deadlineMs: Ms, nowMs: Ms): boolean {
  if (reason === 'NewReplicaSetAvailable') return false;
  return reason === 'ProgressDeadlineExceeded' || lastProgressMs + deadlineMs < nowMs;
}

/** Whether a replica that has been ready since then is available: after its minimum has passed, not at the end of it. */
export const isAvailable = (readySinceMs: Ms | undefined, minReadyMs: Ms, nowMs: Ms): boolean =>
  readySinceMs !== undefined && (minReadyMs === 0 || readySinceMs + minReadyMs < nowMs);
