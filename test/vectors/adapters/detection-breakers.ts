/** Kinds about circuit breakers: `breaker.*`, `accrual.finagle*`, and the windows of resilience4j and Polly. */
import { defaults } from '../../../src/core/params.ts';
import { type Breaker, type BreakerState, breakerStates, NO_PERMIT } from '../../../src/policies/resilience/breakers/breaker.ts';
import { envoyHasRoom, envoyThresholds } from '../../../src/policies/resilience/breakers/envoy.ts';
import { gobreaker, GobreakerBreaker, type GobreakerParams } from '../../../src/policies/resilience/breakers/gobreaker.ts';
import {
  hystrix,
  HystrixBreaker,
  hystrixErrorPercentage,
  hystrixOpens,
} from '../../../src/policies/resilience/breakers/hystrix.ts';
import { LinkerdBreaker } from '../../../src/policies/resilience/breakers/linkerd.ts';
import { opossum, opossumOpens } from '../../../src/policies/resilience/breakers/opossum.ts';
import { callRate, type CallWindow } from '../../../src/policies/resilience/breakers/parts/call-window.ts';
import { CountWindow } from '../../../src/policies/resilience/breakers/parts/count-window.ts';
import {
  ConsecutiveFailures,
  type FailureAccrualPolicy,
  NOT_DEAD,
  OrElse,
  SuccessRate,
  SuccessRateWithinDuration,
} from '../../../src/policies/resilience/breakers/parts/failure-accrual.ts';
import { ListedDurations } from '../../../src/policies/resilience/breakers/parts/mark-dead-for.ts';
import { pollyWindow, RollingWindow } from '../../../src/policies/resilience/breakers/parts/polly-window.ts';
import {
  Resilience4jBreaker,
  resilience4jExceeds,
  resilience4jParams,
} from '../../../src/policies/resilience/breakers/parts/resilience4j.ts';
import { TimeWindow } from '../../../src/policies/resilience/breakers/parts/time-window.ts';
import { pollyShouldBreak } from '../../../src/policies/resilience/breakers/polly.ts';
import { type Adapters, NotCovered } from '../vector-file.ts';
import { Script } from './stage.ts';

export const breakersAdapters: Adapters = {
  'breaker.hystrix.health': (input: {
    readonly rows: readonly {
      readonly total: number;
      readonly errors: number;
      readonly requestVolumeThreshold: number;
      readonly errorThresholdPercentage: number;
    }[];
  }) => ({
    errorPercentage: input.rows.map(({ errors, total }) => hystrixErrorPercentage(errors, total)),
    open: input.rows.map((row) => hystrixOpens(row.errors, row.total, row)),
  }),

  'breaker.hystrix.window': (input: HystrixInput & { readonly events: readonly string[] }) => {
    const breaker = hystrixOf(input);
    for (const event of input.events) {
      if (!'SFT'.includes(event)) throw new NotCovered(event);
      breaker.settle(breaker.acquire(0), event === 'S', 0, 0);
    }
    // Health is judged when the bucket is complete.
    const judgedMs = input.rollingWindowMs / input.buckets;
    const isOpen = breaker.state(judgedMs) === breakerStates.open;
    return { errorPercentage: breaker.errorPercentage(judgedMs), open: isOpen };
  },

  'breaker.hystrix.scenario': (
    input: HystrixInput & { readonly sleepWindowMs: number; readonly openedAtMs?: number; readonly steps: readonly Step[] },
  ) => {
    const breaker = hystrixOf(input);
    if (input.openedAtMs !== undefined) breaker.open(input.openedAtMs);
    const attemptAllowed: boolean[] = [];
    let permit = NO_PERMIT;
    for (const { atMs, op, value } of input.steps) {
      if (op === 'attempt') {
        const given = breaker.acquire(atMs);
        attemptAllowed.push(given !== NO_PERMIT);
        if (given !== NO_PERMIT) permit = given;
      } else if (op === 'result') {
        breaker.settle(permit, isGood(value), 0, atMs);
      } else {
        throw new NotCovered(String(op));
      }
    }
    return { attemptAllowed, stateAfter: stateNames.dashed[breaker.state(input.steps.at(-1)!.atMs)] };
  },

  'breaker.resilience4j.scenario': (input: {
    readonly config: Resilience4jConfig;
    readonly initialState: string;
    readonly steps: readonly (Step & { readonly outcome?: string; readonly durationMs?: number })[];
  }) => {
    const breaker = resilience4jOf(input.config);
    const waitMs: number[] = [];
    const open = (atMs: number): void => {
      breaker.transitionToOpen(atMs);
      waitMs.push(breaker.waitMs);
    };
    if (input.initialState === 'OPEN') open(0);
    else if (input.initialState === 'HALF_OPEN') breaker.transitionToHalfOpen(0);
    const states: string[] = [];
    const failureRates: number[] = [];
    const tryAcquire: boolean[] = [];
    let failureRateAfterClose: number | undefined;
    let permit = NO_PERMIT;
    for (const { atMs, op, outcome, durationMs } of input.steps) {
      const before = breaker.state(atMs);
      if (op === 'call' || op === 'tryAcquire') permit = breaker.acquire(atMs);
      if (op === 'tryAcquire') tryAcquire.push(permit !== NO_PERMIT);
      else if (op === 'call' && permit === NO_PERMIT) continue;
      else if (op === 'call' && outcome === 'ignored') breaker.release(permit, atMs);
      else if (op === 'call') breaker.settle(permit, isGood(outcome), durationMs ?? 0, atMs);
      else if (op === 'releasePermission') breaker.release(permit, atMs);
      else if (op === 'transitionToOpen') open(atMs);
      else if (op === 'transitionToHalfOpen') breaker.transitionToHalfOpen(atMs);
      else if (op === 'transitionToClosed') breaker.transitionToClosed(atMs);
      else if (op !== 'state') throw new NotCovered(String(op));
      const after = breaker.state(atMs);
      if (op === 'call' && before !== after && after === breakerStates.open) waitMs.push(breaker.waitMs);
      if (before !== after && after === breakerStates.closed) failureRateAfterClose = breaker.failureRate(atMs);
      states.push(stateNames.upper[after]);
      failureRates.push(breaker.failureRate(atMs));
    }
    const endMs = input.steps.at(-1)!.atMs;
    return {
      states,
      failureRates,
      tryAcquire,
      waitMs,
      failureRateAfterClose,
      failureRate: breaker.failureRate(endMs),
      slowCallRate: breaker.slowCallRate(endMs),
      bufferedAfterLast: breaker.bufferedCalls(endMs),
    };
  },

  'window.resilience4j.count': (input: { readonly size: number; readonly calls: readonly Call[] }) => {
    const window = new CountWindow(input.size);
    return {
      snapshots: input.calls.map((call) => {
        record(window, call, 0);
        return snapshot(window);
      }),
    };
  },

  'window.resilience4j.time': (input: {
    readonly windowSeconds: number;
    readonly steps: readonly (Partial<Call> & { readonly atMs: number; readonly op?: string })[];
  }) => {
    const window = new TimeWindow(input.windowSeconds);
    window.reset(input.steps[0]?.atMs ?? 0);
    return {
      snapshots: input.steps.map(({ atMs, op, outcome, durationMs }) => {
        if (outcome !== undefined) record(window, { outcome, durationMs: durationMs ?? 0 }, atMs);
        else if (op === 'snapshot') window.moveTo(atMs);
        else throw new NotCovered(String(op));
        return snapshot(window);
      }),
    };
  },

  'breaker.polly.shouldBreak': (input: {
    readonly rows: readonly {
      readonly throughput: number;
      readonly minimumThroughput: number;
      readonly failureRate: number;
      readonly failureRatio: number;
    }[];
  }) => ({ shouldBreak: input.rows.map((row) => pollyShouldBreak(row.throughput, row.failureRate, row)) }),

  'window.polly.rolling': (input: {
    readonly samplingDurationMs: number;
    readonly windows: number;
    readonly steps: readonly (Step & { readonly results?: string })[];
  }) => {
    const window = new RollingWindow(input.samplingDurationMs, input.windows);
    const throughput: number[] = [];
    const failures: number[] = [];
    for (const { atMs, op, results } of input.steps) {
      if (results !== undefined) {
        for (const result of results) window.add(result === 'S', atMs);
      } else if (op === 'health') {
        window.moveTo(atMs);
        throughput.push(window.throughput);
        failures.push(window.failures);
      } else if (op === 'reset') {
        window.reset();
      } else {
        throw new NotCovered(String(op));
      }
    }
    return { throughput, failures };
  },

  'window.polly.choice': (input: { readonly samplingDurationMs: readonly number[] }) => ({
    type: input.samplingDurationMs.map((durationMs) => pollyWindow(durationMs).type),
  }),

  'breaker.gobreaker.scenario': (input: {
    readonly settings: GobreakerSettings;
    readonly steps: readonly (Step & { readonly results?: string })[];
  }) => {
    const breaker = new GobreakerBreaker(gobreakerParams(input.settings));
    return {
      after: input.steps.map(({ atMs, op, results }) => {
        if (op !== 'calls' && op !== 'state') throw new NotCovered(String(op));
        let accepted = true;
        for (const result of results ?? '') {
          const permit = breaker.acquire(atMs);
          if (permit === NO_PERMIT) accepted = false;
          else if (result === 'X') breaker.release(permit, atMs);
          else breaker.settle(permit, result === 'S', 0, atMs);
        }
        return { state: stateNames.dashed[breaker.state(atMs)], counts: countsOf(breaker), accepted };
      }),
    };
  },

  'breaker.opossum.trip': (input: {
    readonly rows: readonly {
      readonly fires: number;
      readonly failures: number;
      readonly errorThresholdPercentage: number;
      readonly volumeThreshold?: number;
    }[];
  }) => ({
    open: input.rows.map((row) => opossumOpens(row.fires, row.failures, { volumeThreshold: 0, ...row })),
  }),

  'breaker.opossum.scenario': (input: {
    readonly options: Parameters<typeof opossum.make>[0];
    readonly steps: readonly (Step & { readonly fire?: string; readonly completesAtMs?: number })[];
  }) => {
    const breaker = opossum.make(input.options, { rng: new Script() });
    const states: string[] = [];
    const rejected: (boolean | null)[] = [];
    const out: { readonly permit: number; readonly good: boolean; readonly endMs: number; readonly startMs: number }[] = [];
    for (const { atMs, op, fire, completesAtMs } of input.steps) {
      completeUntil(breaker, out, atMs);
      if (fire === undefined && op !== 'state') throw new NotCovered(String(op));
      const permit = fire === undefined ? NO_PERMIT : breaker.acquire(atMs);
      rejected.push(fire === undefined ? null : permit === NO_PERMIT);
      if (permit !== NO_PERMIT) out.push({ permit, good: isGood(fire), endMs: completesAtMs ?? atMs, startMs: atMs });
      completeUntil(breaker, out, atMs);
      states.push(stateNames.camel[breaker.state(atMs)]);
    }
    return { states, rejected };
  },

  'breaker.envoy.limits': (input: {
    readonly defaults?: Partial<typeof envoyThresholds>;
    readonly rows: readonly { readonly resource: string; readonly inUse: number }[];
  }) => {
    const thresholds = { ...envoyThresholds, ...input.defaults };
    const limits: Readonly<Record<string, number>> = {
      connections: thresholds.maxConnections,
      pendingRequests: thresholds.maxPendingRequests,
      pending: thresholds.maxPendingRequests,
      requests: thresholds.maxRequests,
      retries: thresholds.maxRetries,
    };
    return {
      allowed: input.rows.map(({ resource, inUse }) => {
        const limit = limits[resource];
        if (limit === undefined) throw new NotCovered(resource);
        return envoyHasRoom(inUse, limit);
      }),
    };
  },

  'breaker.linkerd': (input: {
    readonly maxFailures: number;
    readonly backoff: { readonly minMs: number; readonly maxMs: number; readonly jitter: number };
    readonly steps: readonly (Step & { readonly acquire?: boolean; readonly response?: string })[];
  }) => {
    const { minMs: minPenalty, maxMs: maxPenalty, jitter: jitterRatio } = input.backoff;
    const params = { maxFailures: input.maxFailures, minPenalty, maxPenalty, jitterRatio };
    const breaker = new LinkerdBreaker(params, new Script());
    return {
      gate: input.steps.map(({ atMs, acquire, response }) => {
        // A response without an acquisition is one to a request sent before.
        const permit = acquire === true ? breaker.acquire(atMs) : 0;
        if (response !== undefined && permit !== NO_PERMIT) breaker.settle(permit, isGood(response), 0, atMs);
        const state = breaker.state(atMs);
        if (state === breakerStates.halfOpen) return `limited:${breaker.permitsLeft(atMs)}`;
        return state === breakerStates.closed ? 'open' : 'shut';
      }),
    };
  },

  'breaker.boundary': (input: { readonly total: number; readonly errors: number; readonly thresholdPercent: number }) => {
    const { total, errors, thresholdPercent } = input;
    const errorThresholdPercentage = thresholdPercent;
    const failureRatio = thresholdPercent / 100;
    return {
      opens: {
        hystrix: hystrixOpens(errors, total, { requestVolumeThreshold: total, errorThresholdPercentage }),
        resilience4j: resilience4jExceeds(errors, total, thresholdPercent),
        polly: pollyShouldBreak(total, errors / total, { minimumThroughput: total, failureRatio }),
        opossum: opossumOpens(total, errors, { volumeThreshold: total, errorThresholdPercentage }),
      },
    };
  },

  'accrual.finagle': (input: { readonly policy: PolicySpec; readonly events: readonly string[] }) => ({
    markDeadForMs: accrue(policyOf(input.policy), timeless(input.events)),
  }),

  'accrual.finagle.timed': (input: { readonly policy: PolicySpec; readonly events: readonly AccrualEvent[] }) => ({
    markDeadForMs: accrue(policyOf(input.policy), input.events),
  }),

  'accrual.finagle.orElse': (input: { readonly policies: readonly PolicySpec[]; readonly events: readonly string[] }) => ({
    markDeadForMs: accrue(
      input.policies.map(policyOf).reduce((one, other) => new OrElse(one, other)),
      timeless(input.events),
    ),
  }),

  'accrual.finagle.compact': (input: {
    readonly policy: PolicySpec;
    readonly prefixSuccesses: number;
    readonly thenFailures: number;
  }) => {
    const { policy, prefixSuccesses, thenFailures } = input;
    const answers = accrue(policyOf(policy), timeless([...'S'.repeat(prefixSuccesses), ...'F'.repeat(thenFailures)]));
    const first = answers.findIndex((answer) => answer !== null);
    return { firstMarkDeadAtFailure: first === -1 ? null : first + 1, markDeadForMs: answers[first] ?? null };
  },
};

interface Step {
  readonly atMs: number;
  readonly op?: string;
  readonly value?: string;
}

const stateNames = {
  dashed: { [breakerStates.closed]: 'closed', [breakerStates.open]: 'open', [breakerStates.halfOpen]: 'half-open' },
  camel: { [breakerStates.closed]: 'closed', [breakerStates.open]: 'open', [breakerStates.halfOpen]: 'halfOpen' },
  upper: { [breakerStates.closed]: 'CLOSED', [breakerStates.open]: 'OPEN', [breakerStates.halfOpen]: 'HALF_OPEN' },
} satisfies Readonly<Record<string, Readonly<Record<BreakerState, string>>>>;

/** What an error filter lets pass counts as a success. */
function isGood(outcome: string | undefined): boolean {
  if (outcome === 'success' || outcome === 'slow_success' || outcome === 'filtered') return true;
  if (outcome === 'failure' || outcome === 'error' || outcome === 'slow_error' || outcome === 'timeout') return false;
  throw new NotCovered(String(outcome));
}

interface HystrixInput {
  readonly requestVolumeThreshold: number;
  readonly errorThresholdPercentage: number;
  readonly rollingWindowMs: number;
  readonly buckets: number;
}

const hystrixOf = (input: HystrixInput & { readonly sleepWindowMs?: number }): HystrixBreaker =>
  new HystrixBreaker({
    requestVolumeThreshold: input.requestVolumeThreshold,
    errorThresholdPercentage: input.errorThresholdPercentage,
    sleepWindow: input.sleepWindowMs ?? hystrix.params.sleepWindow.default,
    rollingStatsTime: input.rollingWindowMs,
    healthSnapshotInterval: input.rollingWindowMs / input.buckets,
  });

interface Resilience4jConfig {
  readonly slidingWindow:
    | { readonly type: 'TIME_BASED'; readonly seconds: number }
    | { readonly type: 'COUNT_BASED'; readonly size: number };
  readonly minimumNumberOfCalls?: number;
  readonly failureRateThreshold?: number;
  readonly permittedNumberOfCallsInHalfOpenState?: number;
  readonly maxWaitDurationInHalfOpenStateMs?: number;
  readonly waitDurationInOpenStateMs?: number;
  readonly slowCallDurationThresholdMs?: number;
  readonly slowCallRateThreshold?: number;
  readonly waitIntervalFunctionInOpenState?: {
    readonly type: string;
    readonly initialMs: number;
    readonly multiplier?: number;
    readonly maxMs?: number;
  };
}

function resilience4jOf(config: Resilience4jConfig): Resilience4jBreaker {
  const base = defaults(resilience4jParams);
  const waits = config.waitIntervalFunctionInOpenState;
  if (waits !== undefined && waits.type !== 'exponential' && waits.type !== 'constant') throw new NotCovered(waits.type);
  const { slidingWindow } = config;
  const window =
    slidingWindow.type === 'COUNT_BASED' ? new CountWindow(slidingWindow.size) : new TimeWindow(slidingWindow.seconds);
  return new Resilience4jBreaker(
    window,
    {
      ...base,
      minimumNumberOfCalls: config.minimumNumberOfCalls ?? base.minimumNumberOfCalls,
      failureRateThreshold: config.failureRateThreshold ?? base.failureRateThreshold,
      slowCallDurationThreshold: config.slowCallDurationThresholdMs ?? base.slowCallDurationThreshold,
      slowCallRateThreshold: config.slowCallRateThreshold ?? base.slowCallRateThreshold,
      waitDurationInOpenState: waits?.initialMs ?? config.waitDurationInOpenStateMs ?? base.waitDurationInOpenState,
      exponentialBackoffMultiplier: waits?.type === 'exponential' ? (waits.multiplier ?? 1.5) : 1,
      exponentialMaxWaitDurationInOpenState: waits?.maxMs ?? 0,
      permittedNumberOfCallsInHalfOpenState:
        config.permittedNumberOfCallsInHalfOpenState ?? base.permittedNumberOfCallsInHalfOpenState,
      maxWaitDurationInHalfOpenState: config.maxWaitDurationInHalfOpenStateMs ?? base.maxWaitDurationInHalfOpenState,
    },
    new Script(),
  );
}

interface Call {
  readonly outcome: string;
  readonly durationMs: number;
}

const record = (window: CallWindow, { outcome, durationMs }: Call, atMs: number): void =>
  window.record(isGood(outcome), outcome.startsWith('slow'), durationMs, atMs);

function snapshot(window: CallWindow): Readonly<Record<string, number>> {
  const { total, failed, slow, slowFailed, totalDurationMs } = window;
  return {
    total,
    failed,
    successful: total - failed,
    slow,
    slowFailed,
    slowSuccessful: slow - slowFailed,
    totalDurationMs,
    averageDurationMs: window.averageDurationMs,
    failureRate: callRate(failed, total),
    slowCallRate: callRate(slow, total),
  };
}

interface GobreakerSettings {
  readonly maxRequests?: number;
  readonly intervalMs?: number;
  readonly bucketPeriodMs?: number;
  readonly timeoutMs?: number;
  readonly readyToTrip?: string;
}

function gobreakerParams(settings: GobreakerSettings): GobreakerParams {
  const base = defaults(gobreaker.params);
  return {
    ...base,
    maxRequests: settings.maxRequests ?? base.maxRequests,
    interval: settings.intervalMs ?? base.interval,
    bucketPeriod: settings.bucketPeriodMs ?? base.bucketPeriod,
    timeout: settings.timeoutMs ?? base.timeout,
    ...readyToTrip(settings.readyToTrip),
  };
}

/** The rules that are parameters here, as rows write them. */
function readyToTrip(rule: string | undefined): Partial<GobreakerParams> {
  if (rule === undefined || rule === 'default') return {};
  const ratio = /^validRequests >= (\d+) && totalFailures\/validRequests >= ([\d.]+)$/.exec(rule);
  if (ratio !== null) return { readyToTrip: 'failure-ratio', minRequests: Number(ratio[1]), failureRatio: Number(ratio[2]) };
  const row = /^consecutiveFailures (>=?) (\d+)$/.exec(rule);
  if (row === null) throw new NotCovered(rule);
  return { readyToTrip: 'consecutive-failures', consecutiveFailures: Number(row[2]) - (row[1] === '>' ? 0 : 1) };
}

const countsOf = ({ counts }: GobreakerBreaker): Readonly<Record<string, number>> => ({
  requests: counts.requests,
  totalSuccesses: counts.successes,
  totalFailures: counts.failures,
  totalExclusions: counts.exclusions,
  consecutiveSuccesses: counts.consecutiveSuccesses,
  consecutiveFailures: counts.consecutiveFailures,
});

/** Ends the calls that end up to then, in order of their ends. */
function completeUntil(
  breaker: Breaker,
  out: { readonly permit: number; readonly good: boolean; readonly endMs: number; readonly startMs: number }[],
  nowMs: number,
): void {
  out.sort((a, b) => a.endMs - b.endMs);
  while (out.length > 0 && out[0].endMs <= nowMs) {
    const { permit, good, endMs, startMs } = out.shift()!;
    breaker.settle(permit, good, endMs - startMs, endMs);
  }
}

interface PolicySpec {
  readonly type: string;
  readonly numFailures?: number;
  readonly requiredSuccessRate?: number;
  readonly windowRequests?: number;
  readonly windowMs?: number;
  readonly minRequests?: number;
  readonly markDeadForMs: {
    readonly const?: number;
    readonly first?: number;
    readonly list?: readonly number[];
    readonly thenConst?: number;
  };
}

interface AccrualEvent {
  readonly atMs: number;
  readonly event: string;
}

const timeless = (events: readonly string[]): readonly AccrualEvent[] => events.map((event) => ({ atMs: 0, event }));

function policyOf(spec: PolicySpec): FailureAccrualPolicy {
  const { const: always, first, list, thenConst } = spec.markDeadForMs;
  const listed = list ?? (first === undefined ? [] : [first]);
  const markDeadFor = new ListedDurations(listed, thenConst ?? always);
  if (spec.type === 'consecutiveFailures') return new ConsecutiveFailures(spec.numFailures!, markDeadFor);
  if (spec.type === 'successRate') return new SuccessRate(spec.requiredSuccessRate!, spec.windowRequests!, markDeadFor);
  if (spec.type !== 'successRateWithinDuration') throw new NotCovered(spec.type);
  return new SuccessRateWithinDuration(spec.requiredSuccessRate!, spec.windowMs!, spec.minRequests ?? 5, markDeadFor);
}

/** One answer per failure: null where it was not marked dead. */
function accrue(policy: FailureAccrualPolicy, events: readonly AccrualEvent[]): (number | null)[] {
  const answers: (number | null)[] = [];
  for (const { atMs, event } of events) {
    if (event === 'S') policy.recordSuccess(atMs);
    else if (event === 'R') policy.revived(atMs);
    else if (event !== 'F') throw new NotCovered(event);
    else {
      const deadForMs = policy.markDeadOnFailure(atMs);
      answers.push(deadForMs === NOT_DEAD ? null : deadForMs);
    }
  }
  return answers;
}
