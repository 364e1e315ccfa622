/** Vegas: estimates the queue from how much longer requests take than without load, and keeps it between two small numbers.
 *
 *  queue = ⌈limit · (1 − rttNoLoad / rtt)⌉. Up to a threshold of requests queueing the limit grows by beta, below alpha by a little, above
 *  beta it shrinks, in between it stays.
 *
 *  Use it where requests are alike, so that the least time seen is what service takes: then it settles within a handful of requests of
 *  the capacity, without a drop. It fails where service times vary by themselves: a single fast request (a cache hit, a quick error)
 *  becomes rttNoLoad and everything else looks like queueing. And every probe, after about 15 to 30 requests per unit of limit, takes
 *  whatever it sees for the time without load: under constant overload the queue becomes the baseline and the limit drifts upwards.
 *
 *  Netflix's VegasLimit: the steps scale with lg = max(1, ⌊log10 limit⌋), drops always shrink the limit, and apart from drops nothing
 *  happens while less than half of it is in use. */
import { choice, fraction, int, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { defineAdmission } from './admission.ts';
import { checkBounds, type ConcurrencyLimit } from './parts/concurrency-limit.ts';
import { log10Root } from './parts/limit-functions.ts';
import { LimitedAdmission } from './parts/limited-admission.ts';
import { windowParams, withWindow } from './parts/windowed-limit.ts';

const params = {
  initialLimit: int({ default: 20, min: 1, about: 'The limit at the start.' }),
  maxConcurrency: int({ default: 1000, min: 1, about: 'The greatest limit.' }),
  alpha: int({ default: 3, min: 0, about: 'With fewer requests queueing the limit grows by lg.' }),
  beta: int({
    default: 6,
    min: 0,
    about: 'With more requests queueing the limit shrinks by lg; with at most lg queueing it grows by beta.',
  }),
  scale: choice({
    default: 'log10',
    choices: ['log10', 'constant'],
    about: 'Whether alpha and beta are multiplied by lg = max(1, ⌊log10 limit⌋).',
    official: 'Netflix alpha(Function), or alpha(int)',
  }),
  smoothing: fraction({ default: 1, min: 0.001, about: 'limit = (1 − smoothing) · limit + smoothing · the new one.' }),
  probeMultiplier: int({
    default: 30,
    min: 1,
    about: 'After jitter · probeMultiplier · limit samples, jitter between 0.5 and 1, the time without load is taken anew.',
  }),
};

export const vegas = defineAdmission({
  name: 'vegas',
  summary: 'Limits requests in flight so that a few are queueing, judged by time over least time (Netflix).',
  useWhen: 'Requests are alike, and the limit shall find capacity without dropping anything.',
  failsWhen: 'Service times vary by themselves, or overload lasts so long that the probes take it for normal.',
  cost: 'O(1)',
  sources: [
    'Netflix/concurrency-limits: concurrency-limits-core/src/main/java/com/netflix/concurrency/limits/limit/VegasLimit.java',
    'Brakmo, O’Malley, Peterson: TCP Vegas (1994)',
  ],
  aliases: [{ system: 'Netflix', name: 'VegasLimit' }],
  params: { ...params, ...windowParams },
  create: (values, deps) => {
    checkBounds(1, values.initialLimit, values.maxConcurrency, 'maxConcurrency');
    return new LimitedAdmission(withWindow(new VegasLimit(vegasRules(values), deps.rng), values));
  },
});

export interface VegasRules {
  readonly initialLimit: number;
  readonly maxConcurrency: number;
  readonly smoothing: number;
  readonly probeMultiplier: number;
  /** Of the truncated limit. */
  alpha(limit: number): number;
  beta(limit: number): number;
  /** What is left after a drop or with too many queueing. */
  decrease(limit: number): number;
}

export function vegasRules(values: ParamValues<typeof params>): VegasRules {
  const isConstant = values.scale === 'constant';
  return {
    initialLimit: values.initialLimit,
    maxConcurrency: values.maxConcurrency,
    smoothing: values.smoothing,
    probeMultiplier: values.probeMultiplier,
    alpha: (limit) => values.alpha * (isConstant ? 1 : log10Root(limit)),
    beta: (limit) => values.beta * (isConstant ? 1 : log10Root(limit)),
    decrease: (limit) => limit - log10Root(limit),
  };
}

/** Requests that are waiting, by how much longer they take. */
export const vegasQueue = (limit: number, noLoadMs: Ms, rttMs: Ms): number => Math.ceil(limit * (1 - noLoadMs / rttMs));

/** The limit, not truncated, after one sample. */
export function vegasLimit(
  limit: number,
  noLoadMs: Ms,
  rttMs: Ms,
  inFlight: number,
  dropped: boolean,
  rules: VegasRules,
): number {
  const whole = Math.trunc(limit);
  let next: number;
  if (dropped) {
    next = rules.decrease(limit);
  } else {
    if (inFlight * 2 < limit) return limit;
    const queue = vegasQueue(limit, noLoadMs, rttMs);
    const step = log10Root(whole);
    const beta = rules.beta(whole);
    if (queue <= step) next = limit + beta;
    else if (queue < rules.alpha(whole)) next = limit + step;
    else if (queue > beta) next = rules.decrease(limit);
    else return limit;
  }
  next = Math.max(1, Math.min(rules.maxConcurrency, next));
  return (1 - rules.smoothing) * limit + rules.smoothing * next;
}

export class VegasLimit implements ConcurrencyLimit {
  readonly #rules: VegasRules;
  readonly #rng: Rng;
  #limit: number;
  /** 0 before the first sample. */
  #noLoadMs = 0;
  #sinceProbe = 0;
  #jitter: number;

  constructor(rules: VegasRules, rng: Rng) {
    this.#rules = rules;
    this.#rng = rng;
    this.#limit = rules.initialLimit;
    this.#jitter = probeJitter(rng);
  }

  limit(): number {
    return Math.trunc(this.#limit);
  }

  onSample(rttMs: Ms, inFlight: number, dropped: boolean): void {
    this.#sinceProbe++;
    if (this.#jitter * this.#rules.probeMultiplier * this.#limit <= this.#sinceProbe) {
      this.#jitter = probeJitter(this.#rng);
      this.#sinceProbe = 0;
      this.#noLoadMs = rttMs;
    } else if (this.#noLoadMs === 0 || rttMs < this.#noLoadMs) {
      this.#noLoadMs = rttMs;
    } else {
      this.#limit = vegasLimit(this.#limit, this.#noLoadMs, rttMs, inFlight, dropped, this.#rules);
    }
  }
}

const probeJitter = (rng: Rng): number => 0.5 + 0.5 * rng.next();
