/** One object of kind HorizontalPodAutoscaler and what its controller remembers of it. A reconciliation looks at the bounds, then at the
 *  metrics, holds the result against past ones, and limits the step.
 *
 *  After kubernetes/kubernetes: pkg/controller/podautoscaler/horizontal.go, reconcileAutoscaler. */
import type { Ms } from '../../../core/time.ts';
import type { ScaleObservation } from '../autoscaler.ts';
import {
  type Behavior,
  type Limits,
  limitByBehavior,
  limitWithoutBehavior,
  longestPeriodMs,
  type ScaleHistory,
} from './behavior-limits.ts';
import type { Readiness } from './group-pods.ts';
import { type Metric, replicasForMetrics } from './metrics.ts';
import { ScaleEventLog } from './scale-events.ts';
import { type Recommendation, RecommendationLog } from './stabilization.ts';
import type { Tolerance } from './tolerance.ts';

export interface HpaSpec extends Limits {
  readonly metrics: readonly Metric[];
  readonly tolerance: Tolerance;
  readonly readiness: Readiness;
  /** For the case without `behavior`. */
  readonly downscaleStabilizationMs: Ms;
  readonly behavior: Behavior | undefined;
}

export interface Condition {
  readonly status: boolean;
  readonly reason: string;
}

export interface Reconciliation {
  /** undefined: nothing is changed. */
  readonly replicas: number | undefined;
  /** `ScalingActive`, `AbleToScale` and `ScalingLimited`, as far as they were looked at. */
  readonly conditions: Readonly<Record<string, Condition>>;
}

export class HpaReconciler {
  readonly #spec: HpaSpec;
  readonly #recommendations: RecommendationLog;
  readonly #history: ScaleHistory = { up: new ScaleEventLog(), down: new ScaleEventLog() };

  /** `recommendations`: what a controller remembers that has been running for longer; a fresh one begins with the present count. */
  constructor(spec: HpaSpec, recommendations: readonly Recommendation[] = []) {
    this.#spec = spec;
    this.#recommendations = new RecommendationLog(recommendations);
  }

  reconcile(observation: ScaleObservation): Reconciliation {
    const { min, max } = this.#spec;
    const { specReplicas: current, nowMs } = observation;
    if (this.#recommendations.isEmpty) this.#recommendations.record(current, nowMs);
    if (current === 0 && min !== 0)
      return { replicas: undefined, conditions: { ScalingActive: { status: false, reason: 'ScalingDisabled' } } };
    // The bounds are put right before anything is measured.
    if (current > max) return { replicas: max, conditions: limited('TooManyReplicas') };
    if (current < min) return { replicas: min, conditions: limited('TooFewReplicas') };
    const { metrics, tolerance, readiness } = this.#spec;
    const { replicas, reason } = replicasForMetrics(metrics, observation, tolerance, readiness);
    if (replicas === undefined) return { replicas, conditions: { ScalingActive: { status: false, reason } } };
    const { replicas: chosen, conditions } = this.#normalize(current, replicas, nowMs);
    return { replicas: chosen, conditions: { ScalingActive: { status: true, reason }, ...conditions } };
  }

  /** The count was changed as this reconciler said. */
  recordScaled(from: number, to: number, nowMs: Ms): void {
    const { behavior } = this.#spec;
    if (behavior === undefined) return;
    const { up, down } = this.#history;
    if (to > from) up.record(to - from, longestPeriodMs(behavior.scaleUp), nowMs);
    else if (to < from) down.record(from - to, longestPeriodMs(behavior.scaleDown), nowMs);
  }

  #normalize(current: number, desired: number, nowMs: Ms): Reconciliation & { readonly replicas: number } {
    const { behavior, downscaleStabilizationMs } = this.#spec;
    if (behavior === undefined) {
      const stable = this.#recommendations.stabilizeDown(desired, downscaleStabilizationMs, nowMs);
      const { replicas, reason } = limitWithoutBehavior(current, stable, this.#spec);
      return { replicas, conditions: conditionsOf(desired, stable, replicas, 'ScaleDownStabilized', reason) };
    }
    const { scaleUp, scaleDown } = behavior;
    const windows = [scaleUp.stabilizationWindowMs, scaleDown.stabilizationWindowMs] as const;
    const stable = this.#recommendations.stabilize(current, desired, ...windows, nowMs);
    const { replicas, reason } = limitByBehavior(current, stable, this.#spec, behavior, this.#history, nowMs);
    const stabilized = desired >= current ? 'ScaleUpStabilized' : 'ScaleDownStabilized';
    return { replicas, conditions: conditionsOf(desired, stable, replicas, stabilized, reason) };
  }
}

const limited = (reason: string): Readonly<Record<string, Condition>> => ({ ScalingLimited: { status: true, reason } });

const conditionsOf = (
  desired: number,
  stable: number,
  replicas: number,
  stabilized: string,
  reason: string,
): Readonly<Record<string, Condition>> => ({
  AbleToScale: { status: true, reason: stable === desired ? 'ReadyForNewScale' : stabilized },
  ScalingLimited: { status: replicas !== stable, reason },
});
