/** Dot product (Tetris): the node whose free resources point the same way as what the pod asks for.
 *
 *  Demand and room are taken as shares of the node and multiplied resource by resource; the largest sum wins. So a pod that needs memory
 *  goes where memory lies idle, and none of a node's resources is spent while another is stranded. Use it where pods differ in what they
 *  need. It fails to pack: among nodes of the same proportions it prefers the emptiest.
 *
 *  Only the packing of Tetris: its preference for jobs with little work left, and its penalty for remote data, decide which task is next
 *  and have no place where one pod is asked about at a time. */
import { byHighest } from './parts/choices.ts';
import { FilteringScheduler } from './parts/filtering-scheduler.ts';
import { demandAndFree } from './parts/shares.ts';
import { defineScheduler } from './scheduler.ts';

export const dotProduct = defineScheduler({
  name: 'dot-product',
  summary: 'Takes the node whose free resources best match the proportions of the request (Tetris).',
  useWhen: 'Pods ask for resources in different proportions and none should be stranded.',
  failsWhen: 'Few nodes should do: of nodes alike it prefers the emptiest.',
  cost: 'O(nodes · pods per node)',
  sources: ['Grandl, Ananthanarayanan, Kandula, Rao, Akella: Multi-resource packing for cluster schedulers (SIGCOMM 2014)'],
  aliases: [{ system: 'Tetris', name: 'alignment' }],
  params: {},
  create: () =>
    new FilteringScheduler({
      choose: byHighest((pod, node) => demandAndFree(pod, node).reduce((sum, { demand, free }) => sum + demand * free, 0)),
    }),
});
