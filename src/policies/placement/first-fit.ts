/** First fit: the first node in order that has room.
 *
 *  Use it as a yardstick, or to fill nodes from one end so that those at the other end stay empty and can be given back. It fails to
 *  spread anything: the first nodes carry all there is, and losing one of them costs most.
 *
 *  For bins of one size and one resource it never needs more than 1.7 times the fewest possible (Ullman 1971; Dósa and Sgall 2013). */
import { FilteringScheduler } from './parts/filtering-scheduler.ts';
import { defineScheduler } from './scheduler.ts';

export const firstFit = defineScheduler({
  name: 'first-fit',
  summary: 'Takes the first node in order that has room.',
  useWhen: 'Nodes should be filled from one end, or a plain yardstick is wanted.',
  failsWhen: 'A node is lost: the first ones carry everything.',
  cost: 'O(nodes · pods per node)',
  sources: ['Dósa, Sgall: First Fit bin packing: a tight analysis (STACS 2013)'],
  aliases: [],
  params: {},
  create: () => new FilteringScheduler({ choose: (_, nodes) => nodes[0] }),
});
