/** The numbers of SWIM and Lifeguard, as memberlist computes them: how long to suspect, how often to repeat, how rarely to
 *  synchronise. */
import { exp, log, pow } from '../../../core/math.ts';
import type { Ms } from '../../../core/time.ts';

export interface SuspicionTerms {
  /** The shortest suspicion, after enough confirmations. */
  readonly minMs: Ms;
  /** The longest, without any. */
  readonly maxMs: Ms;
  /** Confirmations by others that shorten it to `minMs`; 0 if the group is too small to give them. */
  readonly confirmations: number;
}

/** For a group of `n` members, oneself included. The suspicion starts at `maxMs`, or at `minMs` where no confirmations are
 *  expected. */
export function suspicionTerms(n: number, suspicionMult: number, maxTimeoutMult: number, probeIntervalMs: Ms): SuspicionTerms {
  const minMs = suspicionTimeoutMs(suspicionMult, n, probeIntervalMs);
  // Not counting oneself and the suspect, are there enough others?
  const wanted = suspicionMult - 2;
  return { minMs, maxMs: maxTimeoutMult * minMs, confirmations: n - 2 < wanted ? 0 : wanted };
}

/** mult · max(1, log10 n) · interval, the logarithm cut to thousandths. */
export const suspicionTimeoutMs = (suspicionMult: number, n: number, probeIntervalMs: Ms): Ms =>
  (suspicionMult * Math.trunc(Math.max(1, log10(Math.max(1, n))) * 1000) * probeIntervalMs) / 1000;

/** How much longer to suspect after `confirmed` of `wanted` confirmations: the whole falls with their logarithm from `maxMs`
 *  to `minMs`. Below zero if that time is already over. */
export function remainingSuspicionMs(confirmed: number, wanted: number, elapsedMs: Ms, minMs: Ms, maxMs: Ms): Ms {
  const share = log(confirmed + 1) / log(wanted + 1);
  return Math.max(minMs, Math.floor(maxMs - share * (maxMs - minMs))) - elapsedMs;
}

/** How often a member passes on one piece of news. */
export const retransmitLimit = (retransmitMult: number, n: number): number => retransmitMult * Math.ceil(log10(n + 1));

/** In groups of more than 32 members full exchanges are rarer: one interval more for each doubling. */
export const pushPullIntervalMs = (intervalMs: Ms, n: number): Ms =>
  n <= PUSH_PULL_THRESHOLD ? intervalMs : intervalMs * (ceilLog2(n) - ceilLog2(PUSH_PULL_THRESHOLD) + 1);

/** The score of a member's doubts about itself after `delta`, which stays below `maxMultiplier`. */
export const nextAwareness = (score: number, delta: number, maxMultiplier: number): number =>
  Math.min(Math.max(score + delta, 0), maxMultiplier - 1);

/** A member that doubts itself gives others more time. */
export const scaledByAwareness = (timeoutMs: Ms, score: number): Ms => timeoutMs * (score + 1);

/** Expected time until the first of the n − 1 others probes a crashed member, if each probes one random member per period;
 *  with shuffled rounds it is at most `worstDetectionPeriods`. */
export const firstDetectionMs = (n: number, periodMs: Ms): Ms => periodMs / (1 - pow(1 - 1 / (n - 1), n - 1));

/** Its limit for large groups: e / (e − 1) periods. */
export const firstDetectionLimitMs = (periodMs: Ms): Ms => (periodMs * exp(1)) / (exp(1) - 1);

/** One member can probe another at the start of one round and at the end of the next. */
export const worstDetectionPeriods = (n: number): number => 2 * n - 1;

/** Exact at powers of ten, where rounding up or down would make a step. */
function log10(x: number): number {
  const approximate = log(x) / LN10;
  const nearest = Math.round(approximate);
  let power = 1;
  for (let i = 0; i < nearest; i++) power *= 10;
  return power === x ? nearest : approximate;
}

const ceilLog2 = (n: number): number => 32 - Math.clz32(n - 1);

const LN10 = log(10);
const PUSH_PULL_THRESHOLD = 32;
