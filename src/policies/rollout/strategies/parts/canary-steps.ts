/** The steps of an Argo Rollouts canary, and what holds at each of them: the weight is that of the nearest `setWeight` at or before the
 *  step, likewise the canary's own scale.
 *
 *  After argoproj/argo-rollouts: utils/replicaset/canary.go, GetCurrentSetWeight and UseSetCanaryScale. */
import type { Ms } from '../../../../core/time.ts';

export const canaryStepKinds = ['setWeight', 'pause', 'setCanaryScale', 'analysis', 'setMirrorRoute'] as const;

export interface CanaryStep {
  readonly step: (typeof canaryStepKinds)[number];
  /** Of `setWeight`, `setCanaryScale` and `setMirrorRoute`; below 0: not given. */
  readonly weight: number;
  /** Of `pause`; 0: until somebody promotes. */
  readonly duration: Ms;
  /** Of `setCanaryScale`; below 0: not given. */
  readonly replicas: number;
  /** Of `setCanaryScale`: from here on the canary's scale follows the weight again. */
  readonly matchTrafficWeight: boolean;
}

/** 0 before the first weight and when aborted, everything after the last step. */
export function currentWeight(steps: readonly CanaryStep[], index: number, isAborted: boolean, maxWeight: number): number {
  if (isAborted) return 0;
  if (index >= steps.length) return maxWeight;
  return steps.slice(0, index + 1).findLast(({ step }) => step === 'setWeight')?.weight ?? 0;
}

/** The weight of the last `setWeight` before a step: what holds while the step's replicas are not there yet. */
export const previousWeight = (steps: readonly CanaryStep[], index: number): number =>
  steps.slice(0, index).findLast(({ step }) => step === 'setWeight')?.weight ?? 0;

/** The canary's scale where it was set apart from the weight of traffic; undefined where it follows that. */
export function canaryScaleAt(
  steps: readonly CanaryStep[],
  index: number,
): { readonly replicas: number } | { readonly weight: number } | undefined {
  if (index >= steps.length) return undefined;
  const scale = steps.slice(0, index + 1).findLast(({ step }) => step === 'setCanaryScale');
  if (scale === undefined || scale.matchTrafficWeight) return undefined;
  if (scale.replicas >= 0) return { replicas: scale.replicas };
  return scale.weight >= 0 ? { weight: scale.weight } : undefined;
}

/** Weights of all steps that set one, in order. */
export const stepWeightsOf = (steps: readonly CanaryStep[]): readonly number[] =>
  steps.filter(({ step }) => step === 'setWeight').map(({ weight }) => weight);
