/** Small worlds for tests: only what a test is about needs to be said. Requests can be made to arrive at given instants, and every
 *  attempt is written down as the balancer saw it, so that latencies can be compared with arithmetic. */
import { plainElastic, plainPipeline } from './elastic-spec.ts';
import { simulate } from '../../src/cluster/index.ts';
import type { DistributionSpec } from '../../src/core/distribution-spec.ts';
import type { EngineLimits } from '../../src/engine/index.ts';
import { type Balancer, type BalancerDeps, type EndpointView, outcomes } from '../../src/policies/balancing/balancer.ts';
import type { Detector, DetectorDeps } from '../../src/policies/detection/detector.ts';
import type { RetryPolicy } from '../../src/policies/resilience/retries/retry.ts';
import type { ClusterMakers, EdgeMakers, ServiceMakers } from '../../src/scenario/makers.ts';
import type {
  EdgeSpec,
  ElasticSpec,
  FaultEffect,
  FaultSpec,
  InstanceSpec,
  NetworkSpec,
  NodeGroupSpec,
  PipelineSpec,
  RateCurveSpec,
  Scenario,
  ServiceSpec,
  TrafficSpec,
} from '../../src/scenario/spec.ts';
import type { CellResult } from '../../src/stats/result.ts';

export type World = Omit<Scenario, 'variants'>;

export interface WorldSetup
  extends
    Partial<Omit<ServiceSpec, 'instances' | 'work' | 'name' | 'policies' | 'elastic'>>,
    Partial<Omit<TrafficSpec, 'name' | 'edge'>>,
    Partial<Omit<EdgeSpec, 'name' | 'service' | 'caller' | 'policies'>> {
  /** A number of equal ones in zone `a`, or what differs of each. */
  readonly instances?: number | readonly Partial<InstanceSpec>[];
  /** Constant ms, or a law. */
  readonly work?: number | DistributionSpec;
  /** Instants of the arrivals, in ms and in order; equal ones come in order. Met to within 1e-6 ms each. */
  readonly at?: readonly number[];
  readonly network?: Partial<NetworkSpec>;
  readonly faults?: readonly FaultSpec[];
  readonly elastic?: Partial<ElasticSpec>;
  readonly nodes?: readonly NodeGroupSpec[];
  readonly pipeline?: Partial<PipelineSpec>;
  readonly durationMs?: number;
  readonly warmupMs?: number;
  readonly windowMs?: number;
}

const zero = constant(0);

export function constant(value: number): DistributionSpec {
  return { type: 'constant', value };
}

export const steady: RateCurveSpec = { timesMs: Float64Array.of(0), factors: Float64Array.of(1), periodMs: Infinity };

/** One service `api`, one traffic `web`: by default one instance with one slot, work of 10 ms, no limits, no network. */
export function buildWorld(setup: WorldSetup): World {
  const durationMs = setup.durationMs ?? 1000;
  const instances =
    typeof setup.instances === 'object' ? setup.instances : Array.from({ length: setup.instances ?? 1 }, () => ({}));
  return {
    name: 'test',
    about: '',
    demonstrates: '',
    run: {
      durationMs,
      epochMs: 0,
      warmupMs: setup.warmupMs ?? 0,
      seed: 'test',
      seeds: ['test:1'],
      windowMs: setup.windowMs ?? durationMs,
    },
    services: [
      {
        name: 'api',
        instances: instances.map((instance) => ({ zone: 'a', speed: 1, weight: 1, priority: 0, ...instance })),
        slots: setup.slots ?? 1,
        queueLimit: setup.queueLimit ?? Infinity,
        discipline: setup.discipline ?? 'fifo',
        work: typeof setup.work === 'object' ? setup.work : constant(setup.work ?? 10),
        startupMs: setup.startupMs ?? 0,
        coldStart: setup.coldStart ?? { forMs: 0, factor: 1 },
        cancelAbandoned: setup.cancelAbandoned ?? false,
        workByClass: setup.workByClass ?? [],
        steps: setup.steps ?? [],
        holdsSlot: setup.holdsSlot ?? true,
        dropsExpired: setup.dropsExpired ?? false,
        dropsOverflow: setup.dropsOverflow ?? false,
        policies: {},
        elastic: { ...plainElastic, ...setup.elastic },
      },
    ],
    classes: [{ name: 'default', priority: 0, tenant: '' }],
    edges: [
      {
        name: 'web',
        caller: -1,
        service: 0,
        queue: -1,
        balancers: setup.balancers ?? 1,
        balancerZones: setup.balancerZones ?? ['a'],
        timeoutMs: setup.timeoutMs ?? Infinity,
        attemptTimeoutMs: setup.attemptTimeoutMs ?? Infinity,
        propagatesDeadline: setup.propagatesDeadline ?? false,
        proxyLatency: setup.proxyLatency ?? zero,
        ...(setup.pool === undefined ? {} : { pool: setup.pool }),
        ...(setup.fallback === undefined ? {} : { fallback: setup.fallback }),
        policies: {},
      },
    ],
    queues: [],
    nodes: setup.nodes ?? [],
    pipeline: { ...plainPipeline, ...setup.pipeline },
    views: [],
    network: { sameZone: zero, betweenZones: zero, pairs: [], ...setup.network },
    traffic: [
      {
        name: 'web',
        edge: 0,
        mix: [{ class: 0, share: 1 }],
        arrivals:
          setup.at === undefined
            ? (setup.arrivals ?? { type: 'constant', perSecond: 10 })
            : { type: 'constant', perSecond: 1000 },
        profile: setup.at === undefined ? (setup.profile ?? steady) : impulses(setup.at),
        ...(setup.keys === undefined ? {} : { keys: setup.keys }),
        ...(setup.userRetries === undefined ? {} : { userRetries: setup.userRetries }),
      },
    ],
    faults: setup.faults ?? [],
    policies: { balancer: { use: 'test', params: {} } },
    expect: [],
  };
}

const IMPULSE_MS = 1e-7;

/** A rate that is 0 but for short peaks, each holding exactly one arrival. */
function impulses(at: readonly number[]): RateCurveSpec {
  const times: number[] = [0];
  const factors: number[] = [0];
  let fromMs = 0;
  for (const instant of at) {
    fromMs = Math.max(fromMs, instant);
    const toMs = fromMs + IMPULSE_MS;
    times.push(fromMs, fromMs, toMs, toMs);
    // What rounding leaves of the width, so that the area is one arrival.
    const height = 1 / (toMs - fromMs);
    factors.push(0, height, height, 0);
    fromMs = toMs;
  }
  return { timesMs: Float64Array.from(times), factors: Float64Array.from(factors), periodMs: Infinity };
}

/** One request as the balancer saw it. */
export interface Attempt {
  readonly edge: number;
  readonly client: number;
  readonly slot: number;
  readonly sentMs: number;
  readonly endedMs: number;
  readonly latencyMs: number;
  readonly outcome: keyof typeof outcomes;
}

export interface Played extends CellResult {
  /** In the order of arrival; without those for which no endpoint was known. */
  readonly attempts: readonly Attempt[];
  /** What every pick answered, in order of the picks. */
  readonly picks: readonly number[];
}

export interface PlaySetup extends WorldSetup {
  readonly seed?: string;
  /** Defaults to `inTurn`. */
  readonly balancer?: (deps: BalancerDeps) => Balancer;
  readonly detector?: (deps: DetectorDeps) => Detector;
  /** Retries at once of errors, refusals and losses. */
  readonly retry?: { readonly retries: number; readonly hostSelectionRetries: number };
  /** Further policies of every edge, and of every service. */
  readonly edge?: Partial<EdgeMakers>;
  readonly service?: ServiceMakers;
  readonly cluster?: ClusterMakers;
  /** Stronger: of single edges and services, by index. */
  readonly edges?: Readonly<Record<number, Partial<EdgeMakers>>>;
  readonly services?: Readonly<Record<number, ServiceMakers>>;
  readonly isUserPolicy?: boolean;
  readonly limits?: EngineLimits;
  readonly explain?: number;
  readonly waterfall?: number;
}

export const play = (setup: PlaySetup): Played => playWorld(buildWorld(setup), setup);

export function playWorld(scenario: World, setup: PlaySetup = {}): Played {
  const attempts: Attempt[] = [];
  const picks: number[] = [];
  let clients = 0;
  const isUserPolicy = setup.isUserPolicy ?? false;
  const makersOf = (edge: number): EdgeMakers => {
    const own = setup.edges?.[edge] ?? {};
    const watched = (inner: EdgeMakers['balancer']): EdgeMakers['balancer'] => {
      return (deps) => recorded(inner(deps), edge, clients++, attempts, picks);
    };
    const versions = Object.entries(own.versions ?? {}).map(([name, its]) => [name, { ...its, balancer: watched(its.balancer) }]);
    return {
      balancerName: 'test',
      isUserPolicy,
      ...(setup.detector === undefined ? {} : { detector: setup.detector }),
      ...(setup.retry === undefined ? {} : { retry: atOnce(setup.retry) }),
      ...setup.edge,
      ...own,
      ...(own.versions === undefined ? {} : { versions: Object.fromEntries(versions) as EdgeMakers['versions'] & {} }),
      balancer: watched(own.balancer ?? setup.balancer ?? inTurn),
    };
  };
  const makers = {
    balancerName: 'test',
    isUserPolicy,
    userFiles: [],
    edges: scenario.edges.map((_, edge) => makersOf(edge)),
    services: scenario.services.map((_, service) => setup.services?.[service] ?? setup.service ?? {}),
    cluster: setup.cluster ?? {},
  };
  const result = simulate({
    scenario,
    variant: 0,
    seed: setup.seed ?? 'test:1',
    makers,
    ...(setup.limits === undefined ? {} : { limits: setup.limits }),
    ...(setup.explain === undefined ? {} : { explain: setup.explain }),
    ...(setup.waterfall === undefined ? {} : { waterfall: setup.waterfall }),
  });
  return { ...result, attempts: attempts.toSorted((x, y) => x.sentMs - y.sentMs), picks };
}

const atOnce =
  ({ retries, hostSelectionRetries }: { readonly retries: number; readonly hostSelectionRetries: number }) =>
  (): RetryPolicy => ({ retries, hostSelectionRetries, on: ['error', 'refused', 'lost'], delayMs: () => 0 });

const outcomeNames = new Map(Object.entries(outcomes).map(([name, code]) => [code, name as keyof typeof outcomes]));

function recorded(inner: Balancer, edge: number, client: number, attempts: Attempt[], picks: number[]): Balancer {
  const { judgesHealth, onReport, probes, nextTimerMs, onTimer } = inner;
  return {
    update: (view, nowMs) => inner.update(view, nowMs),
    pick: (context) => {
      const slot = inner.pick(context);
      picks.push(slot);
      return slot;
    },
    onStart: (slot, nowMs) => inner.onStart?.(slot, nowMs),
    onEnd: (slot, nowMs, latencyMs, outcome) => {
      attempts.push({
        edge,
        client,
        slot,
        sentMs: nowMs - latencyMs,
        endedMs: nowMs,
        latencyMs,
        outcome: outcomeNames.get(outcome)!,
      });
      inner.onEnd?.(slot, nowMs, latencyMs, outcome);
    },
    ...(judgesHealth === undefined ? {} : { judgesHealth }),
    ...(onReport === undefined ? {} : { onReport: onReport.bind(inner) }),
    ...(probes === undefined ? {} : { probes: probes.bind(inner) }),
    ...(nextTimerMs === undefined ? {} : { nextTimerMs: nextTimerMs.bind(inner) }),
    ...(onTimer === undefined ? {} : { onTimer: onTimer.bind(inner) }),
  };
}

/** Members in turn, from the first: a round robin that starts at a known place. −1 when there are none. */
export function inTurn(): Balancer {
  let members: Int32Array = new Int32Array(0);
  let count = 0;
  let turn = 0;
  return {
    update: (view: EndpointView) => {
      members = view.members;
      count = view.count;
    },
    pick: () => (count === 0 ? -1 : members[turn++ % count]),
  };
}

/** Answers with the scripted slots in turn and over again, whatever the view says. */
export function scripted(...slots: readonly number[]): () => Balancer {
  return () => {
    let turn = 0;
    return { update: () => {}, pick: () => slots[turn++ % slots.length] };
  };
}

export const crash = (instance: number, atMs: number, forMs: number): FaultSpec =>
  fault({ type: 'crash' }, [instance], atMs, forMs);
export const slow = (instance: number, factor: number, atMs: number, forMs: number): FaultSpec =>
  fault({ type: 'slow', factor, requests: 1 }, [instance], atMs, forMs);
export const pause = (instance: number, atMs: number, forMs: number): FaultSpec =>
  fault({ type: 'pause' }, [instance], atMs, forMs);
export const errors = (instance: number, share: number, atMs: number, forMs: number): FaultSpec =>
  fault({ type: 'errors', share }, [instance], atMs, forMs);

/** Every instance of the service `api` listed crashes with the zone. */
export const zoneOutage = (zone: string, instances: readonly number[], atMs: number, forMs: number): FaultSpec =>
  fault({ type: 'zone-outage', zone }, instances, atMs, forMs);

export const randomly = (
  effect: FaultEffect,
  instances: readonly number[],
  timeToFailure: DistributionSpec,
  timeToRepair: DistributionSpec,
): FaultSpec => ({
  hit: 1,
  ...effect,
  label: effect.type,
  targets: instances.map((instance) => ({ service: 0, instance })),
  schedule: { type: 'random', timeToFailure, timeToRepair },
});

function fault(effect: FaultEffect, instances: readonly number[], atMs: number, forMs: number): FaultSpec {
  const targets = instances.map((instance) => ({ service: 0, instance }));
  return { hit: 1, ...effect, label: effect.type, targets, schedule: { type: 'once', atMs, forMs } };
}

/** Latencies in the order of arrival, rounded to a thousandth of a microsecond: arrivals are exact to less than that. */
export const latencies = (played: Played): number[] => played.attempts.map(({ latencyMs }) => rounded(latencyMs));
export const endings = (played: Played): [number, keyof typeof outcomes][] =>
  played.attempts.map(({ endedMs, outcome }) => [rounded(endedMs), outcome]);
export const rounded = (ms: number): number => Math.round(ms * 1e5) / 1e5;
