/** Kinds about retries, budgets, hedging and deadlines. */
import type { Rng } from '../../../src/core/rng.ts';
import { childTimeoutMs, remainingMs } from '../../../src/policies/resilience/deadline.ts';
import { envoyRetryLimit } from '../../../src/policies/resilience/budgets/envoy.ts';
import { emptyBudget, finagleBudget } from '../../../src/policies/resilience/budgets/finagle.ts';
import { GrpcThrottle } from '../../../src/policies/resilience/budgets/grpc-throttle.ts';
import {
  budgetedLoadFactor,
  layeredAttempts,
  loadFactor,
  successProbability,
} from '../../../src/policies/resilience/budgets/parts/amplification.ts';
import { LeakyTokenBucket } from '../../../src/policies/resilience/budgets/parts/leaky-token-bucket.ts';
import { WindowedAdder } from '../../../src/policies/shared/windowed-adder.ts';
import type { RetryBudget } from '../../../src/policies/resilience/budgets/retry-budget.ts';
import { tokenBucketBudget } from '../../../src/policies/resilience/budgets/token-bucket.ts';
import { towerBudget } from '../../../src/policies/resilience/budgets/tower.ts';
import { infiniteBudget } from '../../../src/policies/resilience/budgets/unlimited.ts';
import { grpcHedge } from '../../../src/policies/resilience/hedging/grpc.ts';
import type { Hedge } from '../../../src/policies/resilience/hedging/hedge.ts';
import {
  exponentialTail,
  fanOutProbability,
  hedgedTail,
  hedgeExtraLoad,
} from '../../../src/policies/resilience/hedging/parts/closed-forms.ts';
import { constantRetry } from '../../../src/policies/resilience/retries/constant.ts';
import { decorrelatedJitterRetry } from '../../../src/policies/resilience/retries/decorrelated-jitter.ts';
import { envoyBoundMs, envoyLowerBoundMs, envoyRetry } from '../../../src/policies/resilience/retries/envoy.ts';
import { equalJitterMs } from '../../../src/policies/resilience/retries/equal-jitter.ts';
import { exponentialMs } from '../../../src/policies/resilience/retries/exponential.ts';
import { finagleRetry } from '../../../src/policies/resilience/retries/finagle.ts';
import { fullJitterMs } from '../../../src/policies/resilience/retries/full-jitter.ts';
import { grpcConnectionMs, grpcRetryMs } from '../../../src/policies/resilience/retries/grpc.ts';
import { BackoffRun } from '../../../src/policies/resilience/retries/parts/backoff-run.ts';
import {
  concat,
  constantSchedule,
  emptySchedule,
  exponentialSchedule,
  linearSchedule,
  type Schedule,
  take,
  takeUntil,
} from '../../../src/policies/resilience/retries/parts/schedule.ts';
import { type PollyBackoffType, pollyMs, pollyRetry } from '../../../src/policies/resilience/retries/polly.ts';
import { resilience4jExponentialMs, resilience4jRandomizedMs } from '../../../src/policies/resilience/retries/resilience4j.ts';
import type { Backoff } from '../../../src/policies/resilience/retries/retry.ts';
import { type Adapters, NotCovered, type Row } from '../vector-file.ts';
import { Script } from './stage.ts';

const backoffs: Adapters = {
  'backoff.aws.exponential': (input: Aws & { readonly attempts: readonly number[] }) => ({
    delayMs: input.attempts.map((attempt) => exponentialMs(attempt + 1, input.baseMs, input.capMs)),
  }),

  'backoff.aws.full': (input: Aws & Drawn) => ({
    delayMs: input.rows.map(({ attempt, u }) => fullJitterMs(attempt! + 1, input.baseMs, input.capMs, u)),
  }),

  'backoff.aws.equal': (input: Aws & Drawn) => ({
    delayMs: input.rows.map(({ attempt, u }) => equalJitterMs(attempt! + 1, input.baseMs, input.capMs, u)),
  }),

  'backoff.aws.decorrelated': ({ baseMs, capMs, u }: Aws & { readonly u: readonly number[] }) => {
    const backoff = decorrelatedJitterRetry.make({ base: baseMs, cap: capMs }, { rng: new Script(...u) });
    return { delayMs: waits(backoff, u.length) };
  },

  'backoff.bounds': ({ baseMs, capMs, attempts }: Aws & { readonly attempts: readonly number[] }) => {
    // Both are linear in an even draw, so the mean is where the draw is one half.
    const bounds = (wait: typeof fullJitterMs) =>
      attempts.map((attempt) => {
        const at = (u: number): number => wait(attempt + 1, baseMs, capMs, u);
        return { minMs: at(0), maxMs: at(1), meanMs: at(0.5) };
      });
    return { full: bounds(fullJitterMs), equal: bounds(equalJitterMs) };
  },

  'backoff.envoy': ({ baseMs, maxMs, random, count }: Envoy & { readonly random: number; readonly count: number }) => ({
    delayMs: waits(envoy(baseMs, maxMs, random), count),
  }),

  'backoff.envoy.bounds': ({ baseMs, maxMs, retries }: Envoy & { readonly retries: number }) => ({
    exclusiveUpperBoundMs: Array.from({ length: retries }, (_, i) => envoyBoundMs(i + 1, baseMs, maxMs)),
    lowerBoundMs: Math.min(...waits(envoy(baseMs, maxMs, 0), retries)),
  }),

  'backoff.envoy.reset': (input: {
    readonly rows: readonly (
      | (Envoy & { readonly random: number; readonly resetTo: number })
      | { readonly fixedMs: number; readonly resetTo: number }
    )[];
  }) => ({
    firstDelayAfterResetMs: input.rows.map((row) => {
      const run =
        'fixedMs' in row
          ? new BackoffRun((delay) => constantRetry.make({ delay }, { rng: new Script() }), row.fixedMs)
          : new BackoffRun((baseMs) => envoy(baseMs, row.maxMs, row.random), row.baseMs);
      for (let i = 0; i < 3; i++) run.nextMs();
      run.reset(row.resetTo);
      return run.nextMs();
    }),
  }),

  'backoff.envoy.lowerBound': (input: { readonly minMs: number; readonly random: readonly number[] }) => ({
    delayMs: input.random.map((random) => envoyLowerBoundMs(input.minMs, new Script(random))),
  }),

  'backoff.fixed': (input: { readonly intervalMs: number; readonly count: number }) => ({
    delayMs: waits(constantRetry.make({ delay: input.intervalMs }, { rng: new Script() }), input.count),
  }),

  'backoff.grpc.retry': (
    input: Drawn & { readonly initialBackoffMs: number; readonly maxBackoffMs: number; readonly backoffMultiplier: number },
  ) => ({
    delayMs: input.rows.map(({ retry, u }) =>
      grpcRetryMs(retry!, input.initialBackoffMs, input.backoffMultiplier, input.maxBackoffMs, u),
    ),
  }),

  'backoff.grpc.connection': (
    input: Drawn & {
      readonly baseDelayMs: number;
      readonly multiplier: number;
      readonly jitter: number;
      readonly maxDelayMs: number;
    },
  ) => ({
    delayMs: input.rows.map(({ retries, u }) =>
      grpcConnectionMs(retries!, input.baseDelayMs, input.multiplier, input.jitter, input.maxDelayMs, u),
    ),
  }),

  'backoff.finagle': (input: FinagleBackoff, row) => listing(finagleSchedule(input), row),

  'backoff.finagle.concat': (input: { readonly parts: readonly FinagleBackoff[] }, row) =>
    listing(input.parts.map(finagleSchedule).reduce(concat, emptySchedule), row),

  'backoff.finagle.decorrelated': (input: FinagleJittered) => finagleJittered('decorrelatedJittered', input),
  'backoff.finagle.equal': (input: FinagleJittered) => finagleJittered('equalJittered', input),

  'backoff.resilience4j.exponential': (input: {
    readonly initialMs: number;
    readonly multiplier: number;
    readonly maxMs?: number;
    readonly attempts: readonly number[];
  }) => ({
    delayMs: input.attempts.map((attempt) =>
      resilience4jExponentialMs(attempt, input.initialMs, input.multiplier, input.maxMs ?? Infinity),
    ),
  }),

  'backoff.resilience4j.randomizedBounds': ({
    intervalMs,
    randomizationFactor,
  }: {
    readonly intervalMs: number;
    readonly randomizationFactor: number;
  }) => ({
    minMs: resilience4jRandomizedMs(intervalMs, randomizationFactor, 0),
    maxMs: resilience4jRandomizedMs(intervalMs, randomizationFactor, 1),
  }),

  'backoff.polly': (input: {
    readonly type: PollyBackoffType;
    readonly baseMs: number;
    readonly maxMs?: number;
    readonly jitter: boolean;
    readonly rows: readonly { readonly attempt: number; readonly u?: number }[];
  }) => {
    const { type, baseMs, maxMs = Infinity, jitter, rows } = input;
    if (type === 'exponential' && jitter) {
      return {
        delayMs: pollyDecorrelated(
          baseMs,
          maxMs,
          rows.map(({ u }) => u!),
        ),
      };
    }
    return { delayMs: rows.map(({ attempt, u }) => pollyMs(type, attempt, baseMs, maxMs, jitter ? u : undefined)) };
  },

  'backoff.polly.max': (input: {
    readonly types: readonly PollyBackoffType[];
    readonly jitter: readonly boolean[];
    readonly attempt: number;
    readonly baseMs: number;
    readonly maxMs: number;
    readonly u: number;
  }) => {
    const found = input.types.flatMap((backoffType) =>
      input.jitter.map((useJitter) => {
        const params = { backoffType, useJitter, delay: input.baseMs, maxDelay: input.maxMs };
        // As the first of its run, so without a memory of earlier draws.
        return pollyRetry.make(params, { rng: new Script(input.u) }).delayMs(input.attempt + 1, 0, 0);
      }),
    );
    return { delayMs: single(found) };
  },

  'backoff.polly.decorrelatedV2': (input: { readonly baseMs: number; readonly u: readonly number[] }) => ({
    delayMs: pollyDecorrelated(input.baseMs, Infinity, input.u),
  }),
};

const budgets: Adapters = {
  'retryBudget.finagle.run': (input: FinagleConfig & { readonly requests: number; readonly perRequest: string }) => {
    if (input.perRequest !== 'deposit then tryWithdraw') throw new NotCovered(input.perRequest);
    const budget = finagle(input);
    const initialBalance = budget.balance(0, 0);
    let retried = 0;
    for (let request = 0; request < input.requests; request++) {
      budget.onRequest(0, 1);
      if (budget.tryWithdraw(0, 1)) retried++;
    }
    return { initialBalance, retried };
  },

  'retryBudget.finagle.balance': (input: FinagleConfig & { readonly deposits: number }) => {
    const budget = finagle(input);
    for (let i = 0; i < input.deposits; i++) budget.onRequest(0, 1);
    return { balance: budget.balance(0, 1) };
  },

  'retryBudget.finagle.special': (input: { readonly budget: string }) => {
    const budget = { Empty: emptyBudget, Infinite: infiniteBudget }[input.budget];
    if (budget === undefined) throw new NotCovered(input.budget);
    const balance = budget.balance(0, 0);
    const tryWithdraw = budget.tryWithdraw(0, 1);
    budget.onRequest(0, 1);
    return { balance, tryWithdraw, balanceAfterDeposit: budget.balance(0, 1) };
  },

  'retryBudget.finagle.invalid': (input: { readonly configs: readonly FinagleConfig[] }) => ({
    outcome: input.configs.map((config) => {
      try {
        return finagle(config) === emptyBudget ? 'Empty' : 'valid';
      } catch {
        return 'invalid';
      }
    }),
  }),

  'retryBudget.tower': (input: {
    readonly ttlMs: number;
    readonly minPerSec: number;
    readonly retryPercent: number;
    readonly steps: readonly { readonly op: string; readonly atMs: number }[];
  }) => {
    const { ttlMs: ttl, minPerSec, retryPercent } = input;
    const budget = towerBudget.make({ ttl, minPerSec, retryPercent }, {});
    const withdraw: boolean[] = [];
    for (const { op, atMs } of input.steps) {
      if (op === 'deposit') budget.onRequest(atMs, 1);
      else if (op === 'withdraw') withdraw.push(budget.tryWithdraw(atMs, 1));
      else throw new NotCovered(op);
    }
    return { withdraw };
  },

  'retryBudget.envoy': (input: {
    readonly rows: readonly {
      readonly activeRequests: number;
      readonly pendingRequests: number;
      readonly budgetPercent: number;
      readonly minRetryConcurrency: number;
    }[];
  }) => ({
    maxConcurrentRetries: input.rows.map(({ activeRequests, pendingRequests, budgetPercent, minRetryConcurrency }) =>
      envoyRetryLimit(activeRequests + pendingRequests, budgetPercent / 100, minRetryConcurrency),
    ),
  }),

  'retryBudget.tokenBucket': (input: {
    readonly capacity: number;
    readonly initial: number;
    readonly fillPerSuccess: number;
    readonly cost: number;
    readonly strictlyGreaterThan: number;
    readonly events: readonly string[];
  }) => {
    const { capacity, initial, fillPerSuccess, cost, strictlyGreaterThan: threshold } = input;
    const budget = tokenBucketBudget.make({ capacity, initial, fillPerSuccess, cost, threshold }, {});
    return {
      retryAllowed: input.events.map((event) => {
        if (event !== 'S') return budget.tryWithdraw(0, 1);
        budget.onSuccess(0);
        return null;
      }),
    };
  },

  'retryThrottle.grpc': (input: {
    readonly maxTokens: number;
    readonly tokenRatio: number;
    readonly maxAttempts: number;
    readonly serverOkAtCallIndexes: readonly number[];
    readonly clientCalls: number;
  }) => {
    const throttle = new GrpcThrottle(input.maxTokens, input.tokenRatio);
    const answers = { code: [] as string[], lastServerCallIndex: [] as number[], tokensAfter: [] as number[] };
    let serverCall = 0;
    for (let call = 0; call < input.clientCalls; call++) {
      let isOk = false;
      for (let attempt = 1; attempt <= input.maxAttempts; attempt++) {
        isOk = input.serverOkAtCallIndexes.includes(serverCall++);
        if (isOk) throttle.onSuccess();
        else throttle.onFailure();
        if (isOk || !throttle.tryWithdraw()) break;
      }
      answers.code.push(isOk ? 'OK' : 'UNAVAILABLE');
      answers.lastServerCallIndex.push(serverCall - 1);
      answers.tokensAfter.push(throttle.tokens);
    }
    return answers;
  },

  'tokenBucket.leaky': (input: {
    readonly ttlMs: number;
    readonly reserve: number;
    readonly steps: readonly { readonly op: string; readonly n?: number; readonly atMs: number }[];
  }) => {
    const bucket = new LeakyTokenBucket(input.ttlMs, input.reserve);
    const answers = { tryGet: [] as boolean[], count: [] as number[] };
    for (const { op, n, atMs } of input.steps) {
      if (op === 'put') bucket.put(n!, atMs);
      else if (op === 'tryGet') answers.tryGet.push(bucket.tryGet(n!, atMs));
      else if (op === 'count') answers.count.push(bucket.count(atMs));
      else throw new NotCovered(op);
    }
    return answers;
  },

  'window.adder': (input: {
    readonly rangeMs: number;
    readonly slices: number;
    readonly steps: readonly { readonly op: string; readonly n?: number; readonly atMs: number }[];
  }) => {
    const adder = new WindowedAdder(input.rangeMs, input.slices);
    const sum: number[] = [];
    for (const { op, n, atMs } of input.steps) {
      if (op === 'add') adder.add(n!, atMs);
      else if (op === 'incr') adder.add(1, atMs);
      else if (op === 'sum') sum.push(adder.sum(atMs));
      else throw new NotCovered(op);
    }
    return { sum };
  },

  'retry.amplification': (input: {
    readonly rows: readonly { readonly failureProbability: number; readonly maxRetries: number }[];
  }) => ({
    loadFactor: input.rows.map((row) => loadFactor(row.failureProbability, row.maxRetries)),
    successProbability: input.rows.map((row) => successProbability(row.failureProbability, row.maxRetries)),
  }),

  'retry.layered': (input: {
    readonly rows: readonly { readonly attemptsPerLayer: number; readonly layers: number }[];
    readonly clientBudgetPercent: number;
  }) => ({
    worstCaseAttempts: input.rows.map((row) => layeredAttempts(row.attemptsPerLayer, row.layers)),
    budgetedLoadFactor: budgetedLoadFactor(input.clientBudgetPercent / 100),
  }),
};

const hedging: Adapters = {
  'hedge.fanout': (input: { readonly rows: readonly { readonly p: number; readonly n: number }[] }) => ({
    probability: input.rows.map(({ p, n }) => fanOutProbability(p, n)),
  }),

  'hedge.exponential': (input: {
    readonly meanMs: number;
    readonly hedgeDelayMs: readonly number[];
    readonly thresholdMs: number;
  }) => {
    const tail = exponentialTail(input.meanMs);
    return {
      tailProbability: input.hedgeDelayMs.map((delayMs) => hedgedTail(tail, input.thresholdMs, delayMs)),
      extraLoad: input.hedgeDelayMs.map((delayMs) => hedgeExtraLoad(tail, delayMs)),
    };
  },

  'hedge.grpc': (input: {
    readonly maxAttempts: number;
    readonly hedgingDelayMs: number;
    readonly nonFatalStatusCodes: readonly string[];
    readonly scenarios: readonly { readonly responses: readonly HedgeResponse[] }[];
  }) => {
    const { maxAttempts, hedgingDelayMs: hedgingDelay } = input;
    const calls = input.scenarios.map(({ responses }) => {
      const hedge = grpcHedge.make({ maxAttempts, hedgingDelay }, { rng: new Script() });
      return hedgedCall(hedge, responses, (status) => input.nonFatalStatusCodes.includes(status));
    });
    return {
      attemptStartsMs: calls.map(({ starts }) => starts),
      completedAtMs: calls.map(({ completedAtMs }) => completedAtMs),
      status: calls.map(({ status }) => status),
    };
  },

  'deadline.propagation': (input: {
    readonly rows: readonly {
      readonly parentDeadlineMs: number | null;
      readonly nowMs: number;
      readonly perTryTimeoutMs: number;
    }[];
  }) => {
    const timeouts = input.rows.map(({ parentDeadlineMs, nowMs, perTryTimeoutMs }) =>
      childTimeoutMs(remainingMs(parentDeadlineMs ?? Infinity, nowMs), perTryTimeoutMs),
    );
    return { childTimeoutMs: timeouts, attempt: timeouts.map((ms) => ms > 0) };
  },
};

export const retriesAdapters: Adapters = { ...backoffs, ...budgets, ...hedging };

interface Aws {
  readonly baseMs: number;
  readonly capMs: number;
}

interface Envoy {
  readonly baseMs: number;
  readonly maxMs: number;
}

interface Drawn {
  readonly rows: readonly {
    readonly attempt?: number;
    readonly retry?: number;
    readonly retries?: number;
    readonly u: number;
  }[];
}

interface FinagleBackoff {
  readonly type: string;
  readonly ms?: number;
  readonly startMs?: number;
  readonly multiplier?: number;
  readonly offsetMs?: number;
  readonly maximumMs?: number;
  readonly take?: number;
  readonly takeUntilMs?: number;
}

interface FinagleJittered {
  readonly startMs: number;
  readonly maximumMs: number;
  readonly u: readonly number[];
}

interface FinagleConfig {
  readonly ttlSeconds: number;
  readonly minRetriesPerSec: number;
  readonly percentCanRetry: number;
}

interface HedgeResponse {
  readonly attempt: number;
  readonly atMs: number;
  readonly status: string;
}

/** The first waits of a request. */
function waits(backoff: Backoff, count: number): number[] {
  const run = new BackoffRun(() => backoff, 0);
  return Array.from({ length: count }, () => run.nextMs());
}

function envoy(baseInterval: number, maxInterval: number, random: number): Backoff {
  const rng: Rng = { next: () => random, uint32: () => random, below: (n) => random % n };
  return envoyRetry.make({ baseInterval, maxInterval }, { rng });
}

function finagleSchedule({
  type,
  ms,
  startMs = ms,
  multiplier,
  offsetMs,
  maximumMs,
  take: count,
  takeUntilMs,
}: FinagleBackoff): Schedule {
  let schedule: Schedule;
  if (type === 'const' || type === 'constant') schedule = constantSchedule(startMs!);
  else if (type === 'linear') schedule = linearSchedule(startMs!, offsetMs!, maximumMs);
  else if (type === 'exponential') schedule = exponentialSchedule(startMs!, multiplier!, maximumMs);
  else throw new NotCovered(type);
  if (takeUntilMs !== undefined) schedule = takeUntil(schedule, takeUntilMs);
  return count === undefined ? schedule : take(schedule, count);
}

/** As many waits as the row lists, and whether that was all. */
function listing(schedule: Schedule, row: Row): unknown {
  const asked = (row.expect as { readonly delayMs: readonly number[] }).delayMs.length;
  const count = Math.min(asked, schedule.length);
  return {
    delayMs: Array.from({ length: count }, (_, i) => schedule.delayMs(i + 1)),
    exhausted: count === schedule.length,
  };
}

function finagleJittered(
  backoff: 'decorrelatedJittered' | 'equalJittered',
  { startMs: start, maximumMs: maximum, u }: FinagleJittered,
): unknown {
  // Every wait draws here, also the first, which does not use it.
  const policy = finagleRetry.make({ backoff, start, maximum }, { rng: new Script(0, ...u) });
  return { delayMs: waits(policy, u.length + 1) };
}

function pollyDecorrelated(delay: number, maxMs: number, u: readonly number[]): number[] {
  const maxDelay = maxMs === Infinity ? 0 : maxMs;
  const policy = pollyRetry.make({ backoffType: 'exponential', useJitter: true, delay, maxDelay }, { rng: new Script(...u) });
  return waits(policy, u.length);
}

/** What all agree on, or all of it. */
const single = (found: readonly number[]): unknown => (new Set(found).size === 1 ? found[0] : found);

const finagle = ({ ttlSeconds, minRetriesPerSec, percentCanRetry }: FinagleConfig): RetryBudget =>
  finagleBudget.make({ ttl: ttlSeconds * 1000, minRetriesPerSec, percentCanRetry }, {});

/** A call under a hedging policy, with answers at given times. */
function hedgedCall(hedge: Hedge, responses: readonly HedgeResponse[], isNonFatal: (status: string) => boolean) {
  const starts = [0];
  const failed = new Set<number>();
  let dueMs = hedge.delayMs(1, 0);
  const send = (nowMs: number): void => {
    if (hedge.delayMs(starts.length, nowMs) === Infinity || !hedge.tryHedge(nowMs)) return;
    starts.push(nowMs);
    dueMs = nowMs + hedge.delayMs(starts.length, nowMs);
  };
  hedge.onRequest(0);
  for (const { attempt, atMs, status } of [...responses].sort((a, b) => a.atMs - b.atMs)) {
    // At one instant, messages come before timers.
    while (dueMs < atMs) {
      const nowMs = dueMs;
      dueMs = Infinity;
      send(nowMs);
    }
    if (attempt > starts.length) throw new Error(`attempt ${attempt} was not sent by ${atMs} ms`);
    if (!isNonFatal(status)) return { starts, completedAtMs: atMs, status };
    failed.add(attempt);
    if (hedge.onFailure) send(atMs);
    if (failed.size === starts.length) return { starts, completedAtMs: atMs, status };
  }
  throw new Error('the last answer did not end the call');
}
