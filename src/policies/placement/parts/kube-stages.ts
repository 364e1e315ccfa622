/** The stages of kube-scheduler, to be completed with scores: the filters, the soft halves of taints and spreading, the sampling of nodes,
 *  the random choice among the best, preemption. */
import { boolean, choice, int, type ParamValues, string } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Scheduler } from '../scheduler.ts';
import type { WeightedScore } from '../scores/score.ts';
import { preferredTaints } from '../scores/taint-toleration.ts';
import { topologySpreadScore } from '../scores/topology-spread.ts';
import { byScores } from './choices.ts';
import { FilteringScheduler } from './filtering-scheduler.ts';
import { NodeSearch } from './node-search.ts';

export const pluginWeight = (value: number, plugin: string, about: string) =>
  int({ default: value, min: 0, max: 100, about, official: `Kubernetes plugins.score ${plugin} weight` });

export const kubeParams = {
  taintTolerationWeight: pluginWeight(3, 'TaintToleration', 'Weight of avoiding PreferNoSchedule taints.'),
  podTopologySpreadWeight: pluginWeight(2, 'PodTopologySpread', 'Weight of spreading over zones and nodes.'),
  nodeResourcesFitWeight: pluginWeight(1, 'NodeResourcesFit', 'Weight of the scoring strategy.'),
  resources: string({
    default: 'cpu=1, memory=1',
    about: 'Resources that the scores by resources look at, with their weights.',
    official: 'Kubernetes NodeResourcesFitArgs.scoringStrategy.resources',
  }),
  defaultingType: choice({
    default: 'System',
    choices: ['System', 'List'],
    about: 'Whether pods without constraints are spread over nodes (3) and zones (5), or not (an empty list).',
    official: 'Kubernetes PodTopologySpreadArgs.defaultingType',
  }),
  percentageOfNodesToScore: int({
    default: 0,
    min: 0,
    max: 100,
    about: 'Which share of the nodes, at least 100, is enough to choose from; 0 means 50 − nodes/125, at least 5.',
    official: 'Kubernetes percentageOfNodesToScore',
  }),
  preemption: boolean({
    default: true,
    about: 'Whether less important pods are told to go for more important ones.',
    official: 'Kubernetes plugin DefaultPreemption',
  }),
  minCandidateNodesPercentage: int({
    default: 10,
    min: 0,
    max: 100,
    about: 'Which share of the nodes is tried for evictions.',
    official: 'Kubernetes DefaultPreemptionArgs.minCandidateNodesPercentage',
  }),
  minCandidateNodesAbsolute: int({
    default: 100,
    min: 1,
    about: 'How many nodes are tried for evictions at least.',
    official: 'Kubernetes DefaultPreemptionArgs.minCandidateNodesAbsolute',
  }),
};

/** `scores` come on top of those by taints and spreading. */
export const kubeStages = (params: ParamValues<typeof kubeParams>, scores: readonly WeightedScore[], rng: Rng): Scheduler =>
  new FilteringScheduler({
    choose: byScores(
      [
        { plugin: preferredTaints, weight: params.taintTolerationWeight },
        { plugin: topologySpreadScore(params.defaultingType), weight: params.podTopologySpreadWeight },
        ...scores,
      ],
      rng,
    ),
    search: new NodeSearch(params.percentageOfNodesToScore),
    ...(params.preemption ? { preemption: { ...params, rng } } : {}),
  });
