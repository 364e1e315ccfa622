/** Random small worlds with everything in them: services that call others in sequence, in parallel and by chance, through caches,
 *  connections and proxies; queues of messages; users; every family of policies; faults on everything. Nobody would write such a scenario:
 *  they are for properties that must hold in all of them. */
import fc from 'fast-check';
import type { DistributionSpec } from '../../src/core/distribution-spec.ts';
import { admissions } from '../../src/policies/resilience/admission/index.ts';
import { balancers } from '../../src/policies/balancing/index.ts';
import { breakers } from '../../src/policies/resilience/breakers/index.ts';
import { retryBudgets } from '../../src/policies/resilience/budgets/index.ts';
import { healthCheckers } from '../../src/policies/detection/checks/index.ts';
import { heartbeat } from '../../src/policies/detection/heartbeat.ts';
import { outlierDetectors } from '../../src/policies/detection/outliers/index.ts';
import { discoveryClients } from '../../src/policies/discovery/index.ts';
import { registries } from '../../src/policies/discovery/registries/index.ts';
import { restartPolicies } from '../../src/policies/recovery/restarts/index.ts';
import { hedges } from '../../src/policies/resilience/hedging/index.ts';
import { queuePolicies } from '../../src/policies/resilience/queueing/index.ts';
import { retriable, retryPolicies } from '../../src/policies/resilience/retries/index.ts';
import type { EdgeMakers, ServiceMakers } from '../../src/scenario/makers.ts';
import {
  type ArrivalSpec,
  type CacheSpec,
  type CallSpec,
  type EdgeSpec,
  type FaultEffect,
  type FaultSchedule,
  fallbackResults,
  type FaultSpec,
  type LinkSpec,
  type NetworkSpec,
  type NodeGroupSpec,
  type PoolSpec,
  type QueueSpec,
  type RateCurveSpec,
  type ServiceSpec,
  type StepSpec,
  type TrafficSpec,
  type ViewSpec,
} from '../../src/scenario/spec.ts';
import {
  clusterMakers,
  elasticMakers,
  elasticSpec,
  failoverMaker,
  nodeFault,
  nodeGroups,
  randomPipeline,
} from './random-elastic.ts';
import { plainElastic } from './elastic-spec.ts';
import { buildWorld, constant, type PlaySetup, steady, type World } from './world-builder.ts';

export interface RandomWorld {
  readonly world: World;
  readonly setup: PlaySetup;
}

type Generator = fc.GeneratorValue;
/** A thing of a list; things named twice come twice as often. */
const one = <T>(g: Generator, ...things: readonly T[]): T => g(fc.constantFrom<T[]>, ...things);
const several = <T>(g: Generator, things: readonly T[], minLength = 0): T[] => g(fc.subarray<T>, [...things], { minLength });
const count = (g: Generator, min: number, max: number): number => g(fc.integer, { min, max });
const maybe = (g: Generator): boolean => g(fc.boolean);

const DURATION_MS = 400;
const zones = ['a', 'b', 'c'] as const;
const zero = constant(0);

export const randomWorld: fc.Arbitrary<RandomWorld> = fc.gen().map((g) => new Builder(g).build());
/** And instances come and go. */
export const elasticWorld: fc.Arbitrary<RandomWorld> = fc.gen().map((g) => new Builder(g, true).build());

class Builder {
  private readonly g: Generator;
  private readonly classes: number;
  private readonly services: ServiceSpec[];
  private readonly edges: EdgeSpec[];
  private readonly queues: QueueSpec[];
  /** By service, fixed before its calls are made. */
  private readonly sizes: number[];

  private readonly nodes: NodeGroupSpec[];
  private readonly isElastic: boolean;

  constructor(g: Generator, isElastic = false) {
    this.g = g;
    this.isElastic = isElastic;
    this.nodes = isElastic && maybe(g) ? nodeGroups(g) : [];
    this.classes = one(g, 1, 1, 3);
    this.services = [];
    this.edges = [];
    this.queues = [];
    this.sizes = Array.from({ length: count(g, 1, 4) }, () => count(g, 1, 4));
  }

  build(): RandomWorld {
    const { g } = this;
    const traffic = Array.from({ length: count(g, 1, 2) }, (_, number) => this.traffic(number));
    this.sizes.forEach((_, service) => this.services.push(this.service(service)));
    const base = buildWorld({ durationMs: DURATION_MS });
    const world: World = {
      ...base,
      run: { ...base.run, warmupMs: one(g, 0, 0, 150), windowMs: one(g, 60, 170, 5000) },
      classes: Array.from({ length: this.classes }, (_, n) => ({
        name: `c${n}`,
        priority: (n * 2) % 3,
        tenant: one(g, '', 'x', 'y'),
      })),
      services: this.services,
      edges: this.edges,
      queues: this.queues,
      nodes: this.nodes,
      ...(this.isElastic ? { pipeline: randomPipeline(g) } : {}),
      traffic,
      network: one(g, ...networks),
      faults: Array.from({ length: count(g, 0, 4) }, () => this.fault()),
      views: this.views(),
    };
    const edges = this.edges.map(() => ({ ...edgeMakers(g), ...(this.isElastic ? failoverMaker(g) : {}) }));
    const services = this.services.map(() => ({
      ...serviceMakers(g),
      ...(this.isElastic ? elasticMakers(g, this.nodes.length > 0) : {}),
    }));
    const cluster = this.nodes.length > 0 ? clusterMakers(g) : {};
    return { world, setup: { seed: `swarm:${count(g, 0, 1e6)}`, edges, services, cluster } };
  }

  private traffic(number: number): TrafficSpec {
    const { g } = this;
    const edge = this.edge(`t${number}`, -1, count(g, 0, this.sizes.length - 1));
    const shares = Array.from({ length: this.classes }, (_, cls) => ({ class: cls, share: 1 / this.classes }));
    return {
      name: `t${number}`,
      edge,
      arrivals: one<() => ArrivalSpec>(
        g,
        () => openLoop(g),
        () => openLoop(g),
        () => users(g),
      )(),
      profile: one<RateCurveSpec>(g, steady, pulses),
      mix: shares,
      ...(maybe(g) ? { keys: { count: 20, exponent: 1 } } : {}),
      ...(one(g, false, false, true) ? { userRetries: { max: count(g, 1, 3), after: law(g, 10) } } : {}),
    };
  }

  private service(number: number): ServiceSpec {
    const { g } = this;
    const isLast = number === this.sizes.length - 1;
    return {
      name: `s${number}`,
      instances: Array.from({ length: this.sizes[number] }, () => ({
        zone: one(g, ...zones),
        speed: one(g, 1, 1, 0.5, 2),
        weight: one(g, 1, 1, 3, 0),
        priority: one(g, 0, 0, 1),
      })),
      slots: one(g, 1, 2, 8),
      queueLimit: one(g, 0, 3, 50, Infinity),
      discipline: one(g, 'fifo', 'fifo', 'lifo', 'processor-sharing'),
      work: law(g, one(g, 0, 1, 4, 15)),
      workByClass: maybe(g) ? [] : Array.from({ length: this.classes }, () => (maybe(g) ? null : law(g, 3))),
      steps: isLast ? [] : this.steps(number, 3),
      holdsSlot: maybe(g),
      dropsExpired: maybe(g),
      policies: {},
      elastic: this.isElastic ? elasticSpec(g) : plainElastic,
      startupMs: one(g, 0, 0, 60),
      coldStart: { forMs: one(g, 0, 100), factor: one(g, 1, 3, 0.5) },
      cancelAbandoned: maybe(g),
    };
  }

  private steps(service: number, most: number): StepSpec[] {
    return Array.from({ length: count(this.g, 0, most) }, () => this.step(service));
  }

  private step(service: number): StepSpec {
    const { g } = this;
    switch (one(g, 'calls', 'calls', 'calls', 'work', 'branch', 'publish')) {
      case 'work':
        return { type: 'work', work: law(g, one(g, 0, 2)) };
      case 'branch': {
        const branches = [0.6, 0.4].map((share) => ({ share, steps: this.steps(service, 1) }));
        return { type: 'branch', branches: one(g, branches, branches.slice(1)) };
      }
      case 'publish':
        return { type: 'publish', edge: this.queueFrom(service) };
      default: {
        const calls = Array.from({ length: count(g, 1, 2) }, () => this.call(service));
        return { type: 'calls', calls, wait: one(g, Infinity, Infinity, 1, 2) };
      }
    }
  }

  private call(service: number): CallSpec {
    const { g } = this;
    return {
      edge: this.edge(`e${this.edges.length}`, service, count(g, service + 1, this.sizes.length - 1)),
      copies: one(g, 1, 1, 2, 3),
      optional: one(g, false, false, true),
      classes: one(g, [], [], [0]),
      ...(maybe(g) ? {} : { cache: cache(g) }),
    };
  }

  /** Its messages are taken by a later service, so that nothing goes round in circles. */
  private queueFrom(service: number): number {
    const { g } = this;
    const consumer = count(g, service + 1, this.sizes.length - 1);
    const queue = this.queues.length;
    const published = this.plainEdge(`->q${queue}`, service, consumer, queue);
    const edge = this.plainEdge(`q${queue}->`, -2, consumer, queue);
    this.queues.push({
      name: `q${queue}`,
      service: consumer,
      edge,
      visibilityMs: one(g, 5, 50, Infinity),
      maxReceives: one(g, 1, 3),
      capacity: one(g, 3, 100, Infinity),
    });
    return published;
  }

  private plainEdge(name: string, caller: number, service: number, queue: number): number {
    const [edge] = buildWorld({}).edges;
    return this.edges.push({ ...edge, name, caller, service, queue }) - 1;
  }

  private edge(name: string, caller: number, service: number): number {
    const { g } = this;
    const edge: EdgeSpec = {
      name,
      caller,
      service,
      queue: -1,
      balancers: caller >= 0 ? one(g, 0, 0, 1, 2) : one(g, 1, 3),
      balancerZones: several(g, zones, 1),
      timeoutMs: one(g, Infinity, 0.5, 20, 80),
      attemptTimeoutMs: one(g, Infinity, Infinity, 8, 25),
      propagatesDeadline: maybe(g),
      proxyLatency: one(g, zero, zero, constant(1), { type: 'exponential', mean: 0.5 } as const),
      ...(maybe(g) ? {} : { pool: pool(g) }),
      ...(one(g, true, true, false) ? {} : { fallback: { on: several(g, fallbackResults, 1), takesMs: one(g, 0, 3) } }),
      policies: {},
    };
    return this.edges.push(edge) - 1;
  }

  private fault(): FaultSpec {
    const { g } = this;
    const all = this.services.flatMap(({ instances }, service) => instances.map((_, instance) => ({ service, instance })));
    const link = this.link();
    const effect = one<FaultEffect>(
      g,
      { type: 'crash' },
      { type: 'crash' },
      { type: 'slow', factor: 5, requests: one(g, 1, 0.3) },
      { type: 'errors', share: 0.3 },
      { type: 'pause' },
      { type: 'hang', heartbeats: maybe(g) },
      { type: 'drop-responses', share: one(g, 1, 0.2) },
      { type: 'memory-leak', fillsMs: one(g, 40, 150), factor: 3 },
      { type: 'clock-drift', rate: one(g, 0.3, 2) },
      { type: 'partition', link },
      { type: 'partition', link },
      { type: 'packet-loss', link, share: one(g, 0.02, 0.5, 1) },
      { type: 'latency', link, adds: law(g, 5) },
      { type: 'discovery-outage' },
      { type: 'cache-flush' },
      { type: 'zone-outage', zone: 'a' },
      ...(this.isElastic ? nodeFault.filter(({ type }) => type !== 'node-loss' || this.nodes.length > 0) : []),
    );
    const isOfNodes = effect.type === 'node-loss' || (effect.type === 'zone-outage' && this.nodes.length > 0);
    return {
      ...effect,
      label: effect.type,
      targets: isOfNodes ? [] : this.targets(effect, all),
      ...(isOfNodes ? { nodes: this.nodes.flatMap((_, group) => [0, 1, 3].map((node) => ({ group, node }))) } : {}),
      hit: effect.type.endsWith('-outage') ? 1 : one(g, 1, 1, 0.5),
      schedule: this.schedule(),
      ...(effect.type === 'crash' && maybe(g)
        ? { cascade: { chance: this.isElastic ? 0.3 : one(g, 0.3, 1), after: law(g, one(g, 0, 20)) } }
        : {}),
    };
  }

  private targets(effect: FaultEffect, all: FaultSpec['targets']): FaultSpec['targets'] {
    if ((effect.type.endsWith('-outage') && effect.type !== 'zone-outage') || ('link' in effect && effect.link.type === 'zones'))
      return [];
    if (effect.type !== 'zone-outage') return several(this.g, all, 1);
    return all.filter(({ service, instance }) => this.services[service].instances[instance].zone === 'a');
  }

  private link(): LinkSpec {
    const { g } = this;
    return maybe(g)
      ? { type: 'instances', direction: one(g, 'in', 'out', 'both') }
      : { type: 'zones', from: several(g, zones, 1), to: several(g, zones, 1), oneWay: maybe(g) };
  }

  private schedule(): FaultSchedule {
    const { g } = this;
    return one<() => FaultSchedule>(
      g,
      () => ({ type: 'once', atMs: one(g, 0, 100, 300), forMs: one(g, 0, 30, 200, Infinity) }),
      () => ({ type: 'once', atMs: one(g, 0, 100, 300), forMs: one(g, 30, 200) }),
      () => ({ type: 'flapping', atMs: one(g, 0, 100), forMs: one(g, 150, Infinity), down: law(g, 20), up: law(g, 30) }),
      () => ({ type: 'random', timeToFailure: law(g, 100), timeToRepair: law(g, 30) }),
    )();
  }

  /** Each edge, each class of the traffic, and stretches of time. */
  private views(): ViewSpec[] {
    const whole = { label: '', service: -1, class: -1, fromMs: 0, toMs: Infinity };
    const classes = Array.from({ length: this.classes }, (_, cls) => ({ ...whole, edges: [], class: cls }));
    const windows = [0, 200].map((fromMs) => ({ ...whole, edges: [], fromMs, toMs: fromMs + 200 || Infinity }));
    return [...this.edges.map((_, edge) => ({ ...whole, edges: [edge] })), ...classes, ...windows];
  }
}

function law(g: Generator, mean: number): DistributionSpec {
  return one<DistributionSpec>(
    g,
    { type: 'constant', value: mean },
    { type: 'exponential', mean: mean + 1e-3 },
    { type: 'uniform', min: 0, max: 2 * mean + 1e-3 },
    { type: 'gamma', shape: 0.5, mean: mean + 1e-3 },
    { type: 'weibull', shape: 0.5, scale: mean / 2 + 1e-3 },
    { type: 'lognormal', mu: Math.log(mean + 1e-3) - 0.5, sigma: 1 },
    { type: 'pareto', shape: 1.5, min: mean / 3 + 1e-6, max: Infinity },
    { type: 'discrete', values: [0, 2 * mean + 0.5], shares: [0.5, 0.5] },
  );
}

const pulses: RateCurveSpec = { timesMs: Float64Array.of(0, 100, 150), factors: Float64Array.of(0, 3, 0), periodMs: 200 };

function openLoop(g: Generator): ArrivalSpec {
  const perSecond = one(g, 50, 200, 600);
  return one<ArrivalSpec>(
    g,
    { type: 'constant', perSecond },
    { type: 'poisson', perSecond },
    { type: 'gamma', perSecond, shape: 0.3 },
    { type: 'batch', perSecond, size: 7 },
    { type: 'bursts', everyMs: 100, size: 30, spreadMs: one(g, 0, 20), firstMs: 50 },
  );
}

const users = (g: Generator): ArrivalSpec => ({
  type: 'users',
  users: count(g, 1, 20),
  think: law(g, one(g, 5, 40)),
  requests: one(g, 1, 4, Infinity),
  gap: law(g, 50),
});

const pool = (g: Generator): PoolSpec => ({
  connections: one(g, 1, 2, 20),
  streams: one(g, 1, 1, 3),
  pending: one(g, 0, 3, 100),
  roundTrips: one(g, 0, 1),
  handshake: law(g, one(g, 0, 2)),
  keepAliveMs: one(g, 0, 20, Infinity),
  reuse: one(g, 'newest', 'oldest'),
});

function cache(g: Generator): CacheSpec {
  const common = { shared: maybe(g), hitTime: law(g, one(g, 0, 0.5)), startsCold: maybe(g) };
  return maybe(g)
    ? { ...common, type: 'ratio', hit: 0.6, fills: one(g, 0, 10) }
    : {
        ...common,
        type: 'keys',
        entries: one(g, 3, 100),
        ttlMs: one(g, 20, Infinity),
        coalesces: one(g, true, true, false),
        earlyRefresh: one(g, 0, 1),
      };
}

const networks: readonly NetworkSpec[] = [
  buildWorld({}).network,
  buildWorld({}).network,
  { sameZone: constant(0.5), betweenZones: constant(3), pairs: [] },
  {
    sameZone: zero,
    betweenZones: { type: 'exponential', mean: 2 },
    pairs: [{ zones: ['a', 'c'], latency: constant(12) }],
  },
];

function edgeMakers(g: Generator): Partial<EdgeMakers> {
  const balancer = one(g, ...Object.values(balancers));
  const on = several(g, retriable, 1);
  const wait = one(g, 0, 0, 2, 10);
  const retry = one(g, undefined, retryPolicies.immediate, retryPolicies.constant, ...Object.values(retryPolicies));
  const retryParams = retry === retryPolicies.constant ? { delay: wait } : {};
  const retries = one(g, 1, 2, 5);
  const budget = one(g, undefined, undefined, ...Object.values(retryBudgets));
  const hedge = one(g, undefined, undefined, ...Object.values(hedges));
  const hedgeParams =
    hedge === hedges.delay ? { delay: one(g, 0, 3, 10) } : hedge === hedges.grpc ? { hedgingDelay: one(g, 0, 5) } : {};
  const breaker = one(g, undefined, undefined, ...Object.values(breakers));
  const admission = one(g, undefined, undefined, undefined, ...Object.values(admissions));
  const detects = one(g, false, false, true);
  const checker = one(g, undefined, undefined, undefined, ...Object.values(healthCheckers));
  const outlier = one(g, undefined, undefined, ...Object.values(outlierDetectors));
  const discovery = one(g, undefined, undefined, undefined, ...Object.values(discoveryClients));
  const isEnvoy = checker === healthCheckers.envoy;
  const checkParams = isEnvoy ? { interval: one(g, 5, 30), timeout: one(g, 1, 20), unhealthyThreshold: one(g, 1, 2) } : {};
  const outlierParams = { interval: 20, baseEjectionTime: 30, maxEjectionPercent: one(g, 0.1, 0.5, 1) };
  return {
    balancer: (deps) => balancer.make({}, deps),
    ...(retry === undefined ? {} : { retry: (deps) => retry.make({ ...retryParams, retries, on }, deps) }),
    ...(budget === undefined ? {} : { budget: (deps) => budget.make({}, deps) }),
    ...(hedge === undefined ? {} : { hedge: (deps) => hedge.make(hedgeParams, deps) }),
    ...(breaker === undefined ? {} : { breaker: (deps) => breaker.make({}, deps) }),
    ...(admission === undefined ? {} : { admission: (deps) => admission.make({}, deps) }),
    ...(checker === undefined ? {} : { healthCheck: (deps) => checker.make(checkParams, deps) }),
    ...(outlier === undefined ? {} : { outlier: (deps) => outlier.make(outlierParams, deps) }),
    ...(discovery === undefined ? {} : { discovery: (deps) => discovery.make({}, deps) }),
    ...(detects ? { detector: (deps) => heartbeat.make({ every: 20, misses: 2 }, deps) } : {}),
  };
}

function serviceMakers(g: Generator): ServiceMakers {
  const shedding = one(g, undefined, undefined, ...Object.values(admissions));
  const queueing = one(g, undefined, ...Object.values(queuePolicies));
  const queueParams = queueing === queuePolicies.codel ? { interval: 10, targetDelay: 1 } : {};
  const restart = one(g, undefined, undefined, ...Object.values(restartPolicies));
  const restartParams = restart === restartPolicies.kubelet ? { initialBackoff: one(g, 5, 60) } : {};
  // A registry that nobody asks is not made.
  const registry = one(g, ...Object.values(registries));
  const registryParams = registry === registries.consul ? { ttl: 60, renewEvery: 20 } : {};
  return {
    registry: (deps) => registry.make(registryParams, deps),
    ...(restart === undefined ? {} : { restart: (deps) => restart.make(restartParams, deps) }),
    ...(shedding === undefined ? {} : { shedding: (deps) => shedding.make({}, deps) }),
    ...(queueing === undefined ? {} : { queueing: (deps) => queueing.make(queueParams, deps) }),
  };
}
