/** Where decisions about one subject arrive, beside the store: checks their token, carries them out, and keeps what the next leader must know.
 *
 *  Without fencing every decision takes effect, whoever made it; those of a leader that has been followed are counted as stale. */
import { FencedTarget } from '../../policies/rollout/store/fenced-target.ts';
import type { RolloutAction } from '../../policies/rollout/strategies/rollout.ts';
import type { ChangeSubject } from './change-subject.ts';

/** What a controller says at one step. */
export interface Statement {
  /** Grows with every step of this controller. */
  readonly number: number;
  readonly actions: readonly RolloutAction[];
  /** Of the request that this is about. */
  readonly turn: number | undefined;
}

export interface Decision {
  readonly controller: number;
  readonly token: number;
  /** Oldest first: of earlier steps what may not have arrived, then this one. */
  readonly statements: readonly Statement[];
  readonly memory: string;
}

export class DecisionTarget {
  /** Of the last decision that took effect. */
  memory: string | undefined;
  /** Decisions that were refused. */
  fenced: number;
  /** Decisions that took effect after one of a later leader. */
  stale: number;
  private readonly subject: ChangeSubject;
  private readonly isFenced: boolean;
  private readonly tokens: FencedTarget;
  /** By controller: the number of its last statement that took effect. */
  private readonly heard: Map<number, number>;

  constructor(subject: ChangeSubject, isFenced: boolean) {
    this.subject = subject;
    this.isFenced = isFenced;
    this.tokens = new FencedTarget();
    this.heard = new Map();
    this.memory = undefined;
    this.fenced = 0;
    this.stale = 0;
  }

  /** False: refused. */
  take({ controller, token, statements, memory }: Decision): boolean {
    const isCurrent = this.tokens.accept(token);
    if (!isCurrent && this.isFenced) {
      this.fenced++;
      return false;
    }
    if (!isCurrent) this.stale++;
    this.memory = memory;
    for (const { number, actions, turn } of statements) {
      if (number <= (this.heard.get(controller) ?? 0)) continue;
      this.heard.set(controller, number);
      for (const action of actions) this.subject.carryOut(action, turn);
    }
    return true;
  }
}
