/** Filters: which nodes a pod may run on at all.
 *
 *  A filter is prepared once for a pod and a cluster, and then asked node by node. It may also be asked about a node as it would be with
 *  some pods gone or others added: that is how preemption finds out whether evicting helps. */
import type { NodeState } from '../parts/node-state.ts';
import type { ClusterEvent, PodView } from '../scheduler.ts';

export interface Refusal {
  /** In the words of the system it comes from. */
  readonly reasons: readonly string[];
  /** No eviction from this node would change it. */
  readonly isFinal: boolean;
}

/** undefined: it may run there. */
export type NodeFilter = (node: NodeState) => Refusal | undefined;

export interface FilterPlugin {
  /** The official name. */
  readonly name: string;
  /** After what a node that was refused might not be refused any more. */
  readonly events: readonly ClusterEvent[];
  /** `nodes` are all nodes of the cluster. */
  prepare(pod: PodView, nodes: readonly NodeState[]): NodeFilter;
}

/** Who refused what, with the events that may change it. */
export interface FilterRefusal extends Refusal {
  readonly by: FilterPlugin;
}

/** The filters one after the other; the first to refuse has said enough. */
export function chained(
  filters: readonly FilterPlugin[],
  pod: PodView,
  nodes: readonly NodeState[],
): (node: NodeState) => FilterRefusal | undefined {
  const prepared = filters.map((by) => ({ by, filter: by.prepare(pod, nodes) }));
  return (node) => {
    for (const { by, filter } of prepared) {
      const refusal = filter(node);
      if (refusal !== undefined) return { ...refusal, by };
    }
    return undefined;
  };
}
