/** What every retry policy owes the pipeline, as checks that can be run on one. Each rule returns the violations it found, in
 *  words; none is good. */
import { fmix32 } from '../../../core/hash.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { retriable, type RetryDeps, type RetryPolicy } from './retry.ts';

export type MakeRetryPolicy = (deps: RetryDeps) => RetryPolicy;

export interface RetryRule {
  /** A sentence that the policy should make true. */
  readonly name: string;
  check(make: MakeRetryPolicy): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkRetryPolicy = (make: MakeRetryPolicy): readonly string[] =>
  retryRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const retryRules: readonly RetryRule[] = [
  {
    name: 'says how often it retries, what, and how hard it looks for another endpoint',
    check: (make) => {
      const { retries, on, hostSelectionRetries } = make({ rng: new CountedDraws(0.5) });
      const unknown = on.filter((reason) => !retriable.includes(reason));
      return [
        ...(isCount(retries) ? [] : [`retries is ${retries}`]),
        ...(isCount(hostSelectionRetries) ? [] : [`hostSelectionRetries is ${hostSelectionRetries}`]),
        ...(unknown.length === 0 ? [] : [`does not know what [${unknown}] is`]),
        ...(new Set(on).size === on.length ? [] : [`names a reason twice in [${on}]`]),
      ];
    },
  },
  {
    name: 'waits a finite time that is not negative, whatever is drawn',
    check: (make) =>
      extremes.flatMap((u) =>
        waits(make({ rng: new CountedDraws(u) }))
          .map((ms, i) => (Number.isFinite(ms) && ms >= 0 ? '' : `retry ${i + 1} waits ${ms} ms when ${u} is drawn`))
          .filter((violation) => violation !== '')
          .slice(0, 1),
      ),
  },
  {
    name: 'draws equally often for every wait',
    check: (make) =>
      extremes.flatMap((u) => {
        const rng = new CountedDraws(u);
        const policy = make({ rng });
        const run: Run = { previousMs: 0, waitedMs: 0 };
        let first = 0;
        for (let retry = 1; retry <= RETRIES; retry++) {
          rng.count = 0;
          advance(policy, retry, run);
          if (retry === 1) first = rng.count;
          if (rng.count !== first) return [`draws ${first} times for the first wait and ${rng.count} times for wait ${retry}`];
        }
        return [];
      }),
  },
  {
    name: 'gives equal draws equal waits',
    check: (make) => {
      const first = waits(make({ rng: new SeededDraws(7) }));
      const second = waits(make({ rng: new SeededDraws(7) }));
      return first.join() === second.join() ? [] : ['two policies with the same draws wait differently'];
    },
  },
  {
    name: 'holds no state of requests',
    check: (make) => {
      const alone = make({ rng: new CountedDraws(0.25) });
      const busy = make({ rng: new CountedDraws(0.25) });
      const mine: Run = { previousMs: 0, waitedMs: 0 };
      const other: Run = { previousMs: 0, waitedMs: 0 };
      const crowded: Run = { previousMs: 0, waitedMs: 0 };
      for (let retry = 1; retry <= 10; retry++) {
        const expectedMs = advance(alone, retry, mine);
        for (let i = 0; i < 3; i++) advance(busy, 3 * retry + i - 2, other);
        const foundMs = advance(busy, retry, crowded);
        if (foundMs !== expectedMs) return [`retry ${retry} waits ${foundMs} ms beside another request, ${expectedMs} ms alone`];
      }
      return [];
    },
  },
];

const extremes: readonly number[] = [0, 0.5, 1 - 1.1102230246251565e-16];
/** As many as a scenario can ask for. */
const RETRIES = 100;

/** What the pipeline keeps for a request. */
interface Run {
  previousMs: Ms;
  waitedMs: Ms;
}

function advance(policy: RetryPolicy, retry: number, run: Run): Ms {
  run.previousMs = policy.delayMs(retry, run.previousMs, run.waitedMs);
  run.waitedMs += run.previousMs;
  return run.previousMs;
}

function waits(policy: RetryPolicy): readonly Ms[] {
  const run: Run = { previousMs: 0, waitedMs: 0 };
  return Array.from({ length: RETRIES }, (_, i) => advance(policy, i + 1, run));
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 0;

/** The same place in every interval, and how often it was asked for. */
class CountedDraws implements Rng {
  count = 0;
  readonly #u: number;

  constructor(u: number) {
    this.#u = u;
  }

  next(): number {
    this.count++;
    return this.#u;
  }

  uint32(): number {
    return Math.floor(this.next() * 4294967296);
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }
}

/** Draws that look random and are the same for the same seed. */
class SeededDraws implements Rng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  uint32(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return fmix32(this.#state) >>> 0;
  }

  next(): number {
    return this.uint32() / 4294967296;
  }

  below(n: number): number {
    return Math.floor(this.next() * n);
  }
}
