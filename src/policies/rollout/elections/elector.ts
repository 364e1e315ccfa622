/** Leader election: which of several controllers acts.
 *
 *  One object per controller. It asks the store through its host, is told what came back, and says when it wants to be woken. What
 *  `isLeader` says is what the controller believes: a controller that was paused, or whose messages are late, believes in a lease that
 *  is over until its timer has run. So whatever the leader writes carries `token`, and what it writes to refuses lower ones
 *  (`FencedTarget` in `rollout/store`). */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import type { StoreAnswer, StoreRequest } from '../store/store-request.ts';

export interface ElectionHost {
  /** Ask the store. The host calls `onAnswer` with the same number: at once, later, or never. */
  request(id: number, request: StoreRequest, nowMs: Ms): void;
}

export interface Elector {
  /** Begins to run for leadership; also after `stop`. */
  start(nowMs: Ms): void;
  /** Gives leadership up, and stops running for it. */
  stop(nowMs: Ms): void;
  /** What came back for request `id`. Ignored if it is waited for no longer. */
  onAnswer(id: number, answer: StoreAnswer, nowMs: Ms): void;
  /** What this controller believes. */
  readonly isLeader: boolean;
  /** Grows from leader to leader; undefined for those who do not lead. */
  readonly token: number | undefined;
  /** When `onTimer` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
}

export interface ElectorDeps {
  readonly rng: Rng;
  readonly host: ElectionHost;
  /** Name of what is led; the same for all who compete. */
  readonly key: string;
  /** Name of this controller; of each only one. */
  readonly identity: string;
}

export type ElectorDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, ElectorDeps, Elector>;

type Describe<Specs extends ParamSpecs> = Omit<ElectorDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: ElectorDeps): Elector;
};

/** Declares an elector for the family's table. */
export const defineElector = <const Specs extends ParamSpecs>(description: Describe<Specs>): ElectorDefinition<Specs> =>
  definePolicy<Specs, ElectorDeps, Elector>({ family: 'elections', ...description });
