/** Priority queue: the most important request is next; among equals, the oldest.
 *
 *  Use it where classes differ in importance and the important ones are a small part of the load: they hardly ever wait. It fails
 *  when they are not: the rest starves, without an end and without an error until it times out. Admission by priority refuses it early
 *  instead. Requests in service are not interrupted. */
import { alwaysRuns, defineQueuePolicy } from './queue-policy.ts';

export const priorityQueue = defineQueuePolicy({
  name: 'priority',
  summary: 'Serves requests of the smallest priority number first, and the oldest of those.',
  useWhen: 'A small part of the load is important and must not wait behind the rest.',
  failsWhen: 'The important classes fill the server: all others starve.',
  cost: 'O(1) per priority',
  sources: ['Cobham: Priority Assignment in Waiting Line Problems (1954)'],
  aliases: [{ system: 'literature', name: 'head-of-line' }],
  params: {},
  create: () => ({ byPriority: true, takesNewest: () => false, ...alwaysRuns }),
});
