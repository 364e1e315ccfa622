/** A node as one decision sees it: its description, the pods on it, and what these take.
 *
 *  It never changes. Questions of the kind "and without that pod?" are put to another one. */
import type { ClusterView, NodeView, PodView } from '../scheduler.ts';

/** What a pod that says nothing counts for when nodes are compared, or any number of such pods would look like none. It still takes
 *  nothing when it is asked whether a pod fits. After Kubernetes' DefaultMilliCPURequest and DefaultMemoryRequest. */
const unspoken: Readonly<Record<string, number>> = { cpu: 100, memory: 200 * 1024 * 1024 };

/** What a pod asks for, and what it counts for in comparisons. */
export const requestOf = (pod: PodView, resource: string): number => pod.requests[resource] ?? 0;
export const nonZeroRequestOf = (pod: PodView, resource: string): number => pod.requests[resource] ?? unspoken[resource] ?? 0;

export class NodeState {
  readonly view: NodeView;
  readonly pods: readonly PodView[];
  readonly #requested: Record<string, number> = {};
  readonly #nonZero: Record<string, number> = {};

  constructor(view: NodeView, pods: readonly PodView[]) {
    this.view = view;
    this.pods = pods;
  }

  get node(): number {
    return this.view.node;
  }

  allocatable(resource: string): number {
    return this.view.allocatable[resource] ?? 0;
  }

  requested(resource: string): number {
    return (this.#requested[resource] ??= this.pods.reduce((sum, pod) => sum + requestOf(pod, resource), 0));
  }

  nonZeroRequested(resource: string): number {
    return (this.#nonZero[resource] ??= this.pods.reduce((sum, pod) => sum + nonZeroRequestOf(pod, resource), 0));
  }

  /** The same node with these pods on it. */
  having(pods: readonly PodView[]): NodeState {
    return new NodeState(this.view, pods);
  }
}

/** All nodes of the cluster, in the cluster's order. */
export const nodeStates = (cluster: ClusterView): readonly NodeState[] =>
  cluster.nodes.map((view) => new NodeState(view, cluster.podsOn(view.node)));
