/** One balancing client of one edge (a proxy, a sidecar, a library in a process): its own view of the called service's instances, its own
 *  balancer, detector, resilience policies and pipeline. */
import type { Streams } from '../core/streams.ts';
import type { Clock, Ms } from '../core/time.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import type { Balancer, BalancerDeps, Outcome } from '../policies/balancing/balancer.ts';
import { type EndpointOptions, EndpointSet } from '../policies/balancing/endpoint-set.ts';
import { type HealthChecker, isGood, type ProbeResult } from '../policies/detection/checks/health-checker.ts';
import type { BeliefSink, Detector } from '../policies/detection/detector.ts';
import type { OutlierDetector } from '../policies/detection/outliers/outlier-detector.ts';
import type { DiscoveryClient, FetchRequest } from '../policies/discovery/discovery-client.ts';
import type { AttemptTable } from '../policies/pipeline/attempt-table.ts';
import type { PipelineDriver } from '../policies/pipeline/driver.ts';
import type { PipelineSettings } from '../policies/pipeline/generation.ts';
import { Pipeline, type PipelineParts } from '../policies/pipeline/pipeline.ts';
import type { EdgeMakers } from '../scenario/makers.ts';
import type { EdgeSpec } from '../scenario/spec.ts';
import { type Doubt, doubts, EndpointHealth } from '../policies/balancing/endpoint-health.ts';
import type { Fleet } from './fleet.ts';
import { SiteFailover, sitesOf } from './site-failover.ts';

export interface ClientSetup {
  readonly number: number;
  /** Index of the edge. */
  readonly edge: number;
  readonly spec: EdgeSpec;
  /** Which of the edge's clients it is. */
  readonly ordinal: number;
  /** The zone of each of them: `clientZones`. */
  readonly zones: readonly number[];
  readonly fleet: Fleet;
  readonly attempts: AttemptTable;
  readonly driver: PipelineDriver;
  readonly clock: Clock;
  readonly streams: Streams;
  readonly makers: EdgeMakers;
  /** Whether callers pass on deadlines. */
  readonly hasDeadlines: boolean;
  /** An endpoint begins or ceases to be used, or to be well, for this doubt. */
  onUse(client: Client, slot: number, isUsed: boolean, isWell: boolean, doubt: Doubt | undefined, nowMs: Ms): void;
  /** Its checker asks an instance how it is. */
  check(client: Client, slot: number, probe: number, timeoutMs: Ms): void;
  /** Its checker wants the instance killed and started anew. */
  kill(client: Client, slot: number): void;
  /** It asks who there is. */
  fetch(client: Client, request: FetchRequest): void;
  /** An attempt of its requests has ended; absent where nobody wants to know. */
  readonly attemptEnded: ((client: Client, slot: number, outcome: Outcome, latencyMs: Ms) => void) | undefined;
}

export class Client implements BeliefSink {
  readonly number: number;
  readonly edge: number;
  readonly spec: EdgeSpec;
  zone: number;
  /** Global number of the instance in slot 0: slots are indices within the service. */
  readonly base: number;
  readonly instances: number;
  /** Whether instances come and go. */
  private readonly isElastic: boolean;
  private readonly fleet: Fleet;
  readonly endpoints: EndpointSet;
  readonly pipeline: Pipeline;
  readonly detector: Detector | undefined;
  readonly checker: HealthChecker | undefined;
  readonly outlier: OutlierDetector | undefined;
  readonly discovery: DiscoveryClient | undefined;
  readonly failover: SiteFailover | undefined;
  readonly health: EndpointHealth;
  /** Endpoints that the checker no longer watches, until they are started anew or report. */
  private readonly forgotten = new Set<number>();
  /** Whether the balancer wants load reports, by whatever configuration it may come to have. */
  readonly listens: boolean;
  /** Whether a configuration may be rolled out to it. */
  readonly isConfigurable: boolean;
  /** Of requests that begin now; Infinity for none. */
  timeoutMs: Ms;
  attemptTimeoutMs: Ms;
  /** Whether its requests come from a service, not from traffic. */
  readonly isInternal: boolean;
  /** Whether it stands for a queue that delivers its messages. */
  readonly isDelivery: boolean;
  /** Whether messages go straight to the network: no proxy that takes time, no connections. */
  readonly isDirect: boolean;
  /** Whether the callee is told the deadline. */
  readonly propagates: boolean;
  /** Lanes of the request timeout and of the attempt timeout; −1 for none. */
  timeoutLane: number;
  attemptLane: number;
  /** Which ring of heartbeats it listens to; -1 for none. */
  ring: number;
  /** When the pending timer events are due, by purpose; Infinity for none. */
  readonly timersMs: Float64Array;
  balancerTimerMs: Ms;
  private readonly setup: ClientSetup;
  /** As streams have it; and how often it was configured anew. */
  private readonly name: string;
  private turns: number;

  constructor(setup: ClientSetup) {
    const { fleet, spec, streams, makers } = setup;
    const name = `${spec.name}/${setup.ordinal}`;
    this.setup = setup;
    this.name = name;
    this.turns = 0;
    this.isConfigurable = makers.versions !== undefined;
    this.timeoutMs = spec.timeoutMs;
    this.attemptTimeoutMs = spec.attemptTimeoutMs;
    this.number = setup.number;
    this.edge = setup.edge;
    this.spec = spec;
    this.zone = setup.zones[setup.ordinal];
    this.base = fleet.base[spec.service];
    this.instances = fleet.base[spec.service + 1] - this.base;
    this.isInternal = spec.caller !== TRAFFIC;
    this.isDelivery = spec.caller === DELIVERIES;
    this.isDirect = spec.pool === undefined && isNothing(spec.proxyLatency);
    this.propagates = spec.propagatesDeadline;
    this.timeoutLane = -1;
    this.attemptLane = -1;
    this.ring = -1;
    this.timersMs = new Float64Array(TIMED_PARTS).fill(Infinity);
    this.balancerTimerMs = Infinity;
    this.fleet = fleet;
    const { initial = this.instances } = fleet.services[spec.service];
    this.isElastic = initial < this.instances;
    this.endpoints = new EndpointSet(this.instances);
    for (let slot = 0; slot < initial; slot++) this.endpoints.addAt(slot, fleet.ids[this.base + slot], this.optionsOf(slot), 0);
    const policies = this.policiesOf(makers, spec.timeoutMs, spec.attemptTimeoutMs);
    const others = Object.entries(makers.versions ?? {}).map(([version, its]) =>
      its.balancer({ rng: streams.stream(`balancer/${name}/sample/${version}`), client: this.seat() }),
    );
    this.listens = [policies.balancer, ...others].some(({ onReport }) => onReport !== undefined);
    this.endpoints.bind(policies.balancer, 0);
    this.detector = makers.detector?.({ rng: streams.stream(`detector/${name}`), sink: this });
    this.health = new EndpointHealth(
      this.endpoints,
      this.instances,
      (slot, isUsed, nowMs, isWell, doubt) => setup.onUse(this, slot, isUsed, isWell, doubt, nowMs),
      initial,
    );
    const { failover } = makers;
    if (failover !== undefined) {
      const sites = sitesOf(fleet.services[spec.service].instances.map(({ zone }) => fleet.zoneNames.indexOf(zone)));
      this.failover = new SiteFailover(failover, sites, {
        slots: this.instances,
        siteOf: (slot) => sites.indexOf(fleet.zone[this.base + slot]),
        health: this.health,
      });
    }
    this.checker = makers.healthCheck?.({
      rng: streams.stream(`check/${name}`),
      prober: { probe: (slot, probe, timeoutMs) => setup.check(this, slot, probe, timeoutMs) },
      sink: {
        believe: (slot, alive, nowMs) => this.health.set(slot, doubts.unfit, !alive, nowMs),
        degrade: (slot, isDegraded, nowMs) => this.health.set(slot, doubts.degraded, isDegraded, nowMs),
        deregister: (slot) => this.forgotten.add(slot),
        restart: (slot) => {
          this.forgotten.add(slot);
          setup.kill(this, slot);
        },
      },
    });
    this.outlier = makers.outlier?.({
      rng: streams.stream(`outlier/${name}`),
      sink: { eject: (slot, isEjected, nowMs) => this.health.set(slot, doubts.ejected, isEjected, nowMs) },
    });
    this.discovery = makers.discovery?.({
      rng: streams.stream(`discovery/${name}`),
      host: { fetch: (request) => setup.fetch(this, request) },
      sink: { update: (members, nowMs) => this.learn(members, nowMs) },
      configured: Array.from({ length: initial }, (_, slot) => slot),
    });
    for (let slot = 0; slot < initial; slot++) {
      this.detector?.watch(slot, 0);
      // The cluster has been running, with traffic, before the first moment looked at.
      this.checker?.watch(slot, 0, true);
      this.outlier?.watch(slot, 0);
    }
    this.checker?.onTraffic?.(0);
    this.failover?.changed(0);
    this.pipeline = new Pipeline({
      ...policies,
      endpoints: this.endpoints,
      attempts: setup.attempts,
      driver: setup.driver,
      clock: setup.clock,
      outlier: this.listener(setup.attemptEnded),
      hasDeadlines: setup.hasDeadlines,
      isReconfigurable: this.isConfigurable,
    });
  }

  /** Of requests that begin now. */
  get balancer(): Balancer {
    return this.pipeline.balancer;
  }

  /** Requests that begin from now on live by these policies and limits, which are made anew. */
  configure(makers: EdgeMakers, timeoutMs: Ms, attemptTimeoutMs: Ms): void {
    this.turns++;
    this.timeoutMs = timeoutMs;
    this.attemptTimeoutMs = attemptTimeoutMs;
    this.pipeline.reconfigure(this.policiesOf(makers, timeoutMs, attemptTimeoutMs));
  }

  /** The name of the policy is not in the name of its stream: two variants of one algorithm then differ only where they must. */
  private policiesOf(makers: EdgeMakers, timeoutMs: Ms, attemptTimeoutMs: Ms): PipelineSettings {
    const { streams, spec } = this.setup;
    const turn = this.turns === 0 ? '' : `/${this.turns}`;
    const rng = (policy: string): Xoshiro128 => streams.stream(`${policy}/${this.name}${turn}`);
    return {
      timeoutMs,
      attemptTimeoutMs,
      balancer: makers.balancer({ rng: rng('balancer'), client: this.seat() }),
      retry: makers.retry?.({ rng: rng('retry') }),
      budget: makers.budget?.({}),
      hedge: makers.hedge?.({ rng: rng('hedge') }),
      breaker: makers.breaker?.({ rng: rng('breaker') }),
      admission: makers.admission?.({ rng: rng('admission') }),
      fallback: spec.fallback,
    };
  }

  /** Its place among the clients of its edge. */
  private seat(): NonNullable<BalancerDeps['client']> {
    const { fleet, ordinal, zones } = this.setup;
    return {
      number: ordinal,
      count: zones.length,
      zone: this.zone,
      clientsByZone: fleet.zoneNames.map((_, zone) => zones.filter((other) => other === zone).length),
    };
  }

  /** Whoever is told how attempts end. */
  private listener(attemptEnded: ClientSetup['attemptEnded']): PipelineParts['outlier'] {
    const { outlier } = this;
    if (attemptEnded === undefined) return outlier;
    return {
      onEnd: (slot: number, outcome: Outcome, nowMs: Ms, latencyMs: Ms = 0) => {
        outlier?.onEnd(slot, outcome, nowMs);
        attemptEnded(this, slot, outcome, latencyMs);
      },
    };
  }

  private optionsOf(slot: number): EndpointOptions {
    const { weight, priority } = this.fleet.services[this.spec.service].instances[slot];
    return { weight, priority, locality: this.fleet.zone[this.base + slot] };
  }

  believe(slot: number, alive: boolean, nowMs: Ms): void {
    this.health.set(slot, doubts.suspected, !alive, nowMs);
  }

  /** A health check of the endpoint is over. */
  checked(slot: number, probe: number, result: ProbeResult, nowMs: Ms): void {
    this.checker?.onResult(slot, probe, result, nowMs);
    // Envoy lets an ejected endpoint back when an active check finds it well and no such check speaks against it.
    if (isGood(result) && !this.health.holds(slot, doubts.unfit)) this.outlier?.onHealthCheckOk?.(slot, nowMs);
  }

  /** The endpoint reports of itself; one that was forgotten is registered again by that. */
  reported(slot: number, result: ProbeResult, nowMs: Ms): void {
    this.registered(slot, nowMs);
    this.checker?.onReport?.(slot, result, nowMs);
  }

  /** It has been started anew, or reports: whoever was forgotten is checked again. */
  registered(slot: number, nowMs: Ms): void {
    if (this.checker === undefined || !this.forgotten.delete(slot)) return;
    // It is somebody new to the checker: a process that no probe has to find ready is ready.
    const { startsAlive } = this.checker;
    this.health.set(slot, doubts.unfit, !startsAlive, nowMs);
    this.checker.watch(slot, nowMs, startsAlive);
  }

  /** Discovery says who there is now. */
  private learn(members: readonly number[], nowMs: Ms): void {
    const known = new Set(members);
    this.endpoints.batch(nowMs, () => {
      for (let slot = 0; slot < this.instances; slot++) {
        const isThere = known.has(slot);
        if (this.isElastic) this.setPresent(slot, isThere, nowMs);
        this.health.set(slot, doubts.unknown, !isThere, nowMs);
      }
    });
  }

  /** The client hears that an instance has come into the place, or left it. Whoever comes is watched from now on. */
  setPresent(slot: number, isPresent: boolean, nowMs: Ms): void {
    if (this.health.holds(slot, doubts.absent) !== isPresent) return;
    if (isPresent) {
      this.health.forgive(slot, nowMs);
      this.endpoints.addAt(slot, this.fleet.ids[this.base + slot], this.optionsOf(slot), nowMs);
      this.health.set(slot, doubts.absent, false, nowMs);
    } else {
      this.health.set(slot, doubts.absent, true, nowMs);
      this.endpoints.remove(slot, nowMs);
    }
    this.forgotten.delete(slot);
    for (const part of [this.detector, this.outlier]) {
      if (isPresent) part?.watch(slot, nowMs);
      else part?.unwatch(slot);
    }
    if (isPresent) this.checker?.watch(slot, nowMs);
    else this.checker?.unwatch(slot);
  }
}

/** Purposes of timers of a client's policies: see `controlTimers`. */
const TIMED_PARTS = 15;

/** `EdgeSpec.caller` of edges that are not calls of a service. */
export const TRAFFIC = -1;
export const DELIVERIES = -2;

/** The zone of each client of the edge: proxies are dealt out to their zones in turn, sidecars stand beside their instances. */
export function clientZones(spec: EdgeSpec, fleet: Fleet): number[] {
  if (spec.caller === DELIVERIES) return [0];
  if (spec.balancers === 0) return Array.from(fleet.zone.subarray(fleet.base[spec.caller], fleet.base[spec.caller + 1]));
  const { balancerZones } = spec;
  return Array.from({ length: spec.balancers }, (_, i) => fleet.zoneNames.indexOf(balancerZones[i % balancerZones.length]));
}

export const isNothing = (law: EdgeSpec['proxyLatency']): boolean => law.type === 'constant' && law.value === 0;
