/** What hedging and fan-out do to the tail, in closed form: the figures a hedge's delay is chosen by.
 *
 *  All of them assume that attempts are slow independently, which holds for pauses of single instances and not where the
 *  request itself is slow, or the service as a whole. Then a hedge only adds load. */
import { exp, expm1, log1p } from '../../../../core/math.ts';
import type { Ms } from '../../../../core/time.ts';

/** Probability that at least one of n parallel calls is slow when each is with probability p: 1 − (1 − p)^n. */
export const fanOutProbability = (p: number, n: number): number => -expm1(n * log1p(-p));

/** P(T > t) of a request that is sent a second time after the delay, from the tail P(X > t) of one attempt: P(X > t) · P(X > t
 *  − d), and P(X > t) before the delay is over. */
export const hedgedTail = (tail: (ms: Ms) => number, ms: Ms, delayMs: Ms): number =>
  ms < delayMs ? tail(ms) : tail(ms) * tail(ms - delayMs);

/** Hedges per request: the share that is still out when the delay is over, P(X > d). */
export const hedgeExtraLoad = (tail: (ms: Ms) => number, delayMs: Ms): number => tail(delayMs);

/** P(X > t) of exponential latencies. */
export const exponentialTail =
  (meanMs: Ms) =>
  (ms: Ms): number =>
    exp(-Math.max(0, ms) / meanMs);
