/** Counting the pods of a spread constraint by the domains (zones, nodes) of its topology. */
import { type Labels, type PodView, type SpreadConstraint } from '../scheduler.ts';
import { hasLabels } from './labels.ts';
import type { NodeState } from './node-state.ts';

/** Pods that count for a constraint. Those that are on their way out do not. */
export function matchingPods(pods: readonly PodView[], selector: Labels): number {
  let count = 0;
  for (const pod of pods) if (!pod.isTerminating && hasLabels(pod.labels, selector)) count++;
  return count;
}

/** Whether the node belongs to some domain of every constraint. */
export const hasAllKeys = (node: NodeState, constraints: readonly SpreadConstraint[]): boolean =>
  constraints.every(({ topologyKey }) => node.view.labels[topologyKey] !== undefined);
