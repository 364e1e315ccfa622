/** What would be asked of a node's resources with the pod on it: the input of all scores by resources. */
import { type NodeState, nonZeroRequestOf, requestOf } from './node-state.ts';
import type { PodView } from '../scheduler.ts';

export interface Allocation {
  readonly allocatable: number;
  /** By the pods that are there. */
  readonly before: number;
  /** With the pod. */
  readonly after: number;
}

/** undefined: the resource is left out of the comparison, because the node has none of it, or because it is a special one (a graphics
 *  processor, a license) that the pod does not ask for. `silentCounts`: pods that say nothing of cpu or memory count for a little. */
export function allocationOf(pod: PodView, node: NodeState, resource: string, silentCounts: boolean): Allocation | undefined {
  const allocatable = node.allocatable(resource);
  const request = silentCounts ? nonZeroRequestOf(pod, resource) : requestOf(pod, resource);
  if (allocatable === 0 || (request === 0 && !isPlain(resource))) return undefined;
  const before = silentCounts ? node.nonZeroRequested(resource) : node.requested(resource);
  return { allocatable, before, after: before + request };
}

const isPlain = (resource: string): boolean => resource === 'cpu' || resource === 'memory' || resource === 'ephemeral-storage';

/** The whole part of a hundred times the share. */
export const percentOf = (part: number, whole: number): number => Math.trunc((part * 100) / whole);
