/** CoDel for requests (folly): if even the luckiest request of an interval waited too long, the next interval drops what waited twice
 *  that.
 *
 *  Use it in front of any server: the minimum over an interval tells a standing queue from a burst, whatever the load, and nothing is
 *  dropped while the queue empties at least once per interval. It fails at low rates, where one request per interval is not enough to
 *  judge; and it does not bound waiting: in overload, requests that waited up to twice the target are still served, so that the queue
 *  keeps about that length while the rest is lost at its head, after having waited.
 *
 *  Differences from CoDel for packets (`codel-rfc8289`): no control law; in an overloaded interval everything above `2 · targetDelay` goes. The
 *  first request of each interval is never dropped. */
import { InputError } from '../../../core/errors.ts';
import { duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { defineQueuePolicy, type QueuePolicy } from './queue-policy.ts';

export const codel = defineQueuePolicy({
  name: 'codel',
  summary: 'Drops what waited over 10 ms, if in the interval before every request waited over 5 ms (folly).',
  useWhen: 'A server’s queue shall absorb bursts and stay short in overload, without tuning.',
  failsWhen: 'Requests are few per interval, or the time lost in the queue before the drop matters.',
  cost: 'O(1)',
  sources: ['facebook/folly: folly/executors/Codel.cpp', 'Maurer: Fail at Scale (ACM Queue 2015)'],
  aliases: [{ system: 'folly', name: 'Codel' }],
  params: {
    interval: duration({ default: 100, min: 0.001, about: 'Length of an interval.', official: 'folly codel_interval' }),
    targetDelay: duration({
      default: 5,
      min: 0.001,
      about: 'Wait that every request of an interval must exceed for it to be overloaded; twice that is too long then.',
      official: 'folly codel_target_delay',
    }),
  },
  create: ({ interval, targetDelay }) => {
    if (interval <= targetDelay) throw InputError.of('queue-delays', 'targetDelay: must be shorter than the interval');
    return new CodelQueue(new Codel(interval, targetDelay));
  },
});

/** The detector on its own, fed with the wait of every request taken from the queue. */
export class Codel {
  readonly #intervalMs: Ms;
  readonly #targetMs: Ms;
  #intervalEndMs: Ms;
  #minDelayMs: Ms = 0;
  #startsInterval = true;
  #isOverloaded = false;

  constructor(intervalMs: Ms, targetMs: Ms, createdAtMs: Ms = 0) {
    this.#intervalMs = intervalMs;
    this.#targetMs = targetMs;
    this.#intervalEndMs = createdAtMs;
  }

  /** Whether the request that waited so long is to be dropped. */
  overloaded(delayMs: Ms, nowMs: Ms): boolean {
    if (nowMs > this.#intervalEndMs && !this.#startsInterval) {
      this.#intervalEndMs = nowMs + this.#intervalMs;
      this.#isOverloaded = this.#minDelayMs > this.#targetMs;
      this.#startsInterval = true;
    }
    if (this.#startsInterval) {
      this.#startsInterval = false;
      this.#minDelayMs = delayMs;
      return false;
    }
    if (delayMs < this.#minDelayMs) this.#minDelayMs = delayMs;
    return this.#isOverloaded && delayMs > SLOUGH_FACTOR * this.#targetMs;
  }

  /** The least wait of the interval as a percentage of the wait that is too long; at most 100. */
  load(): number {
    return Math.min(100, Math.trunc((100 * this.#minDelayMs) / (SLOUGH_FACTOR * this.#targetMs)));
  }
}

class CodelQueue implements QueuePolicy {
  readonly byPriority = false;
  readonly #codel: Codel;

  constructor(detector: Codel) {
    this.#codel = detector;
  }

  onEnqueue(): void {}

  takesNewest(): boolean {
    return false;
  }

  onDequeue(waitMs: Ms, _left: number, nowMs: Ms): boolean {
    return !this.#codel.overloaded(waitMs, nowMs);
  }
}

const SLOUGH_FACTOR = 2;
