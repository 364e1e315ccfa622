/** CoDel as for packets (RFC 8289): when every wait has been above the target for an interval, drops one request, and then more and more
 *  often, the n-th after interval / √n, until a wait is below the target.
 *
 *  Use it where callers slow down when requests are dropped, as TCP does: a few drops are enough then. It fails with callers that do not,
 *  and requests mostly come from such: against a steady overload the drop rate grows only with √n, so that the queue stays for seconds;
 *  that is why servers use `codel` or `controlled-delay`.
 *
 *  The pseudocode's test for less than one packet in the queue reads here: at most one request left. */
import { duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { defineQueuePolicy, type QueuePolicy } from './queue-policy.ts';

export const codelRfc8289 = defineQueuePolicy({
  name: 'codel-rfc8289',
  summary: 'Drops ever more often while every wait of an interval is above the target (RFC 8289).',
  useWhen: 'Callers slow down when something is dropped, or CoDel for packets is to be compared with its offspring.',
  failsWhen: 'Callers do not slow down: the queue stays for seconds before enough is dropped.',
  cost: 'O(1)',
  sources: ['Nichols and others: RFC 8289, Controlled Delay Active Queue Management (2018), section 5'],
  aliases: [{ system: 'Linux', name: 'sch_codel' }],
  params: {
    target: duration({ default: 5, min: 0.001, about: 'A wait below this ends the drops.' }),
    interval: duration({
      default: 100,
      min: 0.001,
      about: 'How long waits must be above the target; the n-th drop follows after interval / √n.',
    }),
  },
  create: ({ target, interval }) => new CodelControlLaw(target, interval),
});

/** When to drop next, after `count` drops. */
export const controlLaw = (afterMs: Ms, intervalMs: Ms, count: number): Ms => afterMs + intervalMs / Math.sqrt(count);

class CodelControlLaw implements QueuePolicy {
  readonly byPriority = false;
  readonly #targetMs: Ms;
  readonly #intervalMs: Ms;
  /** When waits will have been above the target for an interval; 0 while they are not. */
  #aboveUntilMs: Ms = 0;
  #isDropping = false;
  #count = 0;
  #lastCount = 0;
  #dropNextMs: Ms = 0;
  /** What was done with the request before, if it was dropped in the same search for one to run. */
  #before: typeof RAN | typeof FIRST_DROP | typeof FURTHER_DROP = RAN;

  constructor(targetMs: Ms, intervalMs: Ms) {
    this.#targetMs = targetMs;
    this.#intervalMs = intervalMs;
  }

  onEnqueue(): void {}

  takesNewest(): boolean {
    return false;
  }

  onDequeue(waitMs: Ms, left: number, nowMs: Ms): boolean {
    const mayDrop = this.#mayDrop(waitMs, left, nowMs);
    const drops = this.#isDropping ? this.#goOn(mayDrop, nowMs) : mayDrop && this.#start(nowMs);
    if (!drops) this.#before = RAN;
    return !drops;
  }

  #mayDrop(waitMs: Ms, left: number, nowMs: Ms): boolean {
    if (waitMs < this.#targetMs || left <= 1) {
      this.#aboveUntilMs = 0;
      return false;
    }
    if (this.#aboveUntilMs === 0) {
      this.#aboveUntilMs = nowMs + this.#intervalMs;
      return false;
    }
    return nowMs >= this.#aboveUntilMs;
  }

  /** The first drop. If the last spell of dropping was recent, it starts with the frequency that it had reached. */
  #start(nowMs: Ms): true {
    const grown = this.#count - this.#lastCount;
    this.#count = grown > 1 && nowMs - this.#dropNextMs < RECENT_INTERVALS * this.#intervalMs ? grown : 1;
    this.#lastCount = this.#count;
    this.#dropNextMs = controlLaw(nowMs, this.#intervalMs, this.#count);
    this.#isDropping = true;
    this.#before = FIRST_DROP;
    return true;
  }

  #goOn(mayDrop: boolean, nowMs: Ms): boolean {
    // What follows the first drop is run in any case.
    if (this.#before === FIRST_DROP) return false;
    if (!mayDrop) {
      this.#isDropping = false;
      return false;
    }
    if (this.#before === FURTHER_DROP) this.#dropNextMs = controlLaw(this.#dropNextMs, this.#intervalMs, this.#count);
    if (nowMs < this.#dropNextMs) return false;
    this.#count++;
    this.#before = FURTHER_DROP;
    return true;
  }
}

const RAN = 0;
const FIRST_DROP = 1;
const FURTHER_DROP = 2;
const RECENT_INTERVALS = 16;
