/** Whether an observation agrees with what was expected, by the rule its case names. */
import { normalQuantile, studentQuantile, studentTwoSided } from '../../src/stats/special.ts';
import type { Case, Expected, Row } from './cases.ts';

/** What a trial measured. */
export interface Observation {
  readonly value: number;
  /** Standard error of `value`, from independent replications; absent for what is exact. */
  readonly se?: number;
  readonly replications?: number;
  /** Whether `se` only bounds the error, as where none or all were seen: then no z-score comes of it. */
  readonly isBound?: boolean;
}

/** Four standard errors of a normal: 6 false alarms in 100 000. */
const ALARM = 4;
/** A smaller error than this share would measure the rounding of what is expected. */
const DIGITS = 1e-6;
const alarmProbability = studentTwoSided(ALARM, Infinity);

export function judge(each: Case, metric: string, expected: Expected, observation: Observation | undefined): Row {
  const row = { id: each.id, family: each.family, metric, expected: expected.value };
  if (observation === undefined || expected.value === null) {
    return { ...row, observed: null, se: null, z: null, verdict: 'not-covered' };
  }
  const { value, se = 0, replications = Infinity, isBound = false } = observation;
  const difference = value - expected.value;
  const spread = Math.sqrt(se * se + (expected.se ?? 0) * (expected.se ?? 0));
  const isNear = Math.abs(difference) <= tolerance(each, expected.value, spread, replications);
  return {
    ...row,
    observed: value,
    se: observation.se ?? null,
    z:
      !isBound && spread > DIGITS * Math.abs(value) && isStatistical(each)
        ? onNormalScale(difference / spread, replications)
        : null,
    verdict: isNear ? 'pass' : 'fail',
  };
}

function tolerance({ tol }: Case, expected: number, spread: number, replications: number): number {
  const size = Math.abs(expected);
  switch (tol.rule) {
    case 'simulation':
      return alarmFactor(replications) * spread + 0.002 * size;
    case 'two-sample':
      return alarmFactor(replications) * spread + 0.005 * size;
    case 'approximate':
      return alarmFactor(replications) * spread + (tol.rel ?? 0.1) * size;
    case 'deterministic':
      return Math.max(1e-9 * size, 1e-9);
    default:
      throw new Error(`there is no rule ${tol.rule}`);
  }
}

/** An approximation has an error of its own, so its distance from us says nothing about our statistics. */
const isStatistical = ({ tol }: Case): boolean => tol.rule === 'simulation' || tol.rule === 'two-sample';

/** So many standard errors from few replications are as unlikely as four from infinitely many. */
const alarmFactor = (replications: number): number =>
  replications === Infinity ? ALARM : studentQuantile(1 - alarmProbability / 2, replications - 1);

/** The normal score of the same probability: differences from few replications follow Student's law, which is wider. */
function onNormalScale(t: number, replications: number): number {
  if (replications === Infinity) return t;
  const tail = studentTwoSided(t, replications - 1) / 2;
  return tail === 0 ? t : Math.sign(t) * -normalQuantile(tail);
}
