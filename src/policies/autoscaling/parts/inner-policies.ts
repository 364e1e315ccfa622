/** Autoscalers inside of another one: each is asked at its own cadence, and its last answer counts until the next.
 *
 *  The outer one must be asked often enough for all of them: with the longest time that divides all of their periods, unless that is
 *  less than a tenth of the shortest; then with the shortest, and the others are asked at the first occasion after their time. */
import { InputError } from '../../../core/errors.ts';
import type { InnerPolicy } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import type { Autoscaler, AutoscalerDefinition, AutoscalerDeps, ScaleDecision, ScaleObservation } from '../autoscaler.ts';

/** The family's table; a function, because the table has those who ask for it. */
export type AutoscalerTable = () => Readonly<Record<string, AutoscalerDefinition>>;

export interface InnerAnswer extends ScaleDecision {
  /** The policy's name. */
  readonly by: string;
}

export class InnerPolicies {
  readonly decideEveryMs: Ms;
  /** Infinity if none of them samples. */
  readonly sampleEveryMs: Ms;
  readonly holdsRequests: boolean;
  readonly #members: readonly Member[];

  constructor(inner: readonly InnerPolicy[], table: AutoscalerTable, deps: AutoscalerDeps) {
    this.#members = inner.map(({ use, params }) => ({
      policy: definitionOf(table(), use).create(params, deps),
      answer: { by: use, replicas: undefined, reason: '' },
      decideAtMs: -Infinity,
      sampleAtMs: -Infinity,
    }));
    const policies = this.#members.map(({ policy }) => policy);
    this.decideEveryMs = commonPeriod(policies.map(({ decideEveryMs }) => decideEveryMs));
    this.sampleEveryMs = commonPeriod(policies.map(samplePeriod).filter((period) => period < Infinity));
    this.holdsRequests = policies.some(({ holdsRequests }) => holdsRequests === true);
  }

  /** The latest answer of each, in their order. */
  ask(observation: ScaleObservation): readonly InnerAnswer[] {
    const { nowMs } = observation;
    for (const member of this.#members) {
      if (nowMs < member.decideAtMs) continue;
      member.answer = { by: member.answer.by, ...member.policy.decide(observation) };
      member.decideAtMs = following(member.decideAtMs, member.policy.decideEveryMs, nowMs);
    }
    return this.#members.map(({ answer }) => answer);
  }

  sample(observation: ScaleObservation): void {
    const { nowMs } = observation;
    for (const member of this.#members) {
      const period = samplePeriod(member.policy);
      if (period === Infinity || nowMs < member.sampleAtMs) continue;
      member.policy.sample?.(observation);
      member.sampleAtMs = following(member.sampleAtMs, period, nowMs);
    }
  }

  onScaled(from: number, to: number, nowMs: Ms): void {
    for (const { policy } of this.#members) policy.onScaled?.(from, to, nowMs);
  }
}

function definitionOf(table: ReturnType<AutoscalerTable>, name: string): AutoscalerDefinition {
  if (Object.hasOwn(table, name)) return table[name];
  throw InputError.of(
    'unknown-policy',
    `there is no autoscaler ${JSON.stringify(name)}`,
    `there are ${Object.keys(table).join(', ')}`,
  );
}

/** What several answers come to. Where some of them have none the rule of the HPA's metrics holds: up by those that have one, but not
 *  down. undefined if nobody has one. */
export function combine(
  answers: readonly InnerAnswer[],
  specReplicas: number,
  choose: (...counts: readonly number[]) => number,
): ScaleDecision {
  const known = answers.filter((answer): answer is InnerAnswer & { readonly replicas: number } => answer.replicas !== undefined);
  const missing = answers.find(({ replicas }) => replicas === undefined);
  if (known.length === 0) return { replicas: undefined, reason: missing === undefined ? 'NoPolicy' : reasonOf(missing) };
  const chosen = choose(...known.map(({ replicas }) => replicas));
  if (missing !== undefined && chosen < specReplicas) return { replicas: specReplicas, reason: reasonOf(missing) };
  return { replicas: chosen, reason: reasonOf(known.find(({ replicas }) => replicas === chosen)!) };
}

/** `hpa: ScaleDownStabilized`. */
const reasonOf = ({ by, reason }: InnerAnswer): string => `${by}: ${reason}`;

interface Member {
  readonly policy: Autoscaler;
  answer: InnerAnswer;
  decideAtMs: Ms;
  sampleAtMs: Ms;
}

const samplePeriod = ({ sample, sampleEveryMs }: Autoscaler): Ms =>
  sample === undefined ? Infinity : (sampleEveryMs ?? Infinity);

/** The first of `dueMs`, `dueMs + period`, … after now; a whole period from now if nothing was due yet. */
const following = (dueMs: Ms, period: Ms, nowMs: Ms): Ms =>
  dueMs === -Infinity ? nowMs + period : dueMs + (Math.floor((nowMs - dueMs) / period) + 1) * period;

/** Infinity for no periods. */
function commonPeriod(periods: readonly Ms[]): Ms {
  const shortest = Math.min(...periods);
  if (!periods.every((period) => Number.isInteger(period))) return shortest;
  const divisor = periods.reduce(greatestCommonDivisor, 0);
  return divisor * 10 >= shortest && divisor > 0 ? divisor : shortest;
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));
