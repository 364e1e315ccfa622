/** DAGOR: when requests wait too long in the queue, admits only those above a cut through business importance and then users.
 *
 *  Overloaded is a window (one second or 2000 requests) whose mean queueing time is above 20 ms; then 5 % fewer than were admitted are
 *  to be admitted in the next, otherwise more by 1 % of what came in. A histogram of the window's requests over compound priorities
 *  (business, user) says where the cut has to be for that.
 *
 *  Use it at instances of a service called by many paths: queueing time is measured where it arises, whatever the service takes by
 *  itself, and cutting by user keeps all calls of one task on the same side, where shedding at random would break nearly every task that
 *  needs several calls. It fails at clients, where nobody queues, and with few requests per window, where one priority
 *  level is more than the step; with a heavy first level nothing at all is admitted until it gets lighter. In steady overload it swings: the
 *  queue has to fill before the next cut.
 *
 *  WeChat's algorithm as published (there is no public source). A request without a user gets a random one each time, so that
 *  the cut keeps its grain. A window in which nothing left the queue says nothing and changes nothing. The cut is not sent upstream. */
import { duration, fraction, int, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { type Admission, type AdmissionRequest, defineAdmission } from './admission.ts';

const params = {
  windowTime: duration({ default: 1000, min: 1, about: 'A window ends after this time.' }),
  windowRequests: int({ default: 2000, min: 1, about: 'A window ends after so many requests, if that comes first.' }),
  queuingTimeThreshold: duration({ default: 20, min: 0, about: 'A window with a longer mean queueing time is overloaded.' }),
  alpha: fraction({ default: 0.05, min: 0.001, about: 'After an overloaded window: admitted · (1 − alpha) are to be admitted.' }),
  beta: fraction({ default: 0.01, min: 0.001, about: 'After any other: admitted + beta · incoming.' }),
  businessLevels: int({
    default: 8,
    min: 1,
    max: 1024,
    about: 'Priorities that are told apart; greater ones count as the last.',
  }),
  userLevels: int({ default: 128, min: 1, max: 1024, about: 'Groups of users within each priority.' }),
};
type Values = ParamValues<typeof params>;

export const dagor = defineAdmission({
  name: 'dagor',
  summary: 'Sheds by business priority and then by user when mean queueing time exceeds 20 ms (WeChat).',
  useWhen: 'Requests differ in importance, tasks need several calls, and overload must hit few users instead of all.',
  failsWhen: 'It stands at a client, or requests are few per window, or one priority level is most of the load.',
  cost: 'O(1); O(levels) when a window ends',
  sources: ['Zhou and others: Overload Control for Scaling WeChat Microservices (SoCC 2018), algorithm 1'],
  aliases: [{ system: 'WeChat', name: 'DAGOR' }],
  params,
  create: (values, deps) => new Dagor(values, deps.rng),
});

/** How many requests of the next window are to be admitted, if it is like the last. */
export const dagorTarget = (overloaded: boolean, admitted: number, incoming: number, alpha: number, beta: number): number =>
  overloaded ? admitted * (1 - alpha) : admitted + beta * incoming;

/** The last level to admit, so that whole levels are admitted from the most important while their sum stays within the target;
 *  -1 for none. */
export function priorityCutoff(counts: ArrayLike<number>, target: number): number {
  let sum = 0;
  for (let level = 0; level < counts.length; level++) {
    sum += counts[level];
    if (sum > target) return level - 1;
  }
  return counts.length - 1;
}

class Dagor implements Admission {
  readonly #values: Values;
  readonly #rng: Rng;
  /** Requests of the window by compound level. */
  readonly #counts: Uint32Array;
  #cut: number;
  #windowStartMs = -Infinity;
  #incoming = 0;
  #admitted = 0;
  #started = 0;
  #waitedMs = 0;

  constructor(values: Values, rng: Rng) {
    this.#values = values;
    this.#rng = rng;
    this.#counts = new Uint32Array(values.businessLevels * values.userLevels);
    this.#cut = this.#counts.length - 1;
  }

  admit(request: AdmissionRequest): boolean {
    const isOver = request.nowMs - this.#windowStartMs >= this.#values.windowTime;
    if (isOver || this.#incoming >= this.#values.windowRequests) this.#endWindow(request.nowMs);
    const level = this.#levelOf(request);
    this.#incoming++;
    this.#counts[level]++;
    if (level > this.#cut) return false;
    this.#admitted++;
    return true;
  }

  onStart(waitMs: Ms): void {
    this.#started++;
    this.#waitedMs += waitMs;
  }

  onEnd(): void {}

  limit(): number {
    return Infinity;
  }

  #levelOf({ priority, user }: AdmissionRequest): number {
    const { businessLevels, userLevels } = this.#values;
    const group = user === 0 ? this.#rng.below(userLevels) : user % userLevels;
    return Math.min(priority, businessLevels - 1) * userLevels + group;
  }

  #endWindow(nowMs: Ms): void {
    if (this.#started > 0) {
      const { queuingTimeThreshold, alpha, beta } = this.#values;
      const isOverloaded = this.#waitedMs / this.#started > queuingTimeThreshold;
      this.#cut = priorityCutoff(this.#counts, dagorTarget(isOverloaded, this.#admitted, this.#incoming, alpha, beta));
    } else if (this.#cut < 0) {
      // Nothing is admitted, so nothing starts: only opening the door can tell whether the overload is over.
      this.#cut = priorityCutoff(this.#counts, dagorTarget(false, this.#admitted, this.#incoming, 0, this.#values.beta));
    }
    this.#windowStartMs = nowMs;
    this.#counts.fill(0);
    this.#incoming = this.#admitted = this.#started = this.#waitedMs = 0;
  }
}
