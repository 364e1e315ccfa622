/** Looks whether a roll-out gets on: since when nothing changed for the better. Plain data between looks.
 *
 *  After kubernetes/kubernetes: pkg/controller/deployment/progress.go. */
import { duration } from '../../../../core/params.ts';
import type { Ms } from '../../../../core/time.ts';
import type { RolloutObservation } from '../rollout.ts';
import { justAfter } from './base-rollout.ts';
import { type DeploymentStatus, isProgress, isTimedOut } from './deployment-progress.ts';

export interface ProgressState {
  readonly status: DeploymentStatus | null;
  readonly progressMs: Ms;
}

export const progressDeadline = duration({
  default: 600_000,
  min: 0,
  about: 'Without progress for longer, it is stalled; 0: never.',
  official: 'Kubernetes progressDeadlineSeconds',
});

export const minReady = duration({
  default: 0,
  min: 0,
  about: 'How long a replica must be ready to be available.',
  official: 'Kubernetes minReadySeconds',
});

export const noProgressYet = (nowMs: Ms): ProgressState => ({ status: null, progressMs: nowMs });

export function statusOf({ groups }: RolloutObservation, to: string): DeploymentStatus {
  const sum = (of: 'created' | 'ready' | 'available'): number => groups.reduce((total, group) => total + group[of], 0);
  const updated = groups.reduce((total, { version, created }) => total + (version === to ? created : 0), 0);
  return { replicas: sum('created'), updated, ready: sum('ready'), available: sum('available') };
}

/** After a look. */
export function progressed(state: ProgressState, status: DeploymentStatus, nowMs: Ms): ProgressState {
  return { status, progressMs: state.status === null || isProgress(state.status, status) ? nowMs : state.progressMs };
}

export const isStuck = ({ progressMs }: ProgressState, deadlineMs: Ms, nowMs: Ms): boolean =>
  deadlineMs > 0 && isTimedOut('ReplicaSetUpdated', progressMs, deadlineMs, nowMs);

/** When it would be stuck. */
export const stuckAtMs = ({ progressMs }: ProgressState, deadlineMs: Ms): Ms =>
  deadlineMs > 0 ? justAfter(progressMs + deadlineMs) : Infinity;
