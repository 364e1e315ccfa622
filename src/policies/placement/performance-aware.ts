/** Performance-aware: fast nodes first, until they are so full that a slower one would be the quicker.
 *
 *  Use it where machines differ in speed, by generation or by neighbours. It fails where the measured speed is not that of the work at hand,
 *  and it makes the fast nodes dear to lose. Requests have to mean something: they are all it knows of load.
 *
 *  The stages of kube-scheduler with the speed that is left (`scores/performance.ts`) as the heaviest score, and all nodes looked at. */
import { fraction, int } from '../../core/params.ts';
import { kubeParams, kubeStages } from './parts/kube-stages.ts';
import { parseResourceWeights } from './parts/resource-weights.ts';
import { defineScheduler } from './scheduler.ts';
import { leastAllocated } from './scores/least-allocated.ts';
import { performance } from './scores/performance.ts';

export const performanceAware = defineScheduler({
  name: 'performance-aware',
  summary: 'Prefers nodes with most speed left for the pod, weighed against room and spreading.',
  useWhen: 'Nodes differ in speed and requests say roughly how much load a pod brings.',
  failsWhen: 'Speed is not that of the work at hand, or requests have nothing to do with load.',
  cost: 'O(nodes · pods per node)',
  sources: ['Kleinrock: Queueing Systems, volume 1 (1975), for the slowdown 1 / (1 − u); the score is our own'],
  aliases: [],
  params: {
    performanceWeight: int({ default: 5, min: 0, max: 100, about: 'Weight of the speed that is left.' }),
    loadSensitivity: fraction({
      default: 1,
      min: 0,
      max: 1,
      about: 'Share of the requested cpu that is taken for load; 0 looks at speed alone.',
    }),
    ...kubeParams,
    podTopologySpreadWeight: { ...kubeParams.podTopologySpreadWeight, default: 1 },
    percentageOfNodesToScore: { ...kubeParams.percentageOfNodesToScore, default: 100 },
  },
  create: (params, { rng }) =>
    kubeStages(
      params,
      [
        { plugin: performance(params.loadSensitivity), weight: params.performanceWeight },
        { plugin: leastAllocated(parseResourceWeights('resources', params.resources)), weight: params.nodeResourcesFitWeight },
      ],
      rng,
    ),
});
