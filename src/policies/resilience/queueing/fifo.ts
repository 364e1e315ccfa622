/** First in, first out: the oldest request is next, and none is dropped for having waited.
 *
 *  Use it where queues are short and everybody may wait alike; it has the smallest spread of waiting times. It fails in overload: once
 *  the queue is longer than callers are willing to wait, every request is served after its caller has given up, so that the server is
 *  busy and nobody is helped. */
import { alwaysRuns, defineQueuePolicy } from './queue-policy.ts';

export const fifo = defineQueuePolicy({
  name: 'fifo',
  summary: 'Serves the oldest request first and drops none.',
  useWhen: 'Queues are short: the plain default.',
  failsWhen: 'Overload lasts longer than callers wait: all that is served was given up already.',
  cost: 'O(1)',
  sources: ['Kingman: The Effect of Queue Discipline on Waiting Time Variance (1962)'],
  aliases: [{ system: 'literature', name: 'fcfs' }],
  params: {},
  create: () => ({ byPriority: false, takesNewest: () => false, ...alwaysRuns }),
});
