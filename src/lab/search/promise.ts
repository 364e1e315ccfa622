/** Whether promises (`latency.p99 < 250ms`) hold for a setting, said with a stated confidence. What is promised is the mean over all
 *  seeds of a run's own statistic, as `expect` has it; it holds when the one-sided t bound does.
 *
 *  That all hold is claimed when each does at the full confidence: for the claim to be wrong, one of them must be wrong (intersection-union
 *  test; R. L. Berger, Technometrics 24, 1982). That not all hold is claimed when one fails at a confidence that the promises share
 *  (Bonferroni). Looking several times while seeds are added shares it once more between the looks. */
import { InputError } from '../../core/errors.ts';
import { findMetric } from '../../core/metrics.ts';
import type { ExpectSpec } from '../../scenario/spec.ts';
import { boundsOf } from '../../stats/one-sided.ts';

export type Decision = 'meets' | 'fails' | 'undecided';

/** One promise about one setting. */
export interface PromiseCheck {
  readonly text: string;
  readonly decision: Decision;
  readonly mean: number;
  readonly sd: number;
  readonly n: number;
  /** One-sided, in the direction that matters: what the mean is at most (for `<`) or at least. */
  readonly bound: number;
  readonly limit: number;
}

/** `values[k]` are those of `promises[k]`, by seed. `miss`: 1 less the confidence, of this look. */
export function judgePromises(
  promises: readonly ExpectSpec[],
  values: readonly (readonly number[])[],
  miss: number,
): { readonly decision: Decision; readonly checks: readonly PromiseCheck[] } {
  const checks = promises.map((promise, k) => judgePromise(promise, values[k], miss, miss / promises.length));
  const decision = checks.some((check) => check.decision === 'fails')
    ? 'fails'
    : checks.every((check) => check.decision === 'meets')
      ? 'meets'
      : 'undecided';
  return { decision, checks };
}

function judgePromise(promise: ExpectSpec, values: readonly number[], missMeets: number, missFails: number): PromiseCheck {
  const { text, comparator, limit } = promise;
  const wantsLess = isUpper(promise);
  const { mean, sd, n, low, high } = boundsOf(values, missMeets);
  const failing = boundsOf(values, missFails);
  const holds = (value: number): boolean =>
    comparator === '<'
      ? value < limit
      : comparator === '<='
        ? value <= limit
        : comparator === '>'
          ? value > limit
          : value >= limit;
  const base = { text, mean, sd, n, bound: wantsLess ? high : low, limit };
  // A seed without a value (a percentile of nothing) promises nothing, however good the others are.
  if (values.some(Number.isNaN)) return { ...base, decision: 'fails' };
  if (n >= 2 && holds(wantsLess ? high : low)) return { ...base, decision: 'meets' };
  if (n >= 2 && !holds(wantsLess ? failing.low : failing.high)) return { ...base, decision: 'fails' };
  return { ...base, decision: 'undecided' };
}

/** Whether the promise is an upper limit. */
export const isUpper = ({ comparator }: Pick<ExpectSpec, 'comparator'>): boolean => comparator === '<' || comparator === '<=';

/** How far the mean lies beyond the limit, as a share of it; negative within. */
export function excessOf(promise: Pick<ExpectSpec, 'comparator'>, { mean, limit }: Pick<PromiseCheck, 'mean' | 'limit'>): number {
  if (Number.isNaN(mean)) return Infinity;
  const beyond = isUpper(promise) ? mean - limit : limit - mean;
  return beyond / (limit === 0 ? 1 : Math.abs(limit));
}

/** A line of `expect` that promises nothing: it has a metric measured, for a part of the requests, too. */
export function measureOnly(metric: string): string {
  const unit = findMetric(metric.split('{', 1)[0])?.unit;
  return `${metric} >= ${unit === 'ms' ? '0s' : unit === 'per second' ? '0/s' : '0'}`;
}

export function refuseEqualities(promises: readonly ExpectSpec[], option: string): void {
  const equal = promises.find(({ comparator }) => comparator === '==');
  if (equal === undefined) return;
  throw InputError.of(
    'bad-check',
    `${option}: ${equal.text} asks for one exact value, which no interval can show`,
    'use <= or >=',
  );
}

/** Seeds there are at each look: doubling from `first` to `last`. */
export function looksOf(first: number, last: number): number[] {
  const sizes = [Math.max(2, Math.min(first, last))];
  while (sizes.at(-1)! < last) sizes.push(Math.min(last, sizes.at(-1)! * 2));
  return sizes;
}
