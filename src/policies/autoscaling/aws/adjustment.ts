/** Changes of capacity as AWS's scaling policies write them: by a number, by a percentage, or to a number.
 *
 *  AWS: Amazon EC2 Auto Scaling User Guide, "Step and simple scaling policies", scaling adjustment types */
export const adjustmentTypes = ['ChangeInCapacity', 'PercentChangeInCapacity', 'ExactCapacity'] as const;
export type AdjustmentType = (typeof adjustmentTypes)[number];

export interface AdjustmentRule {
  readonly adjustmentType: AdjustmentType;
  /** A percentage changes the capacity by at least this many; 0 for no such floor. */
  readonly minAdjustmentMagnitude: number;
}

export function adjustedCapacity(capacity: number, adjustment: number, rule: AdjustmentRule): number {
  if (rule.adjustmentType === 'ExactCapacity') return adjustment;
  if (rule.adjustmentType === 'ChangeInCapacity') return capacity + adjustment;
  return capacity + percentChange(capacity, adjustment, rule.minAdjustmentMagnitude);
}

/** By how much a percentage changes a capacity, in whole instances. */
export function percentChange(capacity: number, percent: number, minAdjustmentMagnitude: number): number {
  const change = roundPercentChange((capacity * percent) / 100);
  return change === 0 ? 0 : Math.sign(change) * Math.max(Math.abs(change), minAdjustmentMagnitude);
}

/** Towards 0, except that what would change something changes at least one. */
export function roundPercentChange(change: number): number {
  if (Math.abs(change) < 1) return Math.sign(change);
  return Math.trunc(change);
}

/** What to do about a measurement that lies this far from the alarm's threshold, or further, up to where the next step begins. */
export interface Step {
  /** Where it begins: from 0 upwards above a threshold, from 0 downwards below one. That distance belongs to it. */
  readonly from: number;
  readonly adjustment: number;
}

/** How far a measurement is from a threshold, without the noise of the subtraction: 0.7 is 0.1 above 0.6. */
export const distanceFrom = (threshold: number, measured: number): number => Math.round((measured - threshold) * 1e9) / 1e9;

/** The step for a distance of 0 or more above a threshold; undefined if it is nearer than all steps. */
export const stepAbove = (steps: readonly Step[], distance: number): Step | undefined =>
  nearest(steps.filter(({ from }) => from <= distance));

/** The step for a distance of 0 or less below a threshold. */
export const stepBelow = (steps: readonly Step[], distance: number): Step | undefined =>
  nearest(steps.filter(({ from }) => from >= distance));

/** Of the steps that begin before a distance, the one that begins last. */
const nearest = (steps: readonly Step[]): Step | undefined =>
  steps.length === 0 ? undefined : steps.reduce((best, step) => (Math.abs(step.from) > Math.abs(best.from) ? step : best));
