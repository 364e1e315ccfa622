/** LeastAllocated: the more of its resources a node would have left, the better; the default of Kubernetes.
 *
 *  Use it to keep room for bursts everywhere. It fails where nodes cost money: all are half full and none can be given back, and a large
 *  pod finds room nowhere although there is plenty in total.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/framework/plugins/noderesources/least_allocated.go and resource_allocation.go. */
import type { NodeState } from '../parts/node-state.ts';
import { allocationOf, percentOf } from '../parts/resource-shares.ts';
import type { ResourceWeight } from '../parts/resource-weights.ts';
import type { PodView } from '../scheduler.ts';
import type { ScorePlugin } from './score.ts';

export const leastAllocated = (resources: readonly ResourceWeight[]): ScorePlugin => ({
  name: 'NodeResourcesFit',
  score: (pod, nodes) => nodes.map((node) => weightedMean(pod, node, resources, leastRequestedScore)),
});

const leastRequestedScore = (requested: number, capacity: number): number =>
  requested > capacity ? 0 : percentOf(capacity - requested, capacity);

/** The mean over those of the resources that count for this pod on this node. */
export function weightedMean(
  pod: PodView,
  node: NodeState,
  resources: readonly ResourceWeight[],
  scoreOf: (requested: number, capacity: number) => number,
): number {
  let [sum, weights] = [0, 0];
  for (const { resource, weight } of resources) {
    const allocation = allocationOf(pod, node, resource, true);
    if (allocation === undefined) continue;
    sum += weight * scoreOf(allocation.after, allocation.allocatable);
    weights += weight;
  }
  return weights === 0 ? 0 : Math.trunc(sum / weights);
}
