/** Kinds about measured latency: moving averages and what is made of them. */
import { c3Rank } from '../../../src/policies/balancing/c3.ts';
import { leastTimeAverage, leastTimeEta } from '../../../src/policies/balancing/least-time.ts';
import { cubicRate } from '../../../src/policies/balancing/parts/cubic-rate.ts';
import { DecayingAverages } from '../../../src/policies/balancing/parts/decaying-averages.ts';
import { ProbePool } from '../../../src/policies/balancing/parts/probe-pool.ts';
import { PeakEwmaLoad } from '../../../src/policies/balancing/peak-ewma.ts';
import { reuseBudget } from '../../../src/policies/balancing/prequal.ts';
import { type Adapters, NotCovered } from '../vector-file.ts';

export const latencyAdapters: Adapters = {
  'ewma-script': (input: {
    readonly algorithm: string;
    readonly decayS?: number;
    readonly window?: number;
    readonly initial?: number;
    readonly ops: readonly { readonly op: string; readonly v?: number; readonly t?: number }[];
  }) => {
    const averages = new DecayingAverages(input.decayS ?? input.window!);
    averages.ensure(1);
    averages.set(0, input.initial ?? Infinity, 0);
    const values: number[] = [];
    for (const { op, v, t } of input.ops) {
      if (op === 'add') averages.add(0, v!, t!);
      else if (op === 'addPeak') averages.addPeak(0, v!, t!);
      else if (op === 'get') values.push(averages.get(0));
      else if (op === 'getAt') values.push(averages.getAt(0, t!));
      else throw new NotCovered(op);
    }
    return { values };
  },

  'peak-ewma-script': (input: {
    readonly algorithm: string;
    readonly defaultRttMs?: number;
    readonly decayMs: number;
    readonly ops: readonly { readonly t: number; readonly op: string; readonly id?: number }[];
  }) => {
    const load = peakEwmaLoad(input.algorithm, input.defaultRttMs ?? 0, input.decayMs);
    load.start(0, input.ops[0]?.t ?? 0);
    const startedMs = new Map<number, number>();
    const costsMs: number[] = [];
    for (const { t, op, id } of input.ops) {
      if (op === 'load') {
        costsMs.push(load.cost(0, startedMs.size, t));
      } else if (op === 'start') {
        startedMs.set(id!, t);
      } else if (op === 'end') {
        load.observe(0, t - startedMs.get(id!)!, t);
        startedMs.delete(id!);
      } else {
        throw new NotCovered(op);
      }
    }
    return { costsMs };
  },

  'peak-ewma-cost': (input: {
    readonly algorithm: string;
    readonly defaultRttMs?: number;
    readonly cases: readonly { readonly ewma: number; readonly pending: number }[];
  }) => ({
    costs: input.cases.map(({ ewma, pending }) => {
      const load = peakEwmaLoad(input.algorithm, input.defaultRttMs ?? 0, 10_000);
      load.start(0, 0);
      if (ewma > 0) load.observe(0, ewma, 1);
      return load.cost(0, pending, 1);
    }),
  }),

  'least-time-eta': (input: { readonly avgResponseMs: number; readonly conns: number }) => ({
    eta: leastTimeEta(input.avgResponseMs, input.conns),
  }),

  'least-time-average': (input: { readonly samples: readonly number[] }) => {
    let average = 0;
    return { averages: input.samples.map((sample) => (average = leastTimeAverage(average, sample))) };
  },

  'c3-rank': (input: {
    readonly clients: number;
    readonly queueEwma: number;
    readonly responseEwmaMs: number;
    readonly serviceMs: number;
    readonly outstanding: number;
  }) => ({ rank: c3Rank(input.responseEwmaMs, input.serviceMs, input.queueEwma, input.outstanding, input.clients) }),

  'c3-rate': (input: { readonly rMax: number; readonly sinceDecreaseMs: number; readonly beta: number; readonly C: number }) => ({
    rate: cubicRate(input.rMax, input.sinceDecreaseMs, input.beta, input.C),
  }),

  'prequal-select': (input: {
    readonly thresholdRif: number | null;
    readonly entries: readonly ProbeEntry[];
    readonly queries: readonly { readonly exclude: readonly number[] }[];
  }) => {
    const pool = poolOf(input.entries);
    pool.setThreshold(input.thresholdRif ?? Infinity);
    return {
      picks: input.queries.map(({ exclude }) => {
        const index = pool.select(new Set(exclude));
        return index === -1 ? null : pool.slotAt(index);
      }),
    };
  },

  'prequal-pool': (input: { readonly capacity: number; readonly inserts: readonly ProbeEntry[] }) => ({
    replicas: replicas(poolOf(input.inserts, input.capacity)),
  }),

  'prequal-pool-consume': (input: { readonly entry: ProbeEntry; readonly uses: number }) => {
    const pool = poolOf([input.entry], 16, input.uses);
    pool.use(0);
    const rifAfterFirst = pool.inFlightAt(0);
    pool.use(0);
    return { rifAfterFirst, poolSizeAfterSecond: pool.count };
  },

  'prequal-pool-evict': (input: {
    readonly entries: readonly ProbeEntry[];
    readonly nowUs: number;
    readonly maxAgeUs: number;
    readonly thresholdRif: number | null;
  }) => {
    const pool = poolOf(input.entries);
    pool.expire(input.nowUs, input.maxAgeUs);
    const afterExpire = replicas(pool);
    pool.setThreshold(input.thresholdRif ?? Infinity);
    pool.removeWorst();
    return { afterExpire, afterRemoveWorst: replicas(pool) };
  },

  'prequal-reuse': (input: {
    readonly poolSize: number;
    readonly replicas: number;
    readonly rProbe: number;
    readonly rRemove: number;
    readonly delta: number;
  }) => ({ bReuse: reuseBudget(input.poolSize, input.replicas, input.rProbe, input.rRemove, input.delta) }),
};

interface ProbeEntry {
  readonly replica: number;
  readonly recvUs: number;
  readonly rif: number;
  readonly latencyUs: number;
}

/** The unit of time does not matter to the pool. */
function poolOf(entries: readonly ProbeEntry[], capacity = 16, uses = 2): ProbePool {
  const pool = new ProbePool(capacity);
  for (const { replica, recvUs, rif, latencyUs } of entries) pool.insert(replica, recvUs, rif, latencyUs, uses);
  return pool;
}

const replicas = (pool: ProbePool): number[] =>
  Array.from({ length: pool.count }, (_, index) => pool.slotAt(index)).sort((a, b) => a - b);

function peakEwmaLoad(algorithm: string, defaultRtt: number, decay: number): PeakEwmaLoad {
  const variant = algorithm.replace('-peak-ewma', '');
  if (variant !== 'tower' && variant !== 'finagle' && variant !== 'linkerd' && variant !== 'envoy')
    throw new NotCovered(algorithm);
  const load = new PeakEwmaLoad({ variant, decay, defaultRtt, penalty: 0 });
  load.ensure(1);
  return load;
}
