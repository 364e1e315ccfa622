/** Kinds about metastable failures: thresholds, the fluid model of queue and orbit, its exact chain. */
import { linearLatencyLimits } from '../../../src/stats/metastable/linear-latency.ts';
import { cachedCapacity } from '../../../src/stats/metastable/look-aside-cache.ts';
import {
  balancingTimeoutProbability,
  drift,
  type QueueAndOrbit,
  saddle,
  timeoutProbability,
} from '../../../src/stats/metastable/queue-and-orbit.ts';
import { solveQueueOrbit } from '../../../src/stats/metastable/queue-orbit-chain.ts';
import { loadState, stableBelow, stableCapacity, triggerOverloads } from '../../../src/stats/metastable/thresholds.ts';
import { type Adapters, NotCovered } from '../vector-file.ts';

export const metastableAdapters: Adapters = {
  'metastable.classify': (input: {
    readonly capacityQps: number;
    readonly maxRetries: number;
    readonly budgetRatio?: number;
    readonly offeredQps: readonly number[];
  }) => {
    const limits = {
      stableBelow: stableBelow(input.capacityQps, input.maxRetries, input.budgetRatio),
      capacity: input.capacityQps,
    };
    return {
      state: input.offeredQps.map((load) => loadState(load, limits)),
      stableBelowQps: limits.stableBelow,
      vulnerableRangeQps: [limits.stableBelow, limits.capacity],
    };
  },

  'metastable.threshold': (input: Rows<{ readonly capacity: number; readonly maxRetries: number }>) => ({
    stableBelow: input.rows.map(({ capacity, maxRetries }) => stableBelow(capacity, maxRetries)),
  }),

  'metastable.threshold.budget': (
    input: Rows<{ readonly capacity: number; readonly maxRetries: number; readonly budgetRatio: number }>,
  ) => ({
    stableBelow: input.rows.map(({ capacity, maxRetries, budgetRatio }) => stableBelow(capacity, maxRetries, budgetRatio)),
  }),

  'metastable.stableCapacity': (
    input: Rows<{ readonly normalCapacity: number; readonly loadAmplification: number; readonly capacityDegradation: number }>,
  ) => ({
    stableCapacity: input.rows.map((row) => stableCapacity(row.normalCapacity, row.loadAmplification, row.capacityDegradation)),
  }),

  'metastable.triggerThreshold': (input: Rows<Parameters<typeof triggerOverloads>[0]>) => ({
    overloaded: input.rows.map(triggerOverloads),
  }),

  'metastable.cache': (input: {
    readonly dbCapacityQps: number;
    readonly hitRate: number;
    readonly offeredQps: readonly number[];
  }) => {
    const { advertised, hidden, amplification } = cachedCapacity(input.dbCapacityQps, input.hitRate);
    return {
      advertisedCapacityQps: advertised,
      hiddenCapacityQps: hidden,
      amplification,
      state: input.offeredQps.map((load) => loadState(load, { stableBelow: hidden, capacity: advertised })),
    };
  },

  'metastable.linearLatency': (input: Parameters<typeof linearLatencyLimits>[0] & { readonly offeredRps: readonly number[] }) => {
    const limits = linearLatencyLimits(input);
    return {
      ...limits,
      state: input.offeredRps.map((load) =>
        loadState(load, { stableBelow: limits.stableBelowRps, capacity: limits.vulnerableBelowRps }),
      ),
    };
  },

  'metastable.timeoutProbability': (input: {
    readonly mu: number;
    readonly threads: number;
    readonly rows: readonly { readonly queue: number; readonly timeout: number }[];
  }) => ({
    probability: input.rows.map(({ queue, timeout }) =>
      timeoutProbability(queue, { serviceRate: input.mu, timeout, threads: input.threads }),
    ),
  }),

  'metastable.drift': (input: Rows<Flow & { readonly queue: number; readonly orbit: number }>) => {
    const drifts = input.rows.map((row) => drift(model(row), row.queue, row.orbit));
    return { dQueue: drifts.map(({ queue }) => queue), dOrbit: drifts.map(({ orbit }) => orbit) };
  },

  'metastable.saddle': (input: Rows<Flow>) => {
    const models = input.rows.map(model);
    return {
      tau: models.map(balancingTimeoutProbability),
      queue: models.map((each) => saddle(each)?.queue ?? null),
      orbit: models.map((each) => saddle(each)?.orbit ?? null),
    };
  },

  'metastable.ctmc': (
    input: Flow & {
      readonly queueSize: number;
      readonly orbitSize: number;
      readonly alpha: number;
      readonly retryWhenFull: boolean;
    },
    row,
  ) => {
    const { queueSize, orbitSize, alpha, retryWhenFull } = input;
    const solution = solveQueueOrbit({ ...model(input), queueSize, orbitSize, alpha, retryWhenFull });
    // A row says null for a time that it gives as a logarithm only.
    const expected = row.expect as Readonly<Record<string, number | null>>;
    return Object.fromEntries(Object.entries(solution).map(([name, value]) => [name, expected[name] === null ? null : value]));
  },

  'metastable.survey': () => {
    throw new NotCovered('informs about incidents; there is nothing to run');
  },
};

interface Rows<T> {
  readonly rows: readonly T[];
}

interface Flow {
  readonly lambda: number;
  readonly mu: number;
  readonly timeout: number;
  readonly retries: number;
  readonly threads?: number;
}

const model = ({ lambda, mu, timeout, retries, threads }: Flow): QueueAndOrbit => ({
  arrivalRate: lambda,
  serviceRate: mu,
  timeout,
  retries,
  ...(threads === undefined ? {} : { threads }),
});
