/** Additive increase, multiplicative decrease: one more after a good answer, a tenth less after a drop or a timeout.
 *
 *  Use it where overload shows as drops and timeouts and latency says little, and where many independent clients shall converge to fair
 *  shares of one server. It fails where overload only makes answers slow: nothing is dropped, so the limit climbs to its maximum and the
 *  queue with it, until times pass `timeout`; and it saws, because it has to drop something to learn where the limit is.
 *
 *  Netflix's AIMDLimit: it grows only when at least half of the limit was in use, and the decrease is truncated. */
import { duration, fraction, int, type ParamValues } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { defineAdmission } from './admission.ts';
import { checkBounds, type ConcurrencyLimit } from './parts/concurrency-limit.ts';
import { LimitedAdmission } from './parts/limited-admission.ts';
import { windowParams, withWindow } from './parts/windowed-limit.ts';

export const aimdParams = {
  initialLimit: int({ default: 20, min: 1, about: 'The limit at the start.' }),
  minLimit: int({ default: 20, min: 1, about: 'The least limit.' }),
  maxLimit: int({ default: 200, min: 1, about: 'The greatest limit.' }),
  backoffRatio: fraction({ default: 0.9, min: 0.5, max: 0.999, about: 'After a drop: limit · backoffRatio, truncated.' }),
  timeout: duration({ default: 5000, min: 0.000001, about: 'A longer time counts as a drop.' }),
};
export type AimdRules = ParamValues<typeof aimdParams>;

export const aimd = defineAdmission({
  name: 'aimd',
  summary: 'Limits requests in flight: one more after a good answer, a tenth less after a drop (Netflix).',
  useWhen: 'Overload shows as drops or timeouts, and many clients share one server.',
  failsWhen: 'Overload only shows as latency below `timeout`: the limit climbs to its maximum.',
  cost: 'O(1)',
  sources: [
    'Netflix/concurrency-limits: concurrency-limits-core/src/main/java/com/netflix/concurrency/limits/limit/AIMDLimit.java',
    'Chiu, Jain: Analysis of the Increase and Decrease Algorithms for Congestion Avoidance (1989)',
  ],
  aliases: [{ system: 'Netflix', name: 'AIMDLimit' }],
  params: { ...aimdParams, ...windowParams },
  create: (params) => {
    checkBounds(params.minLimit, params.initialLimit, params.maxLimit, 'maxLimit');
    return new LimitedAdmission(withWindow(new AimdLimit(params), params));
  },
});

/** The limit after one sample. */
export function aimdLimit(limit: number, rttMs: Ms, inFlight: number, dropped: boolean, rules: AimdRules): number {
  let next = limit;
  if (dropped || rttMs > rules.timeout) next = Math.trunc(limit * rules.backoffRatio);
  else if (inFlight * 2 >= limit) next = limit + 1;
  return Math.min(rules.maxLimit, Math.max(rules.minLimit, next));
}

export class AimdLimit implements ConcurrencyLimit {
  readonly #rules: AimdRules;
  #limit: number;

  constructor(rules: AimdRules) {
    this.#rules = rules;
    this.#limit = rules.initialLimit;
  }

  limit(): number {
    return this.#limit;
  }

  onSample(rttMs: Ms, inFlight: number, dropped: boolean): void {
    this.#limit = aimdLimit(this.#limit, rttMs, inFlight, dropped, this.#rules);
  }
}
