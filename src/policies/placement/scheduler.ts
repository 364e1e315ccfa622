/** Placement: on which node a pod runs.
 *
 *  One object per cluster. It is shown nodes, pods and one pod without a node, and answers with a node, or with the reasons why there is
 *  none and who would have to go. Binding, evicting and trying again are the host's. */
import type { ParamSpecs, ParamValues } from '../../core/params.ts';
import { definePolicy, type Policy } from '../../core/policy.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';

/** By name. `cpu` is in thousandths of a core, `memory` in bytes, `pods` a count; others are counts. All whole numbers. */
export type Resources = Readonly<Record<string, number>>;
export type Labels = Readonly<Record<string, string>>;

export const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const;
export type TaintEffect = (typeof taintEffects)[number];

export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: TaintEffect;
}

export interface Toleration {
  /** Absent, with `Exists`: every key. */
  readonly key?: string;
  readonly operator: 'Equal' | 'Exists';
  readonly value?: string;
  /** Absent: every effect. */
  readonly effect?: TaintEffect;
}

/** What is left out is every one: of keys, of values, of effects. */
export const tolerating = ({ key, value, effect }: Omit<Toleration, 'operator'>): Toleration => ({
  ...(key === undefined ? {} : { key }),
  ...(value === undefined ? { operator: 'Exists' } : { operator: 'Equal', value }),
  ...(effect === undefined ? {} : { effect }),
});

export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly whenUnsatisfiable: 'DoNotSchedule' | 'ScheduleAnyway';
  /** Pods that count: those with all of these labels. */
  readonly selector: Labels;
  readonly minDomains?: number;
}

/** A node, with what its zone and its machine are in its labels. */
export interface NodeView {
  readonly node: number;
  readonly name: string;
  readonly labels: Labels;
  readonly taints: readonly Taint[];
  readonly allocatable: Resources;
  /** How fast it works, 1 is normal; and how far it is from those who call, in milliseconds. For those who care. */
  readonly speed: number;
  readonly latencyMs: Ms;
}

export interface PodView {
  readonly pod: number;
  readonly labels: Labels;
  readonly requests: Resources;
  /** Higher is more important. */
  readonly priority: number;
  readonly tolerations: readonly Toleration[];
  readonly spread: readonly SpreadConstraint[];
  /** Labels a node must have. */
  readonly nodeSelector: Labels;
  /** When it was started; Infinity if it was not. */
  readonly startedAtMs: Ms;
  readonly isTerminating: boolean;
  /** Where room is being made for it: the node of the preemption that an earlier try ended with. */
  readonly nominatedNode?: number;
}

/** What the scheduler knows of the cluster. */
export interface ClusterView {
  readonly nodes: readonly NodeView[];
  podsOn(node: number): readonly PodView[];
  /** How many of the pods on this list could be evicted only against a disruption budget, when they go one after the other in this order
   *  and each takes its share of the budgets. */
  budgetViolations(pods: readonly PodView[]): number;
  /** Pods without a node for whom room is being made on this one. Absent: nobody keeps account of that. */
  nominatedTo?(node: number): readonly PodView[];
}

/** What can happen in a cluster that may give a pod a place it did not have. */
export const clusterEvents = [
  'node-add',
  'node-delete',
  'node-allocatable',
  'node-labels',
  'node-taints',
  'pod-add',
  'pod-delete',
] as const;
export type ClusterEvent = (typeof clusterEvents)[number];

export interface Placement {
  /** NO_PLACE when there is none. */
  readonly node: number;
  /** How many nodes were refused for each reason; a node may have several. Without a place every node is among them, with one only those
   *  that were looked at. */
  readonly refusals: Readonly<Record<string, number>>;
  /** Only without a node: after what another try may end differently. Absent: after anything. */
  readonly retryOn?: readonly ClusterEvent[];
  /** Only without a node: who could go to make room, least important first, and where that would be. */
  readonly preemption?: { readonly node: number; readonly victims: readonly number[] };
}

export const NO_PLACE = -1;

export interface Scheduler {
  schedule(pod: PodView, cluster: ClusterView, nowMs: Ms): Placement;
}

export interface SchedulerDeps {
  readonly rng: Rng;
}

export type SchedulerDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, SchedulerDeps, Scheduler>;

type Describe<Specs extends ParamSpecs> = Omit<SchedulerDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: SchedulerDeps): Scheduler;
};

/** Declares a scheduler for the family's table. */
export const defineScheduler = <const Specs extends ParamSpecs>(description: Describe<Specs>): SchedulerDefinition<Specs> =>
  definePolicy<Specs, SchedulerDeps, Scheduler>({ family: 'placement', ...description });
