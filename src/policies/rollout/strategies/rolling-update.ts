/** Kubernetes' rolling update: a few new replicas at a time, a few old ones away as new ones serve.
 *
 *  Use it as the default for services without state. It fails to judge: a replica that says it is ready counts, whatever its answers are, so
 *  a version that starts well and serves badly replaces everything. When nothing becomes ready it stops by itself, stalled and with the
 *  old version serving, and does not go back.
 *
 *  Never are there more than the wanted count and `maxSurge`, never fewer available than the count without `maxUnavailable`, except for
 *  what fails by itself. Each step either grows the new group or shrinks old ones: those that do not serve first, then the oldest. When
 *  the wanted count changes meanwhile, all groups change in proportion. */
import type { Ms } from '../../../core/time.ts';
import { string } from '../../../core/params.ts';
import { type CountOrPercent, parseCountOrPercent } from '../../shared/count-or-percent.ts';
import { defineRollout, type RolloutAction, type RolloutObservation } from './rollout.ts';
import { BaseRollout, type BaseState, groupOf, idleState, othersThan, scaleTo } from './parts/base-rollout.ts';
import { isComplete } from './parts/deployment-progress.ts';
import { type Fenceposts, fencepostsWithin } from './parts/fenceposts.ts';
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
import { proportionalSizes } from './parts/proportional-scaling.ts';
import { grownReplicas, shrunkReplicas } from './parts/rolling-replicas.ts';

export const surgeParams = {
  maxSurge: string({
    default: '25%',
    mayBeNumber: true,
    about: 'How many replicas above the wanted count there may be: a count, or a percentage of it that is rounded up.',
    official: 'Kubernetes maxSurge',
  }),
  maxUnavailable: string({
    default: '25%',
    mayBeNumber: true,
    about: 'How many below it may be missing: a count, or a percentage that is rounded down.',
    official: 'Kubernetes maxUnavailable',
  }),
} as const;

export const rollingUpdate = defineRollout({
  name: 'rolling-update',
  summary: 'Replaces a few replicas at a time, as new ones become available (Kubernetes RollingUpdate).',
  useWhen: 'Versions can serve side by side, and being ready says enough about being good.',
  failsWhen: 'A version starts well and serves badly: it is ready, so it replaces everything.',
  cost: 'O(groups) per change',
  sources: ['kubernetes/kubernetes: pkg/controller/deployment/rolling.go, pkg/controller/deployment/sync.go'],
  aliases: [
    { system: 'Kubernetes', name: 'RollingUpdate' },
    { system: 'Azure', name: 'Rolling' },
  ],
  params: { ...surgeParams, minReadySeconds: minReady, progressDeadlineSeconds: progressDeadline },
  create: (params, deps) =>
    onHosts(
      new RollingUpdate(
        {
          maxSurge: deps.unit === 'hosts' ? { count: 0 } : parseCountOrPercent(params.maxSurge, 'maxSurge'),
          maxUnavailable: parseCountOrPercent(params.maxUnavailable, 'maxUnavailable'),
          deadlineMs: params.progressDeadlineSeconds,
        },
        params.minReadySeconds,
      ),
      deps,
    ),
});

interface Settings {
  readonly maxSurge: CountOrPercent;
  readonly maxUnavailable: CountOrPercent;
  readonly deadlineMs: Ms;
}

interface State extends BaseState {
  readonly progress: ProgressState;
  /** The wanted count of the last step; below 0 before the first. */
  readonly desired: number;
}

class RollingUpdate extends BaseRollout<State> {
  readonly #settings: Settings;

  constructor(settings: Settings, minReadyMs: Ms) {
    super({ ...idleState, progress: noProgressYet(0), desired: -1 }, minReadyMs);
    this.#settings = settings;
  }

  protected begin(from: string | null, to: string, nowMs: Ms): void {
    this.set({ from, to, phase: 'progressing', reason: 'ReplicaSetUpdated', progress: noProgressYet(nowMs) });
  }

  protected override timers(): readonly Ms[] {
    return this.state.phase === 'progressing' ? [stuckAtMs(this.state.progress, this.#settings.deadlineMs)] : [];
  }

  protected advance(observation: RolloutObservation, to: string): readonly RolloutAction[] {
    this.#judge(observation, to);
    const rescaled = this.#rescaled(observation);
    if (rescaled.length > 0 || this.state.isHeld) return rescaled;
    return rollingStep(observation, to, this.#fenceposts(observation.desired));
  }

  #judge(observation: RolloutObservation, to: string): void {
    const { nowMs, desired } = observation;
    const status = statusOf(observation, to);
    const before = this.state.progress;
    this.set({ progress: progressed(before, status, nowMs) });
    const { progress } = this.state;
    if (this.phase !== 'succeeded' && isComplete(desired, status)) this.become('succeeded', 'NewReplicaSetAvailable');
    else if (this.phase === 'stalled' && progress.progressMs > before.progressMs) this.become('progressing', 'ReplicaSetUpdated');
    else if (this.phase === 'progressing' && isStuck(progress, this.#settings.deadlineMs, nowMs))
      this.become('stalled', 'ProgressDeadlineExceeded');
  }

  /** The wanted count changed in the middle: all groups in proportion. */
  #rescaled({ desired, groups }: RolloutObservation): readonly RolloutAction[] {
    const before = this.state.desired;
    if (before === desired) return [];
    this.set({ desired });
    const active = groups.filter(({ spec }) => spec > 0);
    if (before < 0) return [];
    if (active.length === 1) return scaleTo(active[0], desired);
    if (active.length === 0 || this.phase === 'succeeded') return [];
    const max = (count: number): number => (count === 0 ? 0 : count + this.#fenceposts(count).maxSurge);
    const sizes = proportionalSizes(
      active.map(({ spec }) => spec),
      max(before),
      max(desired),
    );
    return active.flatMap((group, index) => scaleTo(group, sizes[index]));
  }

  #fenceposts(desired: number): Fenceposts {
    return fencepostsWithin(this.#settings.maxSurge, this.#settings.maxUnavailable, desired);
  }
}

/** One step of groups that replace each other, `to` being the new one: it grows, or else the others shrink. */
export function rollingStep(
  observation: Pick<RolloutObservation, 'desired' | 'groups'>,
  to: string,
  fenceposts: Fenceposts,
): readonly RolloutAction[] {
  const created = groupOf(observation, to);
  const old = othersThan(observation, to);
  const total = created.spec + old.reduce((sum, { spec }) => sum + spec, 0);
  const grown = scaleTo(created, grownReplicas(observation.desired, created.spec, total, fenceposts.maxSurge));
  if (grown.length > 0) return grown;
  const sizes = shrunkReplicas(observation.desired, old, created, fenceposts);
  return old.flatMap((group, index) => scaleTo(group, sizes[index]));
}
