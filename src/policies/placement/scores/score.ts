/** Scores: which of the nodes that a pod may run on are better. Whole numbers from 0 to 100, of one currency, so that weighted sums of
 *  them mean something. */
import type { NodeState } from '../parts/node-state.ts';
import type { PodView } from '../scheduler.ts';

export const MAX_SCORE = 100;

export interface ScorePlugin {
  /** The official name. */
  readonly name: string;
  /** One score for each of `nodes`, which are those that passed the filters; `all` are all of the cluster. */
  score(pod: PodView, nodes: readonly NodeState[], all: readonly NodeState[]): readonly number[];
}

export interface WeightedScore {
  readonly plugin: ScorePlugin;
  readonly weight: number;
}

/** The weighted sum of what the plugins say of each node. A plugin without weight is not asked. */
export function totalScores(
  scores: readonly WeightedScore[],
  pod: PodView,
  nodes: readonly NodeState[],
  all: readonly NodeState[],
): readonly number[] {
  const totals = nodes.map(() => 0);
  for (const { plugin, weight } of scores) {
    if (weight === 0) continue;
    plugin.score(pod, nodes, all).forEach((score, index) => (totals[index] += weight * score));
  }
  return totals;
}
