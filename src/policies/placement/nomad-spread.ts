/** Nomad's spreading: the emptiest of a few random nodes, all the more if companions are elsewhere.
 *
 *  Use it where nodes are there anyway and load should be even. It fails large pods that come late, and costs more nodes.
 *
 *  The mirror of bin packing: (10^free cpu + 10^free memory − 2) / 18; see `parts/nomad-stack.ts`. */
import { FilteringScheduler } from './parts/filtering-scheduler.ts';
import { nomadChoice, nomadParams, spreadScore } from './parts/nomad-stack.ts';
import { defineScheduler } from './scheduler.ts';

export const nomadSpread = defineScheduler({
  name: 'nomad-spread',
  summary: 'Takes the emptiest of a few random nodes, with a penalty where companions are (Nomad).',
  useWhen: 'Load should be even in a large cluster, and nodes are there anyway.',
  failsWhen: 'Large pods come late: there is a little room everywhere.',
  cost: 'O(nodes · pods per node)',
  sources: ['hashicorp/nomad: nomad/structs/funcs.go', 'hashicorp/nomad: scheduler/feasible/rank.go, select.go, stack.go'],
  aliases: [{ system: 'Nomad', name: 'spread' }],
  params: nomadParams,
  create: (params, { rng }) => new FilteringScheduler({ choose: nomadChoice(spreadScore, params, rng) }),
});
