/** A node's resources as shares of what it has, so that cores and bytes can be compared. */
import { freeOf } from '../filters/node-resources-fit.ts';
import { type NodeState, requestOf } from './node-state.ts';
import type { PodView } from '../scheduler.ts';

/** Shares of the node that the pod asks for, and that are free before it comes. Resources that it does not ask for, or that the node has
 *  none of, do not appear. */
export function demandAndFree(pod: PodView, node: NodeState): readonly { readonly demand: number; readonly free: number }[] {
  return Object.keys(pod.requests).flatMap((resource) => {
    const allocatable = node.allocatable(resource);
    const request = requestOf(pod, resource);
    if (resource === 'pods' || allocatable === 0 || request === 0) return [];
    return { demand: request / allocatable, free: freeOf(node, resource) / allocatable };
  });
}

/** The share of the fullest of these resources with the pod on the node: its dominant share, in the words of Ghodsi et al. (DRF, 2011).
 *  What is full first decides when a node is full. Their fair sharing itself says whose pod is next, not where one goes, and is none of
 *  the schedulers here. */
export function fullestShare(pod: PodView, node: NodeState, resources: readonly string[]): number {
  let fullest = 0;
  for (const resource of resources) {
    const allocatable = node.allocatable(resource);
    if (allocatable > 0) fullest = Math.max(fullest, (node.requested(resource) + requestOf(pod, resource)) / allocatable);
  }
  return fullest;
}

/** The mean share of these resources with the pod on the node. */
export function meanShare(pod: PodView, node: NodeState, resources: readonly string[]): number {
  const known = resources.filter((resource) => node.allocatable(resource) > 0);
  const shares = known.map((resource) => (node.requested(resource) + requestOf(pod, resource)) / node.allocatable(resource));
  return shares.length === 0 ? 0 : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
