/** kube-scheduler: filter, score, choose at random among the best; evict the less important if there is no other way.
 *
 *  Use it for a cluster as Kubernetes runs it, or as the yardstick for other placements. It fails to see load: it adds up what pods ask
 *  for, once, when they are placed. Nothing moves afterwards, however lopsided the cluster has become.
 *
 *  Filters in order: taints, node selector, resources, hard topology spread. Scores with their weights: see the parameters. Left out, since
 *  pods and nodes say nothing of it here: affinity between pods and to nodes, volumes, ports, and which images a node has.
 *
 *  In clusters of 100 nodes and more not all are looked at, see `parts/node-search.ts`; for evictions see `parts/preemption.ts`. */
import { choice, string } from '../../core/params.ts';
import { kubeParams, kubeStages, pluginWeight } from './parts/kube-stages.ts';
import { parseResourceWeights, type ResourceWeight } from './parts/resource-weights.ts';
import { defineScheduler } from './scheduler.ts';
import { balancedAllocation, balanceForms } from './scores/balanced-allocation.ts';
import { leastAllocated } from './scores/least-allocated.ts';
import { mostAllocated } from './scores/most-allocated.ts';
import { parseShape, requestedToCapacityRatio } from './scores/requested-to-capacity-ratio.ts';
import type { ScorePlugin } from './scores/score.ts';

const scoringStrategies = ['LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'] as const;
type ScoringStrategy = (typeof scoringStrategies)[number];

export const kubeScheduler = defineScheduler({
  name: 'kube-scheduler',
  summary: 'Filters nodes, sums weighted scores, takes one of the best at random; evicts the less important (Kubernetes).',
  useWhen: 'A cluster shall be placed as Kubernetes does, with its filters, scores, weights and preemption.',
  failsWhen: 'Requests say little about load, or pods leave: nothing that runs is ever moved.',
  cost: 'O(nodes · pods per node)',
  sources: [
    'kubernetes/kubernetes: pkg/scheduler/schedule_one.go',
    'kubernetes/kubernetes: pkg/scheduler/framework/plugins',
    'kubernetes/kubernetes: pkg/scheduler/apis/config/v1/default_plugins.go',
  ],
  aliases: [{ system: 'Kubernetes', name: 'default-scheduler' }],
  params: {
    ...kubeParams,
    balancedAllocationWeight: pluginWeight(1, 'NodeResourcesBalancedAllocation', 'Weight of using a node’s resources evenly.'),
    scoringStrategy: choice({
      default: 'LeastAllocated',
      choices: scoringStrategies,
      about: 'Whether empty nodes are better, or full ones, or what the shape says.',
      official: 'Kubernetes NodeResourcesFitArgs.scoringStrategy.type',
    }),
    shape: string({
      default: '0=0, 100=10',
      about: 'Scores from 0 to 10 at utilizations in percent, for RequestedToCapacityRatio.',
      official: 'Kubernetes NodeResourcesFitArgs.scoringStrategy.requestedToCapacityRatio.shape',
    }),
    balance: choice({
      default: 'balance',
      choices: balanceForms,
      about: 'Score the balance with the pod (Kubernetes 1.22 to 1.35), or the change it brings (later).',
    }),
  },
  create: (params, { rng }) => {
    const resources = parseResourceWeights('resources', params.resources);
    const names = resources.map(({ resource }) => resource);
    return kubeStages(
      params,
      [
        { plugin: fitScore(params.scoringStrategy, resources, params.shape), weight: params.nodeResourcesFitWeight },
        { plugin: balancedAllocation(names, params.balance), weight: params.balancedAllocationWeight },
      ],
      rng,
    );
  },
});

function fitScore(strategy: ScoringStrategy, resources: readonly ResourceWeight[], shape: string): ScorePlugin {
  switch (strategy) {
    case 'LeastAllocated':
      return leastAllocated(resources);
    case 'MostAllocated':
      return mostAllocated(resources);
    case 'RequestedToCapacityRatio':
      return requestedToCapacityRatio(resources, parseShape('shape', shape));
  }
}
