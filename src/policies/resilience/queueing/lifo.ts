/** Last in, first out: the newest request is next.
 *
 *  Use it where overload is frequent and callers give up: the requests that are served are fresh, at the cost of those that came first. It
 *  fails in moderate load: the mean wait is that of first in, first out, but its spread is far larger, and a few unlucky requests wait
 *  until they time out although there was time to serve them. `adaptive-lifo` switches over only when a queue stands.
 *
 *  The order of Netflix's LifoBlockingLimiter, whose backlog of 100 and timeout of 1 s are the queue's size and the callers' timeout. */
import { alwaysRuns, defineQueuePolicy } from './queue-policy.ts';

export const lifo = defineQueuePolicy({
  name: 'lifo',
  summary: 'Serves the newest request first and drops none.',
  useWhen: 'Overload is frequent and callers give up: better some answers in time than all of them late.',
  failsWhen: 'Load is moderate: the first to come may wait very long for no good reason.',
  cost: 'O(1)',
  sources: [
    'Netflix/concurrency-limits: concurrency-limits-core/src/main/java/com/netflix/concurrency/limits/limiter/LifoBlockingLimiter.java',
  ],
  aliases: [
    { system: 'Netflix', name: 'LifoBlockingLimiter' },
    { system: 'literature', name: 'lcfs' },
  ],
  params: {},
  create: () => ({ byPriority: false, takesNewest: () => true, ...alwaysRuns }),
});
