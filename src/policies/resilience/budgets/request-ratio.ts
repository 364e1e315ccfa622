/** Retries as a share of requests over a sliding window: a retry is granted while fewer than `ratio` of the window's requests
 *  were followed by one.
 *
 *  The rule of Google's SRE book for clients: at 10 % the load grows to 1.1 times, where three tries per request make it 3 times.
 *  It fails as all budgets that requests feed: it only shifts the point of collapse, from C / (1 + N) to C / (1 + ratio), and
 *  does not remove it.
 *
 *  The window is the book's for client throttling, two minutes, in ten slices that are forgotten whole. */
import { duration, fraction } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { WindowedAdder } from '../../shared/windowed-adder.ts';
import { defineRetryBudget, type RetryBudget } from './retry-budget.ts';

export const requestRatioBudget = defineRetryBudget({
  name: 'request-ratio',
  summary: 'Grants retries while they are less than a tenth of the requests of the last two minutes.',
  useWhen: 'The extra load must be bounded by a number that can be stated.',
  failsWhen: 'The service runs close to its capacity: the share itself is then too much, and lasts as long as the outage.',
  cost: 'O(slices)',
  sources: ['Beyer et al.: Site Reliability Engineering (2016), chapter 21, Handling Overload, Deciding to Retry'],
  aliases: [
    { system: 'Google', name: 'per-client-retry-budget' },
    { system: 'literature', name: 'retry-ratio' },
  ],
  params: {
    ratio: fraction({ default: 0.1, about: 'Retries per request stay below this.' }),
    window: duration({ default: 120_000, min: 1000, about: 'How long requests and retries count.' }),
  },
  create: ({ ratio, window }) => new RequestRatio(ratio, window),
});

class RequestRatio implements RetryBudget {
  readonly #ratio: number;
  readonly #requests: WindowedAdder;
  readonly #retries: WindowedAdder;

  constructor(ratio: number, windowMs: Ms) {
    this.#ratio = ratio;
    this.#requests = new WindowedAdder(windowMs, SLICES);
    this.#retries = new WindowedAdder(windowMs, SLICES);
  }

  onRequest(nowMs: Ms): void {
    this.#requests.add(1, nowMs);
  }

  onSuccess(): void {}
  onFailure(): void {}

  tryWithdraw(nowMs: Ms): boolean {
    if (this.#retries.sum(nowMs) >= this.#ratio * this.#requests.sum(nowMs)) return false;
    this.#retries.add(1, nowMs);
    return true;
  }

  onRetryEnd(): void {}

  balance(nowMs: Ms): number {
    return Math.max(0, Math.ceil(this.#ratio * this.#requests.sum(nowMs) - this.#retries.sum(nowMs)));
  }
}

const SLICES = 10;
