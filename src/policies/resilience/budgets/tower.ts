/** tower's retry budget, Finagle's idea in Rust: every request pays in, every retry takes out 1/retryPercent of that, payments
 *  expire after `ttl`, and a reserve allows a few retries per second at all times.
 *
 *  Use and failure are those of `finagle`. It differs in its window: ten closed slices count beside the running one, so a
 *  payment lives up to a tenth longer; and a deposit is 1 where that is precise enough, so small shares are cut to one over a
 *  whole number. */
import { duration, int, number, type ParamValues } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { defineRetryBudget, type RetryBudget } from './retry-budget.ts';

const params = {
  ttl: duration({ default: 10_000, min: 1000, max: 60_000, about: 'How long a request counts.', official: 'tower ttl' }),
  minPerSec: int({
    default: 10,
    min: 0,
    about: 'Retries per second that are allowed on top, whatever the traffic.',
    official: 'tower min_per_sec',
  }),
  retryPercent: number({
    default: 0.2,
    min: 0,
    max: 1000,
    about: 'Retries that one request pays for; 0.2 is one for every five.',
    official: 'tower retry_percent',
  }),
};

export const towerBudget = defineRetryBudget({
  name: 'tower',
  summary: 'Allows retries as a share of recent requests, and a few per second always, as tower counts them.',
  useWhen: 'A tower or Linkerd service is to be modelled.',
  failsWhen: 'Everything fails for long: requests that fail pay in too, so the share goes on being spent.',
  cost: 'O(slices)',
  sources: ['tower-rs/tower: tower/src/retry/budget/tps_budget.rs'],
  aliases: [{ system: 'tower', name: 'TpsBudget' }],
  params,
  create: (values) => new TowerBudget(values),
});

class TowerBudget implements RetryBudget {
  readonly #deposit: number;
  readonly #withdrawal: number;
  readonly #reserve: number;
  readonly #sliceMs: Ms;
  readonly #closed = new Float64Array(SLICES);
  #index = 0;
  // Numbers with fractions in a typed array, where a new value needs no new object.
  readonly #running = new Float64Array(2);

  constructor({ ttl, minPerSec, retryPercent }: ParamValues<typeof params>) {
    // The share is a 32-bit float there; in 64 bits 1 / 0.1 and its like could fall short of the whole number.
    const percent = Math.fround(retryPercent);
    this.#deposit = percent === 0 ? 0 : percent <= 1 ? 1 : SCALE;
    this.#withdrawal = percent === 0 ? 1 : Math.trunc(Math.fround(this.#deposit / percent));
    this.#reserve = minPerSec * Math.floor(ttl / 1000) * this.#withdrawal;
    this.#sliceMs = ttl / SLICES;
  }

  onRequest(nowMs: Ms): void {
    this.#advance(nowMs);
    this.#running[SUM] += this.#deposit;
  }

  onSuccess(): void {}
  onFailure(): void {}

  tryWithdraw(nowMs: Ms): boolean {
    if (this.#count(nowMs) < this.#withdrawal) return false;
    this.#running[SUM] -= this.#withdrawal;
    return true;
  }

  onRetryEnd(): void {}

  balance(nowMs: Ms): number {
    return Math.max(0, Math.floor(this.#count(nowMs) / this.#withdrawal));
  }

  #count(nowMs: Ms): number {
    this.#advance(nowMs);
    let count = this.#running[SUM] + this.#reserve;
    for (let i = 0; i < SLICES; i++) count += this.#closed[i];
    return count;
  }

  #advance(nowMs: Ms): void {
    const elapsedMs = nowMs - this.#running[SINCE];
    if (elapsedMs < this.#sliceMs) return;
    this.#closed[this.#index] = this.#running[SUM];
    // Slices that passed without a call are emptied; one that ends at this very instant is not among them.
    const skipped = Math.ceil(elapsedMs / this.#sliceMs) - 1;
    for (let i = 1; i <= Math.min(skipped, SLICES); i++) this.#closed[(this.#index + i) % SLICES] = 0;
    this.#index = (this.#index + 1 + skipped) % SLICES;
    this.#running[SUM] = 0;
    this.#running[SINCE] = nowMs;
  }
}

const SLICES = 10;
const SUM = 0;
const SINCE = 1;
/** Shares above 1 need a finer unit than one token per request. */
const SCALE = 1000;
