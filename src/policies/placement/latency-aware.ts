/** Latency-aware: near the callers, as long as near nodes are not much fuller than others.
 *
 *  Use it where requests cross a network to reach the pod and callers are mostly in one place. It fails when callers move or are
 *  everywhere, and it gathers replicas: a low weight of spreading puts all of them into the nearest zone, which is then lost at once.
 *
 *  The stages of kube-scheduler with nearness (`scores/latency.ts`) as the heaviest score, and all nodes looked at: the nearest might be
 *  among those that a search in turn leaves out. */
import { duration, int } from '../../core/params.ts';
import { kubeParams, kubeStages } from './parts/kube-stages.ts';
import { parseResourceWeights } from './parts/resource-weights.ts';
import { defineScheduler } from './scheduler.ts';
import { nearness } from './scores/latency.ts';
import { leastAllocated } from './scores/least-allocated.ts';

export const latencyAware = defineScheduler({
  name: 'latency-aware',
  summary: 'Prefers nodes near the callers, weighed against room and spreading.',
  useWhen: 'The way to the pod is a good part of the response time, and callers are in one place.',
  failsWhen: 'Callers are everywhere, or the nearest zone is lost with all replicas in it.',
  cost: 'O(nodes · pods per node)',
  sources: ['kubernetes-sigs/scheduler-plugins: pkg/networkaware, for the idea; the score is our own'],
  aliases: [],
  params: {
    latencyWeight: int({ default: 5, min: 0, max: 100, about: 'Weight of being near the callers.' }),
    halfLatency: duration({ default: 10, min: 0.001, about: 'Distance at which nearness is worth half.' }),
    ...kubeParams,
    podTopologySpreadWeight: { ...kubeParams.podTopologySpreadWeight, default: 1 },
    percentageOfNodesToScore: { ...kubeParams.percentageOfNodesToScore, default: 100 },
  },
  create: (params, { rng }) =>
    kubeStages(
      params,
      [
        { plugin: nearness(params.halfLatency), weight: params.latencyWeight },
        { plugin: leastAllocated(parseResourceWeights('resources', params.resources)), weight: params.nodeResourcesFitWeight },
      ],
      rng,
    ),
});
