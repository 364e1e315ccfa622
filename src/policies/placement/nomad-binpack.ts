/** Nomad's bin packing: the fullest of a few random nodes, unless companions are there already.
 *
 *  Use it where few nodes should do and still not all replicas of a service on one. It fails in small clusters and near the end: a few
 *  random nodes may all be bad ones, and the penalty is a wish, not a rule.
 *
 *  The score is (20 − (10^free cpu + 10^free memory)) / 18 with shares as they would be with the pod, after a talk on Google's "best fit
 *  v3"; see `parts/nomad-stack.ts` for the penalty and the limit. Left out: Nomad's own preemption, spread stanzas, devices. */
import { FilteringScheduler } from './parts/filtering-scheduler.ts';
import { binpackScore, nomadChoice, nomadParams } from './parts/nomad-stack.ts';
import { defineScheduler } from './scheduler.ts';

export const nomadBinpack = defineScheduler({
  name: 'nomad-binpack',
  summary: 'Takes the fullest of a few random nodes, with a penalty where companions are (Nomad’s default).',
  useWhen: 'Nodes should be filled, replicas kept apart, and clusters are large.',
  failsWhen: 'Nodes that would do are rare among those drawn, or companions must not meet at any price.',
  cost: 'O(nodes · pods per node)',
  sources: ['hashicorp/nomad: nomad/structs/funcs.go', 'hashicorp/nomad: scheduler/feasible/rank.go, select.go, stack.go'],
  aliases: [{ system: 'Nomad', name: 'binpack' }],
  params: nomadParams,
  create: (params, { rng }) => new FilteringScheduler({ choose: nomadChoice(binpackScore, params, rng) }),
});
