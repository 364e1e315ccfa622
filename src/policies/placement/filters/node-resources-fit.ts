/** NodeResourcesFit: a pod must find what it asks for among what the others on the node have not asked for.
 *
 *  It counts requests, not use: a node that is overloaded may have room, and one that idles may have none.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/framework/plugins/noderesources/fit.go. There a node without a number of pods takes none;
 *  here it takes any number. A resource that the node does not know is there zero times. */
import { type NodeState, requestOf } from '../parts/node-state.ts';
import type { FilterPlugin } from './filter.ts';

export const nodeResourcesFit: FilterPlugin = {
  name: 'NodeResourcesFit',
  events: ['pod-delete', 'node-add', 'node-allocatable'],
  prepare: (pod) => {
    const resources = Object.keys(pod.requests).filter((resource) => resource !== 'pods' && requestOf(pod, resource) > 0);
    return (node) => {
      const lacking = resources.filter((resource) => requestOf(pod, resource) > freeOf(node, resource));
      const reasons = lacking.map((resource) => `Insufficient ${resource}`);
      if (node.pods.length + 1 > podLimit(node)) reasons.unshift('Too many pods');
      if (reasons.length === 0) return undefined;
      const isTooSmall = lacking.some((resource) => requestOf(pod, resource) > node.allocatable(resource));
      return { reasons, isFinal: isTooSmall || podLimit(node) < 1 };
    };
  },
};

/** What is left of a resource; below zero where more was given away than there is. */
export const freeOf = (node: NodeState, resource: string): number => node.allocatable(resource) - node.requested(resource);

const podLimit = (node: NodeState): number => node.view.allocatable.pods ?? Infinity;
