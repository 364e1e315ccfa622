/** Everything at once: the new version is started everywhere and the old one stopped, without looking.
 *
 *  Use it where an interruption does no harm, or as the yardstick for what care is worth. It fails with every version that is bad: nobody is
 *  left to serve while it starts, and nothing goes back by itself. */
import { defineRollout, type RolloutAction, type RolloutObservation } from './rollout.ts';
import { BaseRollout, type BaseState, groupOf, idleState, othersThan, scaleTo } from './parts/base-rollout.ts';
import { onHosts } from './parts/host-fleet.ts';
import { minReady } from './parts/progress-watch.ts';

export const allAtOnce = defineRollout({
  name: 'all-at-once',
  summary: 'Replaces everything in one go.',
  useWhen: 'An interruption does no harm, or a yardstick is wanted.',
  failsWhen: 'The new version takes time to start, or is bad: all of the service is gone at once.',
  cost: 'O(groups)',
  sources: ['AWS: CodeDeploy user guide, AllAtOnce deployments'],
  aliases: [
    { system: 'AWS', name: 'AllAtOnce' },
    { system: 'Azure', name: 'RunOnce' },
  ],
  params: { minReadySeconds: minReady },
  create: ({ minReadySeconds }, deps) => onHosts(new AllAtOnce(idleState, minReadySeconds), deps),
});

class AllAtOnce extends BaseRollout<BaseState> {
  protected begin(from: string | null, to: string): void {
    this.set({ from, to, phase: 'progressing', reason: 'Replacing' });
  }

  protected advance(observation: RolloutObservation, to: string): readonly RolloutAction[] {
    if (this.state.isHeld) return [];
    const created = groupOf(observation, to);
    const old = othersThan(observation, to);
    const { desired } = observation;
    if (created.available >= desired && old.every((group) => group.created === 0)) this.become('succeeded', 'Replaced');
    return [...old.flatMap((group) => scaleTo(group, 0)), ...scaleTo(created, desired)];
  }
}
