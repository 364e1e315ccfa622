/** Gradient: scales the limit by least time over present time, and adds room for a queue of its square root.
 *
 *  gradient = clamp(rttTolerance · rttNoLoad / rtt, 0.5, 1); limit = limit · gradient + √limit.
 *
 *  Use it where the load may be let in until requests take rttTolerance times as long as alone. It fails where service times vary by
 *  themselves, as every comparison with a minimum does; and every 1000 to 2000 samples it lets the limit fall to √limit to measure
 *  anew, which refuses requests under full load each time. Gradient2 is its successor and does without both.
 *
 *  Netflix's GradientLimit. It is smoothed on the way down only. */
import { InputError } from '../../../core/errors.ts';
import { fraction, int, number, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { defineAdmission } from './admission.ts';
import { checkBounds, type ConcurrencyLimit } from './parts/concurrency-limit.ts';
import { squareRoot } from './parts/limit-functions.ts';
import { LimitedAdmission } from './parts/limited-admission.ts';
import { windowParams, withWindow } from './parts/windowed-limit.ts';

export const gradientParams = {
  initialLimit: int({ default: 50, min: 1, about: 'The limit at the start.' }),
  minLimit: int({ default: 1, min: 1, about: 'The least limit; it does not fall below the queue either.' }),
  maxConcurrency: int({ default: 1000, min: 4, about: 'The greatest limit.' }),
  smoothing: fraction({ default: 0.2, min: 0.001, about: 'Weight of the new limit when it is lower.' }),
  queueSize: int({
    default: 0,
    min: 0,
    about: 'What the limit grows by without queueing; 0 for the square root of the limit, at least 4.',
    official: 'Netflix queueSize, by default SquareRootFunction.create(4)',
  }),
  rttTolerance: number({ default: 2, min: 1, about: 'How many times the least time is still no sign of queueing.' }),
  probeInterval: int({
    default: 1000,
    min: -1,
    about:
      'After this many samples and up to as many again, the least time is measured anew from a small limit; below 1 for never.',
  }),
  backoffRatio: fraction({ default: 0.9, min: 0.5, max: 0.999, about: 'After a drop: limit · backoffRatio, smoothed.' }),
};
export type GradientRules = ParamValues<typeof gradientParams>;

export const gradient = defineAdmission({
  name: 'gradient',
  summary: 'Limits requests in flight by least time over present time (Netflix, first version).',
  useWhen: 'A service runs it, or its behaviour is to be compared with its successor’s.',
  failsWhen: 'Service times vary by themselves; each of its probes cuts the limit to a few requests under full load.',
  cost: 'O(1)',
  sources: [
    'Netflix/concurrency-limits: concurrency-limits-core/src/main/java/com/netflix/concurrency/limits/limit/GradientLimit.java',
  ],
  aliases: [{ system: 'Netflix', name: 'GradientLimit' }],
  params: { ...gradientParams, ...windowParams },
  create: (params, deps) => {
    checkBounds(params.minLimit, params.initialLimit, params.maxConcurrency, 'maxConcurrency');
    if (params.queueSize > params.maxConcurrency) {
      throw InputError.of(
        'limit-bounds',
        `queueSize: ${params.queueSize} is above maxConcurrency, which is ${params.maxConcurrency}`,
      );
    }
    return new LimitedAdmission(withWindow(new GradientLimit(params, deps.rng), params));
  },
});

/** What the limit grows by where nothing queues. */
export const gradientQueue = (limit: number, queueSize: number): number =>
  queueSize === 0 ? squareRoot(Math.trunc(limit), 4) : queueSize;

/** The limit, not truncated, after one sample. */
export function gradientLimit(
  limit: number,
  noLoadMs: Ms,
  rttMs: Ms,
  inFlight: number,
  dropped: boolean,
  rules: GradientRules,
): number {
  const queue = gradientQueue(limit, rules.queueSize);
  const slope = Math.max(0.5, Math.min(1, (rules.rttTolerance * noLoadMs) / rttMs));
  let next: number;
  if (dropped) next = limit * rules.backoffRatio;
  else if (inFlight < limit / 2) return limit;
  else next = limit * slope + queue;
  if (next < limit) next = Math.max(rules.minLimit, limit * (1 - rules.smoothing) + rules.smoothing * next);
  return Math.max(queue, Math.min(rules.maxConcurrency, next));
}

export class GradientLimit implements ConcurrencyLimit {
  readonly #rules: GradientRules;
  readonly #rng: Rng;
  #limit: number;
  #noLoadMs = Infinity;
  #untilProbe: number;

  constructor(rules: GradientRules, rng: Rng) {
    this.#rules = rules;
    this.#rng = rng;
    this.#limit = rules.initialLimit;
    this.#untilProbe = this.#probeCountdown();
  }

  limit(): number {
    return Math.trunc(this.#limit);
  }

  onSample(rttMs: Ms, inFlight: number, dropped: boolean): void {
    if (this.#untilProbe-- <= 0) {
      this.#untilProbe = this.#probeCountdown();
      this.#limit = Math.max(this.#rules.minLimit, gradientQueue(this.#limit, this.#rules.queueSize));
      this.#noLoadMs = Infinity;
      return;
    }
    this.#noLoadMs = Math.min(this.#noLoadMs, rttMs);
    this.#limit = gradientLimit(this.#limit, this.#noLoadMs, rttMs, inFlight, dropped, this.#rules);
  }

  #probeCountdown(): number {
    const every = this.#rules.probeInterval;
    return every < 1 ? Infinity : every + this.#rng.below(every);
  }
}
