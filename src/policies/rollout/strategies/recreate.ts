/** Kubernetes' Recreate: the old version goes first, then the new one comes.
 *
 *  Use it where two versions must not run beside each other: one writer, one schema, one licence. It fails to serve in between, for as long
 *  as stopping and starting take; if the new version does not start, for as long as nobody looks. */
import type { Ms } from '../../../core/time.ts';
import { defineRollout, type RolloutAction, type RolloutDeps, type RolloutObservation } from './rollout.ts';
import { BaseRollout, type BaseState, groupOf, idleState, othersThan, scaleTo } from './parts/base-rollout.ts';
import { isComplete } from './parts/deployment-progress.ts';
import { onHosts } from './parts/host-fleet.ts';
import {
  isStuck,
  minReady,
  noProgressYet,
  progressDeadline,
  progressed,
  type ProgressState,
  statusOf,
  stuckAtMs,
} from './parts/progress-watch.ts';

export const recreate = defineRollout({
  name: 'recreate',
  summary: 'Stops the old version, then starts the new one (Kubernetes Recreate).',
  useWhen: 'Two versions must not run at the same time.',
  failsWhen: 'The service must not be interrupted.',
  cost: 'O(groups)',
  sources: ['kubernetes/kubernetes: pkg/controller/deployment/recreate.go'],
  aliases: [{ system: 'Kubernetes', name: 'Recreate' }],
  params: { minReadySeconds: minReady, progressDeadlineSeconds: progressDeadline },
  create: (params, deps: RolloutDeps) => onHosts(new Recreate(params.progressDeadlineSeconds, params.minReadySeconds), deps),
});

interface State extends BaseState {
  readonly progress: ProgressState;
}

class Recreate extends BaseRollout<State> {
  readonly #deadlineMs: Ms;

  constructor(deadlineMs: Ms, minReadyMs: Ms) {
    super({ ...idleState, progress: noProgressYet(0) }, minReadyMs);
    this.#deadlineMs = deadlineMs;
  }

  protected begin(from: string | null, to: string, nowMs: Ms): void {
    this.set({ from, to, phase: 'progressing', reason: 'ReplicaSetUpdated', progress: noProgressYet(nowMs) });
  }

  protected override timers(): readonly Ms[] {
    return this.state.phase === 'progressing' ? [stuckAtMs(this.state.progress, this.#deadlineMs)] : [];
  }

  protected advance(observation: RolloutObservation, to: string): readonly RolloutAction[] {
    const { nowMs, desired } = observation;
    const old = othersThan(observation, to);
    const status = statusOf(observation, to);
    const before = this.state.progress;
    this.set({ progress: progressed(before, status, nowMs) });
    if (this.phase !== 'succeeded' && isComplete(desired, status)) this.become('succeeded', 'NewReplicaSetAvailable');
    else if (this.phase === 'stalled' && this.state.progress.progressMs > before.progressMs)
      this.become('progressing', 'ReplicaSetUpdated');
    else if (this.phase === 'progressing' && isStuck(this.state.progress, this.#deadlineMs, nowMs))
      this.become('stalled', 'ProgressDeadlineExceeded');
    if (this.state.isHeld) return [];
    // Not even one that is on its way out may be left.
    if (old.some((group) => group.created > 0 || group.spec > 0)) return old.flatMap((group) => scaleTo(group, 0));
    return scaleTo(groupOf(observation, to), desired);
  }
}
