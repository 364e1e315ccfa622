/** Adapters for the kinds of `control.json` about AWS's scaling policies, queueing formulas and forecasts. */
import type { ScaleObservation } from '../../../src/policies/autoscaling/autoscaler.ts';
import { adjustmentTypes, percentChange, roundPercentChange } from '../../../src/policies/autoscaling/aws/adjustment.ts';
import { type HoltWintersParams, SeasonalSmoothing } from '../../../src/policies/autoscaling/forecast/holt-winters.ts';
import {
  erlangB,
  erlangC,
  halfinWhittWaiting,
  meanWait,
  serversForWait,
  squareRootStaffing,
  waitQuantile,
} from '../../../src/policies/autoscaling/parts/erlang.ts';
import { stepScaling } from '../../../src/policies/autoscaling/step-scaling.ts';
import type { Adapters } from '../vector-file.ts';
import { Script } from './stage.ts';

interface StepRow {
  readonly lower: number | null;
  readonly upper: number | null;
  readonly adjustment: number;
}

export const capacityAdapters: Adapters = {
  'aws.stepScaling': (input: {
    readonly policy: {
      readonly adjustmentType: (typeof adjustmentTypes)[number];
      readonly alarmThreshold: number;
      readonly scaleOutSteps: readonly StepRow[];
      readonly scaleInSteps: readonly StepRow[];
      readonly minAdjustmentMagnitude: number | null;
    };
    readonly startCapacity: number;
    readonly metricValues: readonly number[];
  }) => {
    const { adjustmentType, alarmThreshold, scaleOutSteps, scaleInSteps, minAdjustmentMagnitude } = input.policy;
    const policy = stepScaling.make(
      {
        min: 0,
        max: 1_000_000,
        grouping: 'service',
        highThreshold: alarmThreshold,
        lowThreshold: alarmThreshold,
        evaluationPeriods: 1,
        datapointsToAlarm: 1,
        estimatedInstanceWarmup: 0,
        adjustmentType,
        minAdjustmentMagnitude: minAdjustmentMagnitude ?? 0,
        // A step ends where the next one begins, and begins on the side of the threshold.
        scaleOutSteps: scaleOutSteps.map(({ lower, adjustment }) => ({ from: lower ?? 0, adjustment })),
        scaleInSteps: scaleInSteps.map(({ upper, adjustment }) => ({ from: upper ?? 0, adjustment })),
      },
      { rng: new Script(), epochMs: 0, specReplicas: input.startCapacity, readyReplicas: input.startCapacity },
    );
    let capacity = input.startCapacity;
    const capacityAfter = input.metricValues.map((value, i) => {
      const nowMs = (i + 1) * policy.decideEveryMs;
      const { replicas = capacity } = policy.decide(serving(capacity, value, nowMs));
      policy.onScaled?.(capacity, replicas, nowMs);
      capacity = replicas;
      return capacity;
    });
    return { capacityAfter };
  },

  'aws.percentRounding': ({ rawChange }: { readonly rawChange: number }) => ({ change: roundPercentChange(rawChange) }),

  'aws.stepAdjust': (input: {
    readonly capacity: number;
    readonly adjustmentPct: number;
    readonly minAdjustmentMagnitude: number;
  }) => ({ change: percentChange(input.capacity, input.adjustmentPct, input.minAdjustmentMagnitude) }),

  'queue.erlangC': ({ servers, offeredLoad, serviceTimeSec }: Load & { readonly servers: number }) => ({
    erlangB: erlangB(servers, offeredLoad),
    probWait: erlangC(servers, offeredLoad),
    meanWaitSec: meanWait(servers, offeredLoad, serviceTimeSec),
    p99WaitSec: waitQuantile(0.99, servers, offeredLoad, serviceTimeSec),
  }),

  'queue.serversForSla': (input: Load & { readonly maxWaitSec: number; readonly fraction: number }) => ({
    servers: serversForWait(input.offeredLoad, input.serviceTimeSec, { maxWait: input.maxWaitSec, fraction: input.fraction }),
  }),

  'queue.squareRootStaffing': ({ offeredLoad, beta }: { readonly offeredLoad: number; readonly beta: number }) => ({
    servers: squareRootStaffing(offeredLoad, beta),
    approxProbWait: halfinWhittWaiting(beta),
  }),

  'forecast.holtWintersAdditive': (input: HoltWintersParams & { readonly series: readonly number[] }) => {
    const smoothing = new SeasonalSmoothing(input, input.series);
    const oneStepAhead = input.series.map((value) => {
      const ahead = smoothing.forecast(1);
      smoothing.observe(value);
      return ahead;
    });
    const forecastNextSeason = Array.from({ length: input.seasonLength }, (_, i) => smoothing.forecast(i + 1));
    return { oneStepAhead, forecastNextSeason, level: smoothing.level, trend: smoothing.trend };
  },
};

interface Load {
  readonly offeredLoad: number;
  readonly serviceTimeSec: number;
}

/** A service whose replicas are all ready, and whose only metric has a value. */
const serving = (count: number, value: number, nowMs: number): ScaleObservation => ({
  nowMs,
  specReplicas: count,
  statusReplicas: count,
  readyReplicas: count,
  replicas: Array.from({ length: count }, (_, replica) => ({
    replica,
    phase: 'running',
    isReady: true,
    startedAtMs: 0,
    readyChangedAtMs: 0,
    isDeleting: false,
    request: () => undefined,
    metric: () => undefined,
  })),
  metric: () => ({ value, atMs: nowMs, windowMs: 60_000 }),
});
