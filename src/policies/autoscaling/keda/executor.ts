/** What KEDA does itself, at every poll of the triggers: between nothing, or idle, and the first replicas. All else it leaves to an HPA.
 *
 *  After kedacore/keda: pkg/scaling/executor/scale_scaledobjects.go. */
import type { Ms } from '../../../core/time.ts';

export interface ExecutorInput {
  readonly min: number;
  /** undefined: not set. */
  readonly idle: number | undefined;
  readonly cooldownMs: Ms;
  readonly initialCooldownMs: Ms;
  readonly createdAtMs: Ms;
  /** Some trigger could not be read. */
  readonly isError: boolean;
  /** undefined: there is no fallback. */
  readonly fallbackReplicas: number | undefined;
  readonly current: number;
  readonly isActive: boolean;
  /** undefined: never. */
  readonly lastActiveAtMs: Ms | undefined;
  readonly nowMs: Ms;
}

export interface ExecutorStep {
  /** undefined: nothing is changed. */
  readonly scaleTo: number | undefined;
  /** Whether the last activity is now. */
  readonly refreshesActivity: boolean;
}

export function executorStep(input: ExecutorInput): ExecutorStep {
  return input.isActive ? whenActive(input) : { scaleTo: whenInactive(input), refreshesActivity: false };
}

function whenActive({ current, idle, min, isError }: ExecutorInput): ExecutorStep {
  if (current === 0 || (idle !== undefined && current < min)) return { scaleTo: Math.max(min, 1), refreshesActivity: true };
  return { scaleTo: undefined, refreshesActivity: !isError };
}

function whenInactive(input: ExecutorInput): number | undefined {
  const { isError, fallbackReplicas, current, idle, min } = input;
  // Nobody knows whether there is something to do; a fallback is the HPA's to apply.
  if (isError && fallbackReplicas !== 0) return undefined;
  if (idle === undefined ? current > 0 && min === 0 : current > idle) return hasCooledDown(input) ? (idle ?? min) : undefined;
  return current < min && idle === undefined ? min : undefined;
}

const hasCooledDown = ({ lastActiveAtMs, cooldownMs, createdAtMs, initialCooldownMs, nowMs }: ExecutorInput): boolean =>
  lastActiveAtMs === undefined ? createdAtMs + initialCooldownMs < nowMs : lastActiveAtMs + cooldownMs < nowMs;
