/** TaintToleration, the soft half: a node loses points for every `PreferNoSchedule` taint that the pod does not tolerate.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go. */
import { isTolerated } from '../filters/taint-toleration.ts';
import type { NodeState } from '../parts/node-state.ts';
import type { PodView } from '../scheduler.ts';
import { MAX_SCORE, type ScorePlugin } from './score.ts';

export const preferredTaints: ScorePlugin = {
  name: 'TaintToleration',
  score: (pod, nodes) => {
    const counts = nodes.map((node) => untoleratedPreferences(pod, node));
    const most = Math.max(0, ...counts);
    return counts.map((count) => (most === 0 ? MAX_SCORE : MAX_SCORE - Math.trunc((MAX_SCORE * count) / most)));
  },
};

function untoleratedPreferences(pod: PodView, { view }: NodeState): number {
  return view.taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !isTolerated(taint, pod.tolerations)).length;
}
