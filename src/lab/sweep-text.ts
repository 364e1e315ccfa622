/** The answer of a sweep over loads in sentences: first where the order of two groups changes, then each group against the baseline over
 *  all loads. */
import { findMetric } from '../core/metrics.ts';
import { exactly, interval, list, ms, percent, points, signed } from './phrases.ts';
import type { Comparison, Crossing, VariantResult } from './types.ts';

const HEADLINES = ['latency.p99', 'availability'] as const;
/** More of them are in the run file. */
const CROSSINGS_SAID = 6;

export function sweepSentences(
  variants: readonly VariantResult[],
  comparisons: readonly Comparison[],
  crossings: readonly Crossing[],
): string[] {
  const [baseline, ...groups] = [...new Set(variants.map(({ group }) => group))];
  if (groups.length === 0) return [alone(variants)];
  const more = crossings.length - CROSSINGS_SAID;
  return [
    ...crossings.slice(0, CROSSINGS_SAID).map(({ sentence }) => sentence),
    ...(more > 0 ? [`The order changes at ${more} more ${more === 1 ? 'place' : 'places'}.`] : []),
    ...groups.flatMap((group) => overLoads(group, baseline, byLoad(variants, group), comparisons)),
  ];
}

/** Nothing but the load differs: what it does. */
function alone(variants: readonly VariantResult[]): string {
  const parts = byLoad(variants, variants[0].group).map(({ load, estimates }) => {
    const p99 = estimates['latency.p99'];
    const availability = estimates['availability'];
    const latency =
      p99 === undefined || Number.isNaN(p99.mean) ? 'no answers' : `p99 ${ms(p99.mean)}${interval(p99.low, p99.high, ms)}`;
    return `at load ${exactly(load ?? NaN)} ${latency}, availability ${percent(availability?.mean ?? NaN)}`;
  });
  return `${capital(parts.join('; '))}.`;
}

/** A sentence per metric in which anything was decided; p99 always has one. */
function overLoads(
  group: string,
  baseline: string,
  variants: readonly VariantResult[],
  comparisons: readonly Comparison[],
): string[] {
  return HEADLINES.flatMap((metric) => {
    const own = variants.flatMap((variant) => {
      const comparison = comparisons.find((each) => each.variant === variant.label && each.metric === metric);
      return comparison === undefined || variant.load === null ? [] : [{ load: variant.load, comparison }];
    });
    if (own.length === 0) return [];
    if (metric !== 'latency.p99' && own.every(({ comparison }) => !isDecided(comparison))) return [];
    const parts = stretches(own).map(({ verdict, at }) => `${verdict} at load ${list(at)}`);
    return [`${group} against ${baseline} in ${metric.replace('latency.', '')}: ${parts.join(', ')}.`];
  });
}

const isDecided = ({ verdict }: Comparison): boolean => verdict === 'better' || verdict === 'worse';

/** Neighbouring loads with one verdict, each load with its difference where that is shown to exist. */
function stretches(
  own: readonly { readonly load: number; readonly comparison: Comparison }[],
): { verdict: string; at: string[] }[] {
  const found: { verdict: string; at: string[] }[] = [];
  for (const { load, comparison } of own) {
    const verdict = comparison.verdict === 'inconclusive' ? 'not decided' : comparison.verdict;
    const text = isDecided(comparison) ? `${exactly(load)} (${amount(comparison)})` : exactly(load);
    const last = found.at(-1);
    if (last?.verdict === verdict) last.at.push(text);
    else found.push({ verdict, at: [text] });
  }
  return found;
}

const amount = ({ metric, relative, difference }: Comparison): string =>
  relative !== null
    ? signed(relative.mean)
    : findMetric(metric)?.unit === 'fraction'
      ? points(difference.mean)
      : ms(difference.mean);

const byLoad = (variants: readonly VariantResult[], group: string): VariantResult[] =>
  variants.filter((variant) => variant.group === group).toSorted((x, y) => (x.load ?? 0) - (y.load ?? 0));

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
