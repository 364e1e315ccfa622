/** Pods put on nodes in thought: first fit, with moves that can be taken back.
 *
 *  D. S. Johnson, Near-optimal bin packing algorithms (1973); kubernetes/autoscaler:
 *  cluster-autoscaler/estimator/{binpacking_estimator,decreasing_pod_orderer}.go */
import type { NodeGroup, NodeShape, NodeTemplate, PodShape } from './node-autoscaler.ts';

export type Fits = (pod: PodShape, node: NodeShape, beside: readonly PodShape[]) => boolean;

export class Packing<Pod extends PodShape = PodShape> {
  readonly #fits: Fits;
  readonly #nodes = new Map<number, { readonly shape: NodeShape; readonly pods: Pod[] }>();

  constructor(fits: Fits) {
    this.#fits = fits;
  }

  add(shape: NodeShape, pods: readonly Pod[]): void {
    this.#nodes.set(shape.node, { shape, pods: [...pods] });
  }

  podsOn(node: number): readonly Pod[] {
    return this.#nodes.get(node)?.pods ?? [];
  }

  /** The first node that the pod fits on, which has it from now on; undefined if there is none. */
  place(pod: Pod, except?: number): number | undefined {
    for (const [node, { shape, pods }] of this.#nodes) {
      if (node === except || !this.#fits(pod, shape, pods)) continue;
      pods.push(pod);
      return node;
    }
    return undefined;
  }

  /** Takes a node away and these pods, which were on it, to others. If not all of them find a place nothing has changed. */
  empty(node: number, moved: readonly Pod[]): boolean {
    const places: number[] = [];
    for (const pod of moved) {
      const place = this.place(pod, node);
      if (place === undefined) {
        places.forEach((at, i) => this.#take(at, moved[i]));
        return false;
      }
      places.push(place);
    }
    this.#nodes.delete(node);
    return true;
  }

  #take(node: number, pod: Pod): void {
    const { pods } = this.#nodes.get(node)!;
    pods.splice(pods.indexOf(pod), 1);
  }
}

/** How new nodes of one group would help. */
export interface Estimate {
  readonly nodes: number;
  /** Pods that would run on them. */
  readonly pods: readonly PodShape[];
}

/** Packs pods on new nodes of a group, the largest first, until none is left or `limit` nodes are full. */
export function estimateNodes(pods: readonly PodShape[], group: NodeGroup, limit: number, fits: Fits): Estimate {
  const packing = new Packing(fits);
  const placed: PodShape[] = [];
  let nodes = 0;
  for (const pod of largestFirst(pods, group.template)) {
    if (packing.place(pod) !== undefined) {
      placed.push(pod);
      continue;
    }
    const fresh: NodeShape = imagined(group, nodes);
    // A pod that does not fit on an empty node of its own is no reason for one.
    if (nodes === limit || !fits(pod, fresh, [])) continue;
    packing.add(fresh, [pod]);
    placed.push(pod);
    nodes++;
  }
  return { nodes, pods: placed };
}

/** The `index`-th node of a group that is not there yet. */
export const imagined = ({ name, template }: NodeGroup, index: number): NodeShape => ({
  ...template,
  group: name,
  node: -1 - index,
});

/** By the sum of the shares of a node's processor and memory, and by number where these are equal. */
function largestFirst(pods: readonly PodShape[], { allocatable }: NodeTemplate): readonly PodShape[] {
  const share = (pod: PodShape, resource: string): number =>
    (allocatable[resource] ?? 0) > 0 ? (pod.requests[resource] ?? 0) / allocatable[resource] : 0;
  const size = (pod: PodShape): number => share(pod, 'cpu') + share(pod, 'memory');
  return pods
    .map((pod) => ({ pod, size: size(pod) }))
    .sort((a, b) => b.size - a.size || a.pod.pod - b.pod.pod)
    .map(({ pod }) => pod);
}

/** Of processor and memory, the one that more of is reserved: from 0 to 1. */
export function utilization(pods: readonly PodShape[], { allocatable }: NodeTemplate): number {
  const share = (resource: string): number => {
    const all = allocatable[resource] ?? 0;
    return all === 0 ? 0 : pods.reduce((sum, { requests }) => sum + (requests[resource] ?? 0), 0) / all;
  };
  return Math.max(share('cpu'), share('memory'));
}
