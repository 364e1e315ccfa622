/** Gradient2: scales the limit by the long-term average time over the present time, and adds room for a small queue.
 *
 *  gradient = clamp(rttTolerance · longRtt / rtt, 0.5, 1); limit = limit · (1 − smoothing) + (limit · gradient + queueSize) · smoothing.
 *
 *  Use it where service times vary, for averages stand where Vegas has a minimum. It fails by design to see a slow decline: the long-term
 *  average follows, within some 600 samples the new time is normal, and the limit climbs again. Up to rttTolerance it does not shrink at
 *  all, so half as much latency again is taken as the price. Drops do not count; and the default minimum of 20 is more than a
 *  small instance can hold.
 *
 *  Netflix's Gradient2Limit. Where the long-term average is more than twice the present time, it is pulled down by 5 % per sample. */
import { fraction, int, number, type ParamValues } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { defineAdmission } from './admission.ts';
import { checkBounds, type ConcurrencyLimit } from './parts/concurrency-limit.ts';
import { LimitedAdmission } from './parts/limited-admission.ts';
import { WarmAverage } from './parts/warm-average.ts';
import { windowParams, withWindow } from './parts/windowed-limit.ts';

export const gradient2Params = {
  initialLimit: int({ default: 20, min: 1, about: 'The limit at the start.' }),
  minLimit: int({ default: 20, min: 1, about: 'The least limit.' }),
  maxConcurrency: int({ default: 200, min: 1, about: 'The greatest limit.' }),
  smoothing: fraction({ default: 0.2, min: 0.001, about: 'Weight of the new limit.' }),
  queueSize: int({ default: 4, min: 0, about: 'What the limit grows by, times smoothing, without queueing.' }),
  longWindow: int({ default: 600, min: 1, about: 'Samples in the long-term average: weight 2 / (longWindow + 1) each.' }),
  rttTolerance: number({ default: 1.5, min: 1, about: 'How many times the long-term average is still no sign of queueing.' }),
};
export type Gradient2Rules = ParamValues<typeof gradient2Params>;

export const gradient2 = defineAdmission({
  name: 'gradient2',
  summary: 'Limits requests in flight by long-term average time over present time (Netflix).',
  useWhen: 'Service times vary by themselves and the limit shall adapt to lasting changes.',
  failsWhen: 'Overload builds up slowly or lasts: the average follows, and the limit climbs with the queue.',
  cost: 'O(1)',
  sources: [
    'Netflix/concurrency-limits: concurrency-limits-core/src/main/java/com/netflix/concurrency/limits/limit/Gradient2Limit.java',
  ],
  aliases: [{ system: 'Netflix', name: 'Gradient2Limit' }],
  params: { ...gradient2Params, ...windowParams },
  create: (params) => {
    checkBounds(params.minLimit, params.initialLimit, params.maxConcurrency, 'maxConcurrency');
    return new LimitedAdmission(withWindow(new Gradient2Limit(params), params));
  },
});

/** The limit, not truncated, after one sample. */
export function gradient2Limit(limit: number, longMs: Ms, rttMs: Ms, inFlight: number, rules: Gradient2Rules): number {
  if (inFlight < limit / 2) return limit;
  const slope = Math.max(0.5, Math.min(1, (rules.rttTolerance * longMs) / rttMs));
  const wanted = limit * slope + rules.queueSize;
  const smoothed = limit * (1 - rules.smoothing) + wanted * rules.smoothing;
  return Math.max(rules.minLimit, Math.min(rules.maxConcurrency, smoothed));
}

export class Gradient2Limit implements ConcurrencyLimit {
  readonly #rules: Gradient2Rules;
  readonly #longRtt: WarmAverage;
  #limit: number;

  constructor(rules: Gradient2Rules) {
    this.#rules = rules;
    this.#longRtt = new WarmAverage(rules.longWindow, WARM_UP_SAMPLES);
    this.#limit = rules.initialLimit;
  }

  limit(): number {
    return Math.trunc(this.#limit);
  }

  /** The limit before truncation. */
  estimate(): number {
    return this.#limit;
  }

  onSample(rttMs: Ms, inFlight: number): void {
    const longMs = this.#longRtt.add(rttMs);
    if (longMs / rttMs > 2) this.#longRtt.scale(0.95);
    this.#limit = gradient2Limit(this.#limit, longMs, rttMs, inFlight, this.#rules);
  }
}

const WARM_UP_SAMPLES = 10;
