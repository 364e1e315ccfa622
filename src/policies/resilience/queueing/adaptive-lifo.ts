/** Adaptive LIFO: first in, first out as long as the queue empties now and then; the newest first while it does not.
 *
 *  Use it where callers give up: in normal operation nobody is overtaken, and when a queue stands, requests that still have a caller are
 *  served instead of those that waited longest. It fails where nothing removes the requests left at the bottom: pair it with a limit on
 *  the time in the queue (`controlled-delay`) or with callers that cancel, or they are served late, after the overload.
 *
 *  Facebook's idea; when the queue counts as standing is not published, so the 100 ms of its controlled delay are taken. HBase switches over
 *  by length instead (above 80 % of the queue): `threshold`. Both conditions must hold. */
import { duration, int } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { StandingQueue } from './parts/standing-queue.ts';
import { defineQueuePolicy, type QueuePolicy } from './queue-policy.ts';

export const adaptiveLifo = defineQueuePolicy({
  name: 'adaptive-lifo',
  summary: 'Serves the oldest first, and the newest first while the queue does not empty (Facebook).',
  useWhen: 'Overload comes in waves and callers give up after a while.',
  failsWhen: 'Nothing removes what was left at the bottom: it is served last, when nobody wants it any more.',
  cost: 'O(1)',
  sources: [
    'Maurer: Fail at Scale (ACM Queue 2015)',
    'apache/hbase: hbase-server/src/main/java/org/apache/hadoop/hbase/ipc/AdaptiveLifoCoDelCallQueue.java',
  ],
  aliases: [{ system: 'HBase', name: 'AdaptiveLifoCoDelCallQueue' }],
  params: {
    interval: duration({ default: 100, min: 0, about: 'The queue stands once it has not been empty for longer than this.' }),
    threshold: int({
      default: 0,
      min: 0,
      about: 'And holds more requests than this.',
      official: 'HBase codel.lifo.threshold, there a share of the queue’s size',
    }),
  },
  create: ({ interval, threshold }) => new AdaptiveLifo(interval, threshold),
});

class AdaptiveLifo implements QueuePolicy {
  readonly byPriority = false;
  readonly #intervalMs: Ms;
  readonly #threshold: number;
  readonly #standing = new StandingQueue();

  constructor(intervalMs: Ms, threshold: number) {
    this.#intervalMs = intervalMs;
    this.#threshold = threshold;
  }

  onEnqueue(queued: number, nowMs: Ms): void {
    this.#standing.onEnqueue(queued, nowMs);
  }

  takesNewest(queued: number, nowMs: Ms): boolean {
    return queued > this.#threshold && this.#standing.sinceEmptyMs(nowMs) > this.#intervalMs;
  }

  onDequeue(_waitMs: Ms, left: number, nowMs: Ms): boolean {
    this.#standing.onDequeue(left, nowMs);
    return true;
  }
}
