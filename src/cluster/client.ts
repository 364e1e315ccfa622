/** One balancing client (a proxy, a sidecar): its own view of its service's instances, its own balancer, detector and pipeline. */
import type { Streams } from '../core/streams.ts';
import type { Clock, Ms } from '../core/time.ts';
import type { Balancer, BalancerDeps } from '../policies/balancing/balancer.ts';
import { healthStates } from '../policies/balancing/balancer.ts';
import { EndpointSet } from '../policies/balancing/endpoint-set.ts';
import type { BeliefSink, Detector, DetectorDeps } from '../policies/detection/detector.ts';
import { type AttemptTable, Pipeline, type PipelineDriver } from '../policies/pipeline.ts';
import type { TrafficSpec } from '../scenario/spec.ts';
import type { Fleet } from './fleet.ts';

/** The variant's policies, ready to be made once per client. */
export interface PolicyMakers {
  readonly balancerName: string;
  makeBalancer(deps: BalancerDeps): Balancer;
  readonly makeDetector?: (deps: DetectorDeps) => Detector;
}

export interface ClientSetup {
  readonly number: number;
  readonly source: number;
  readonly spec: TrafficSpec;
  readonly ordinal: number;
  readonly fleet: Fleet;
  readonly attempts: AttemptTable;
  readonly driver: PipelineDriver;
  readonly clock: Clock;
  readonly streams: Streams;
  readonly makers: PolicyMakers;
  onBelief(client: Client, slot: number, alive: boolean, nowMs: Ms): void;
}

export class Client implements BeliefSink {
  readonly number: number;
  readonly source: number;
  readonly zone: number;
  /** Global number of the instance in slot 0: slots are indices within the service. */
  readonly base: number;
  readonly instances: number;
  readonly endpoints: EndpointSet;
  readonly balancer: Balancer;
  readonly pipeline: Pipeline;
  readonly detector: Detector | undefined;
  /** Whether the balancer wants load reports. */
  readonly listens: boolean;
  /** Whether requests are retried. */
  readonly retries: boolean;
  /** Lane of the request timeout; −1 for none. */
  timeoutLane: number;
  /** When the pending timer events are due; Infinity for none. */
  detectorTimerMs: Ms;
  balancerTimerMs: Ms;
  private readonly onBelief: ClientSetup['onBelief'];

  constructor(setup: ClientSetup) {
    const { fleet, spec, streams, makers } = setup;
    const name = `${spec.name}/${setup.ordinal}`;
    this.number = setup.number;
    this.source = setup.source;
    this.zone = fleet.zoneNames.indexOf(spec.balancerZones[setup.ordinal % spec.balancerZones.length]);
    this.base = fleet.base[spec.service];
    this.instances = fleet.base[spec.service + 1] - this.base;
    this.onBelief = setup.onBelief;
    this.retries = spec.retry.retries > 0;
    this.timeoutLane = -1;
    this.detectorTimerMs = Infinity;
    this.balancerTimerMs = Infinity;
    this.endpoints = new EndpointSet(this.instances);
    fleet.services[spec.service].instances.forEach((instance, index) => {
      this.endpoints.add(
        fleet.ids[this.base + index],
        { weight: instance.weight, priority: instance.priority, locality: fleet.zone[this.base + index] },
        0,
      );
    });
    // The name of the policy is not in the name of its stream: two variants of one algorithm then differ only where they must.
    this.balancer = makers.makeBalancer({
      rng: streams.stream(`balancer/${name}`),
      client: {
        number: setup.ordinal,
        count: spec.balancers,
        zone: this.zone,
        clientsByZone: clientsByZone(spec, fleet.zoneNames),
      },
    });
    this.listens = this.balancer.onReport !== undefined;
    this.endpoints.bind(this.balancer, 0);
    this.detector = makers.makeDetector?.({ rng: streams.stream(`detector/${name}`), sink: this });
    for (let slot = 0; slot < this.instances; slot++) this.detector?.watch(slot, 0);
    this.pipeline = new Pipeline({
      endpoints: this.endpoints,
      balancer: this.balancer,
      attempts: setup.attempts,
      driver: setup.driver,
      clock: setup.clock,
      hasTimeout: spec.timeoutMs < Infinity,
      retry: spec.retry,
    });
  }

  believe(slot: number, alive: boolean, nowMs: Ms): void {
    this.endpoints.setHealth(slot, alive ? healthStates.healthy : healthStates.unhealthy, nowMs);
    this.onBelief(this, slot, alive, nowMs);
  }
}

/** Proxies are dealt out to their zones in turn. */
function clientsByZone(spec: TrafficSpec, zoneNames: readonly string[]): number[] {
  const counts = zoneNames.map(() => 0);
  for (let i = 0; i < spec.balancers; i++) counts[zoneNames.indexOf(spec.balancerZones[i % spec.balancerZones.length])]++;
  return counts;
}
