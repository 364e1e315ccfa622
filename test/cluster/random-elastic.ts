/** The part of random worlds in which instances and nodes come and go: autoscalers that change their minds at random, nodes that are lost,
 *  interrupted, ordered and removed, all within fractions of a second. */
import fc from 'fast-check';
import { alarms } from '../../src/policies/detection/alarms/index.ts';
import { heartbeat } from '../../src/policies/detection/heartbeat.ts';
import { clusterAutoscaler } from '../../src/policies/autoscaling/nodes/index.ts';
import type { Autoscaler, AutoscalerDeps } from '../../src/policies/autoscaling/autoscaler.ts';
import { schedulers } from '../../src/policies/placement/index.ts';
import { nodeLifecycle } from '../../src/policies/recovery/eviction/index.ts';
import { priorityFailover } from '../../src/policies/recovery/failover/index.ts';
import { replicaSet } from '../../src/policies/recovery/replicas/index.ts';
import type { ClusterMakers, EdgeMakers, ServiceMakers } from '../../src/scenario/makers.ts';
import type { ElasticSpec, FaultEffect, NodeGroupSpec, PipelineSpec } from '../../src/scenario/spec.ts';
import { plainElastic, plainPipeline } from './elastic-spec.ts';
import { constant } from './world-builder.ts';

type Generator = fc.GeneratorValue;
const one = <T>(g: Generator, ...things: readonly T[]): T => g(fc.constantFrom<T[]>, ...things);

export const MOST = 7;

export function elasticSpec(g: Generator): ElasticSpec {
  return {
    ...plainElastic,
    imagePull: constant(one(g, 0, 10)),
    readinessMs: one(g, 0, 0, 7),
    endpointDelay: one(g, constant(0), constant(3), { type: 'exponential', mean: 5 } as const),
    cpu: one(g, 500, 1000),
    memory: one(g, 0, 1e9),
    memoryBase: one(g, NaN, 5e8),
    shutdown: { drains: one(g, true, true, false), preStopMs: one(g, 0, 5), graceMs: one(g, 0, 20, 100) },
    priority: one(g, 0, 0, 10),
    spread: one<ElasticSpec['spread']>(
      g,
      [],
      [{ over: 'zone', maxSkew: 1, when: 'DoNotSchedule' }],
      [{ over: 'node', maxSkew: 1, when: 'ScheduleAnyway' }],
    ),
    tolerates: one<ElasticSpec['tolerates']>(g, [], [{ key: 'spot' }]),
    ...one<Pick<ElasticSpec, 'budget'>>(g, {}, { budget: { kind: 'maxUnavailable', amount: 1, isShare: false } }),
    price: one(g, 0, 1),
  };
}

export const randomPipeline = (g: Generator): PipelineSpec => ({
  ...plainPipeline,
  ...{ scrapeMs: one(g, 5, 20), windowMs: one(g, 20, 40), delayMs: one(g, 0, 10), missing: one(g, 0, 0.5), evaluateMs: 10 },
  watch: one(g, 'error-rate', 'latency.p99', 'concurrency'),
});

export function nodeGroups(g: Generator): NodeGroupSpec[] {
  const group = {
    ...{ min: 0, max: 6, zones: ['a', 'b', 'c'], cpu: 3000, memory: one(g, Infinity, 4e9), pods: one(g, 3, 110) },
    ...{ speed: one(g, 1, 2), latencyMs: 1, labels: {}, taints: [], priority: 0, prices: [1, 1, 2] },
    provisioning: constant(one(g, 0, 15)),
  };
  const spot: NodeGroupSpec = {
    ...group,
    ...{ name: 'spot', count: one(g, 0, 2), taints: [{ key: 'spot', value: '', effect: 'NoSchedule' as const }] },
    spot: { interrupted: { type: 'exponential', mean: 80 }, noticeMs: one(g, 0, 10) },
  };
  return [{ ...group, name: 'general', count: one(g, 1, 4, 6) }, ...one<NodeGroupSpec[]>(g, [], [spot])];
}

export const nodeFault: readonly FaultEffect[] = [
  { type: 'node-loss' },
  { type: 'control-plane-outage' },
  { type: 'metrics-outage' },
  { type: 'cpu-exhaustion', share: 0.7 },
];

/** Any count at any time, or nothing. */
function whim({ rng }: AutoscalerDeps, holdsRequests: boolean): Autoscaler {
  return {
    decideEveryMs: 17,
    sampleEveryMs: 5,
    sample: (observation) => void observation.metric('concurrency'),
    holdsRequests,
    decide: (observation) => {
      for (const replica of observation.replicas) void replica.metric('cpu');
      const draw = rng.below(MOST + 2);
      return { replicas: draw > MOST ? undefined : draw, reason: 'a whim' };
    },
  };
}

export function elasticMakers(g: Generator, hasNodes: boolean): Partial<ServiceMakers> {
  const isScaled = one(g, true, false);
  const holds = one(g, true, false);
  const alarm = one(g, undefined, undefined, ...Object.values(alarms));
  return {
    ...(alarm === undefined ? {} : { alarm: () => alarm.make({}, {}) }),
    ...(isScaled ? { autoscaler: (deps) => whim(deps, holds), mostReplicas: MOST } : {}),
    ...(isScaled || hasNodes ? { replicas: (deps) => replicaSet.make({ retryBaseDelay: 3, retryMaxDelay: 20 }, deps) } : {}),
  };
}

export function failoverMaker(g: Generator): Pick<EdgeMakers, 'failover'> {
  const params = { failAfter: one(g, 0, 10), failBackDelay: one(g, 0, 30) };
  return one(g, false, false, true) ? { failover: (deps) => priorityFailover.make(params, deps) } : {};
}

export function clusterMakers(g: Generator): ClusterMakers {
  const scheduler = one(g, ...Object.values(schedulers));
  const isScaled = one(g, true, false);
  const times = { scanInterval: 10, scaleDownUnneededTime: 20, scaleDownUnreadyTime: 30, scaleDownDelayAfterAdd: 20 };
  const eviction = { nodeMonitorPeriod: 5, nodeEvictionRate: one(g, 10, 1000), tolerationSeconds: one(g, 0, 25) };
  return {
    scheduler: (deps) => scheduler.make({}, deps),
    nodeDetector: (deps) => heartbeat.make({ every: 5, misses: 2 }, deps),
    eviction: (deps) => nodeLifecycle.make(eviction, deps),
    ...(isScaled ? { nodeAutoscaler: (deps) => clusterAutoscaler.make(times, deps) } : {}),
  };
}
