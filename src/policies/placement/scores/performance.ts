/** Performance: the more speed a node would have left for the pod, the better.
 *
 *  What is left of a node's speed shrinks with the share of its cpu that is spoken for: a queue at utilisation u answers 1 / (1 − u) times
 *  as slowly as an idle one. So a fast node is filled first, until slower ones are the quicker for being empty. `loadSensitivity` says how
 *  much of the requests is believed to be load at the same time: 0 looks at speed alone. The best node gets 100, the others in proportion.
 *
 *  It fails where requests have little to do with load, and where the pod waits for something else than the cpu. */
import { allocationOf } from '../parts/resource-shares.ts';
import type { NodeState } from '../parts/node-state.ts';
import type { PodView } from '../scheduler.ts';
import { MAX_SCORE, type ScorePlugin } from './score.ts';

export const performance = (loadSensitivity: number): ScorePlugin => ({
  name: 'Performance',
  score: (pod, nodes) => {
    const speeds = nodes.map((node) => speedLeft(pod, node, loadSensitivity));
    const best = Math.max(0, ...speeds);
    return speeds.map((speed) => (best === 0 ? MAX_SCORE : Math.trunc((MAX_SCORE * speed) / best)));
  },
});

/** The speed that the pod would find. */
export function speedLeft(pod: PodView, node: NodeState, loadSensitivity: number): number {
  const cpu = allocationOf(pod, node, 'cpu', true);
  // Whole numbers as far as possible: 1 − 0.8 is less than 0.2.
  const left =
    cpu === undefined ? 1 : (cpu.allocatable - loadSensitivity * Math.min(cpu.after, cpu.allocatable)) / cpu.allocatable;
  return Math.max(0, node.view.speed) * left;
}
