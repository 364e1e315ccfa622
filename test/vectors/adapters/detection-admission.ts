/** Kinds about admission, adaptive limits and queue disciplines. */
import { defaults } from '../../../src/core/params.ts';
import { type Admission, type AdmissionRequest, admissionResults } from '../../../src/policies/resilience/admission/admission.ts';
import { AimdLimit, aimdParams } from '../../../src/policies/resilience/admission/aimd.ts';
import { dagorTarget, priorityCutoff } from '../../../src/policies/resilience/admission/dagor.ts';
import {
  envoyAdmissionControl,
  envoyRejectProbability,
} from '../../../src/policies/resilience/admission/envoy-admission-control.ts';
import {
  envoyGradientOf,
  envoyLimit,
  jittered,
  PinnedWindows,
} from '../../../src/policies/resilience/admission/envoy-gradient.ts';
import { Gradient2Limit, gradient2Params } from '../../../src/policies/resilience/admission/gradient2.ts';
import { partitioned, partitionLimit } from '../../../src/policies/resilience/admission/partitioned.ts';
import type { ConcurrencyLimit } from '../../../src/policies/resilience/admission/parts/concurrency-limit.ts';
import { log10Root, squareRoot } from '../../../src/policies/resilience/admission/parts/limit-functions.ts';
import { SampleBuffer } from '../../../src/policies/resilience/admission/parts/sample-buffer.ts';
import { maxThroughput, semaphore } from '../../../src/policies/resilience/admission/semaphore.ts';
import { sreRejectProbability, sreThrottle } from '../../../src/policies/resilience/admission/sre-throttle.ts';
import { VegasLimit, vegas, vegasRules } from '../../../src/policies/resilience/admission/vegas.ts';
import { Codel } from '../../../src/policies/resilience/queueing/codel.ts';
import { queueTimeoutMs } from '../../../src/policies/resilience/queueing/controlled-delay.ts';
import { lifo } from '../../../src/policies/resilience/queueing/lifo.ts';
import { type Adapters, NotCovered } from '../vector-file.ts';
import { Script } from './stage.ts';

interface Sample {
  readonly rttMs: number;
  readonly inflight: number;
  readonly dropped?: boolean;
}
interface EnvoyBounds {
  readonly bufferPercent: number;
  readonly minConcurrency: number;
  readonly maxConcurrencyLimit: number;
}

export const admissionAdapters: Adapters = {
  'limit.vegas': (input: {
    readonly config: Readonly<Record<string, number>> & { readonly decrease?: string };
    readonly samples: readonly Sample[];
  }) => {
    const { decrease, ...config } = input.config;
    if (decrease !== undefined && decrease !== 'x/2') throw new NotCovered(decrease);
    const isConstant = 'alpha' in config || 'beta' in config;
    const rules = vegasRules({ ...defaults(vegas.params), scale: isConstant ? 'constant' : 'log10', ...config });
    const limit = new VegasLimit(decrease === undefined ? rules : { ...rules, decrease: (x) => x / 2 }, latestProbe);
    return { limits: feed(limit, input.samples) };
  },
  'limit.gradient2': (input: { readonly config: object; readonly samples: readonly Sample[] }) => {
    const limit = new Gradient2Limit({ ...defaults(gradient2Params), ...input.config });
    const estimatedLimit: number[] = [];
    return { limit: feed(limit, input.samples, () => estimatedLimit.push(limit.estimate())), estimatedLimit };
  },
  'limit.aimd': (input: { readonly config: object; readonly samples: readonly Sample[] }) => {
    const limit = aimdOf(input.config);
    feed(limit, input.samples);
    return { limit: limit.limit() };
  },
  'limit.aimd.sequence': (input: { readonly config: object; readonly samples: readonly Sample[] }) => ({
    limits: feed(aimdOf(input.config), input.samples),
  }),
  'limit.log10root': (input: { readonly values: readonly number[] }) => ({ result: input.values.map(log10Root) }),
  'limit.squareRoot': (input: { readonly baseline: number; readonly values: readonly number[] }) => ({
    result: input.values.map((value) => squareRoot(value, input.baseline)),
  }),

  'limit.envoyGradient': (
    input: EnvoyBounds & {
      readonly rows: readonly { readonly currentLimit: number; readonly minRttMs: number; readonly sampleRttMs: number }[];
    },
  ) => ({
    gradient: input.rows.map((row) => envoyGradientOf(row.minRttMs, row.sampleRttMs, input.bufferPercent / 100)),
    newLimit: input.rows.map((row) => envoyLimit(row.currentLimit, row.minRttMs, row.sampleRttMs, envoyRules(input))),
  }),
  'limit.envoyGradient.sequence': (
    input: EnvoyBounds & { readonly initialLimit: number; readonly minRttMs: number; readonly sampleRttMs: readonly number[] },
  ) => {
    let limit = input.initialLimit;
    const next = (sampleRttMs: number): number => (limit = envoyLimit(limit, input.minRttMs, sampleRttMs, envoyRules(input)));
    return { limits: input.sampleRttMs.map(next) };
  },
  'limit.envoyGradient.jitter': (input: {
    readonly intervalMs: number;
    readonly jitterPercent: number;
    readonly random: number;
  }) => ({ intervalMs: jittered(input.intervalMs, input.jitterPercent / 100, new Script(input.random)) }),
  'limit.envoyGradient.percentile': (input: { readonly samplesMs: readonly number[]; readonly percentile: number }) => {
    const buffer = new SampleBuffer();
    for (const sample of input.samplesMs) buffer.add(sample);
    return { valueMs: buffer.takePercentile(input.percentile / 100) };
  },
  'limit.envoyGradient.remeasure': (input: { readonly minConcurrency: number; readonly limits: readonly number[] }) => {
    const pinned = new PinnedWindows(input.minConcurrency);
    const at = input.limits.findIndex((limit) => pinned.isStuck(limit));
    return { remeasureAfterIndex: at === -1 ? null : at };
  },

  'limiter.partition.limits': (input: { readonly limit: number; readonly partitions: Partitions }) => ({
    limits: Object.fromEntries(
      Object.entries(input.partitions).map(([name, share]) => [name, partitionLimit(input.limit, share)]),
    ),
  }),
  'limiter.partition.resize': (input: { readonly partitions: Partitions; readonly limits: readonly number[] }) =>
    Object.fromEntries(
      Object.entries(input.partitions).map(([name, share]) => [
        `${name}Limit`,
        input.limits.map((limit) => partitionLimit(limit, share)),
      ]),
    ),
  'limiter.partition.acquire': (input: PartitionInput & { readonly acquire: readonly string[] }) => {
    const door = partitionedDoor(input);
    return { granted: input.acquire.map((name) => door.acquire(name)), totalInflight: door.inFlight };
  },
  'limiter.partition.steps': (input: PartitionInput & { readonly steps: readonly string[] }) => {
    const door = partitionedDoor(input);
    const take = (step: string): boolean | null =>
      step.startsWith('release:') ? door.release(step.slice('release:'.length)) : door.acquire(step);
    return { granted: input.steps.map(take), totalInflight: door.inFlight };
  },
  'limiter.lifo': (input: {
    readonly limit: number;
    readonly backlogSize: number;
    readonly waitingInArrivalOrder: readonly number[];
  }) => {
    const policy = lifo.make({}, {});
    const waiting: number[] = [];
    for (const request of input.waitingInArrivalOrder) {
      if (waiting.length < input.backlogSize) policy.onEnqueue(waiting.push(request), 0);
    }
    const servedOrder: number[] = [];
    while (waiting.length > 0) {
      const request = policy.takesNewest(waiting.length, 0) ? waiting.pop()! : waiting.shift()!;
      if (policy.onDequeue(0, waiting.length, 0)) servedOrder.push(request);
    }
    return { servedOrder };
  },

  'bulkhead.semaphore': (input: {
    readonly maxConcurrentCalls: number;
    readonly maxWaitMs: number;
    readonly arrivals: number;
    readonly release: number;
    readonly thenArrivals: number;
  }) => {
    if (input.maxWaitMs > 0) throw new NotCovered('waiting for a permit');
    const door = new Door(semaphore.make({ maxConcurrentCalls: input.maxConcurrentCalls }, { rng: new Script() }));
    const count = (arrivals: number): { permitted: number; rejected: number } => {
      const permitted = Array.from({ length: arrivals }, () => door.arrive()).filter(Boolean).length;
      return { permitted, rejected: arrivals - permitted };
    };
    const first = count(input.arrivals);
    for (let i = 0; i < input.release; i++) door.end();
    return { ...first, afterRelease: count(input.thenArrivals) };
  },

  'admission.sreThrottle': (input: {
    readonly rows: readonly { readonly requests: number; readonly accepts: number; readonly K: number }[];
  }) => ({ rejectProbability: input.rows.map(({ requests, accepts, K }) => sreRejectProbability(requests, accepts, K)) }),
  'admission.sreThrottle.steady': (input: {
    readonly rows: readonly { readonly offered: number; readonly capacity: number; readonly K: number }[];
  }) => ({ sentToBackend: input.rows.map(({ offered, capacity, K }) => steadyRate(offered, capacity, K)) }),
  'admission.envoyAdmission': (input: {
    readonly srThreshold: number;
    readonly aggression: number;
    readonly maxRejectionProbability: number;
    readonly rows: readonly { readonly total: number; readonly success: number }[];
  }) => {
    const rules = { ...input, successRateThreshold: input.srThreshold };
    return { rejectProbability: input.rows.map(({ total, success }) => envoyRejectProbability(total, success, rules)) };
  },
  'admission.envoyAdmission.decision': (input: {
    readonly srThreshold: number;
    readonly aggression: number;
    readonly maxRejectionProbability: number;
    readonly rows: readonly { readonly total: number; readonly success: number; readonly random: number }[];
  }) => ({
    rejected: input.rows.map(({ total, success, random }) => {
      const { srThreshold: successRateThreshold, aggression, maxRejectionProbability } = input;
      const values = { successRateThreshold, aggression, maxRejectionProbability };
      const policy = envoyAdmissionControl.make(values, { rng: new Script(random) });
      for (let i = 0; i < total; i++) policy.onEnd(i < success ? admissionResults.ok : admissionResults.failed, 1, 1, 0, 0);
      return !new Door(policy).arrive();
    }),
  }),
  'admission.codel': (input: {
    readonly intervalMs: number;
    readonly targetMs: number;
    readonly createdAtMs: number;
    readonly requests: readonly { readonly atMs: number; readonly queueDelayMs: number }[];
  }) => {
    const detector = new Codel(input.intervalMs, input.targetMs, input.createdAtMs);
    const load: number[] = [];
    const drop = input.requests.map(({ atMs, queueDelayMs }) => {
      const drops = detector.overloaded(queueDelayMs, atMs);
      load.push(detector.load());
      return drops;
    });
    return { drop, load };
  },
  'admission.fbCodel': (input: {
    readonly nMs: number;
    readonly mMs: number;
    readonly queueLastEmptyAgoMs: readonly number[];
  }) => ({ queueTimeoutMs: input.queueLastEmptyAgoMs.map((agoMs) => queueTimeoutMs(agoMs, input.nMs, input.mMs)) }),
  'admission.dagor': (input: {
    readonly rows: readonly { readonly overloaded: boolean; readonly admitted: number; readonly incoming: number }[];
    readonly alpha: number;
    readonly beta: number;
  }) => ({
    expectedAdmitted: input.rows.map((row) => dagorTarget(row.overloaded, row.admitted, row.incoming, input.alpha, input.beta)),
  }),
  'admission.priorityCutoff': (input: {
    readonly histogram: readonly { readonly priority: number; readonly count: number }[];
    readonly target: number;
  }) => {
    const levels = [...input.histogram].sort((a, b) => a.priority - b.priority);
    const counts = levels.map(({ count }) => count);
    const last = priorityCutoff(counts, input.target);
    return {
      admitPrioritiesUpTo: levels[last]?.priority ?? 0,
      admitted: counts.slice(0, last + 1).reduce((sum, count) => sum + count, 0),
    };
  },
  'admission.littlesLaw': (input: { readonly rows: readonly { readonly limit: number; readonly meanServiceMs: number }[] }) => ({
    maxThroughputPerSec: input.rows.map(({ limit, meanServiceMs }) => maxThroughput(limit, meanServiceMs)),
  }),
};

/** What the limit is after each sample. */
function feed(limit: ConcurrencyLimit, samples: readonly Sample[], after?: () => void): readonly number[] {
  return samples.map(({ rttMs, inflight, dropped = false }, i) => {
    limit.onSample(rttMs, inflight, dropped, i);
    after?.();
    return limit.limit();
  });
}

const aimdOf = ({ timeoutMs, ...config }: { readonly timeoutMs?: number }): AimdLimit =>
  new AimdLimit({ ...defaults(aimdParams), ...config, ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }) });

const envoyRules = ({ bufferPercent, minConcurrency, maxConcurrencyLimit }: EnvoyBounds) => ({
  buffer: bufferPercent / 100,
  minConcurrency,
  maxConcurrencyLimit,
});

/** Puts off Vegas's probes as long as it can be. */
const latestProbe = { next: () => 1 - 2 ** -53, uint32: () => 0xffff_ffff, below: (n: number) => n - 1 };

type Partitions = Readonly<Record<string, number>>;
interface PartitionInput {
  readonly limit: number;
  readonly partitions: Partitions;
}

/** A door that keeps the count of what is in flight. */
class Door {
  inFlight = 0;
  readonly #policy: Admission;
  readonly #request: AdmissionRequest = { nowMs: 0, priority: 0, inFlight: 0, queued: 0, user: 0, partition: 0 };

  constructor(policy: Admission) {
    this.#policy = policy;
  }

  arrive(partition = 0): boolean {
    this.#request.inFlight = this.inFlight;
    this.#request.partition = partition;
    const isAdmitted = this.#policy.admit(this.#request);
    if (isAdmitted) this.inFlight++;
    return isAdmitted;
  }

  end(partition = 0): void {
    this.#policy.onEnd(admissionResults.ignored, 1, this.inFlight, 0, partition);
    this.inFlight--;
  }
}

function partitionedDoor({ limit, partitions }: PartitionInput) {
  const names = Object.keys(partitions);
  // The shares go in as text, which for doubles is exact.
  const shares = Object.values(partitions).join(', ');
  const values = { partitions: shares, limit: 'fixed', initialLimit: limit } as const;
  const door = new Door(partitioned.make(values, { rng: new Script() }));
  return {
    get inFlight() {
      return door.inFlight;
    },
    acquire: (name: string) => door.arrive(names.includes(name) ? names.indexOf(name) : names.length),
    release: (name: string) => {
      door.end(names.indexOf(name));
      return null;
    },
  };
}

/** What reaches a backend per second that accepts `capacity` of it and refuses the rest, once the throttle has settled: requests come
 *  evenly and are answered at once, and the throttle draws evenly spread numbers. */
function steadyRate(offered: number, capacity: number, k: number): number {
  const windowMs = 5000;
  let draw = 0;
  const golden = { ...latestProbe, below: (n: number) => Math.floor((draw = (draw + 0.6180339887498949) % 1) * n) };
  const policy = sreThrottle.make({ k, window: windowMs }, { rng: golden });
  const request: AdmissionRequest = { nowMs: 0, priority: 0, inFlight: 0, queued: 0, user: 0, partition: 0 };
  let sent = 0;
  let credit = 0;
  for (let i = 1; i <= SETTLING_WINDOWS * (windowMs / 1000) * offered; i++) {
    request.nowMs = (i * 1000) / offered;
    const isMeasured = request.nowMs > (SETTLING_WINDOWS - MEASURED_WINDOWS) * windowMs;
    credit = Math.min(capacity, credit + capacity / offered);
    if (!policy.admit(request)) continue;
    if (isMeasured) sent++;
    const isAccepted = credit >= 1;
    if (isAccepted) credit -= 1;
    policy.onEnd(isAccepted ? admissionResults.ok : admissionResults.dropped, 1, 1, request.nowMs, 0);
  }
  return (sent * 1000) / (MEASURED_WINDOWS * windowMs);
}
const SETTLING_WINDOWS = 8;
const MEASURED_WINDOWS = 3;
