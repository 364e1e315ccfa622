/** Kinds about measured latency: moving averages and what is made of them. */
import { DecayingAverages } from '../../../src/policies/balancing/parts/decaying-averages.ts';
import { PeakEwmaLoad } from '../../../src/policies/balancing/peak-ewma.ts';
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
};

function peakEwmaLoad(algorithm: string, defaultRtt: number, decay: number): PeakEwmaLoad {
  const variant = algorithm.replace('-peak-ewma', '');
  if (variant !== 'tower' && variant !== 'finagle' && variant !== 'linkerd' && variant !== 'envoy')
    throw new NotCovered(algorithm);
  const load = new PeakEwmaLoad({ variant, decay, defaultRtt, penalty: 0 });
  load.ensure(1);
  return load;
}
