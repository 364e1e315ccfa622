/** MostAllocated: the less of its resources a node would have left, the better.
 *
 *  Use it where nodes are paid for and empty ones are given back, or where large pods need whole nodes. It fails under bursts: what is
 *  full of requests is also full of load, and one node lost takes many pods.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/framework/plugins/noderesources/most_allocated.go. */
import { percentOf } from '../parts/resource-shares.ts';
import type { ResourceWeight } from '../parts/resource-weights.ts';
import { weightedMean } from './least-allocated.ts';
import type { ScorePlugin } from './score.ts';

export const mostAllocated = (resources: readonly ResourceWeight[]): ScorePlugin => ({
  name: 'NodeResourcesFit',
  score: (pod, nodes) => nodes.map((node) => weightedMean(pod, node, resources, mostRequestedScore)),
});

// What pods that say nothing count for may be more than there is.
const mostRequestedScore = (requested: number, capacity: number): number => percentOf(Math.min(requested, capacity), capacity);
