/** NodeResourcesBalancedAllocation: nodes whose resources would be used evenly, so that no memory is stranded beside a spent cpu.
 *
 *  Use it together with another score. It fails alone: an empty node and a full one are equally balanced.
 *
 *  Kubernetes 1.22 to 1.35 score the balance with the pod on the node; later ones the change that the pod brings, so that a node is not
 *  preferred for a balance that the pod would spoil. 75 is then no change, and pods that ask for nothing are not scored; the older form
 *  sends them all to the node that happens to be balanced.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go, and pull request 135573. */
import { requestOf } from '../parts/node-state.ts';
import { allocationOf } from '../parts/resource-shares.ts';
import type { PodView } from '../scheduler.ts';
import { MAX_SCORE, type ScorePlugin } from './score.ts';

export const balanceForms = ['balance', 'change'] as const;
export type BalanceForm = (typeof balanceForms)[number];

export const balancedAllocation = (resources: readonly string[], form: BalanceForm): ScorePlugin => ({
  name: 'NodeResourcesBalancedAllocation',
  score: (pod, nodes) => {
    if (form === 'change' && asksForNothing(pod, resources)) return nodes.map(() => 0);
    return nodes.map((node) => {
      const allocations = resources.flatMap((resource) => allocationOf(pod, node, resource, false) ?? []);
      const after = balanceScore(allocations.map((allocation) => allocation.after / allocation.allocatable));
      if (form === 'balance') return after;
      const before = balanceScore(allocations.map((allocation) => allocation.before / allocation.allocatable));
      return Math.trunc((MAX_SCORE + MAX_SCORE / 2 + after - before) / 2);
    });
  },
});

const asksForNothing = (pod: PodView, resources: readonly string[]): boolean =>
  resources.every((resource) => requestOf(pod, resource) === 0);

/** 100 where all resources are used to the same share, less the more they differ. */
export const balanceScore = (shares: readonly number[]): number =>
  Math.trunc((1 - standardDeviation(shares.map((share) => Math.min(1, share)))) * MAX_SCORE);

function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  if (values.length === 2) return Math.abs((values[0] - values[1]) / 2);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return Math.sqrt(squares / values.length);
}
