/** Whether a pod could run on a node that has these pods, without regard to the rest of the cluster: what node autoscalers ask of nodes
 *  that do not exist yet. Spreading is left out; it is about all nodes together. */
import { chained } from './filters/filter.ts';
import { nodeResourcesFit } from './filters/node-resources-fit.ts';
import { nodeSelector } from './filters/node-selector.ts';
import { taintToleration } from './filters/taint-toleration.ts';
import { NodeState } from './parts/node-state.ts';
import type { NodeView, PodView } from './scheduler.ts';

const filters = [taintToleration, nodeSelector, nodeResourcesFit];

export function fitsBeside(pod: PodView, node: NodeView, beside: readonly PodView[]): boolean {
  const state = new NodeState(node, beside);
  return chained(filters, pod, [state])(state) === undefined;
}
