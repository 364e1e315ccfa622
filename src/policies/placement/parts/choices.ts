/** Choosing among nodes by a number. */
import type { Rng } from '../../../core/rng.ts';
import type { WeightedScore } from '../scores/score.ts';
import { totalScores } from '../scores/score.ts';
import type { PodView } from '../scheduler.ts';
import type { Choose } from './filtering-scheduler.ts';
import type { NodeState } from './node-state.ts';

/** One of those with the highest total, at random. They are put in order first, so that the draw means the same in whatever order the
 *  search found them. */
export const byScores =
  (scores: readonly WeightedScore[], rng: Rng): Choose =>
  (pod, nodes, all) => {
    const totals = totalScores(scores, pod, nodes, all);
    const highest = Math.max(...totals);
    const best = nodes.filter((_, index) => totals[index] === highest).sort((a, b) => a.node - b.node);
    return best.length === 1 ? best[0] : best[rng.below(best.length)];
  };

/** The first of those with the highest value. */
export const byHighest =
  (valueOf: (pod: PodView, node: NodeState) => number): Choose =>
  (pod, nodes) => {
    let [best, highest] = [nodes[0], -Infinity];
    for (const node of nodes) {
      const value = valueOf(pod, node);
      if (value > highest) [best, highest] = [node, value];
    }
    return best;
  };
