/** Adapters for the kinds of `control.json` about autoscalers: HPA, Knative and KEDA. */
import type {
  MetricSample,
  ReplicaPhase,
  ReplicaSample,
  ScaleObservation,
} from '../../../src/policies/autoscaling/autoscaler.ts';
import {
  type Behavior,
  limitByBehavior,
  limitWithoutBehavior,
  type ScaleHistory,
  scaleDownLimit,
  scaleUpLimit,
  type ScalingRules,
} from '../../../src/policies/autoscaling/hpa/behavior-limits.ts';
import { groupPods, type Readiness, type UsageSample } from '../../../src/policies/autoscaling/hpa/group-pods.ts';
import type { Metric } from '../../../src/policies/autoscaling/hpa/metrics.ts';
import { HpaReconciler } from '../../../src/policies/autoscaling/hpa/reconciler.ts';
import {
  isProposal,
  type NoProposal,
  type PodsInput,
  type Proposal,
  replicasForAverage,
  replicasForShare,
  replicasForUtilization,
  replicasForValue,
} from '../../../src/policies/autoscaling/hpa/replica-calculator.ts';
import { ScaleEventLog } from '../../../src/policies/autoscaling/hpa/scale-events.ts';
import { RecommendationLog } from '../../../src/policies/autoscaling/hpa/stabilization.ts';
import type { Tolerance } from '../../../src/policies/autoscaling/hpa/tolerance.ts';
import { CronWindow } from '../../../src/policies/autoscaling/keda/cron-window.ts';
import { executorStep } from '../../../src/policies/autoscaling/keda/executor.ts';
import { type Fallback, fallbackValue } from '../../../src/policies/autoscaling/keda/fallback.ts';
import { MaxWindow } from '../../../src/policies/autoscaling/kpa/max-window.ts';
import { KpaScaler } from '../../../src/policies/autoscaling/kpa/scaler.ts';
import { smoothingCoefficient, TimeBuckets } from '../../../src/policies/autoscaling/kpa/time-buckets.ts';
import type { Adapters } from '../vector-file.ts';

interface PodsRow {
  readonly currentReplicas: number;
  readonly tolerance: { readonly scaleUp: number; readonly scaleDown: number };
  readonly cpuInitializationPeriodSec: number;
  readonly initialReadinessDelaySec: number;
  readonly nowSec?: number;
  readonly pods: readonly PodRow[];
  readonly metrics: readonly MetricRow[];
  readonly resource?: string;
}
interface PodRow {
  readonly name: string;
  readonly phase: string;
  readonly ready: boolean | null;
  readonly startedAtSec: number | null;
  readonly readyTransitionAtSec: number | null;
  readonly deleting: boolean;
  readonly requestMilli?: number | null;
}
interface MetricRow {
  readonly pod: string;
  readonly valueMilli: number;
  readonly timestampSec?: number;
  readonly windowSec?: number;
}
interface TotalRow {
  readonly currentReplicas: number;
  readonly tolerance: PodsRow['tolerance'];
  readonly totalMilli: number;
  readonly targetMilli: number;
  readonly readyPodCount: number;
  readonly podCount: number;
}
interface EventRow {
  readonly ageSec: number;
  readonly change: number;
}
interface RulesRow {
  readonly stabilizationWindowSeconds: number | null;
  readonly selectPolicy: ScalingRules['selectPolicy'];
  readonly policies: readonly { readonly type: 'Pods' | 'Percent'; readonly value: number; readonly periodSeconds: number }[];
}

const NOW_MS = 0;
const toleranceOf = ({ scaleUp, scaleDown }: PodsRow['tolerance']): Tolerance => ({ up: scaleUp, down: scaleDown });

const rulesOf = ({ stabilizationWindowSeconds, selectPolicy, policies }: RulesRow, usualWindowSec: number): ScalingRules => ({
  stabilizationWindowMs: (stabilizationWindowSeconds ?? usualWindowSec) * 1000,
  selectPolicy: selectPolicy ?? 'Max',
  policies: (policies ?? []).map(({ type, value, periodSeconds }) => ({ type, value, periodMs: periodSeconds * 1000 })),
});
const eventsOf = (rows: readonly EventRow[] | null): ScaleEventLog =>
  new ScaleEventLog((rows ?? []).map(({ ageSec, change }) => ({ change, atMs: NOW_MS - ageSec * 1000 })));
const historyOf = (row: {
  readonly scaleUpEvents: readonly EventRow[];
  readonly scaleDownEvents: readonly EventRow[];
}): ScaleHistory => ({ up: eventsOf(row.scaleUpEvents), down: eventsOf(row.scaleDownEvents) });

/** Pods get numbers in their order; metrics of pods that are not listed get others. */
function podsOf(row: Omit<PodsRow, 'currentReplicas' | 'tolerance'>) {
  const nowMs = (row.nowSec ?? 0) * 1000;
  const names = row.pods.map(({ name }) => name);
  const numberOf = (name: string, index: number): number => (names.includes(name) ? names.indexOf(name) : names.length + index);
  const pods = row.pods.map((pod, replica) => ({
    replica,
    phase: pod.phase.toLowerCase() as ReplicaPhase,
    isReady: pod.ready ?? undefined,
    startedAtMs: pod.startedAtSec === null ? undefined : pod.startedAtSec * 1000,
    readyChangedAtMs: pod.readyTransitionAtSec === null ? undefined : pod.readyTransitionAtSec * 1000,
    isDeleting: pod.deleting,
    request: () => (typeof pod.requestMilli === 'number' ? pod.requestMilli / 1000 : undefined),
  }));
  const usage = new Map(
    (row.metrics ?? []).map(({ pod, valueMilli, timestampSec = 0, windowSec = 0 }, index): [number, UsageSample] => [
      numberOf(pod, index),
      { milli: valueMilli, atMs: timestampSec * 1000, windowMs: windowSec * 1000 },
    ]),
  );
  const readiness: Readiness = {
    cpuInitializationPeriodMs: row.cpuInitializationPeriodSec * 1000,
    initialReadinessDelayMs: row.initialReadinessDelaySec * 1000,
  };
  return { pods, usage, readiness, nowMs, names };
}

const podsInput = (row: PodsRow): PodsInput => ({
  ...podsOf(row),
  currentReplicas: row.currentReplicas,
  tolerance: toleranceOf(row.tolerance),
});

/** Of a message any part may be expected; that there is one is the point. */
const answerOf = (result: Proposal | NoProposal, expected: unknown): object => {
  if (isProposal(result)) {
    const { replicas, averageMilli, utilizationPercent } = result;
    return { replicas, averageValueMilli: averageMilli, reportedMilli: averageMilli, utilizationPct: utilizationPercent };
  }
  const { error } = expected as { readonly error?: unknown };
  return error === undefined ? result : { error };
};

const hpaAdapters: Adapters = {
  'hpa.groupPods': (row: PodsRow) => {
    const { pods, usage, readiness, nowMs, names } = podsOf(row);
    const { readyCount, unready, missing, ignored } = groupPods(pods, usage, row.resource === 'cpu', readiness, nowMs);
    const named = (replicas: readonly number[]): readonly string[] => replicas.map((replica) => names[replica]);
    return { readyPodCount: readyCount, unready: named(unready), missing: named(missing), ignored: named(ignored) };
  },
  'hpa.resourceUtilization': (row: PodsRow & { readonly targetUtilizationPct: number }, { expect }) =>
    answerOf(replicasForUtilization(podsInput(row), row.resource!, row.targetUtilizationPct), expect),
  'hpa.podsMetric': (row: PodsRow & { readonly targetAverageValueMilli: number }, { expect }) =>
    answerOf(replicasForAverage(podsInput(row), row.resource ?? '', row.targetAverageValueMilli), expect),
  'hpa.totalValueMetric': (row: TotalRow, { expect }) =>
    answerOf(
      replicasForValue(row.currentReplicas, row.readyPodCount, row.totalMilli, row.targetMilli, toleranceOf(row.tolerance)),
      expect,
    ),
  'hpa.averageOfTotalMetric': (row: TotalRow, { expect }) =>
    answerOf(replicasForShare(row.currentReplicas, row.totalMilli, row.targetMilli, toleranceOf(row.tolerance)), expect),
  'hpa.clampNoBehavior': (row: {
    readonly currentReplicas: number;
    readonly desiredReplicas: number;
    readonly minReplicas: number;
    readonly maxReplicas: number;
  }) => limitWithoutBehavior(row.currentReplicas, row.desiredReplicas, { min: row.minReplicas, max: row.maxReplicas }),
  'hpa.scaleUpLimit': (
    row: Parameters<typeof historyOf>[0] & { readonly currentReplicas: number; readonly rules: RulesRow },
  ) => ({
    limit: scaleUpLimit(row.currentReplicas, rulesOf(row.rules, 0), historyOf(row), NOW_MS),
  }),
  'hpa.scaleDownLimit': (
    row: Parameters<typeof historyOf>[0] & { readonly currentReplicas: number; readonly rules: RulesRow },
  ) => ({ limit: scaleDownLimit(row.currentReplicas, rulesOf(row.rules, 300), historyOf(row), NOW_MS) }),
  'hpa.behaviorRate': (
    row: Parameters<typeof historyOf>[0] & {
      readonly currentReplicas: number;
      readonly desiredReplicas: number;
      readonly minReplicas: number;
      readonly maxReplicas: number;
      readonly scaleUp: RulesRow;
      readonly scaleDown: RulesRow;
    },
  ) =>
    limitByBehavior(
      row.currentReplicas,
      row.desiredReplicas,
      { min: row.minReplicas, max: row.maxReplicas },
      { scaleUp: rulesOf(row.scaleUp, 0), scaleDown: rulesOf(row.scaleDown, 300) },
      historyOf(row),
      NOW_MS,
    ),
  'hpa.stabilizeNoBehavior': (row: StabilizeRow & { readonly downscaleStabilizationSec: number }) => {
    const log = logOf(row.recommendations);
    const replicas = log.stabilizeDown(row.desiredReplicas, row.downscaleStabilizationSec * 1000, NOW_MS);
    return { replicas, logLength: log.entries.length };
  },
  'hpa.stabilizeBehavior': (
    row: StabilizeRow & {
      readonly currentReplicas: number;
      readonly scaleUpWindowSec: number;
      readonly scaleDownWindowSec: number;
    },
  ) => {
    const log = logOf(row.recommendations);
    const windowsMs = [row.scaleUpWindowSec * 1000, row.scaleDownWindowSec * 1000] as const;
    const replicas = log.stabilize(row.currentReplicas, row.desiredReplicas, ...windowsMs, NOW_MS);
    return { replicas, recommendationLog: log.entries.map((entry) => entry.replicas) };
  },
  'hpa.scaleEventLog': (row: {
    readonly periodSec: number;
    readonly replicaChange: number;
    /** null: there is no behaviour, and nothing is kept. */
    readonly longestPolicyPeriodSec: number | null;
    readonly events: readonly EventRow[];
  }) => {
    const log = eventsOf(row.events);
    const changeWithinPeriod = log.changeWithin(row.periodSec * 1000, NOW_MS);
    if (row.longestPolicyPeriodSec !== null) log.record(row.replicaChange, row.longestPolicyPeriodSec * 1000, NOW_MS);
    return { changeWithinPeriod, eventsAfter: log.events.map(({ change, isOutdated }) => ({ change, outdated: isOutdated })) };
  },
  'hpa.reconcile': (row: ReconcileRow) => {
    const reconciler = new HpaReconciler(
      {
        min: row.minReplicas,
        max: row.maxReplicas,
        metrics: [
          { type: 'Resource', name: 'cpu', averageUtilization: row.cpuTargetUtilizationPct / 100, averageValue: 0, value: 0 },
          ...(row.otherMetricFailing === true ? [unknownMetric] : []),
        ],
        tolerance: toleranceOf(row.tolerance),
        readiness: { cpuInitializationPeriodMs: 120_000, initialReadinessDelayMs: 10_000 },
        downscaleStabilizationMs: row.downscaleStabilizationSec * 1000,
        behavior: behaviorOf(row),
      },
      row.recommendations === null ? [] : recommendationsOf(row.recommendations, row.specReplicas),
    );
    const { replicas, conditions } = reconciler.reconcile(observationOf(row));
    return { desiredReplicas: replicas ?? row.specReplicas, conditions };
  },
};

interface StabilizeRow {
  readonly desiredReplicas: number;
  readonly recommendations: readonly { readonly ageSec: number; readonly replicas: number }[];
}
const logOf = (rows: StabilizeRow['recommendations']): RecommendationLog =>
  new RecommendationLog(rows.map(({ ageSec, replicas }) => ({ replicas, atMs: NOW_MS - ageSec * 1000 })));

interface ReconcileRow {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly cpuTargetUtilizationPct: number;
  readonly podUsageMilli: readonly number[];
  readonly podRequestMilli: readonly number[];
  readonly tolerance: PodsRow['tolerance'];
  readonly downscaleStabilizationSec: number;
  readonly behavior: { readonly scaleUp: RulesRow; readonly scaleDown: RulesRow } | null;
  readonly recommendations: StabilizeRow['recommendations'] | null;
  readonly otherMetricFailing?: boolean;
}
/** Of a type that there is not. */
const unknownMetric = { type: 'Unknown', name: 'x', averageUtilization: 0, averageValue: 1, value: 0 } as unknown as Metric;

function behaviorOf({ behavior, downscaleStabilizationSec }: ReconcileRow): Behavior | undefined {
  if (behavior === null) return undefined;
  return { scaleUp: rulesOf(behavior.scaleUp, 0), scaleDown: rulesOf(behavior.scaleDown, downscaleStabilizationSec) };
}

/** A controller that has been running with an empty list remembers nothing that counts: one entry from long ago. */
const recommendationsOf = (rows: NonNullable<ReconcileRow['recommendations']>, replicas: number) =>
  rows.length === 0
    ? [{ replicas, atMs: -1e12 }]
    : rows.map((row) => ({ replicas: row.replicas, atMs: NOW_MS - row.ageSec * 1000 }));

function observationOf(row: ReconcileRow): ScaleObservation {
  const replicas = row.podRequestMilli.map((requestMilli, replica): ReplicaSample => {
    const milli = row.podUsageMilli[replica];
    const sample: MetricSample | undefined =
      milli === undefined ? undefined : { value: milli / 1000, atMs: NOW_MS, windowMs: 60_000 };
    return {
      ...{ replica, phase: 'running', isReady: true, startedAtMs: -1e12, readyChangedAtMs: -1e12, isDeleting: false },
      request: () => requestMilli / 1000,
      metric: () => sample,
    };
  });
  return {
    nowMs: NOW_MS,
    specReplicas: row.specReplicas,
    statusReplicas: row.statusReplicas,
    readyReplicas: replicas.length,
    replicas,
    metric: () => undefined,
  };
}

type BucketOp = readonly ['record', number, number] | readonly ['avg', number];
interface BucketRow {
  readonly windowSec: number;
  readonly granularitySec: number;
  readonly ops: readonly BucketOp[];
}
const averages = (row: BucketRow, read: (buckets: TimeBuckets, nowMs: number) => number): { averages: number[] } => {
  const buckets = new TimeBuckets(row.windowSec * 1000, row.granularitySec * 1000);
  const found: number[] = [];
  for (const [op, atSec, value] of row.ops) {
    if (op === 'record') buckets.record(value, atSec * 1000);
    else found.push(read(buckets, atSec * 1000));
  }
  return { averages: found };
};

interface KpaRow {
  readonly spec: {
    readonly targetValue: number;
    readonly totalValue: number;
    readonly targetBurstCapacity: number;
    readonly panicThreshold: number;
    readonly maxScaleUpRate: number;
    readonly maxScaleDownRate: number;
    readonly stableWindowSec: number;
    readonly reachable: boolean;
    readonly activationScale: number;
    readonly scaleDownDelaySec: number;
  };
  readonly initialReadyPods: number;
  readonly initialState?: { readonly panicSinceSec: number; readonly maxPanicPods: number };
  readonly ticks: readonly {
    readonly atSec: number;
    readonly readyPods: number;
    readonly stable: number;
    readonly panic: number;
  }[];
}
const scalerOf = ({ spec, initialReadyPods, initialState }: KpaRow): KpaScaler => {
  const { stableWindowSec, scaleDownDelaySec, reachable: isReachable, ...same } = spec;
  const known = { ...same, isReachable, stableWindowMs: stableWindowSec * 1000, scaleDownDelayMs: scaleDownDelaySec * 1000 };
  return initialState === undefined
    ? new KpaScaler(known, initialReadyPods, 0)
    : new KpaScaler(known, initialReadyPods, 0, {
        sinceMs: initialState.panicSinceSec * 1000,
        maxPods: initialState.maxPanicPods,
      });
};

const kpaAdapters: Adapters = {
  'kpa.scale': (row: KpaRow) => {
    const scaler = scalerOf(row);
    const ticks = row.ticks.map(({ atSec, readyPods, stable, panic }) => {
      const { desired, excessBurstCapacity } = scaler.scale(readyPods, stable, panic, atSec * 1000);
      return { desiredPodCount: desired, excessBurstCapacity, panicMode: scaler.panic.sinceMs !== undefined };
    });
    return { ticks };
  },
  'kpa.initialState': (row: { readonly initialReadyPods: number }) => {
    const spec = { targetValue: 1, totalValue: 1, targetBurstCapacity: 0, panicThreshold: 2, maxScaleUpRate: 10 };
    const rest = { maxScaleDownRate: 10, stableWindowMs: 60_000, isReachable: true, activationScale: 1, scaleDownDelayMs: 0 };
    const { sinceMs, maxPods } = new KpaScaler({ ...spec, ...rest }, row.initialReadyPods, 0).panic;
    return { panicMode: sinceMs !== undefined, maxPanicPods: maxPods };
  },
  'kpa.windowAverage': (row: BucketRow) =>
    averages(row, (buckets, nowMs) => (buckets.isEmpty(nowMs) ? 0 : buckets.average(nowMs))),
  'kpa.weightedWindowAverage': (row: BucketRow) => averages(row, (buckets, nowMs) => buckets.weightedAverage(nowMs)),
  'kpa.smoothingCoeff': ({ buckets }: { readonly buckets: number }) => ({ coefficient: smoothingCoefficient(buckets) }),
  'kpa.maxWindow': (row: {
    readonly windowSec: number;
    readonly granularitySec: number;
    readonly records: readonly { readonly atSec: number; readonly value: number }[];
  }) => {
    const window = new MaxWindow(row.windowSec * 1000, row.granularitySec * 1000);
    for (const { atSec, value } of row.records) window.record(value, atSec * 1000);
    return { current: window.highest };
  },
};

const kedaAdapters: Adapters = {
  'keda.cron': (row: {
    readonly timezone: string;
    readonly start: string;
    readonly end: string;
    readonly desiredReplicas: number;
    readonly nowIso: string;
  }) => {
    const active = new CronWindow(row.start, row.end, row.timezone).isActive(Date.parse(row.nowIso));
    return { active, metricValue: active ? row.desiredReplicas : 0 };
  },
  'keda.executor': (row: {
    readonly minReplicaCount: number | null;
    readonly idleReplicaCount: number | null;
    readonly cooldownPeriodSec: number;
    readonly initialCooldownPeriodSec: number;
    readonly createdAgeSec: number;
    readonly isError: boolean;
    readonly fallbackReplicas: number | null;
    readonly current: number;
    readonly active: boolean;
    readonly lastActiveAgeSec: number | null;
  }) => {
    const { scaleTo, refreshesActivity } = executorStep({
      min: row.minReplicaCount ?? 0,
      idle: row.idleReplicaCount ?? undefined,
      cooldownMs: row.cooldownPeriodSec * 1000,
      initialCooldownMs: row.initialCooldownPeriodSec * 1000,
      createdAtMs: NOW_MS - row.createdAgeSec * 1000,
      isError: row.isError,
      fallbackReplicas: row.fallbackReplicas ?? undefined,
      current: row.current,
      isActive: row.active,
      lastActiveAtMs: row.lastActiveAgeSec === null ? undefined : NOW_MS - row.lastActiveAgeSec * 1000,
      nowMs: NOW_MS,
    });
    return { scaleTo: scaleTo ?? null, lastActiveRefreshed: refreshesActivity };
  },
  'keda.fallback': (row: {
    readonly behavior: Fallback['behavior'];
    readonly currentReplicas: number;
    readonly fallbackReplicas: number;
    readonly targetAverageValue: number;
    readonly failures: number;
    readonly failureThreshold: number;
  }) => {
    const value = fallbackValue(
      { behavior: row.behavior, replicas: row.fallbackReplicas, failureThreshold: row.failureThreshold },
      row.failures,
      { metricType: 'AverageValue', target: row.targetAverageValue },
      row.currentReplicas,
      row.currentReplicas,
    );
    return { active: value !== undefined, metricValueMilli: value === undefined ? undefined : value * 1000 };
  },
};

export const autoscalingAdapters: Adapters = { ...hpaAdapters, ...kpaAdapters, ...kedaAdapters };
