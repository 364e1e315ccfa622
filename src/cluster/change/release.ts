/** Code of one service that is rolled out: instances are replaced by others with another version, in groups that a strategy sizes, and a router
 *  divides requests among the groups where the strategy asks for that. */
import type { Rng } from '../../core/rng.ts';
import type { Rollout, RolloutAction, RolloutObservation } from '../../policies/rollout/strategies/rollout.ts';
import type { RolloutRequest } from '../../policies/rollout/rollout-controller.ts';
import type { Errands } from '../orchestration/errands.ts';
import type { Orchestrator } from '../orchestration/orchestrator.ts';
import type { ChangeSubject } from './change-subject.ts';
import type { RolloutRecord } from './rollout-record.ts';
import type { Router } from './router.ts';
import type { VersionTrack } from './version-track.ts';

export interface ReleaseParts {
  readonly service: number;
  readonly errands: Errands;
  readonly orchestrator: Orchestrator;
  readonly record: RolloutRecord;
  readonly track: VersionTrack;
  /** One that decides nothing, to be asked what kind it is. */
  readonly strategy: Rollout;
  /** Absent where every ready instance gets its share. */
  readonly router: Router | undefined;
  /** Whether metrics can be read. */
  readonly isMeasured: () => boolean;
  /** Controllers should look. */
  readonly changed: (subject: ChangeSubject) => void;
  readonly phase: (action: Extract<RolloutAction, { kind: 'phase' }>, turn: number | undefined) => void;
  /** Draws what is copied, and to whom. */
  readonly rng: Rng;
  /** All there may ever be. */
  readonly instances: readonly number[];
}

export class Release implements ChangeSubject {
  readonly kind = 'release';
  readonly service: number;
  readonly record: RolloutRecord;
  readonly track: VersionTrack;
  private readonly parts: ReleaseParts;
  private isLooking: boolean;
  private mirror: RolloutObservation['mirror'];

  constructor(parts: ReleaseParts) {
    this.parts = parts;
    this.isLooking = false;
    this.mirror = undefined;
    this.service = parts.service;
    this.record = parts.record;
    this.track = parts.track;
  }

  /** A strategy that leaves replicas alone opens what has been put there before: it is not asked until all of it is ready. */
  request(): RolloutRequest | undefined {
    const { request } = this.record;
    if (request === undefined || this.parts.strategy.leavesReplicas !== true) return request;
    const { orchestrator } = this.parts;
    const wanted = orchestrator.wanted(this.service);
    const there = orchestrator.groups(this.service, 0).find(({ group }) => group === request.to);
    return (there?.ready ?? 0) >= wanted ? request : undefined;
  }

  observe(): RolloutObservation {
    const { errands, orchestrator, strategy, router, isMeasured } = this.parts;
    const { nowMs } = errands;
    return {
      nowMs,
      desired: orchestrator.wanted(this.service),
      groups: orchestrator.groups(this.service, strategy.minReadyMs),
      weights: router?.weights,
      mirror: this.mirror,
      hosts: [],
      metric: (query) => (isMeasured() ? this.track.metric(query, nowMs) : undefined),
    };
  }

  carryOut(action: RolloutAction, turn: number | undefined): void {
    const { orchestrator, router, phase } = this.parts;
    switch (action.kind) {
      case 'scale':
        orchestrator.scaleGroup(this.service, action.group, action.version, action.replicas);
        return;
      case 'weight':
        router?.divide(action.weights, action.hash);
        this.parts.changed(this);
        return;
      case 'mirror':
        this.mirror = action.group === undefined ? undefined : { group: action.group, percent: action.percent };
        this.parts.changed(this);
        return;
      case 'phase':
        phase(action, turn);
        this.lookSoon();
        return;
      default:
        // There are no hosts of a configuration.
        return;
    }
  }

  /** The instance that gets a copy of one more request; -1 if none does. */
  copyTo(): number {
    const { mirror } = this;
    const { rng, instances } = this.parts;
    if (mirror === undefined || 100 * rng.next() >= mirror.percent) return -1;
    let ready = 0;
    for (const instance of instances) if (this.isMirror(instance)) ready++;
    if (ready === 0) return -1;
    let place = Math.floor(rng.next() * ready);
    for (const instance of instances) if (this.isMirror(instance) && place-- === 0) return instance;
    return -1;
  }

  private isMirror(instance: number): boolean {
    const { orchestrator } = this.parts;
    return orchestrator.groupOf(instance)?.name === this.mirror?.group && orchestrator.isReady(instance);
  }

  /** Instances have come, gone, become ready or ceased to be, another number is wanted, or a change is due. */
  lookSoon(): void {
    if (this.isLooking) return;
    this.isLooking = true;
    const { errands, strategy, changed } = this.parts;
    // By an errand: whoever says so is in the middle of something.
    errands.later(0, () => {
      this.isLooking = false;
      this.bringUp();
      this.record.settle(errands.nowMs);
      changed(this);
    });
    // Just after: who has been ready for exactly that long is not available yet.
    if (strategy.minReadyMs > 0) errands.later(Math.floor(strategy.minReadyMs) + 1, () => changed(this));
  }

  /** Sizes groups where the strategy does not: before the first change, and where it leaves replicas alone. Then both versions are there in
   *  full until one of them has won. */
  private bringUp(): void {
    const { orchestrator, strategy } = this.parts;
    const { request } = this.record;
    const wanted = orchestrator.wanted(this.service);
    const groups = orchestrator.groups(this.service, 0);
    if (request === undefined) {
      if (groups[0].spec !== wanted) orchestrator.scaleGroup(this.service, groups[0].group, groups[0].version, wanted);
      return;
    }
    if (strategy.leavesReplicas !== true) return;
    const phase = this.record.runs.at(-1)?.phase;
    const kept = phase === 'succeeded' ? [request.to] : phase === 'aborted' ? [request.from] : [request.from, request.to];
    for (const name of new Set([...kept, ...groups.map(({ group }) => group)])) {
      const size = kept.includes(name) ? wanted : 0;
      if (name !== undefined && (groups.find(({ group }) => group === name)?.spec ?? 0) !== size)
        orchestrator.scaleGroup(this.service, name, name, size);
    }
  }
}
