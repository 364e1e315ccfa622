/** Random small worlds in which versions are rolled out: minutes long and thin on requests, with every strategy, several controllers and
 *  faults of everything. For properties that must hold in all of them. Times in ms. */
import fc from 'fast-check';
import type { DistributionSpec } from '../../../src/core/distribution-spec.ts';
import type { Autoscaler, AutoscalerDeps } from '../../../src/policies/autoscaling/autoscaler.ts';
import { balancers } from '../../../src/policies/balancing/index.ts';
import { heartbeat } from '../../../src/policies/detection/heartbeat.ts';
import { firstFit } from '../../../src/policies/placement/index.ts';
import { nodeLifecycle } from '../../../src/policies/recovery/eviction/index.ts';
import { replicaSet } from '../../../src/policies/recovery/replicas/index.ts';
import { restartPolicies } from '../../../src/policies/recovery/restarts/index.ts';
import { retryPolicies } from '../../../src/policies/resilience/retries/index.ts';
import { electors } from '../../../src/policies/rollout/elections/index.ts';
import { flagHashNames } from '../../../src/policies/rollout/flags/index.ts';
import { agents } from '../../../src/policies/rollout/propagation/index.ts';
import { stores } from '../../../src/policies/rollout/store/index.ts';
import { type Rollout, type RolloutDeps, rollouts } from '../../../src/policies/rollout/strategies/index.ts';
import type { ClusterMakers, EdgeMakers, ServiceMakers } from '../../../src/scenario/makers.ts';
import type {
  ChangeSpec,
  DeliverySpec,
  EdgeSpec,
  FaultEffect,
  FaultSpec,
  NodeGroupSpec,
  ServiceSpec,
  VersionEffect,
  VersionSpec,
} from '../../../src/scenario/spec.ts';
import { buildWorld, constant, type PlaySetup, type World } from '../world-builder.ts';
import { call } from '../graph-builder.ts';
import { nodeGroup } from '../elastic/setup.ts';
import { effect } from './setup.ts';

export interface ChangingWorld {
  readonly world: World;
  readonly setup: PlaySetup;
  /** By service. */
  readonly strategies: readonly string[];
  /** Instances are those there were at first, and nothing brings them down. */
  readonly isCalm: boolean;
}

type Generator = fc.GeneratorValue;
const one = <T>(g: Generator, ...things: readonly T[]): T => g(fc.constantFrom<T[]>, ...things);
const several = <T>(g: Generator, things: readonly T[], minLength = 0): T[] => g(fc.subarray<T>, [...things], { minLength });
const count = (g: Generator, min: number, max: number): number => g(fc.integer, { min, max });
const maybe = (g: Generator): boolean => g(fc.boolean);

const SECOND = 1000;
const DURATION_MS = 300 * SECOND;
const MOST = 9;
const zones = ['a', 'b', 'c'] as const;

const law = (g: Generator, mean: number): DistributionSpec =>
  one<DistributionSpec>(
    g,
    constant(mean),
    { type: 'exponential', mean: mean + 1e-3 },
    { type: 'uniform', min: 0, max: 2 * mean + 1e-3 },
  );

export const changingWorld: fc.Arbitrary<ChangingWorld> = fc.gen().map((g) => new Builder(g).build());

class Builder {
  private readonly g: Generator;
  private readonly services: number;
  private readonly isScaled: boolean;
  private readonly nodes: NodeGroupSpec[];
  private readonly faults: FaultSpec[];

  constructor(g: Generator) {
    this.g = g;
    this.services = count(g, 1, 2);
    this.isScaled = one(g, false, false, true);
    this.nodes = one(g, false, false, false, true)
      ? [nodeGroup({ count: count(g, 3, 8), max: 8, zones: ['a', 'b', 'c'], cpu: 4000, pods: 6 })]
      : [];
    this.faults = [];
  }

  build(): ChangingWorld {
    const { g } = this;
    const numbers = Array.from({ length: this.services }, (_, number) => number);
    const versions = numbers.map(() => this.versions());
    const services = numbers.map((number) => this.service(number, versions[number]));
    for (let fault = count(g, 0, 4); fault > 0; fault--) this.faults.push(this.fault(services));
    const changes = Array.from({ length: count(g, 1, 4) }, () => this.change(versions)).toSorted((x, y) => x.atMs - y.atMs);
    const base = buildWorld({ durationMs: DURATION_MS });
    const edges = numbers.map((number) => this.edge(number));
    const delivery = this.delivery();
    const world: World = {
      ...base,
      run: { ...base.run, warmupMs: one(g, 0, 0, 20 * SECOND), windowMs: one(g, 7 * SECOND, 30 * SECOND, 1000 * SECOND) },
      services,
      edges,
      nodes: this.nodes,
      changes,
      delivery,
      pipeline: { ...base.pipeline, scrapeMs: one(g, 2 * SECOND, 10 * SECOND), delayMs: one(g, 0, 3 * SECOND) },
      traffic: base.traffic.map((traffic) => ({
        ...traffic,
        arrivals: { type: 'poisson', perSecond: one(g, 2, 6) },
        ...(maybe(g) ? { keys: { count: 30, exponent: 1 } } : {}),
      })),
      network: one(g, base.network, { sameZone: constant(1), betweenZones: { type: 'exponential', mean: 5 }, pairs: [] }),
      faults: this.faults,
      views: [],
    };
    const strategies = numbers.map(() => one(g, ...Object.keys(rollouts)));
    return {
      world,
      strategies,
      isCalm: !this.isScaled && this.nodes.length === 0 && this.faults.length === 0 && versions.flat().every(neverCrashes),
      setup: {
        seed: `change:${count(g, 0, 1e6)}`,
        edges: edges.map(({ service }) => this.edgeMakers(versions[service], changes, service)),
        services: numbers.map((number) => this.serviceMakers(strategies[number], changes, number)),
        cluster: this.clusterMakers(),
      },
    };
  }

  private service(number: number, versions: readonly VersionSpec[]): ServiceSpec {
    const { g } = this;
    const [plain] = buildWorld({}).services;
    return {
      ...plain,
      name: `s${number}`,
      instances: Array.from({ length: count(g, 1, 5) }, () => ({
        zone: one(g, ...zones),
        speed: one(g, 1, 1, 2),
        weight: 1,
        priority: 0,
      })),
      slots: one(g, 1, 4),
      queueLimit: one(g, 3, Infinity),
      discipline: one(g, 'fifo', 'fifo', 'processor-sharing'),
      work: law(g, one(g, 5, 80)),
      steps: number < this.services - 1 ? [call(number + 1)] : [],
      startupMs: one(g, 0, 2 * SECOND, 8 * SECOND),
      coldStart: { forMs: one(g, 0, 5 * SECOND), factor: 3 },
      cancelAbandoned: maybe(g),
      versions,
      elastic: {
        ...plain.elastic,
        imagePull: constant(one(g, 0, 3 * SECOND)),
        readinessMs: one(g, 0, 1000),
        endpointDelay: law(g, one(g, 0, 500)),
        shutdown: { drains: maybe(g), preStopMs: one(g, 0, 500), graceMs: one(g, 0, 5 * SECOND) },
      },
    };
  }

  private versions(): VersionSpec[] {
    const { g } = this;
    const names = ['v1', 'v2', 'v3'];
    return names.map((name, index) => {
      const effects = Array.from({ length: one(g, 0, 0, 1, 2) }, () => this.effect());
      const clients = { timeoutMs: one(g, 50, 2000), ...(maybe(g) ? { attemptTimeoutMs: 40 } : {}), policies: {} };
      return {
        ...{ name, effects, isBad: maybe(g), isMalformed: index > 0 && one(g, false, false, false, true) },
        ...(index > 0 && maybe(g) ? { clients } : {}),
      };
    });
  }

  private effect(): VersionEffect {
    const { g } = this;
    return effect({
      ...one<Parameters<typeof effect>[0]>(
        g,
        { type: 'slow', factor: one(g, 3, 0.5) },
        { type: 'errors', share: one(g, 0.2, 1) },
        { type: 'crash', onStart: one(g, 0, 0.5), ...(maybe(g) ? { every: law(g, 40 * SECOND) } : {}) },
        { type: 'memory-leak', fillsMs: 30 * SECOND, factor: 4 },
        { type: 'cold-start', forMs: 10 * SECOND, factor: 5 },
        { type: 'cold-caches' },
        {
          type: 'incompatible',
          service: count(g, 0, this.services - 1),
          versions: several(g, ['v1', 'v2', 'v3'], 1),
          share: 0.5,
        },
      ),
      ...{ afterMs: one(g, 0, 0, 20 * SECOND), load: one(g, 0, 0, 0.5), zones: one(g, [], [], ['a']) },
    });
  }

  private change(versions: readonly (readonly VersionSpec[])[]): ChangeSpec {
    const { g } = this;
    const service = count(g, 0, this.services - 1);
    return {
      ...{ kind: one(g, 'release', 'config'), atMs: one(g, 0, count(g, 1, 240 * SECOND)), service },
      version: one(g, ...versions[service]).name,
      ...(maybe(g) ? { slowMs: 100 } : {}),
    };
  }

  private edge(number: number): EdgeSpec {
    const { g } = this;
    const [plain] = buildWorld({}).edges;
    return {
      ...plain,
      ...{ name: `e${number}`, caller: number - 1, service: number },
      balancers: number === 0 ? one(g, 1, 3) : one(g, 0, 2),
      balancerZones: several(g, zones, 1),
      timeoutMs: one(g, Infinity, 1000),
      attemptTimeoutMs: one(g, Infinity, 300),
    };
  }

  private delivery(): DeliverySpec {
    const { g } = this;
    return {
      controllers: one(g, 1, 1, 3),
      isFenced: one(g, true, true, false),
      latency: law(g, one(g, 0, 5, 100)),
      loss: one(g, 0, 0, 0.1),
      distributors: one(g, [], [2], [1, 3]),
      pushesPerSecond: one(g, Infinity, 1),
      ackTimeoutMs: 5 * SECOND,
    };
  }

  private fault(services: readonly ServiceSpec[]): FaultSpec {
    const { g } = this;
    const all = services.flatMap(({ instances }, service) => instances.map((_, instance) => ({ service, instance })));
    const hasNodes = this.nodes.length > 0;
    const kind = one<FaultEffect>(
      g,
      { type: 'crash' },
      { type: 'crash' },
      { type: 'slow', factor: 5, requests: 1 },
      { type: 'errors', share: 0.3 },
      { type: 'pause' },
      { type: 'zone-outage', zone: 'a' },
      { type: 'store-outage' },
      { type: 'store-outage' },
      { type: 'distributor-outage' },
      { type: 'controller-pause', controller: 'leader' },
      { type: 'controller-pause', controller: 0 },
      { type: 'control-plane-outage' },
      { type: 'metrics-outage' },
      ...(hasNodes ? [{ type: 'node-loss' } as const] : []),
    );
    const isOfNodes = hasNodes && (kind.type === 'node-loss' || kind.type === 'zone-outage');
    const isOfZone = ({ service, instance }: (typeof all)[number]): boolean => services[service].instances[instance].zone === 'a';
    const ofZone = kind.type === 'zone-outage' ? all.filter(isOfZone) : [];
    return {
      ...kind,
      label: kind.type,
      targets: isOfNodes ? [] : onInstances.has(kind.type) ? several(g, all, 1) : ofZone,
      ...(isOfNodes ? { nodes: [0, 1, 2].map((node) => ({ group: 0, node })) } : {}),
      hit: onInstances.has(kind.type) ? one(g, 1, 0.5) : 1,
      schedule: one<() => FaultSpec['schedule']>(
        g,
        () => ({ type: 'once', atMs: count(g, 0, 250 * SECOND), forMs: one(g, 0, 10 * SECOND, 60 * SECOND) }),
        () => ({ type: 'random', timeToFailure: law(g, 60 * SECOND), timeToRepair: law(g, 15 * SECOND) }),
      )(),
    };
  }

  private edgeMakers(versions: readonly VersionSpec[], changes: readonly ChangeSpec[], service: number): Partial<EdgeMakers> {
    const { g } = this;
    const made = (): Omit<EdgeMakers, 'versions'> => {
      const balancer = one(g, ...several(g, Object.values(balancers), 1));
      const retries = one(g, 0, 0, 2);
      return {
        ...{ balancerName: 'test', isUserPolicy: false, balancer: (deps) => balancer.make(tables[balancer.name] ?? {}, deps) },
        ...(retries > 0
          ? { retry: (deps) => retryPolicies['immediate'].make({ retries, on: ['error', 'refused', 'lost'] }, deps) }
          : {}),
      };
    };
    const isTold = changes.some((change) => change.kind === 'config' && change.service === service);
    const own = versions.filter(({ clients }) => isTold && clients !== undefined).map(({ name }) => [name, made()] as const);
    return { ...made(), ...(own.length > 0 ? { versions: Object.fromEntries(own) } : {}) };
  }

  private serviceMakers(name: string, changes: readonly ChangeSpec[], service: number): ServiceMakers {
    const { g } = this;
    const params = paramsOf[name](g);
    const onHosts = one(g, 'all-at-once', 'rolling-update', 'staged-waves', 'percentage-flag', 'argo-canary');
    const hostParams = paramsOf[onHosts](g);
    const isForInstances = name === 'flagger' || name === 'argo-blue-green';
    const isReleased = changes.some((change) => change.kind === 'release' && change.service === service);
    const isManaged = this.isScaled || this.nodes.length > 0 || isReleased;
    const restart = one(g, undefined, restartPolicies['kubelet']);
    return {
      rollout: (deps: RolloutDeps): Rollout =>
        deps.unit === 'hosts' && isForInstances ? rollouts[onHosts].make(hostParams, deps) : rollouts[name].make(params, deps),
      ...(isManaged ? { replicas: (deps) => replicaSet.make({ retryBaseDelay: 500, retryMaxDelay: 4000 }, deps) } : {}),
      ...(this.isScaled ? { autoscaler: whim, mostReplicas: MOST } : {}),
      ...(restart === undefined ? {} : { restart: (deps) => restart.make({ initialBackoff: 2000 }, deps) }),
    };
  }

  private clusterMakers(): ClusterMakers {
    const { g } = this;
    const store = one(g, ...Object.values(stores));
    const election = one(g, ...Object.values(electors));
    const agent = one(g, ...Object.values(agents));
    const eviction = { nodeMonitorPeriod: 2000, nodeEvictionRate: 10, tolerationSeconds: 20 * SECOND };
    return {
      store: (deps) => store.make({}, deps),
      election: (deps) => election.make({}, deps),
      propagation: (deps) => agent.make({}, deps),
      ...(this.nodes.length > 0
        ? {
            scheduler: (deps) => firstFit.make({}, deps),
            nodeDetector: (deps) => heartbeat.make({ every: 5000, misses: 2 }, deps),
            eviction: (deps) => nodeLifecycle.make(eviction, deps),
          }
        : {}),
    };
  }
}

/** Smaller than in production: they are made anew at every change. */
const tables: Readonly<Record<string, object>> = { maglev: { tableSize: 251 }, 'ring-hash': { minimumRingSize: 64 } };

const onInstances: ReadonlySet<string> = new Set(['crash', 'slow', 'errors', 'pause']);

const neverCrashes = ({ effects }: VersionSpec): boolean =>
  effects.every(({ type }) => type !== 'crash' && type !== 'memory-leak');

/** Any count at any time, or nothing. */
function whim({ rng }: AutoscalerDeps): Autoscaler {
  return {
    decideEveryMs: 23 * SECOND,
    decide: () => {
      const draw = rng.below(2 * MOST);
      return { replicas: draw > MOST ? undefined : draw, reason: 'a whim' };
    },
  };
}

const surge = (g: Generator): object =>
  one(g, {}, { maxSurge: '0', maxUnavailable: '1' }, { maxSurge: '100%', maxUnavailable: '0' });
const readiness = (g: Generator): object => ({
  ...surge(g),
  minReadySeconds: one(g, 0, 4 * SECOND),
});
const watched = (g: Generator): object => ({ ...readiness(g), progressDeadlineSeconds: 40 * SECOND });
const checks = (g: Generator, template: string): object[] => [
  {
    ...{
      template,
      metric: one(g, 'error-rate', 'latency.p99', 'requests'),
      interval: one(g, 0, 5 * SECOND),
      window: 20 * SECOND,
    },
    ...one<object>(
      g,
      { failureCondition: 'result > 0.1' },
      { successCondition: 'result < 200', consecutiveErrorLimit: 1 },
      { successCondition: 'result < 0.1', failureCondition: 'result > 1.5 * control' },
      { metric: 'error-rate', test: 'ratio' },
    ),
  },
];
const metrics = (g: Generator): object[] =>
  one<() => object[]>(
    g,
    () => [],
    () => checks(g, 'default'),
  )();

/** Quicker than anybody would be. */
const paramsOf: Readonly<Record<string, (g: Generator) => object>> = {
  'all-at-once': (g) => ({ minReadySeconds: one(g, 0, 4 * SECOND) }),
  recreate: (g) => ({ minReadySeconds: one(g, 0, 4 * SECOND), progressDeadlineSeconds: 40 * SECOND }),
  'rolling-update': watched,
  'argo-canary': (g) => ({
    ...watched(g),
    steps: [
      { step: 'setWeight', weight: one(g, 5, 40) },
      one(g, { step: 'pause', duration: 8 * SECOND }, { step: 'analysis' }, { step: 'setCanaryScale', replicas: 2 }),
      { step: 'setWeight', weight: 70 },
      { step: 'pause', duration: 5 * SECOND },
    ],
    ...{ trafficRouting: maybe(g), dynamicStableScale: maybe(g), progressDeadlineAbort: maybe(g) },
    ...{ scaleDownDelaySeconds: one(g, 0, 5 * SECOND), abortScaleDownDelaySeconds: one(g, 0, 5 * SECOND) },
    ...{ metrics: checks(g, 'default'), backgroundTemplate: one(g, '', 'default') },
  }),
  'argo-blue-green': (g) => ({
    ...{ minReadySeconds: one(g, 0, 4 * SECOND), progressDeadlineSeconds: 40 * SECOND, progressDeadlineAbort: maybe(g) },
    ...{ autoPromotionSeconds: one(g, 0, 5 * SECOND), previewReplicaCount: one(g, 0, 1) },
    ...{ scaleDownDelaySeconds: one(g, 0, 10 * SECOND), abortScaleDownDelaySeconds: one(g, 0, 5 * SECOND) },
    ...{
      metrics: checks(g, 'default'),
      prePromotionTemplate: one(g, '', 'default'),
      postPromotionTemplate: one(g, '', 'default'),
    },
  }),
  flagger: (g) => ({
    ...{ interval: 10 * SECOND, threshold: one(g, 1, 3), stepWeight: one(g, 30, 50), iterations: one(g, 0, 0, 2) },
    ...{ mirror: maybe(g), stepWeightPromotion: one(g, 0, 40), progressDeadlineSeconds: 60 * SECOND },
    ...readiness(g),
  }),
  'staged-waves': (g) => ({
    stages: [{ count: 1, soak: 3 * SECOND }, { fraction: 0.5, soak: 5 * SECOND }, ...one(g, [], [{ fraction: 1, soak: SECOND }])],
    ...{ oneDomainAtATime: maybe(g), onFailure: one(g, 'rollback', 'halt'), maxUnhealthy: one(g, '0', '50%') },
    ...{ stageDeadline: one(g, 0, 30 * SECOND), metrics: metrics(g), ...readiness(g) },
  }),
  'percentage-flag': (g) => ({
    hash: one(g, ...flagHashNames),
    steps: [
      { percent: one(g, 0, 10), soak: 5 * SECOND },
      { percent: 50, soak: 5 * SECOND },
      { percent: 100, soak: 0 },
    ],
    metrics: metrics(g),
  }),
};
