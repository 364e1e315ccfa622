/** How far a scheduler looks: in large clusters it stops once it has found enough nodes, and the next time it goes on from there.
 *
 *  Nodes are visited zone by zone in turn, so that those that are found first are not all in one zone.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/schedule_one.go, numFeasibleNodesToFind, and pkg/scheduler/backend/cache/node_tree.go. */
import { REGION_LABEL, ZONE_LABEL } from '../well-known-labels.ts';
import type { NodeState } from './node-state.ts';

const MIN_NODES = 100;
const MIN_PERCENTAGE = 5;

/** How many nodes that pass the filters are enough. `percentage` 0 adapts to the cluster's size. */
export function enoughNodes(percentage: number, count: number): number {
  if (count < MIN_NODES) return count;
  const adaptive = Math.max(MIN_PERCENTAGE, 50 - Math.trunc(count / 125));
  const share = Math.trunc((count * (percentage === 0 ? adaptive : percentage)) / 100);
  return Math.max(MIN_NODES, share);
}

/** One node of each zone in turn; zones and the nodes of each in the order of the list. */
export function interleavedByZone(nodes: readonly NodeState[]): readonly NodeState[] {
  const zones = new Map<string, NodeState[]>();
  for (const node of nodes) {
    const { [REGION_LABEL]: region = '', [ZONE_LABEL]: zone = '' } = node.view.labels;
    const key = JSON.stringify([region, zone]);
    const members = zones.get(key);
    if (members === undefined) zones.set(key, [node]);
    else members.push(node);
  }
  if (zones.size < 2) return nodes;
  const lists = [...zones.values()];
  const longest = Math.max(...lists.map((list) => list.length));
  return Array.from({ length: longest }, (_, turn) => lists.flatMap((list) => list[turn] ?? [])).flat();
}

export class NodeSearch {
  readonly #percentage: number;
  #start = 0;

  constructor(percentage: number) {
    this.#percentage = percentage;
  }

  /** Those of the first nodes from where the last search ended that pass, until they are enough. */
  find(nodes: readonly NodeState[], passes: (node: NodeState) => boolean): readonly NodeState[] {
    const order = interleavedByZone(nodes);
    const enough = enoughNodes(this.#percentage, order.length);
    const found: NodeState[] = [];
    let visited = 0;
    for (; visited < order.length && found.length < enough; visited++) {
      const node = order[(this.#start + visited) % order.length];
      if (passes(node)) found.push(node);
    }
    if (order.length > 0) this.#start = (this.#start + visited) % order.length;
    return found;
  }
}
