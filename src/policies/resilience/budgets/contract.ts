/** What every retry budget owes the pipeline, as checks that can be run on one. Each rule returns the violations it found, in
 *  words; none is good. */
import { fmix32 } from '../../../core/hash.ts';
import type { Ms } from '../../../core/time.ts';
import type { RetryBudget } from './retry-budget.ts';

export type MakeRetryBudget = () => RetryBudget;

export interface BudgetRule {
  /** A sentence that the budget should make true. */
  readonly name: string;
  check(make: MakeRetryBudget): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkRetryBudget = (make: MakeRetryBudget): readonly string[] =>
  budgetRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const budgetRules: readonly BudgetRule[] = [
  {
    name: 'grants a retry exactly when its balance is not zero',
    check: (make) => {
      const client = new BudgetTrial(make());
      for (let step = 0; step < 3000; step++) {
        client.act(step);
        const balance = client.balance();
        if (!Number.isInteger(balance) || balance < 0) return [`the balance is ${balance} after ${step + 1} events`];
        const granted = client.tryRetry();
        if (granted !== balance > 0) return [`${granted ? 'grants' : 'refuses'} a retry at a balance of ${balance}`];
      }
      return [];
    },
  },
  {
    name: 'is not changed by being asked for its balance, or by a retry it refuses',
    check: (make) => {
      const quiet = new BudgetTrial(make());
      const asked = new BudgetTrial(make());
      for (let step = 0; step < 3000; step++) {
        quiet.act(step);
        asked.act(step);
        for (let i = 0; i < 3; i++) asked.balance();
        const granted = quiet.tryRetry();
        if (asked.tryRetry() !== granted) return [`answers differently after ${step + 1} events`];
        // Asking again where the first was refused.
        if (!granted && asked.tryRetry()) return [`grants at the second time of asking, after ${step + 1} events`];
      }
      return [];
    },
  },
  {
    name: 'refuses in the end when everything fails',
    check: (make) => {
      const client = new BudgetTrial(make());
      const wanted = client.outage(60_000);
      return client.granted < wanted ? [] : [`granted all of ${wanted} retries in a minute without one success`];
    },
  },
  {
    name: 'grants again once requests succeed and retries have ended',
    check: (make) => {
      const client = new BudgetTrial(make());
      client.outage(60_000);
      client.calm(600_000);
      client.request();
      client.fail();
      return client.tryRetry() ? [] : ['refuses after ten minutes of success'];
    },
  },
  {
    name: 'shares nothing with another budget',
    check: (make) => {
      const alone = new BudgetTrial(make());
      const answers: boolean[] = [];
      for (let step = 0; step < 1000; step++) {
        alone.act(step);
        answers.push(alone.tryRetry());
      }
      const beside = new BudgetTrial(make());
      const other = new BudgetTrial(make());
      for (let step = 0; step < 1000; step++) {
        beside.act(step);
        other.act(step * 7 + 3);
        other.tryRetry();
        if (beside.tryRetry() !== answers[step])
          return [`the budget of another client changed the answer after ${step + 1} events`];
      }
      return [];
    },
  },
  {
    name: 'does not mind when the clock starts',
    check: (make) => {
      const early = new BudgetTrial(make());
      const late = new BudgetTrial(make(), LATE);
      for (const client of [early, late]) client.outage(20_000);
      // Slices begin with the first call, which may shift what is forgotten when by a few retries.
      const allowed = Math.max(10, 0.02 * early.granted);
      return Math.abs(early.granted - late.granted) <= allowed
        ? []
        : [`grants ${early.granted} retries from time 0 on and ${late.granted} from ${LATE} ms on`];
    },
  },
];

/** A month: the clock of a machine that was not started for this run. */
const LATE: Ms = 30 * 86_400_000;
const RETRY_MS: Ms = 1000;

/** One client: its requests in flight, and retries that each take a second. */
class BudgetTrial {
  readonly #budget: RetryBudget;
  readonly #retryEnds: Ms[] = [];
  #nowMs: Ms;
  #active = 0;
  granted = 0;

  constructor(budget: RetryBudget, startMs: Ms = 0) {
    this.#budget = budget;
    this.#nowMs = startMs;
  }

  /** One of the things that can happen, the same for the same number. */
  act(choice: number): void {
    const word = fmix32(choice + 1) >>> 0;
    const kind = word % 8;
    if (kind <= 1) this.request();
    else if (kind <= 3) this.succeed();
    else if (kind <= 5) this.fail();
    else if (kind === 6) this.advance((word >>> 8) % 100);
    else this.advance((word >>> 8) % 50 === 0 ? 3_600_000 : (word >>> 8) % 2000);
  }

  request(): void {
    this.#active++;
    this.#budget.onRequest(this.#nowMs, this.#active);
  }

  succeed(): void {
    this.#active = Math.max(0, this.#active - 1);
    this.#budget.onSuccess(this.#nowMs);
  }

  /** Of an attempt: the request is still there, for it wants to be retried. */
  fail(): void {
    this.#budget.onFailure(this.#nowMs);
  }

  balance(): number {
    return this.#budget.balance(this.#nowMs, this.#active);
  }

  tryRetry(): boolean {
    if (!this.#budget.tryWithdraw(this.#nowMs, this.#active)) return false;
    this.granted++;
    this.#retryEnds.push(this.#nowMs + RETRY_MS);
    return true;
  }

  advance(ms: Ms): void {
    this.#nowMs += ms;
    while (this.#retryEnds.length > 0 && this.#retryEnds[0] <= this.#nowMs) {
      this.#retryEnds.shift();
      this.#budget.onRetryEnd(this.#nowMs);
    }
  }

  /** A hundred requests per second, each failing at once and asking for two retries. Returns how many were asked for. */
  outage(lastsMs: Ms): number {
    let wanted = 0;
    for (let ms = 0; ms < lastsMs; ms += 10) {
      this.advance(10);
      this.request();
      for (let retry = 0; retry < 2; retry++) {
        this.fail();
        wanted++;
        this.tryRetry();
      }
      this.#active--;
    }
    return wanted;
  }

  /** Ten requests per second, all of which succeed. */
  calm(lastsMs: Ms): void {
    for (let ms = 0; ms < lastsMs; ms += 100) {
      this.advance(100);
      this.request();
      this.succeed();
    }
  }
}
