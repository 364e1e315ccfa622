/** Those who decide about roll-outs: several controllers that compete for leading, in one election for everything that is rolled out. Each has
 *  a roll-out controller per subject; the one that leads speaks, and what it says takes effect where it arrives, beside the store. */
import { invariant } from '../../core/errors.ts';
import type { Streams } from '../../core/streams.ts';
import type { Ms } from '../../core/time.ts';
import type { Elector, ElectorDeps } from '../../policies/rollout/elections/elector.ts';
import type { Rollout } from '../../policies/rollout/strategies/rollout.ts';
import type { DeliverySpec } from '../../scenario/spec.ts';
import type { LeaderSpan } from '../../stats/result.ts';
import type { Errands } from '../orchestration/errands.ts';
import type { ChangeSubject } from './change-subject.ts';
import { Controller } from './controller.ts';
import { DecisionTarget } from './decision-target.ts';
import { Leadership } from './leadership.ts';
import type { StoreLink } from './store-link.ts';

export interface ControllersParts {
  readonly errands: Errands;
  readonly streams: Streams;
  readonly link: StoreLink;
  readonly delivery: Pick<DeliverySpec, 'controllers' | 'isFenced'>;
  readonly subjects: readonly ChangeSubject[];
  /** Needed with several controllers. */
  readonly makeElector: ((deps: ElectorDeps) => Elector) | undefined;
  /** A strategy for the service and the unit that fits the kind of change. */
  makeRollout(subject: ChangeSubject): Rollout;
}

export class Controllers {
  private readonly errands: Errands;
  private readonly all: readonly Controller[];
  private readonly targets: readonly DecisionTarget[];
  private readonly leadership: Leadership;

  constructor({ errands, streams, link, delivery, subjects, makeElector, makeRollout }: ControllersParts) {
    this.errands = errands;
    this.leadership = new Leadership();
    const targets = subjects.map((subject) => ({ subject, target: new DecisionTarget(subject, delivery.isFenced) }));
    this.targets = targets.map(({ target }) => target);
    const isAlone = delivery.controllers === 1;
    invariant(isAlone || makeElector !== undefined, 'several controllers have nothing to elect a leader with');
    this.all = Array.from(
      { length: delivery.controllers },
      (_, number) =>
        new Controller({
          ...{ number, errands, link, makeRollout, subjects: targets },
          rng: streams.stream(`controller/${number}`),
          makeElector: isAlone ? undefined : makeElector,
          believes: (token) => this.leadership.believes(number, token, errands.nowMs),
        }),
    );
  }

  start(): void {
    for (const controller of this.all) controller.start();
  }

  /** Something about the subject changed, or another version is wanted now. May be called at any time and often. */
  changed(subject: ChangeSubject): void {
    for (const controller of this.all) controller.changed(subject);
  }

  /** A controller stands still; `leader` is whoever leads now. Returns who, for `resume`; −1 if nobody leads. Pauses may overlap. */
  pause(which: number | 'leader'): number {
    const number = which === 'leader' ? (this.leadership.leader ?? -1) : which;
    if (number >= 0) this.all[number].pause();
    return number;
  }

  resume(number: number): void {
    if (number >= 0) this.all[number].resume();
  }

  /** From when to when each believed to lead, capped; empty with one controller. */
  get spans(): readonly LeaderSpan[] {
    return this.all.length === 1 ? [] : this.leadership.spans;
  }

  /** Times that another controller took over. */
  get changesOfLeader(): number {
    return this.leadership.changes;
  }

  /** Time in which more than one believed to lead, so far. */
  get splitMs(): Ms {
    return this.leadership.splitUntil(this.errands.nowMs);
  }

  /** Decisions that were refused because another controller had led since. */
  get fenced(): number {
    return this.targets.reduce((sum, { fenced }) => sum + fenced, 0);
  }

  /** Decisions that took effect although another controller had decided since. */
  get stale(): number {
    return this.targets.reduce((sum, { stale }) => sum + stale, 0);
  }
}
