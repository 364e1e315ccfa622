/** The numbers of the glossary about roll-outs, from how each of them went. NaN where there was nothing to measure. */
import type { Ms } from '../../core/time.ts';
import type { RolloutRun } from './rollout-record.ts';

/** What is known besides, of those who decide and of hosts of configuration; NaN where there is no such thing. */
export interface DeliveryNumbers {
  readonly leaders: number;
  readonly splitMs: Ms;
  readonly stale: number;
  readonly fenced: number;
  readonly lagMs: Ms;
  readonly lagMaxMs: Ms;
  readonly skew: number;
  readonly refused: number;
}

export function changeNumbers(runs: readonly RolloutRun[], delivery: DeliveryNumbers): Record<string, number> {
  // Going back to what was there before is no roll-out of anything.
  const tried = runs.filter(({ isReturn }) => !isReturn);
  const sum = (value: (run: RolloutRun) => number): number => tried.reduce((total, run) => total + value(run), 0);
  const offered = sum((run) => run.offered);
  const good = tried.filter(({ isBad }) => !isBad);
  const bad = tried.filter(({ isBad }) => isBad);
  const isGivenUp = ({ verdict }: RolloutRun): boolean => verdict === 'given-up';
  // One that was given up before anybody met it was not found out by what it did, though somebody may meet what is left of it.
  const isDetected = (run: RolloutRun): boolean => isGivenUp(run) && run.exposedMs <= run.decidedMs;
  const isAccepted = ({ verdict }: RolloutRun): boolean => verdict === 'accepted';
  return {
    'rollout.exposure': offered > 0 ? sum((run) => run.exposed) / offered : NaN,
    'rollout.failed': sum((run) => run.failed),
    'rollout.slow': sum((run) => run.slow),
    'rollout.userMinutes': sum((run) => run.anonymous + run.userMinutes.size),
    'rollout.allFailed': sum((run) => run.allFailed),
    'rollout.detect': mean(bad.filter(isDetected).map(({ decidedMs, exposedMs }) => decidedMs - exposedMs)),
    'rollout.rollback': mean(tried.filter(isGivenUp).map(({ endedMs, decidedMs }) => endedMs - decidedMs)),
    'rollout.finish': mean(tried.filter(isAccepted).map(({ endedMs, startedMs }) => endedMs - startedMs)),
    'rollout.aborted': share(tried, isGivenUp),
    'rollout.wrong': share(good, isGivenUp),
    'rollout.missed': share(bad, isAccepted),
    'rollout.leaders': delivery.leaders,
    'rollout.split': delivery.splitMs,
    'rollout.stale': delivery.stale,
    'rollout.fenced': delivery.fenced,
    'config.lag': delivery.lagMs,
    'config.lagMax': delivery.lagMaxMs,
    'config.skew': delivery.skew,
    'config.refused': delivery.refused,
  };
}

/** Of those that there are: a version that nobody met was not detected, and what has not ended has not lasted. */
function mean(values: readonly number[]): number {
  const there = values.filter((value) => !Number.isNaN(value));
  return there.length === 0 ? NaN : there.reduce((total, value) => total + value, 0) / there.length;
}

const share = (runs: readonly RolloutRun[], holds: (run: RolloutRun) => boolean): number =>
  runs.length === 0 ? NaN : runs.filter(holds).length / runs.length;
