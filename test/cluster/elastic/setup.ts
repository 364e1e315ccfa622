/** Worlds in which instances come and go, in few words. Times in ms. */
import type { Autoscaler, ScaleObservation } from '../../../src/policies/autoscaling/autoscaler.ts';
import { firstFit } from '../../../src/policies/placement/index.ts';
import { heartbeat } from '../../../src/policies/detection/heartbeat.ts';
import { nodeLifecycle } from '../../../src/policies/recovery/eviction/index.ts';
import { replicaSet } from '../../../src/policies/recovery/replicas/index.ts';
import type { ClusterMakers, ServiceMakers } from '../../../src/scenario/makers.ts';
import type { NodeGroupSpec } from '../../../src/scenario/spec.ts';
import { constant, type Played } from '../world-builder.ts';

export interface Script {
  /** So many from that moment on, and before the first as many as at first. */
  readonly counts?: readonly (readonly [atMs: number, count: number])[];
  readonly everyMs?: number;
  readonly most?: number;
  readonly holdsRequests?: boolean;
  readonly sampleEveryMs?: number;
  onLook?(observation: ScaleObservation): void;
  onSample?(observation: ScaleObservation): void;
}

/** A service that is scaled by a script. */
export function scripted({ counts = [], everyMs = 1, most = 10, onLook, onSample, ...rest }: Script): ServiceMakers {
  const autoscaler = (): Autoscaler => ({
    decideEveryMs: everyMs,
    ...(onSample === undefined ? {} : { sample: onSample }),
    ...rest,
    decide: (observation) => {
      onLook?.(observation);
      const replicas = counts.findLast(([atMs]) => atMs <= observation.nowMs)?.[1];
      return { replicas, reason: 'Script' };
    },
  });
  return { autoscaler, mostReplicas: most, replicas: (deps) => replicaSet.make({}, deps) };
}

/** Instances that are replaced, and not scaled. */
export const kept: ServiceMakers = { replicas: (deps) => replicaSet.make({}, deps) };

export const nodeGroup = (rest: Partial<NodeGroupSpec> = {}): NodeGroupSpec => ({
  ...{ name: 'pool', count: 2, min: 0, max: 6, zones: ['a'], cpu: 2000, memory: Infinity, pods: 110, speed: 1, latencyMs: 0 },
  ...{ labels: {}, taints: [], provisioning: constant(0), priority: 0 },
  prices: (rest.zones ?? ['a']).map(() => 0),
  ...rest,
});

/** First fit; nodes are silent for 20 when they are believed lost, and what is on them is given up 50 after that. */
export const firstFitting: ClusterMakers = {
  scheduler: (deps) => firstFit.make({}, deps),
  nodeDetector: (deps) => heartbeat.make({ every: 10, misses: 2 }, deps),
  eviction: (deps) => nodeLifecycle.make({ nodeMonitorPeriod: 1, nodeEvictionRate: 1000, tolerationSeconds: 50 }, deps),
};

/** Who answered each request, in order of arrival: the instance's number, or how else it ended. */
export const answers = (played: Played): (number | string)[] =>
  played.attempts.map(({ slot, outcome }) => (outcome === 'ok' ? slot : outcome));

/** Instances that there were, and for how long. */
export const existing = (played: Played): (readonly [string, number])[] =>
  played.instances.flatMap(({ id, existedMs = 0 }) => (existedMs > 0 ? [[id, existedMs] as const] : []));

/** Instants of one request every `everyMs`, from 0.5 on. */
export const steadily = (everyMs: number, untilMs: number): number[] =>
  Array.from({ length: Math.floor(untilMs / everyMs) }, (_, index) => index * everyMs + 0.5);
