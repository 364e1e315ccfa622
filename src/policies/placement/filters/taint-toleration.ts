/** TaintToleration: no pod goes where there is a taint that it does not tolerate.
 *
 *  `NoSchedule` and `NoExecute` keep pods away; `PreferNoSchedule` only costs points, see the score of the same name.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go and
 *  staging/src/k8s.io/api/core/v1/toleration.go. */
import type { PodView, Taint, Toleration } from '../scheduler.ts';
import type { FilterPlugin } from './filter.ts';

export const taintToleration: FilterPlugin = {
  name: 'TaintToleration',
  events: ['node-add', 'node-taints'],
  prepare: (pod) => (node) => {
    const taint = untoleratedTaint(pod, node.view.taints);
    if (taint === undefined) return undefined;
    return { reasons: [`node(s) had untolerated taint {${taint.key}: ${taint.value}}`], isFinal: true };
  },
};

/** The first taint that keeps the pod away. */
export const untoleratedTaint = (pod: PodView, taints: readonly Taint[]): Taint | undefined =>
  taints.find((taint) => taint.effect !== 'PreferNoSchedule' && !isTolerated(taint, pod.tolerations));

export const isTolerated = (taint: Taint, tolerations: readonly Toleration[]): boolean =>
  tolerations.some((toleration) => tolerates(toleration, taint));

/** Whatever a toleration leaves out, it does not mind. Only without a key can it be about every key, and then it has to say `Exists`. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key = '', operator, value = '', effect } = toleration;
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  return operator === 'Exists' || (key !== '' && value === taint.value);
}
