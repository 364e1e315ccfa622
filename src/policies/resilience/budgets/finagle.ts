/** Finagle's retry budget: every request pays in, every retry takes out 1/percentCanRetry of that, payments expire after `ttl`,
 *  and a reserve allows a few retries per second at all times.
 *
 *  Bounds retries over time, not in flight, so it works for fast and slow failures alike. It fails to end a collapse that is
 *  already there: requests pay in whether they succeed or not, so a client goes on retrying its share for as long as everything
 *  fails, and clients with little traffic live off the reserve.
 *
 *  Amounts are integers of scale 1000, as there; a withdrawal is cut to a whole number, so 0.3 allows 1000 / 3333. */
import { InputError } from '../../../core/errors.ts';
import { duration, int, number, type ParamValues } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { LeakyTokenBucket } from './parts/leaky-token-bucket.ts';
import { defineRetryBudget, type RetryBudget } from './retry-budget.ts';

const params = {
  ttl: duration({ default: 10_000, min: 1000, max: 60_000, about: 'How long a request counts.', official: 'Finagle ttl' }),
  minRetriesPerSec: int({
    default: 10,
    min: 0,
    about: 'Retries per second that are allowed on top, whatever the traffic.',
    official: 'Finagle minRetriesPerSec',
  }),
  percentCanRetry: number({
    default: 0.2,
    min: 0,
    max: 1000,
    about: 'Retries that one request pays for; 0.2 is one for every five.',
    official: 'Finagle percentCanRetry',
  }),
};

export const finagleBudget = defineRetryBudget({
  name: 'finagle',
  summary: 'Allows retries as a share of the requests of the last ten seconds, and a few per second always.',
  useWhen: 'Retries should add a bounded share to the load, however long failures take.',
  failsWhen: 'Everything fails for long: requests that fail pay in too, so the share goes on being spent.',
  cost: 'O(slices)',
  sources: [
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/service/RetryBudget.scala',
    'twitter/util: util-core/src/main/scala/com/twitter/util/TokenBucket.scala',
  ],
  aliases: [
    { system: 'Finagle', name: 'RetryBudget' },
    { system: 'Linkerd', name: 'retryBudget' },
  ],
  params,
  create: (values) => {
    refuseOutOfBounds(values);
    return values.minRetriesPerSec === 0 && values.percentCanRetry === 0 ? emptyBudget : new FinagleBudget(values);
  },
});

/** Grants nothing, ever. Without state, so one serves all. */
export const emptyBudget: RetryBudget = {
  onRequest: () => {},
  onSuccess: () => {},
  onFailure: () => {},
  tryWithdraw: () => false,
  onRetryEnd: () => {},
  balance: () => 0,
};

class FinagleBudget implements RetryBudget {
  readonly #bucket: LeakyTokenBucket;
  readonly #deposit: number;
  readonly #withdrawal: number;

  constructor({ ttl, minRetriesPerSec, percentCanRetry }: ParamValues<typeof params>) {
    // Without a share requests pay nothing in, and all there is comes from the reserve.
    this.#deposit = percentCanRetry === 0 ? 0 : SCALE;
    this.#withdrawal = percentCanRetry === 0 ? 1 : Math.trunc(SCALE / percentCanRetry);
    this.#bucket = new LeakyTokenBucket(ttl, minRetriesPerSec * Math.floor(ttl / 1000) * this.#withdrawal);
  }

  onRequest(nowMs: Ms): void {
    this.#bucket.put(this.#deposit, nowMs);
  }

  onSuccess(): void {}
  onFailure(): void {}

  tryWithdraw(nowMs: Ms): boolean {
    return this.#bucket.tryGet(this.#withdrawal, nowMs);
  }

  onRetryEnd(): void {}

  balance(nowMs: Ms): number {
    return Math.max(0, Math.floor(this.#bucket.count(nowMs) / this.#withdrawal));
  }
}

const SCALE = 1000;

/** Finagle checks its arguments, and a scenario's are checked anyway; so whoever makes a budget in code is told as well. */
function refuseOutOfBounds(values: ParamValues<typeof params>): void {
  for (const name of Object.keys(params) as (keyof typeof params)[]) {
    const { min = -Infinity, max = Infinity } = params[name] as { readonly min?: number; readonly max?: number };
    const value = values[name];
    if (value >= min && value <= max) continue;
    throw InputError.of('out-of-range', `finagle: ${name} is ${value}, expected ${min} to ${max}`);
  }
}
