/** Worst fit: the node that would be emptiest.
 *
 *  Use it to spread load evenly by what is asked for. It fails large pods that come late: every node has a little room and none enough.
 *
 *  How empty is one number over several resources, see `measure`. Nodes that are alike are taken in order. */
import { byHighest } from './parts/choices.ts';
import { FilteringScheduler } from './parts/filtering-scheduler.ts';
import { fullness, fullnessParams } from './parts/fullness.ts';
import { defineScheduler } from './scheduler.ts';

export const worstFit = defineScheduler({
  name: 'worst-fit',
  summary: 'Takes the node that would be emptiest with the pod on it.',
  useWhen: 'Load should be even and nodes are there anyway.',
  failsWhen: 'Large pods come late: there is a little room everywhere and nowhere enough.',
  cost: 'O(nodes · pods per node)',
  sources: ['Johnson, Demers, Ullman, Garey, Graham: Worst-case performance bounds for simple one-dimensional packing (1974)'],
  aliases: [],
  params: fullnessParams,
  create: ({ measure, resources }) => {
    const fullnessOf = fullness(measure, resources);
    return new FilteringScheduler({ choose: byHighest((pod, node) => -fullnessOf(pod, node)) });
  },
});
