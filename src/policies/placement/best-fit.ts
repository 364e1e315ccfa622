/** Best fit: the node that would be fullest, so that the least is left over.
 *
 *  Use it to pack tightly and keep large gaps whole for large pods. It fails under load, like every packing: what is full of requests is
 *  full of work; and it leaves slivers that nothing fits into.
 *
 *  How full is one number over several resources, see `measure`. Nodes that are alike are taken in order. */
import { byHighest } from './parts/choices.ts';
import { FilteringScheduler } from './parts/filtering-scheduler.ts';
import { fullness, fullnessParams } from './parts/fullness.ts';
import { defineScheduler } from './scheduler.ts';

export const bestFit = defineScheduler({
  name: 'best-fit',
  summary: 'Takes the node that would be fullest with the pod on it.',
  useWhen: 'Nodes cost money and few of them should do, with room left in one piece for large pods.',
  failsWhen: 'Load follows requests: the fullest nodes are the busiest, and small gaps stay unused.',
  cost: 'O(nodes · pods per node)',
  sources: ['Johnson, Demers, Ullman, Garey, Graham: Worst-case performance bounds for simple one-dimensional packing (1974)'],
  aliases: [{ system: 'ECS', name: 'binpack' }],
  params: fullnessParams,
  create: ({ measure, resources }) => new FilteringScheduler({ choose: byHighest(fullness(measure, resources)) }),
});
