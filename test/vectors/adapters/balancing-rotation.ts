/** Kinds about turns: round robin in its weighted and unweighted forms. */
import { type Balancer, NO_ENDPOINT, outcomes } from '../../../src/policies/balancing/balancer.ts';
import {
  edfWeightedRoundRobin,
  fastWeightedRoundRobin,
  interleavedWeightedRoundRobin,
  leastRequest,
  resolveBalancer,
  roundRobin,
  staticWeightedRoundRobin,
  weightedRandom,
  weightedRoundRobin,
} from '../../../src/policies/balancing/index.ts';
import { medianWeight, weightOfReport } from '../../../src/policies/balancing/client-side-weighted-round-robin.ts';
import { EdfScheduler } from '../../../src/policies/balancing/parts/edf-scheduler.ts';
import { fallsBackToRotation, StaticStride, strides } from '../../../src/policies/balancing/parts/static-stride.ts';
import { type Adapters, NotCovered } from '../vector-file.ts';
import { Script, Stage } from './stage.ts';

interface WrrInput {
  readonly algorithm: string;
  readonly weights: readonly number[];
  readonly count: number;
  readonly down?: readonly number[];
  readonly seed?: number;
  readonly prePicks?: number | null;
  readonly activeRequestBias?: number;
}

export const rotationAdapters: Adapters = {
  'wrr-sequence': (input: WrrInput) => {
    if (input.prePicks === null) return { picks: unseededPicks(input) };
    const stage = new Stage(input.weights).setDown(input.down ?? []).bind(rotation(input));
    return { picks: stage.picks(input.count) };
  },

  'wrr-script': (
    input: WrrInput & {
      readonly slowStartFactors?: readonly number[];
      readonly ops: readonly {
        readonly op: string;
        readonly count?: number;
        readonly weights?: number[];
        readonly active?: number[];
      }[];
    },
  ) => {
    const factors = input.slowStartFactors ?? input.weights.map(() => 1);
    const stage = new Stage(input.weights.map((weight, i) => weight * factors[i]));
    if (!input.ops.some(({ op }) => op === 'build')) stage.bind(rotation(input));
    const picks: number[] = [];
    for (const { op, count, weights, active } of input.ops) {
      if (op === 'build') stage.bind(rotation(input));
      else if (op === 'pick') picks.push(...stage.picks(count!));
      else if (op === 'setWeights') stage.setWeights(weights!);
      else if (op === 'setActive') stage.setActive(active!);
      else throw new NotCovered(op);
    }
    return { picks };
  },

  'wrr-counts': (input: WrrInput) => {
    const counts = input.weights.map(() => 0);
    for (const pick of input.prePicks === null
      ? unseededPicks(input)
      : new Stage(input.weights).bind(rotation(input)).picks(input.count)) {
      counts[pick]++;
    }
    return { counts };
  },

  'wrr-first-picks': (input: Omit<WrrInput, 'prePicks'> & { readonly prePicks: readonly number[] }) => {
    const firstPicks = input.prePicks.map((prePicks) => new Stage(input.weights).bind(rotation({ ...input, prePicks })).pick());
    const counts = input.weights.map((_, slot) => firstPicks.filter((pick) => pick === slot).length);
    return { firstPicks, counts };
  },

  'weighted-random': (input: { readonly weights: readonly number[]; readonly draws: readonly number[] }) => ({
    picks: new Stage(input.weights).bind(weightedRandom.make({}, { rng: new Script(...input.draws) })).picks(input.draws.length),
  }),

  'static-stride': (input: {
    readonly weights: readonly number[];
    readonly maxRatio: number | null;
    readonly minRatio: number | null;
    readonly firstSequence: number;
    readonly count: number;
  }) => {
    const scaledWeights = strides(input.weights, { maxRatio: input.maxRatio ?? Infinity, minRatio: input.minRatio ?? 0 });
    const scheduler = new StaticStride(input.firstSequence);
    scheduler.setStrides(scaledWeights);
    const picks: number[] = [];
    const sequenceAfter: number[] = [];
    const counts = input.weights.map(() => 0);
    for (let i = 0; i < input.count; i++) {
      picks.push(scheduler.pick());
      sequenceAfter.push(scheduler.sequence);
      counts[picks[i]]++;
    }
    return { scaledWeights, picks, counts, sequenceAfter };
  },

  'static-stride-fallback': (input: { readonly weights: readonly number[] }) => ({
    scheduler: fallsBackToRotation(input.weights, 'go') ? 'round_robin' : 'static_stride',
  }),

  'orca-weight': (input: {
    readonly qps: number;
    readonly eps: number;
    readonly utilization: number;
    readonly errorUtilizationPenalty: number;
  }) => ({ weight: weightOfReport(input.qps, input.eps, input.utilization, input.errorUtilizationPenalty) }),

  'orca-default-weight': (input: { readonly cases: readonly (readonly (number | null)[])[] }) => ({
    defaults: input.cases.map((weights) => medianWeight(weights.map((weight) => weight ?? 0))),
  }),

  'rr-script': (input: {
    readonly hosts: number;
    readonly seed: number;
    readonly ops: readonly { readonly op: string; readonly count?: number; readonly hosts?: number }[];
  }) => {
    const stage = Stage.of(input.hosts).bind(roundRobin.make({}, { rng: new Script(input.seed) }));
    const picks: number[] = [];
    for (const { op, count, hosts } of input.ops) {
      if (op === 'pick') picks.push(...stage.picks(count!));
      else if (op === 'setHosts') setHosts(stage, hosts!);
      else throw new NotCovered(op);
    }
    return { picks };
  },

  'passive-health': (input: {
    readonly algorithm: string;
    readonly weights: readonly number[];
    readonly maxFails: number;
    readonly failTimeoutMs: number;
    readonly peer0FailsEvery: number;
    readonly requests: number;
  }) => {
    if (input.algorithm !== 'nginx-smooth-wrr') throw new NotCovered(input.algorithm);
    const balancer = weightedRoundRobin.make(
      { maxFails: input.maxFails, failTimeout: input.failTimeoutMs },
      { rng: new Script() },
    );
    const stage = new Stage(input.weights).bind(balancer);
    const answeredBy = input.weights.map(() => 0);
    let receivedBy0 = 0;
    for (let request = 0; request < input.requests; request++) {
      stage.context.nowMs = request;
      let slot = stage.pick();
      while (slot === 0 && ++receivedBy0 % input.peer0FailsEvery === 0) {
        balancer.onEnd!(slot, request, 0, outcomes.error);
        // nginx leaves out the peers a request has tried.
        slot = pickWithout(stage, slot);
      }
      balancer.onEnd!(slot, request, 0, outcomes.ok);
      answeredBy[slot]++;
    }
    return { answeredBy };
  },

  'empty-hosts': (input: { readonly policies: readonly string[] }) => {
    const picks = input.policies.map((name) => {
      const found = resolveBalancer(name);
      if (found.kind !== 'found') throw new NotCovered(name);
      return Stage.of(0)
        .bind(found.policy.make({}, { rng: new Script(0) }))
        .pick();
    });
    return { pick: picks.every((pick) => pick === NO_ENDPOINT) ? null : picks };
  },
};

function rotation(input: WrrInput): Balancer {
  switch (input.algorithm) {
    case 'envoy-rr':
      return roundRobin.make({}, { rng: new Script(input.seed ?? 0) });
    case 'nginx-smooth-wrr':
      return weightedRoundRobin.make({}, { rng: new Script() });
    case 'envoy-edf':
      return edfWeightedRoundRobin.make({}, { rng: new Script(input.prePicks ?? 0) });
    case 'haproxy-roundrobin':
      return fastWeightedRoundRobin.make({}, { rng: new Script() });
    case 'haproxy-static-rr':
      return staticWeightedRoundRobin.make({}, { rng: new Script() });
    case 'ipvs-wrr':
      return interleavedWeightedRoundRobin.make({}, { rng: new Script() });
    case 'envoy-weighted-least-request':
      return leastRequest.make({ activeRequestBias: input.activeRequestBias ?? 1 }, { rng: new Script(input.prePicks ?? 0) });
    default:
      throw new NotCovered(input.algorithm);
  }
}

/** A schedule filled by adding, without a seed. */
function unseededPicks(input: WrrInput): number[] {
  if (input.algorithm !== 'envoy-edf') throw new NotCovered(input.algorithm);
  const schedule = new EdfScheduler();
  input.weights.forEach((weight, slot) => schedule.add(slot, weight));
  return Array.from({ length: input.count }, () => {
    const slot = schedule.next();
    schedule.advance(input.weights[slot]);
    return slot;
  });
}

function setHosts(stage: Stage, hosts: number): void {
  stage.set.batch(0, () => {
    for (let i = stage.set.view.everyoneCount; i < hosts; i++) stage.set.add(`endpoint-${i}`, {}, 0);
    for (let i = stage.set.view.everyoneCount - 1; i >= hosts; i--) stage.set.remove(i, 0);
  });
}

function pickWithout(stage: Stage, slot: number): number {
  stage.setDown([slot]);
  const other = stage.pick();
  stage.setHealth([slot], 2);
  return other;
}
