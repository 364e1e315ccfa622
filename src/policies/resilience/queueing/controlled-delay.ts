/** Controlled delay (Facebook): a request may wait `n` (100 ms) in a queue that empties now and then, but only `m` (5 ms) in one that
 *  has not been empty for n; with the newest first meanwhile.
 *
 *  Use it in front of services whose callers retry elsewhere or give up: bursts are absorbed, a standing queue is cut to a few
 *  milliseconds, and the two constants need no tuning as the load changes. It fails where a request is worth much more than 5 ms of
 *  waiting, because in lasting overload it drops all that cannot start nearly at once; callers that retry at once make it worse.
 *
 *  The allowance is that of the moment the request joined. It needs no memory: as long as the request waits, the queue is not empty, so
 *  the time it was last empty cannot have changed. Expired requests are dropped when their turn comes. */
import { InputError } from '../../../core/errors.ts';
import { boolean, duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { StandingQueue } from './parts/standing-queue.ts';
import { defineQueuePolicy, type QueuePolicy } from './queue-policy.ts';

export const controlledDelay = defineQueuePolicy({
  name: 'controlled-delay',
  summary: 'Drops what waited over 100 ms, or over 5 ms in a standing queue, and serves that newest first (Facebook).',
  useWhen: 'Callers give up soon, and a server in overload shall spend its time on requests that still matter.',
  failsWhen: 'Requests are expensive to lose: lasting overload drops everything that cannot start at once.',
  cost: 'O(1)',
  sources: ['Maurer: Fail at Scale (ACM Queue 2015)', 'Nichols, Jacobson: Controlling Queue Delay (ACM Queue 2012)'],
  aliases: [{ system: 'Facebook', name: 'fb-codel' }],
  params: {
    n: duration({
      default: 100,
      min: 0,
      about: 'How long a request may wait, and how long a queue may last before it is standing.',
    }),
    m: duration({ default: 5, min: 0, about: 'How long a request may wait in a standing queue.' }),
    lifo: boolean({ default: true, about: 'Whether the newest is next while the queue is standing.' }),
  },
  create: ({ n, m, lifo }) => {
    if (m > n) throw InputError.of('queue-delays', 'm: a standing queue cannot allow a longer wait than n');
    return new ControlledDelay(n, m, lifo);
  },
});

/** How long a request may wait that joins a queue which was last empty so long ago. */
export const queueTimeoutMs = (lastEmptyAgoMs: Ms, nMs: Ms, mMs: Ms): Ms => (lastEmptyAgoMs > nMs ? mMs : nMs);

class ControlledDelay implements QueuePolicy {
  readonly byPriority = false;
  readonly #nMs: Ms;
  readonly #mMs: Ms;
  readonly #lifo: boolean;
  readonly #standing = new StandingQueue();

  constructor(nMs: Ms, mMs: Ms, lifo: boolean) {
    this.#nMs = nMs;
    this.#mMs = mMs;
    this.#lifo = lifo;
  }

  onEnqueue(queued: number, nowMs: Ms): void {
    this.#standing.onEnqueue(queued, nowMs);
  }

  takesNewest(_queued: number, nowMs: Ms): boolean {
    return this.#lifo && this.#standing.sinceEmptyMs(nowMs) > this.#nMs;
  }

  onDequeue(waitMs: Ms, left: number, nowMs: Ms): boolean {
    const lastEmptyAgoMs = this.#standing.sinceEmptyMs(nowMs) - waitMs;
    this.#standing.onDequeue(left, nowMs);
    return waitMs <= queueTimeoutMs(lastEmptyAgoMs, this.#nMs, this.#mMs);
  }
}
