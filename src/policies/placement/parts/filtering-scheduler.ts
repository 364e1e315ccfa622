/** What all schedulers here have in common: filters say where a pod may run, a choice is made among these nodes, and if there are none, it
 *  is found out who would have to go.
 *
 *  A pod for which room is being made on a node gets that node as soon as it passes there, and does not ask for more room as long as
 *  those who were told to go are still going. Conversely, room that is being made for others who are not less important is taken for
 *  spent: a node must pass with them on it, and without them as well, since they may end up elsewhere.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/schedule_one.go and pkg/scheduler/framework/runtime/framework.go. */
import type { Rng } from '../../../core/rng.ts';
import { chained, type FilterPlugin, type FilterRefusal } from '../filters/filter.ts';
import { nodeResourcesFit } from '../filters/node-resources-fit.ts';
import { nodeSelector } from '../filters/node-selector.ts';
import { taintToleration } from '../filters/taint-toleration.ts';
import { topologySpread } from '../filters/topology-spread.ts';
import { type ClusterEvent, type ClusterView, NO_PLACE, type Placement, type PodView, type Scheduler } from '../scheduler.ts';
import { type NodeState, nodeStates } from './node-state.ts';
import { type NodeSearch } from './node-search.ts';
import { preempt, type PreemptionOptions } from './preemption.ts';

/** In the order of Kubernetes' default profile. */
export const defaultFilters: readonly FilterPlugin[] = [taintToleration, nodeSelector, nodeResourcesFit, topologySpread];

/** Which of the nodes that passed; there is at least one. `all` are all of the cluster. */
export type Choose = (pod: PodView, nodes: readonly NodeState[], all: readonly NodeState[]) => NodeState;

export interface FilteringOptions {
  readonly filters?: readonly FilterPlugin[];
  readonly choose: Choose;
  /** Absent: all nodes are looked at, in the cluster's order. */
  readonly search?: NodeSearch;
  /** Absent: nobody is told to go. */
  readonly preemption?: PreemptionOptions & { readonly rng: Rng };
}

export class FilteringScheduler implements Scheduler {
  readonly #filters: readonly FilterPlugin[];
  readonly #options: FilteringOptions;

  constructor(options: FilteringOptions) {
    this.#filters = options.filters ?? defaultFilters;
    this.#options = options;
  }

  schedule(pod: PodView, cluster: ClusterView): Placement {
    const all = nodeStates(cluster);
    const refusalOf = withNominated(chained(this.#filters, pod, all), pod, cluster);
    const refused = new Map<NodeState, FilterRefusal>();
    const passes = (node: NodeState): boolean => {
      const refusal = refusalOf(node);
      if (refusal !== undefined) refused.set(node, refusal);
      return refusal === undefined;
    };
    const nominated = all.find(({ node }) => node === pod.nominatedNode);
    const found = nominated !== undefined && passes(nominated) ? [nominated] : this.#find(all, passes);
    const refusals = countReasons(refused.values());
    if (found.length > 0) return { node: this.#options.choose(pod, found, all).node, refusals };
    const retryOn = eventsOf(refused.values());
    if (all.length === 0) retryOn.add('node-add');
    const nowhere = { node: NO_PLACE, refusals, retryOn: [...retryOn] };
    const { preemption } = this.#options;
    if (preemption === undefined || isBeingMadeRoom(pod, nominated, refused)) return nowhere;
    const helped = all.filter((node) => refused.get(node)?.isFinal === false);
    const candidate = preempt(pod, helped, (node) => refusalOf(node) === undefined, cluster, preemption, preemption.rng);
    if (candidate === undefined) return nowhere;
    const victims = candidate.victims.map((victim) => victim.pod).reverse();
    return { ...nowhere, preemption: { node: candidate.node, victims } };
  }

  #find(all: readonly NodeState[], passes: (node: NodeState) => boolean): readonly NodeState[] {
    const { search } = this.#options;
    return search === undefined ? all.filter(passes) : search.find(all, passes);
  }
}

/** A filter that also asks how it would be once those for whom room is being made have come. */
function withNominated(
  refusalOf: (node: NodeState) => FilterRefusal | undefined,
  pod: PodView,
  cluster: ClusterView,
): (node: NodeState) => FilterRefusal | undefined {
  if (cluster.nominatedTo === undefined) return refusalOf;
  return (node) => {
    const coming = cluster.nominatedTo!(node.node).filter((each) => each.priority >= pod.priority && each.pod !== pod.pod);
    const refusal = coming.length === 0 ? undefined : refusalOf(node.having([...node.pods, ...coming]));
    return refusal ?? refusalOf(node);
  };
}

/** Whether pods are on their way out of the node that was promised, and it is still one that could be had. */
function isBeingMadeRoom(
  pod: PodView,
  nominated: NodeState | undefined,
  refused: ReadonlyMap<NodeState, FilterRefusal>,
): boolean {
  if (nominated === undefined || refused.get(nominated)?.isFinal !== false) return false;
  return nominated.pods.some((each) => each.isTerminating && each.priority < pod.priority);
}

function countReasons(refusals: Iterable<FilterRefusal>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { reasons } of refusals) for (const reason of reasons) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function eventsOf(refusals: Iterable<FilterRefusal>): Set<ClusterEvent> {
  const events = new Set<ClusterEvent>();
  for (const { by } of refusals) for (const event of by.events) events.add(event);
  return events;
}
