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

/** Holds for measurements that lie this far from the alarm's threshold. The bounds are absent where they are infinite. */
export interface Step {
  readonly lower: number;
  readonly upper: number;
  readonly adjustment: number;
}

/** The step for a measurement above its threshold: the lower bound belongs to a step, the upper one to the next. */
export const stepAbove = (steps: readonly Step[], breach: number): Step | undefined =>
  steps.find(({ lower, upper }) => lower <= breach && breach < upper);

/** The step for a measurement below its threshold: the upper bound belongs to a step, the lower one to the next. */
export const stepBelow = (steps: readonly Step[], breach: number): Step | undefined =>
  steps.find(({ lower, upper }) => lower < breach && breach <= upper);
