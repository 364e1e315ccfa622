/** One controller as a process: its elector, a roll-out controller for each subject, and what it has under way to the store.
 *
 *  It looks when something changed and when a timer is due. What it says travels to the store; what is not confirmed in time is decided anew,
 *  from what there is then, and phases that may not have arrived are told again with it. What it says about one subject stays in order, as
 *  on one connection.
 *
 *  A pause is one of the whole process, at its worst moment: it looks and decides, and stands still before it can send. When it goes on, that
 *  leaves first; then it looks once more with what it believes, then its timers run, and only then does it read what has come in. */
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import type { Elector, ElectorDeps } from '../../policies/rollout/elections/elector.ts';
import { RolloutController, type RolloutRequest } from '../../policies/rollout/rollout-controller.ts';
import type { Rollout, RolloutAction } from '../../policies/rollout/strategies/rollout.ts';
import type { Errands } from '../orchestration/errands.ts';
import type { ChangeSubject } from './change-subject.ts';
import type { Decision, DecisionTarget, Statement } from './decision-target.ts';
import { controllerName } from './leadership.ts';
import { soleLeader } from './sole-leader.ts';
import type { StoreLink } from './store-link.ts';

export interface ControllerParts {
  readonly number: number;
  readonly errands: Errands;
  readonly link: StoreLink;
  readonly rng: Rng;
  readonly subjects: readonly { readonly subject: ChangeSubject; readonly target: DecisionTarget }[];
  /** Absent: nobody competes. */
  readonly makeElector: ((deps: ElectorDeps) => Elector) | undefined;
  makeRollout(subject: ChangeSubject): Rollout;
  /** It believes to lead with this token now, or not to lead. */
  believes(token: number | undefined): void;
}

/** Steps of a roll-out in one look at most. */
const STEPS_AT_ONCE = 20;
/** One election for everything that is rolled out. */
const ELECTION_KEY = 'rollouts';

/** What the controller has of one subject. */
interface Desk {
  readonly subject: ChangeSubject;
  readonly target: DecisionTarget;
  readonly rollout: RolloutController;
  /** The token that the rest belongs to. */
  token: number | undefined;
  statements: number;
  /** Phases that may not have arrived. */
  unconfirmed: readonly Statement[];
  memory: string;
  /** The last decision was lost, or is not known to have arrived. */
  isRepeatDue: boolean;
  isLookPending: boolean;
  /** When the last decision arrives, which the next one must not overtake. */
  arrivalMs: Ms;
}

export class Controller {
  private readonly parts: ControllerParts;
  private readonly elector: Elector;
  private readonly desks: readonly Desk[];
  private readonly wake: () => void;
  private token: number | undefined;
  /** Pauses that hold. */
  private pauses: number;
  /** Decided, but not sent before the pause. */
  private readonly held: { readonly desk: Desk; readonly decision: Decision }[];
  /** Came in during the pause. */
  private inbox: (() => void)[];

  constructor(parts: ControllerParts) {
    this.parts = parts;
    this.token = undefined;
    this.pauses = 0;
    this.held = [];
    this.inbox = [];
    this.elector = this.makeElector();
    this.desks = parts.subjects.map(({ subject, target }) => this.desk(subject, target));
    this.wake = parts.errands.waker(controllerName(parts.number), {
      nextTimerMs: () => this.nextTimerMs(),
      onTimer: () => this.onTimer(),
    });
  }

  start(): void {
    this.elector.start(this.nowMs);
    this.settle();
  }

  /** Something about the subject changed: it will be looked at, at this moment but not within this call. */
  changed(subject: ChangeSubject): void {
    for (const desk of this.desks) if (desk.subject === subject) this.look(desk);
  }

  pause(): void {
    if (++this.pauses > 1) return;
    for (const desk of this.desks) {
      const decision = this.decide(desk);
      if (decision !== undefined) this.held.push({ desk, decision });
    }
  }

  resume(): void {
    if (--this.pauses > 0) return;
    for (const { desk, decision } of this.held.splice(0)) this.send(desk, decision);
    for (const desk of this.desks) this.step(desk);
    this.onTimer();
    const { inbox } = this;
    this.inbox = [];
    for (const read of inbox) read();
    this.settle();
  }

  private get nowMs(): Ms {
    return this.parts.errands.nowMs;
  }

  private makeElector(): Elector {
    const { number, link, rng, makeElector } = this.parts;
    if (makeElector === undefined) return soleLeader;
    return makeElector({
      rng,
      key: ELECTION_KEY,
      identity: controllerName(number),
      host: {
        request: (id, request) =>
          link.ask(request, (answer) => this.receive(() => this.elector.onAnswer(id, answer, this.nowMs))),
      },
    });
  }

  private desk(subject: ChangeSubject, target: DecisionTarget): Desk {
    const rollout = new RolloutController({
      elector: this.elector,
      makeRollout: () => this.parts.makeRollout(subject),
      readMemory: () => target.memory,
    });
    return {
      ...{ subject, target, rollout, token: undefined, statements: 0, unconfirmed: [], memory: '' },
      ...{ isRepeatDue: false, isLookPending: false, arrivalMs: -Infinity },
    };
  }

  private receive(read: () => void): void {
    if (this.pauses > 0) {
      this.inbox.push(read);
      return;
    }
    read();
    this.settle();
  }

  /** After anything that may have changed what it believes, or when it wants to be woken. */
  private settle(): void {
    const { token } = this.elector;
    if (token !== this.token) {
      this.token = token;
      this.parts.believes(token);
      for (const desk of this.desks) this.look(desk);
    }
    this.wake();
  }

  private nextTimerMs(): Ms {
    if (this.pauses > 0) return Infinity;
    return Math.min(this.elector.nextTimerMs(), ...this.desks.map((desk) => this.timerOf(desk)));
  }

  private timerOf({ subject, rollout, isLookPending }: Desk): Ms {
    const isWatched = this.elector.isLeader && !isLookPending && subject.request() !== undefined;
    return isWatched ? rollout.nextTimerMs() : Infinity;
  }

  private onTimer(): void {
    const { nowMs } = this;
    if (this.pauses > 0) return;
    if (this.elector.nextTimerMs() <= nowMs) this.elector.onTimer(nowMs);
    this.settle();
    for (const desk of this.desks) if (this.timerOf(desk) <= nowMs) this.step(desk);
  }

  /** However much changes at one moment, one look will do. */
  private look(desk: Desk): void {
    if (this.pauses > 0 || desk.isLookPending || !this.elector.isLeader) return;
    desk.isLookPending = true;
    this.parts.errands.later(0, () => {
      desk.isLookPending = false;
      if (this.pauses > 0) return;
      this.step(desk);
      this.wake();
    });
  }

  private step(desk: Desk): void {
    const decision = this.decide(desk);
    if (decision !== undefined) this.send(desk, decision);
  }

  private decide(desk: Desk): Decision | undefined {
    const { token } = this.elector;
    const request = desk.subject.request();
    if (token === undefined || request === undefined) return undefined;
    // What was said as an earlier leader is not repeated as this one.
    if (token !== desk.token) Object.assign(desk, { token, unconfirmed: [], isRepeatDue: false });
    const said = this.steps(desk, request);
    if (said === undefined && !desk.isRepeatDue) return undefined;
    desk.isRepeatDue = false;
    desk.memory = said?.memory ?? desk.memory;
    const actions = said?.actions ?? [];
    const number = ++desk.statements;
    const { turn } = request;
    const statements = [...desk.unconfirmed, { number, actions, turn }];
    const phases = actions.filter(({ kind }) => kind === 'phase');
    if (phases.length > 0) desk.unconfirmed = [...desk.unconfirmed, { number, actions: phases, turn }];
    return { controller: this.parts.number, token, statements, memory: desk.memory };
  }

  /** Step by step, as long as nothing but what is remembered changes: the next step may find that it can go on. */
  private steps({ subject, rollout }: Desk, request: RolloutRequest): { actions: RolloutAction[]; memory: string } | undefined {
    const actions: RolloutAction[] = [];
    let memory: string | undefined;
    for (let step = 0; step < STEPS_AT_ONCE; step++) {
      const said = rollout.step(request, subject.observe());
      if (said === undefined) break;
      ({ memory } = said);
      actions.push(...said.actions);
      if (said.actions.some(({ kind }) => kind !== 'phase')) break;
    }
    return memory === undefined ? undefined : { actions, memory };
  }

  private send(desk: Desk, decision: Decision): void {
    desk.arrivalMs = this.parts.link.call<boolean>(
      (reply) => reply(desk.target.take(decision)),
      (isTaken) => this.receive(() => this.onConfirmed(desk, decision, isTaken)),
      desk.arrivalMs,
    );
  }

  /** `isTaken` is undefined if nothing was heard of the decision. */
  private onConfirmed(desk: Desk, { token, statements }: Decision, isTaken: boolean | undefined): void {
    if (token !== desk.token) return;
    const { number } = statements.at(-1)!;
    if (isTaken !== undefined) desk.unconfirmed = desk.unconfirmed.filter((statement) => statement.number > number);
    // What was said since says it all.
    else if (number === desk.statements) {
      desk.isRepeatDue = true;
      this.look(desk);
    }
  }
}
