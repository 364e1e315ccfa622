/** The arithmetic of Flagger's canary: how weights grow while checks pass, go back after promotion, and when a deployment is ready.
 *
 *  After fluxcd/flagger: pkg/controller/scheduler.go and pkg/canary/deployment_ready.go. */

export interface StepSettings {
  readonly stepWeight: number;
  /** Weights to go through, rising; empty for steps of `stepWeight`. */
  readonly stepWeights: readonly number[];
  /** 0 for all. */
  readonly maxWeight: number;
  readonly totalWeight: number;
}

/** The weight from which on the canary is promoted. */
export function promotionWeight({ stepWeights, maxWeight, totalWeight }: StepSettings): number {
  if (stepWeights.length > 0) return Math.min(totalWeight, stepWeights[stepWeights.length - 1]);
  return maxWeight > 0 ? maxWeight : totalWeight;
}

/** The canary's weight after a check that passed. A step may go beyond the weight at which the canary is promoted, but not beyond all. */
export function nextCanaryWeight(settings: StepSettings, weight: number): number {
  return Math.min(settings.totalWeight, weight + stepFrom(settings, weight));
}

function stepFrom({ stepWeight, stepWeights, totalWeight }: StepSettings, weight: number): number {
  if (stepWeight > 0 || stepWeights.length === 0) return stepWeight;
  const room = totalWeight - weight;
  if (room === 0) return 1;
  if (weight === 0) return Math.min(room, stepWeights[0]);
  const at = stepWeights.indexOf(weight);
  return at === -1 || at === stepWeights.length - 1 ? room : Math.min(room, stepWeights[at + 1] - weight);
}

/** Weights after a step of traffic back to the promoted primary; without a step all goes at once. */
export function shiftedBack(primary: number, stepWeightPromotion: number, totalWeight: number): number {
  return stepWeightPromotion === 0 ? totalWeight : Math.min(totalWeight, primary + stepWeightPromotion);
}

/** Whether enough of the updated replicas are available. Computed with single precision and cut off, as Flagger does. */
export const isReadyEnough = (updated: number, available: number, thresholdPercent: number): boolean =>
  available >= Math.trunc(Math.fround(updated * Math.fround(thresholdPercent / 100)));
