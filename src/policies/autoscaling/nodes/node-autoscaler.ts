/** Node autoscaling: how many machines a cluster should have, and of which kind.
 *
 *  One object per cluster. It is asked at a fixed cadence, is shown nodes and pods as the API server knows them, and answers with groups to
 *  grow, orders to give up, and nodes to remove. Ordering machines, draining and deleting them is the host's. Whether a pod fits on a node
 *  is the scheduler's knowledge, so that is a question to the host. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';

/** By name. `cpu` is in thousandths of a core, `memory` in bytes; others are counts. All whole numbers. */
export type NodeResources = Readonly<Record<string, number>>;

export interface NodeTaint {
  readonly key: string;
  readonly value: string;
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** What all nodes of a group are like. */
export interface NodeTemplate {
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  /** For pods; what every node's own services take is already taken off. */
  readonly allocatable: NodeResources;
}

/** Machines of one kind that can be ordered. */
export interface NodeGroup {
  readonly name: string;
  readonly zone: string;
  readonly min: number;
  readonly max: number;
  /** Of one node per hour, in whatever currency. */
  readonly price: number;
  /** Higher is preferred, by those who look at it. */
  readonly priority: number;
  readonly template: NodeTemplate;
}

/** A node that is there, or one that is imagined. */
export interface NodeShape extends NodeTemplate {
  /** Negative for one that is imagined. */
  readonly node: number;
  /** undefined: it belongs to no group and is never removed. */
  readonly group: string | undefined;
}

export interface PodShape {
  readonly pod: number;
  readonly requests: NodeResources;
  /** Higher is more important. */
  readonly priority: number;
}

export interface NodeState extends NodeShape {
  readonly isReady: boolean;
  /** When it joined the cluster. */
  readonly joinedAtMs: Ms;
  /** Whether it was ever ready. */
  readonly wasReady: boolean;
  /** It was told to go. */
  readonly isLeaving: boolean;
}

export interface PlacedPod extends PodShape {
  /** Runs on every node and goes with it. */
  readonly isDaemon: boolean;
  /** False for a pod that nobody would create anew, or whose data would be lost: its node must stay. */
  readonly isMovable: boolean;
}

export interface PendingPod extends PodShape {
  readonly pendingSinceMs: Ms;
}

export interface NodesObservation {
  readonly nowMs: Ms;
  readonly nodes: readonly NodeState[];
  podsOn(node: number): readonly PlacedPod[];
  /** Pods that the scheduler found no node for. */
  readonly pending: readonly PendingPod[];
  /** Nodes that were asked for in a group: those that are there and those on their way, but not those that were told to go. */
  target(group: string): number;
}

export interface GroupChange {
  readonly group: string;
  readonly by: number;
}

export interface NodeRemoval {
  readonly node: number;
  /** Pods that must go first; none for an empty node. */
  readonly evict: readonly number[];
  /** Those that have not ended by then are killed. */
  readonly graceMs: Ms;
}

export interface NodesDecision {
  /** Order so many more. */
  readonly increases: readonly GroupChange[];
  /** Give up waiting for so many that were ordered. */
  readonly cancellations: readonly GroupChange[];
  readonly removals: readonly NodeRemoval[];
  readonly reason: NodesReason;
}

export const nodesReasons = [
  'ScaledUp',
  'NoScaleUpOption',
  'ScaledDown',
  'ScaleDownInCooldown',
  'NoChange',
  'Unhealthy',
] as const;
export type NodesReason = (typeof nodesReasons)[number];

export interface NodeAutoscaler {
  readonly decideEveryMs: Ms;
  decide(observation: NodesObservation): NodesDecision;
  /** The order of a decision was refused: no capacity, no quota. */
  onIncreaseFailed(group: string, nowMs: Ms): void;
  /** A node that was to be removed could not be; it stays. */
  onRemovalFailed(node: number, nowMs: Ms): void;
}

export interface NodeAutoscalerDeps {
  readonly rng: Rng;
  readonly groups: readonly NodeGroup[];
  /** Whether a pod could run on a node next to these pods. */
  fits(pod: PodShape, node: NodeShape, beside: readonly PodShape[]): boolean;
  /** Whether disruption budgets allow to evict all of these now. */
  mayEvict(pods: readonly PodShape[]): boolean;
}

export type NodeAutoscalerDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, NodeAutoscalerDeps, NodeAutoscaler>;

type Describe<Specs extends ParamSpecs> = Omit<NodeAutoscalerDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: NodeAutoscalerDeps): NodeAutoscaler;
};

/** Declares a node autoscaler for the family's table. */
export const defineNodeAutoscaler = <const Specs extends ParamSpecs>(
  description: Describe<Specs>,
): NodeAutoscalerDefinition<Specs> =>
  definePolicy<Specs, NodeAutoscalerDeps, NodeAutoscaler>({ family: 'nodes', ...description });
