/** Keeping so many replicas: what is missing is created, what is too much is removed.
 *
 *  One object per service. It decides how many and, when there are too many, which; where a replica runs is the placement's. Creating
 *  takes time and can fail, so results are told later, and the controller does not ask twice for what is on its way. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Ms } from '../../../core/time.ts';

/** The node of a replica that has none yet. */
export const NO_NODE = -1;

export interface ReplicaHost {
  /** One more is wanted. Answered by `onCreated` or `onCreateFailed`, at once or later. */
  create(nowMs: Ms): void;
  /** This one is to go. Answered by `onGone` when it has. */
  remove(replica: number, nowMs: Ms): void;
}

export interface ReplicaController {
  setDesired(count: number, nowMs: Ms): void;
  /** A replica exists, not ready yet. `node` groups replicas that share a fate; NO_NODE if it has no place yet. */
  onCreated(replica: number, node: number, nowMs: Ms): void;
  /** It has found its node. */
  onPlaced(replica: number, node: number, nowMs: Ms): void;
  /** A creation was refused: a quota, a server in trouble. */
  onCreateFailed(nowMs: Ms): void;
  onReady(replica: number, isReady: boolean, nowMs: Ms): void;
  /** A replica's process was started again in its place. */
  onRestarted(replica: number, nowMs: Ms): void;
  /** A replica is gone: removed, evicted, or its node is lost. */
  onGone(replica: number, nowMs: Ms): void;
  /** Replicas that exist and were not told to go. */
  readonly count: number;
  /** When `onTimer` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
}

export interface ReplicaDeps {
  readonly host: ReplicaHost;
}

export type ReplicaControllerDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, ReplicaDeps, ReplicaController>;

type Describe<Specs extends ParamSpecs> = Omit<ReplicaControllerDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: ReplicaDeps): ReplicaController;
};

/** Declares a replica controller for the family's table. */
export const defineReplicaController = <const Specs extends ParamSpecs>(
  description: Describe<Specs>,
): ReplicaControllerDefinition<Specs> =>
  definePolicy<Specs, ReplicaDeps, ReplicaController>({ family: 'replicas', ...description });
