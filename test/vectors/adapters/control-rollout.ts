/** Kinds of `control.json` about roll-outs: Kubernetes Deployments, Argo Rollouts, Flagger, percentage flags, Consul's keys and locks. */
import { argoCanary } from '../../../src/policies/rollout/strategies/argo-canary.ts';
import { rollingUpdate } from '../../../src/policies/rollout/strategies/rolling-update.ts';
import { defaults } from '../../../src/core/params.ts';
import { assessMetric, effectiveCount, type FinishedPhase } from '../../../src/policies/rollout/analysis/metric-phase.ts';
import { launchDarklyBucket } from '../../../src/policies/rollout/flags/launch-darkly.ts';
import {
  approximateCounts,
  type CanaryCounts,
  steppedCounts,
} from '../../../src/policies/rollout/strategies/parts/canary-replicas.ts';
import {
  type CanaryStep,
  canaryScaleAt,
  currentWeight,
  stepWeightsOf,
} from '../../../src/policies/rollout/strategies/parts/canary-steps.ts';
import {
  type DeploymentStatus,
  isAvailable,
  isComplete,
  isProgress,
  isTimedOut,
  type ProgressReason,
} from '../../../src/policies/rollout/strategies/parts/deployment-progress.ts';
import {
  type Fenceposts,
  fencepostsWithin,
  resolveFenceposts,
} from '../../../src/policies/rollout/strategies/parts/fenceposts.ts';
import { isReadyEnough } from '../../../src/policies/rollout/strategies/parts/flagger-weights.ts';
import {
  grownReplicas,
  shrunkReplicas,
  takenOldestFirst,
  withoutUnhealthy,
} from '../../../src/policies/rollout/strategies/parts/rolling-replicas.ts';
import {
  isThresholdMet,
  replicasForWeight,
  retreatWeight,
  routedCounts,
  type TrafficWeights,
} from '../../../src/policies/rollout/strategies/parts/routed-replicas.ts';
import { ConsulStore, consulStore } from '../../../src/policies/rollout/store/consul.ts';
import { LockTable } from '../../../src/policies/rollout/store/parts/lock-table.ts';
import { type CountOrPercent, parseCountOrPercent } from '../../../src/policies/shared/count-or-percent.ts';
import type { Adapters } from '../vector-file.ts';
import { type FlaggerInput, FlaggerStage, RolloutStage } from './rollout-stage.ts';
import { Script } from './stage.ts';

const deployments: Adapters = {
  'deployment.resolveFenceposts': (input: Limits & { readonly desired: number }) => {
    try {
      return resolveFenceposts(amount(input.maxSurge), amount(input.maxUnavailable), input.desired);
    } catch {
      return { error: true };
    }
  },

  'deployment.newRSReplicas': (input: {
    readonly strategy: Strategy;
    readonly deploymentReplicas: number;
    readonly newRSReplicas: number;
    readonly maxSurge: number;
    readonly totalPodsAllRS: number;
  }) => ({
    newRSReplicas:
      input.strategy === 'Recreate'
        ? grownReplicas(input.deploymentReplicas, input.newRSReplicas, input.newRSReplicas, 0)
        : grownReplicas(input.deploymentReplicas, input.newRSReplicas, input.totalPodsAllRS, input.maxSurge),
  }),

  'deployment.maxUnavailable': (input: Limits & { readonly strategy: Strategy; readonly replicas: number | null }) => ({
    maxUnavailable:
      input.strategy === 'Recreate'
        ? 0
        : fencepostsWithin(amount(input.maxSurge), amount(input.maxUnavailable), input.replicas ?? 0).maxUnavailable,
  }),

  'deployment.complete': (input: {
    readonly specReplicas: number;
    readonly statusReplicas: number;
    readonly updatedReplicas: number;
    readonly availableReplicas: number;
  }) => ({
    complete: isComplete(input.specReplicas, {
      replicas: input.statusReplicas,
      updated: input.updatedReplicas,
      ready: input.availableReplicas,
      available: input.availableReplicas,
    }),
  }),

  'deployment.progressing': ({ old: before, new: after }: { readonly old: Status; readonly new: Status }) => ({
    progressing: isProgress(status(before), status(after)),
  }),

  'deployment.timedOut': (input: {
    readonly progressDeadlineSeconds: number | null;
    readonly lastUpdateSec: number;
    readonly nowSec: number;
    readonly progressingReason: ProgressReason | '';
  }) => {
    const reason = input.progressingReason === '' ? 'ReplicaSetUpdated' : input.progressingReason;
    const deadlineMs = (input.progressDeadlineSeconds ?? Infinity) * 1000;
    return { timedOut: isTimedOut(reason, input.lastUpdateSec * 1000, deadlineMs, input.nowSec * 1000) };
  },

  'deployment.reconcileNewRS': (input: RollingInput & { readonly newReplicas: number }) => {
    const { maxSurge } = fenceposts(input);
    const newReplicas = grownReplicas(
      input.deploymentReplicas,
      input.newReplicas,
      input.newReplicas + input.oldReplicas,
      maxSurge,
    );
    return { scaled: newReplicas !== input.newReplicas, newReplicas };
  },

  'deployment.reconcileOldRS': (
    input: RollingInput & { readonly newReplicas: number; readonly oldAvailable: number; readonly newAvailable: number },
  ) => {
    const [oldReplicas] = shrunkReplicas(
      input.deploymentReplicas,
      [{ spec: input.oldReplicas, available: input.oldAvailable }],
      { spec: input.newReplicas, available: input.newAvailable },
      fenceposts(input),
    );
    return { scaled: oldReplicas !== input.oldReplicas, oldReplicas };
  },

  'deployment.scaleDownOldRS': (input: RollingInput & { readonly oldAvailable: number }) => {
    const least = input.deploymentReplicas - fenceposts(input).maxUnavailable;
    const old = [{ spec: input.oldReplicas, available: input.oldAvailable }];
    const [oldReplicas] = takenOldestFirst(old, input.oldAvailable - least);
    return { scaled: oldReplicas !== input.oldReplicas, oldReplicas };
  },

  'deployment.cleanupUnhealthy': (input: {
    readonly oldReplicas: number;
    readonly oldAvailable: number;
    readonly maxCleanupCount: number;
  }) => {
    const old = [{ spec: input.oldReplicas, available: input.oldAvailable }];
    return { cleanedUp: input.oldReplicas - withoutUnhealthy(old, input.maxCleanupCount)[0] };
  },

  'deployment.rolloutTrace': (
    input: Limits & {
      readonly replicas: number;
      readonly newPodsBecomeAvailable: boolean;
      readonly syncs: number;
    },
  ) => {
    const settings = { maxSurge: String(input.maxSurge), maxUnavailable: String(input.maxUnavailable) };
    const stage = new RolloutStage(rollingUpdate.make(settings, { unit: 'replicas' }), input.replicas);
    const afterSync = Array.from({ length: input.syncs }, () => {
      stage.step();
      if (input.newPodsBecomeAvailable) stage.makeReady();
      return { new: stage.spec('new'), old: stage.spec('old') };
    });
    return { afterSync };
  },

  'deployment.podAvailable': (input: {
    readonly ready: boolean;
    readonly minReadySeconds: number;
    readonly readyForSec: number;
  }) => ({
    available: isAvailable(input.ready ? 0 : undefined, input.minReadySeconds * 1000, input.readyForSec * 1000),
  }),
};

const argo: Adapters = {
  'argo.basicCanaryReplicas': (input: CanaryInput) => {
    const maxWeight = input.maxWeight ?? 100;
    const weight = input.promoteFull ? maxWeight : input.aborted ? 0 : input.setWeight;
    const posts = fencepostsWithin(amount(input.maxSurge), amount(input.maxUnavailable), input.replicas);
    const wanted: CanaryCounts =
      input.stable === null
        ? { canary: input.replicas, stable: 0 }
        : approximateCounts(input.replicas, weight, maxWeight, posts.maxSurge);
    const older = [input.older ?? input.olderRSs ?? input.olderRS ?? []].flat();
    return steppedCounts(input.replicas, wanted, group(input.canary), group(input.stable), older.map(group), posts);
  },

  'argo.trafficRoutedReplicas': (input: CanaryInput & RoutedInput) => {
    const maxWeight = input.maxWeight ?? 100;
    const scale = input.setCanaryScale ?? undefined;
    const steps: CanaryStep[] = [{ ...step, weight: input.setWeight }];
    if (scale !== undefined)
      steps.push({
        ...step,
        step: 'setCanaryScale',
        replicas: scale.replicas ?? -1,
        weight: scale.weight ?? -1,
        matchTrafficWeight: scale.matchTrafficWeight,
      });
    // An abort ends the canary's own scale, unless it is to be left as it is.
    const isScaleKept = !input.aborted || input.abortScaleDownDelaySeconds === 0;
    const own = isScaleKept && !input.promoteFull ? canaryScaleAt(steps, steps.length - 1) : undefined;
    const weight = input.promoteFull ? maxWeight : input.aborted ? 0 : input.setWeight;
    return routedCounts(
      { replicas: input.replicas, maxWeight, dynamicStableScale: false, minPodsPerReplicaSet: input.minPodsPerReplicaSet ?? 0 },
      {
        weight: own !== undefined && 'weight' in own ? own.weight : weight,
        isAborted: input.aborted,
        ...(own !== undefined && 'replicas' in own ? { canaryReplicas: own.replicas } : {}),
      },
      undefined,
    );
  },

  'argo.approximateWeights': (input: {
    readonly replicas: number;
    readonly weight: number;
    readonly maxWeight: number;
    readonly maxSurge: number;
  }) => approximateCounts(input.replicas, input.weight, input.maxWeight, input.maxSurge),

  'argo.dynamicStableReplicas': (input: {
    readonly replicas: number;
    readonly maxWeight?: number;
    readonly steps: readonly { readonly setWeight: number }[];
    readonly currentStepIndex: number;
    readonly aborted: boolean;
    readonly dynamicStableScale: boolean;
    readonly minPodsPerReplicaSet?: number | null;
    readonly actualWeights: TrafficWeights | null;
    readonly canary: Group | null;
    readonly stable: Group | null;
  }) => {
    const settings = {
      replicas: input.replicas,
      maxWeight: input.maxWeight ?? 100,
      dynamicStableScale: input.dynamicStableScale,
      minPodsPerReplicaSet: input.minPodsPerReplicaSet ?? 0,
    };
    const steps = input.steps.map(({ setWeight }): CanaryStep => ({ ...step, weight: setWeight }));
    const retreat =
      input.canary === null || input.stable === null
        ? 0
        : retreatWeight(settings, stepWeightsOf(steps), group(input.canary).available, group(input.stable).available);
    const weight = currentWeight(steps, input.currentStepIndex, input.aborted, settings.maxWeight);
    return routedCounts(settings, { weight, isAborted: input.aborted }, input.actualWeights ?? undefined, retreat);
  },

  'argo.trafficWeightToReplicas': (input: {
    readonly replicas: number;
    readonly weight: number;
    readonly maxWeight: number;
  }) => ({ replicas: replicasForWeight(input.replicas, input.weight, input.maxWeight) }),

  'argo.progressThreshold': (input: {
    readonly threshold: { readonly type: 'Percentage' | 'Pods' | 'Pod'; readonly value: number } | null;
    readonly replicaSet: Group | null;
    readonly desired: number;
  }) => {
    const threshold =
      input.threshold === null
        ? undefined
        : {
            value: input.threshold.value,
            type: input.threshold.type === 'Percentage' ? ('Percentage' as const) : ('Pods' as const),
          };
    return { met: input.replicaSet !== null && isThresholdMet(threshold, group(input.replicaSet), input.desired) };
  },

  'argo.currentSetWeight': (input: {
    readonly steps: readonly { readonly setWeight?: number }[];
    readonly currentStepIndex: number;
    readonly aborted: boolean;
  }) => {
    const steps = input.steps.map(({ setWeight }): CanaryStep =>
      setWeight === undefined ? { ...step, step: 'pause' } : { ...step, weight: setWeight },
    );
    return { weight: currentWeight(steps, input.currentStepIndex, input.aborted, 100) };
  },

  'argo.metricPhase': ({ metric, result }: MetricInput) => {
    const limits = {
      failureLimit: metric.failureLimit ?? 0,
      inconclusiveLimit: metric.inconclusiveLimit ?? 0,
      consecutiveErrorLimit: metric.consecutiveErrorLimit ?? 4,
      consecutiveSuccessLimit: metric.consecutiveSuccessLimit ?? 0,
      count: effectiveCount(metric.count ?? undefined, metric.interval !== null),
    };
    const measured = { ...result, lastMeasurement: result.lastMeasurementPhase ?? undefined };
    return {
      phase: assessMetric(limits, measured, false),
      phaseWhenTerminating: assessMetric(limits, measured, true),
    };
  },
};

const walks: Adapters = {
  'argo.stepWalk': (
    input: Limits & {
      readonly replicas: number;
      readonly steps: readonly { readonly setWeight?: number; readonly pauseSec?: number | null }[];
      readonly events: readonly {
        readonly atSec: number;
        readonly type: 'start' | 'replicasReady' | 'reconcile' | 'userPromote';
      }[];
    },
  ) => {
    const steps = input.steps.map(({ setWeight, pauseSec }) =>
      setWeight === undefined
        ? ({ step: 'pause', duration: (pauseSec ?? 0) * 1000 } as const)
        : ({ step: 'setWeight', weight: setWeight } as const),
    );
    const settings = { steps, maxSurge: String(input.maxSurge), maxUnavailable: String(input.maxUnavailable) };
    const rollout = argoCanary.make(settings, { unit: 'replicas' });
    const stage = new RolloutStage(rollout, input.replicas);
    const stepIndexAfterEvent = input.events.map(({ atSec, type }) => {
      stage.nowMs = atSec * 1000;
      if (type === 'userPromote') rollout.command('promote', stage.nowMs);
      if (type === 'replicasReady') stage.comeToRest();
      else stage.step();
      return (rollout.snapshot() as { readonly state: { readonly index: number } }).state.index;
    });
    return { stepIndexAfterEvent };
  },
};

const flagger: Adapters = {
  'flagger.weights': (input: { readonly analysis: FlaggerInput }, row) => {
    const { canaryWeightPerTick } = row.expect as { readonly canaryWeightPerTick: readonly number[] };
    const canary = new FlaggerStage(input.analysis);
    const ticks = canaryWeightPerTick.map(() => canary.tick());
    const thenPhases = ['', '', ''].map(() => canary.tick().phase);
    return {
      primaryWeightPerTick: ticks.map(({ primary }) => primary),
      canaryWeightPerTick: ticks.map(({ canary: weight }) => weight),
      thenPhases,
    };
  },

  'flagger.rollback': (input: {
    readonly analysis: FlaggerInput;
    readonly startTick: number;
    readonly checkResults: readonly boolean[];
  }) => {
    const canary = new FlaggerStage(input.analysis);
    // The first look starts the canary, those up to `startTick` step it.
    for (let tick = 0; tick <= input.startTick; tick++) canary.tick();
    const ticks = input.checkResults.map((isGood) => canary.tick(isGood));
    return {
      failedChecks: ticks.map(({ failedChecks }) => failedChecks),
      canaryWeight: ticks.map(({ canary: weight }) => weight),
      phase: ticks.map(({ phase }) => phase),
    };
  },

  'flagger.promotionShift': (input: {
    readonly stepWeightPromotion: number;
    readonly canaryWeight: number;
    readonly ticks: number;
  }) => {
    const { stepWeightPromotion, canaryWeight } = input;
    const canary = new FlaggerStage({ threshold: 1, stepWeight: canaryWeight, maxWeight: canaryWeight, stepWeightPromotion });
    // Starts, steps, and is promoted; from then on traffic goes back.
    for (let tick = 0; tick < 3; tick++) canary.tick();
    const ticks = Array.from({ length: input.ticks }, () => canary.tick());
    return {
      primaryWeight: ticks.map(({ primary }) => primary),
      canaryWeight: ticks.map(({ canary: weight }) => weight),
      finalisingAfterTick: ticks.findIndex(({ phase }) => phase === 'Finalising') + 1,
    };
  },

  'flagger.readyThreshold': (input: {
    readonly readyThresholdPct: number;
    readonly updatedReplicas: number;
    readonly availableReplicas: number;
  }) => ({ ready: isReadyEnough(input.updatedReplicas, input.availableReplicas, input.readyThresholdPct) }),
};

const flags: Adapters = {
  'featureFlag.bucketSha1': (input: {
    readonly flagKey: string;
    readonly salt: string;
    readonly contextKey: string;
    readonly seed: number | null;
  }) => ({
    bucket: launchDarklyBucket(
      { key: input.flagKey, salt: input.salt, ...(input.seed === null ? {} : { seed: input.seed }) },
      input.contextKey,
    ),
  }),
};

const consul: Adapters = {
  'consul.kv': (input: {
    readonly ops: readonly {
      readonly op: 'cas' | 'lock' | 'unlock';
      readonly key: string;
      readonly modifyIndex?: number;
      readonly value?: string;
      readonly session?: string;
      readonly raftIndex: number;
    }[];
  }) => {
    const table = new LockTable();
    const ok = input.ops.map(({ op, key, modifyIndex = 0, value, session = '', raftIndex }) => {
      if (op === 'cas') return table.setIfAt(key, modifyIndex, value ?? '', raftIndex);
      return op === 'lock' ? table.lock(key, session, value, raftIndex) : table.unlock(key, session, raftIndex);
    });
    return { ok, final: Object.fromEntries(table.list('').map((entry) => [entry.key, entry])) };
  },

  'consul.lockDelay': (input: {
    readonly lockDelaySec: number;
    readonly events: readonly { readonly atSec: number; readonly acquire?: string; readonly invalidate?: string }[];
  }) => {
    const params = { ...defaults(consulStore.params), lockDelay: input.lockDelaySec * 1000 };
    const store = new ConsulStore(params, { rng: new Script(), host: { deliver: () => {} } });
    const sessions = new Map<string, number>();
    const sessionOf = (name: string, nowMs: number): number => {
      if (!sessions.has(name)) sessions.set(name, store.grantLease(86_400_000, nowMs)!.lease);
      return sessions.get(name)!;
    };
    const acquireOk: boolean[] = [];
    for (const { atSec, acquire, invalidate } of input.events) {
      const nowMs = atSec * 1000;
      if (acquire !== undefined) acquireOk.push(store.acquire('lock', sessionOf(acquire, nowMs), nowMs).state === 'held');
      if (invalidate !== undefined) store.revokeLease(sessionOf(invalidate, nowMs), nowMs);
    }
    return { acquireOk };
  },
};

export const rolloutAdapters: Adapters = { ...deployments, ...argo, ...walks, ...flagger, ...flags, ...consul };

type Amount = number | string | null;
type Strategy = 'Recreate' | 'RollingUpdate';
interface Limits {
  readonly maxSurge: Amount;
  readonly maxUnavailable: Amount;
}
interface RollingInput extends Limits {
  readonly deploymentReplicas: number;
  readonly oldReplicas: number;
}
interface Group {
  readonly specReplicas: number | null;
  readonly availableReplicas: number;
}
interface Status {
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
  readonly availableReplicas: number;
}
interface CanaryInput extends Limits {
  readonly replicas: number;
  readonly setWeight: number;
  readonly maxWeight?: number;
  readonly promoteFull: boolean;
  readonly aborted: boolean;
  readonly stable: Group | null;
  readonly canary: Group | null;
  readonly older?: Group | readonly Group[];
  readonly olderRS?: Group | readonly Group[];
  readonly olderRSs?: Group | readonly Group[];
}
interface RoutedInput {
  readonly minPodsPerReplicaSet?: number;
  readonly abortScaleDownDelaySeconds?: number;
  readonly setCanaryScale?: {
    readonly replicas: number | null;
    readonly weight: number | null;
    readonly matchTrafficWeight: boolean;
  } | null;
}
interface MetricInput {
  readonly metric: {
    readonly failureLimit: number | null;
    readonly inconclusiveLimit: number | null;
    readonly consecutiveErrorLimit: number | null;
    readonly consecutiveSuccessLimit: number | null;
    readonly count: number | null;
    readonly interval: string | null;
  };
  readonly result: {
    readonly successful: number;
    readonly failed: number;
    readonly inconclusive: number;
    readonly consecutiveError: number;
    readonly consecutiveSuccess: number;
    readonly count: number;
    readonly lastMeasurementPhase: FinishedPhase | 'Running' | null;
  };
}

const amount = (value: Amount | undefined): CountOrPercent | undefined =>
  value === null || value === undefined ? undefined : parseCountOrPercent(String(value), 'the limit');
const fenceposts = (input: RollingInput): Fenceposts =>
  fencepostsWithin(amount(input.maxSurge), amount(input.maxUnavailable), input.deploymentReplicas);
const group = (given: Group | null): { readonly spec: number; readonly available: number } => ({
  spec: given?.specReplicas ?? 0,
  available: given?.availableReplicas ?? 0,
});
const status = (given: Status): DeploymentStatus => ({
  replicas: given.replicas,
  updated: given.updatedReplicas,
  ready: given.readyReplicas,
  available: given.availableReplicas,
});
const step: CanaryStep = { step: 'setWeight', weight: 0, duration: 0, replicas: -1, matchTrafficWeight: false };
