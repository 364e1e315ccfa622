/** Random fit: any of the nodes that have room, each with the same chance.
 *
 *  Use it as the yardstick that a cleverer placement has to beat, or where several schedulers work at once and must not all run to the
 *  same node. It fails to be even: by chance some nodes get many and others none. */
import { FilteringScheduler } from './parts/filtering-scheduler.ts';
import { defineScheduler } from './scheduler.ts';

export const randomFit = defineScheduler({
  name: 'random-fit',
  summary: 'Takes any node that has room, each with the same chance.',
  useWhen: 'A yardstick is wanted, or many schedulers act at once on the same view.',
  failsWhen: 'Few pods must be spread evenly: chance puts several on one node.',
  cost: 'O(nodes · pods per node), one draw',
  sources: [],
  aliases: [{ system: 'ECS', name: 'random' }],
  params: {},
  create: (_, { rng }) => new FilteringScheduler({ choose: (_, nodes) => nodes[rng.below(nodes.length)] }),
});
