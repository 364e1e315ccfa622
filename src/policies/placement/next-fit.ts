/** Next fit: stays with the node that the last pod went to as long as there is room, then goes on to the next that has some, and after the
 *  last to the first.
 *
 *  Use it as the cheapest packing there is, or to see what looking back is worth: it needs up to twice as many nodes as necessary, for
 *  a gap that was passed is not filled before the next round. */
import type { Choose } from './parts/filtering-scheduler.ts';
import { FilteringScheduler } from './parts/filtering-scheduler.ts';
import { defineScheduler } from './scheduler.ts';

export const nextFit = defineScheduler({
  name: 'next-fit',
  summary: 'Stays with a node while it has room, then goes on to the next that has.',
  useWhen: 'A lower bound on what a packing must achieve is wanted.',
  failsWhen: 'Pods differ in size: gaps are left behind until it comes round again.',
  cost: 'O(nodes · pods per node)',
  sources: ['Johnson: Fast algorithms for bin packing (1974)'],
  aliases: [],
  params: {},
  create: () => new FilteringScheduler({ choose: goingOn() }),
});

function goingOn(): Choose {
  let current: number | undefined;
  return (_, nodes, all) => {
    const start = Math.max(
      0,
      all.findIndex(({ node }) => node === current),
    );
    const fitting = new Set(nodes);
    const next = [...all.slice(start), ...all.slice(0, start)].find((node) => fitting.has(node)) ?? nodes[0];
    current = next.node;
    return next;
  };
}
