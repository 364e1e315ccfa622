/** Kinds about what lies around a pick: priorities, panic, zones, slow start, subsets and apertures. */
import { type Balancer, NO_ENDPOINT } from '../../../src/policies/balancing/balancer.ts';
import { apertureIndices, apertureWeights, apertureWidth } from '../../../src/policies/balancing/deterministic-aperture.ts';
import { subsetPlace } from '../../../src/policies/balancing/deterministic-subset.ts';
import { EndpointSet } from '../../../src/policies/balancing/endpoint-set.ts';
import { roundRobin } from '../../../src/policies/balancing/index.ts';
import { ruleProbabilities } from '../../../src/policies/balancing/iptables-random.ts';
import { effectiveLocalityWeight, localityWeighted } from '../../../src/policies/balancing/locality-weighted.ts';
import {
  type PriorityHealth,
  priorityLoads,
  priorityOf,
  type PriorityWeights,
} from '../../../src/policies/balancing/parts/priority-loads.ts';
import { chooseZone, zoneRouting } from '../../../src/policies/balancing/parts/zone-routing.ts';
import { PriorityBalancer } from '../../../src/policies/balancing/priority.ts';
import { randomSubsetOf } from '../../../src/policies/balancing/random-subset.ts';
import { haproxySlowStartWeight, slowStartFactor } from '../../../src/policies/balancing/slow-start.ts';
import { judgeSuccessRates } from '../../../src/policies/detection/success-rate.ts';
import type { Rng } from '../../../src/core/rng.ts';
import { type Adapters, NotCovered } from '../vector-file.ts';
import { Script, Stage } from './stage.ts';

interface PriorityInput {
  readonly overprovisioningFactor: number;
  readonly panicThreshold: number;
  readonly priorities: readonly (PriorityHealth & Partial<PriorityWeights>)[];
}

const loadsOf = (input: PriorityInput) => priorityLoads(input.priorities, input.overprovisioningFactor, input.panicThreshold);

export const levelAdapters: Adapters = {
  'priority-load': loadsOf,
  'priority-load-weighted': loadsOf,

  'priority-choose': (input: {
    readonly healthyLoad: readonly number[];
    readonly degradedLoad?: readonly number[];
    readonly draws: readonly string[];
  }) => {
    const loads = { healthyLoad: input.healthyLoad, degradedLoad: input.degradedLoad ?? [], panic: [] };
    return { priorities: input.draws.map((draw) => priorityOf(Number(BigInt(draw) % 100n), loads) % input.healthyLoad.length) };
  },

  'panic-rr': (input: {
    readonly hosts: number;
    readonly panicThreshold?: number;
    readonly failTrafficOnPanic?: boolean;
    readonly steps: readonly { readonly healthy: readonly number[]; readonly picks: number }[];
  }) => {
    const values = {
      overprovisioningFactor: 140,
      healthyPanicThreshold: input.panicThreshold ?? 50,
      failTrafficOnPanic: input.failTrafficOnPanic ?? false,
      weightedPriorityHealth: false,
      inner: 'round-robin',
    };
    const balancer = new PriorityBalancer(values, () => roundRobin.make({}, { rng: zeros }), zeros);
    const stage = Stage.of(input.hosts);
    const picks: (number | null)[] = [];
    for (const { healthy, picks: count } of input.steps) {
      const hosts = Array.from({ length: input.hosts }, (_, host) => host);
      stage.setDown(hosts.filter((host) => !healthy.includes(host))).setHealth(healthy, 2);
      if (picks.length === 0) stage.bind(balancer);
      picks.push(...stage.picks(count).map((pick) => (pick === NO_ENDPOINT ? null : pick)));
    }
    return { picks, panicPicks: balancer.panicPicks };
  },

  'locality-wrr': (input: {
    readonly weights: readonly number[];
    readonly healthy: readonly number[];
    readonly total: readonly number[];
    readonly overprovisioningFactor: number;
    readonly seed: number;
    readonly count: number;
  }) => {
    const set = new EndpointSet();
    input.total.forEach((total, locality) => {
      for (let i = 0; i < total; i++) set.add(`${locality}/${i}`, { locality, health: i < input.healthy[locality] ? 2 : 0 }, 0);
    });
    const balancer: Balancer = localityWeighted.make(
      { weights: input.weights.join(), overprovisioningFactor: input.overprovisioningFactor },
      { rng: new Script(input.seed, ...input.weights.map(() => 0)) },
    );
    set.bind(balancer, 0);
    const context = { nowMs: 0, attempt: 0, previous: -1, hasHash: false, hashHigh: 0, hashLow: 0 };
    const picks = Array.from({ length: input.count }, () => set.table.locality[balancer.pick(context)]);
    return {
      picks,
      counts: input.weights.map((_, locality) => picks.filter((pick) => pick === locality).length),
      effectiveWeights: input.weights.map((weight, locality) =>
        effectiveLocalityWeight(weight, input.healthy[locality], input.total[locality], input.overprovisioningFactor),
      ),
    };
  },

  'zone-aware': (
    input: {
      readonly localHosts: Readonly<Record<string, number>>;
      readonly upstream: readonly { readonly zone: string; readonly hosts: number }[];
    },
    row,
  ) => {
    const clients = input.upstream.map(({ zone }) => input.localHosts[zone] ?? 0);
    const allClients = Object.values(input.localHosts).reduce((total, count) => total + count, 0);
    const routing = zoneRouting(
      clients,
      input.upstream.map(({ hosts }) => hosts),
      allClients,
    );
    const { draws } = row.expect as { readonly draws?: readonly { readonly r1: number; readonly r2: number | null }[] };
    return {
      ...routing,
      draws: draws?.map(({ r1, r2 }) => {
        const rng = new Script(r1, ...(r2 === null ? [] : [r2]));
        return { r1, r2, zone: chooseZone(routing, (n) => rng.below(n)) };
      }),
    };
  },

  'slow-start-factor': (input: {
    readonly elapsedMs: number;
    readonly windowMs: number;
    readonly aggression: number;
    readonly minWeightPercent: number;
  }) => ({ factor: slowStartFactor(input.elapsedMs, input.windowMs, input.aggression, input.minWeightPercent) }),

  'haproxy-slowstart': (input: {
    readonly uweight: number;
    readonly elapsedSeconds: number;
    readonly slowstartSeconds: number;
  }) => ({
    eweight: haproxySlowStartWeight(input.uweight, input.elapsedSeconds, input.slowstartSeconds),
  }),

  'random-subsetting': (input: {
    readonly seed: string;
    readonly subsetSize: number;
    readonly keys: readonly string[];
    readonly names: readonly string[];
  }) => ({ subset: randomSubsetOf(input.keys, Number(input.seed), input.subsetSize).map((i) => input.names[i]) }),

  'sre-subsetting': (input: {
    readonly backends: number;
    readonly subsetSize: number;
    readonly shuffledByRound: readonly (readonly number[])[];
    readonly clients: number;
  }) => {
    const subsets = Array.from({ length: input.clients }, (_, client) => {
      const { round, from } = subsetPlace(input.backends, input.subsetSize, client);
      return input.shuffledByRound[round].slice(from, from + input.subsetSize);
    });
    const connections = Array.from(
      { length: input.backends },
      (_, backend) => subsets.filter((subset) => subset.includes(backend)).length,
    );
    return { subsets, connectionsPerBackendMinMax: [Math.min(...connections), Math.max(...connections)] };
  },

  'daperture-width': (input: { readonly clients: number; readonly servers: number; readonly logicalAperture: number }) => ({
    width: apertureWidth(input.clients, input.servers, input.logicalAperture),
  }),

  'aperture-ring': (input: { readonly size: number; readonly offset: number; readonly width: number }) => ({
    indices: apertureIndices(input.size, input.offset, input.width),
  }),

  'weighted-aperture': (input: {
    readonly weights: readonly number[];
    readonly instanceId: number;
    readonly totalInstances: number;
    readonly minDeterministicAperture: number;
  }) => {
    const aperture = Math.min(input.minDeterministicAperture, input.weights.length);
    const width = apertureWidth(input.totalInstances, input.weights.length, aperture);
    const weights = apertureWeights(input.weights, input.instanceId / input.totalInstances, width);
    return {
      indices: weights.flatMap((weight, index) => (weight > 0 ? [index] : [])),
      weights,
      sum: weights.reduce((total, weight) => total + weight, 0),
    };
  },

  'iptables-probabilities': (input: { readonly endpoints: number }) => {
    const printed = ruleProbabilities(input.endpoints);
    // What reaches the last rule is what every endpoint gets.
    const overall = printed.reduce((left, probability) => left * (1 - Number(probability ?? 0)), 1);
    return { ruleProbabilities: printed, overall };
  },

  'outlier-success-rate': (input: { readonly successRates: readonly number[]; readonly stdevFactor: number }) =>
    judgeSuccessRates(input.successRates, input.stdevFactor),

  'config-defaults': () => {
    throw new NotCovered('states preconditions in words');
  },
};

const zeros: Rng = { next: () => 0, uint32: () => 0, below: () => 0 };
