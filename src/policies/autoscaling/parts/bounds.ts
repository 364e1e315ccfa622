/** The parameters that every autoscaler has, and what they mean: no answer lies outside of them. */
import { InputError } from '../../../core/errors.ts';
import { int } from '../../../core/params.ts';
import type { ScaleDecision } from '../autoscaler.ts';

export const boundsParams = {
  min: int({ default: 1, min: 0, about: 'Fewest replicas.' }),
  max: int({ default: 10, min: 1, about: 'Most replicas.' }),
} as const;

export interface Bounds {
  readonly min: number;
  readonly max: number;
}

export function refuseEmptyBounds(who: string, { min, max }: Bounds): void {
  if (min > max) throw InputError.of('bad-bounds', `${who}: min is ${min} and max is ${max}`);
}

export const within = ({ min, max }: Bounds, count: number): number => Math.min(Math.max(count, min), max);

/** The answer to a count that is outside of the bounds already; nothing else has to be looked at then. */
export function backWithin(bounds: Bounds, count: number): ScaleDecision | undefined {
  if (count < bounds.min) return { replicas: bounds.min, reason: 'TooFewReplicas' };
  return count > bounds.max ? { replicas: bounds.max, reason: 'TooManyReplicas' } : undefined;
}
