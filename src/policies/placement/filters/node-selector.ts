/** Node selector: only nodes with all of the labels that the pod names.
 *
 *  The simple form of Kubernetes' NodeAffinity, under whose name it reports; expressions over labels and preferences are not part of what
 *  a pod says here.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go. */
import { hasLabels } from '../parts/labels.ts';
import type { FilterPlugin, Refusal } from './filter.ts';

export const nodeSelector: FilterPlugin = {
  name: 'NodeAffinity',
  events: ['node-add', 'node-labels'],
  prepare: (pod) => (node) => (hasLabels(node.view.labels, pod.nodeSelector) ? undefined : mismatch),
};

const mismatch: Refusal = { reasons: ["node(s) didn't match Pod's node affinity/selector"], isFinal: true };
