/** Kinds about choosing by load: random, two choices, least request, least connections, and the virtual server's schedulers. */
import { type Balancer, type Health, healthStates, type LoadReport } from '../../../src/policies/balancing/balancer.ts';
import { joinIdleQueue, leastConnections, leastRequest, p2c, random } from '../../../src/policies/balancing/index.ts';
import { haproxyLeastconnKey } from '../../../src/policies/balancing/least-connections.ts';
import { anotherIndex } from '../../../src/policies/balancing/parts/distinct-pair.ts';
import { leastOverhead, neverQueue, shortestExpectedDelay } from '../../../src/policies/balancing/parts/ipvs-overhead.ts';
import { WeightedTwoChoices } from '../../../src/policies/balancing/weighted-p2c.ts';
import { type Adapters, NotCovered } from '../vector-file.ts';
import { distribution, Script, Stage } from './stage.ts';

export const choiceAdapters: Adapters = {
  'least-request': (input: {
    readonly algorithm: string;
    readonly choiceCount?: number;
    readonly active: readonly number[];
    readonly randoms: readonly number[];
  }) => {
    // Envoy chooses the priority with the first number, which is not the balancer's business here; ours seeds its schedule first.
    const forPriority = input.algorithm.startsWith('envoy') ? 1 : 0;
    const rng = new Script(0, ...input.randoms.slice(forPriority));
    const selectionMethod = input.algorithm === 'envoy-full-scan' ? 'full-scan' : 'n-choices';
    const balancer = leastRequest.make({ choiceCount: input.choiceCount ?? 2, selectionMethod }, { rng });
    const pick = Stage.of(input.active.length).setActive(input.active).bind(balancer).pick();
    return { pick, randomsConsumed: rng.used - 1 + forPriority };
  },

  probability: (input: {
    readonly algorithm: string;
    readonly n?: number;
    readonly d?: number;
    readonly active?: readonly number[];
  }) => {
    const active = input.active ?? Array.from({ length: input.n! }, (_, rank) => rank);
    const probabilities = distribution(active.length, (rng) => {
      const stage = Stage.of(active.length).setActive(active);
      // A schedule's seed would be drawn once more, to no effect: weights are equal.
      const draws = { ...rng, below: (n: number) => (n > 1_000_000 ? 0 : rng.below(n)) };
      return stage.bind(chooser(input.algorithm, input.d, draws)).pick();
    });
    return { probabilities, probabilitiesByLoadRank: probabilities };
  },

  'p2c-indices': (input: { readonly n: number; readonly draws: readonly (readonly [number, number])[] }) => ({
    pairs: input.draws.map(([first, second]) => [first, anotherIndex(new Script(second), input.n, first)]),
    picks: input.draws.map((draws) =>
      Stage.of(input.n)
        .bind(p2c.make({}, { rng: new Script(...draws) }))
        .pick(),
    ),
  }),

  'p2c-status': (input: Readonly<Record<'a' | 'b', { readonly status: string; readonly load: number }>>) => {
    const health: Readonly<Record<string, Health>> = {
      open: healthStates.healthy,
      busy: healthStates.degraded,
      closed: healthStates.unhealthy,
    };
    const stage = Stage.of(2).setActive([input.a.load, input.b.load]);
    const { table, everyone } = stage.set.view;
    table.health.set([health[input.a.status], health[input.b.status]]);
    const balancer = p2c.make({}, { rng: new Script(0, 0) });
    balancer.update({ table, members: everyone, count: 2, everyone, everyoneCount: 2 }, 0);
    return { pick: balancer.pick(stage.context) === 0 ? 'a' : 'b' };
  },

  'random-index': (input: { readonly hosts: number; readonly draws: readonly number[] }) => ({
    picks: Stage.of(input.hosts)
      .bind(random.make({}, { rng: new Script(...input.draws) }))
      .picks(input.draws.length),
  }),

  'least-conn-sequence': (input: LeastConnInput & { readonly count: number }) => ({
    picks: leastConnStage(input).picks(input.count),
  }),

  'least-conn-pick': (input: LeastConnInput) => ({ pick: leastConnStage(input).pick() }),

  'haproxy-leastconn-key': (input: { readonly inflight: number; readonly weight: number }) => ({
    key: haproxyLeastconnKey(input.inflight, input.weight),
  }),

  'ipvs-least': (input: {
    readonly scheduler: string;
    readonly dests: readonly { readonly active: number; readonly inactive: number; readonly weight: number }[];
  }) => {
    const members = Int32Array.from(input.dests.keys());
    const active = Uint32Array.from(input.dests, (dest) => dest.active);
    const inactive = Uint32Array.from(input.dests, (dest) => dest.inactive);
    const weights = Float64Array.from(input.dests, (dest) => dest.weight);
    switch (input.scheduler) {
      case 'wlc':
        return { pick: leastOverhead(members, members.length, active, inactive, weights) };
      case 'lc':
        return { pick: leastOverhead(members, members.length, active, inactive, weights.map(Math.sign)) };
      case 'sed':
        return { pick: shortestExpectedDelay(members, members.length, active, weights) };
      case 'nq':
        return { pick: neverQueue(members, members.length, active, weights) };
      default:
        throw new NotCovered(input.scheduler);
    }
  },

  'ipvs-twos': (input: {
    readonly weights: readonly number[];
    readonly active: readonly number[];
    readonly inactive: readonly number[];
    readonly draws: readonly (readonly [number, number])[];
  }) => {
    const { view } = new Stage(input.weights).setActive(input.active).set;
    const inactive = new Uint32Array(view.table.active.length);
    inactive.set(input.inactive);
    return {
      picks: input.draws.map((draws) => {
        const balancer = new WeightedTwoChoices(new Script(...draws));
        balancer.update(view, 0, inactive);
        return balancer.pick();
      }),
    };
  },

  jiq: (input: {
    readonly servers: number;
    readonly ops: readonly { readonly op: string; readonly server?: number; readonly draw?: number }[];
  }) => {
    const rng = new Script(...input.ops.flatMap(({ draw }) => (draw === undefined ? [] : [draw])));
    const balancer = joinIdleQueue.make({ idleFrom: 'reports' }, { rng });
    const stage = Stage.of(input.servers).bind(balancer);
    const picks: number[] = [];
    for (const { op, server } of input.ops) {
      if (op === 'arrive') picks.push(stage.pick());
      else if (op === 'idle') balancer.onReport!(server!, 0, { ...emptyReport, inFlight: 0 });
      else throw new NotCovered(op);
    }
    return { picks };
  },
};

const emptyReport: LoadReport = {
  queriesPerSecond: 0,
  errorsPerSecond: 0,
  utilization: 0,
  inFlight: 0,
  queueLength: 0,
  latencyMs: 0,
  isProbe: false,
};

interface LeastConnInput {
  readonly algorithm: string;
  readonly weights: readonly number[];
  readonly conns: readonly number[];
}

function leastConnStage(input: LeastConnInput): Stage {
  const variants = { 'nginx-least-conn': 'nginx', 'haproxy-leastconn': 'haproxy', 'ipvs-wlc': 'ipvs' } as const;
  const variant = variants[input.algorithm as keyof typeof variants];
  if (variant === undefined) throw new NotCovered(input.algorithm);
  return new Stage(input.weights).setActive(input.conns).bind(leastConnections.make({ variant }, { rng: new Script() }));
}

function chooser(
  algorithm: string,
  choiceCount: number | undefined,
  rng: Script | Parameters<typeof p2c.make>[1]['rng'],
): Balancer {
  switch (algorithm) {
    case 'n-choices-with-replacement':
      return leastRequest.make({ choiceCount: choiceCount! }, { rng });
    case 'envoy-full-scan':
      return leastRequest.make({ selectionMethod: 'full-scan' }, { rng });
    case 'p2c-distinct':
      return p2c.make({}, { rng });
    default:
      throw new NotCovered(algorithm);
  }
}
