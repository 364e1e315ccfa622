/** The answer in sentences: who is best, by how much, how sure that is, and who cannot be told apart. Read from the comparisons; nothing
 *  is said that no interval supports. */
import { findMetric } from '../core/metrics.ts';
import { compareTwo } from './compare.ts';
import { interval, list, ms, percent, signed } from './phrases.ts';
import { recoverySentences } from './recovery.ts';
import { sweepSentences } from './sweep-text.ts';
import type { Comparison, Crossing, VariantResult, Verdict } from './types.ts';

const HEADLINE = 'latency.p99';
const AVAILABILITY = 'availability';

export function verdictSentences(
  kind: 'run' | 'compare',
  variants: readonly VariantResult[],
  comparisons: readonly Comparison[],
  crossings: readonly Crossing[] = [],
): string[] {
  if (variants.every(({ digests }) => digests.length === 0)) return ['Nothing was finished, so there is nothing to say.'];
  // Where the question is whether the system comes back, latencies answer another one.
  return [...recoverySentences(variants), ...performance(kind, variants, comparisons, crossings)];
}

function performance(
  kind: 'run' | 'compare',
  variants: readonly VariantResult[],
  comparisons: readonly Comparison[],
  crossings: readonly Crossing[],
): string[] {
  if (kind === 'run' || variants.length === 1) return [describe(variants[0])];
  if (comparisons.length > 0 && comparisons.every(({ seeds }) => seeds < 2))
    return ['A comparison needs at least two seeds; with one, luck and policy cannot be told apart.'];
  if (variants.some(({ load }) => load !== null)) return sweepSentences(variants, comparisons, crossings);
  if (comparisons.every(({ verdict }) => verdict === 'equivalent')) return [allEquivalent(variants)];
  return [...winner(variants, comparisons), ...losers(variants, comparisons), ...unknown(variants, comparisons)];
}

/** How one variant did, in absolute numbers. */
export function describe(variant: VariantResult): string {
  const p99 = variant.estimates[HEADLINE];
  const availability = variant.estimates[AVAILABILITY];
  if (p99 === undefined || availability === undefined || Number.isNaN(p99.mean))
    return `${variant.label}: no request ended well.`;
  return `${variant.label}: p99 ${ms(p99.mean)}${interval(p99.low, p99.high, ms)}, availability ${percent(availability.mean)}.`;
}

function allEquivalent(variants: readonly VariantResult[]): string {
  const all = variants.length === 2 ? 'Both variants' : `All ${variants.length} variants`;
  return `${all} are equivalent: no difference in latency or availability is larger than what would matter (1 % of means and medians, 3 % of p99, 0.01 points of availability).`;
}

/** The variant with the lowest p99 among those shown better than the baseline without costing availability, and not shown less available
 *  than another of them. */
function winner(variants: readonly VariantResult[], comparisons: readonly Comparison[]): string[] {
  const [baseline] = variants;
  const worthy = variants.slice(1).filter((variant) => {
    const p99 = find(comparisons, variant, HEADLINE);
    const availability = find(comparisons, variant, AVAILABILITY);
    const gains = p99?.verdict === 'better' || availability?.verdict === 'better';
    return gains && p99?.verdict !== 'worse' && availability?.verdict !== 'worse';
  });
  if (worthy.length === 0) return [`No variant is shown to be better than ${baseline.label}.`];
  // Latency counts answered requests only, so availability comes first: shedding load must not look like speed.
  const mostAvailable = worthy.reduce((most, variant) => (availabilityOf(variant) > availabilityOf(most) ? variant : most));
  const ranked = worthy.filter((variant) => !isLessAvailable(variant, mostAvailable)).toSorted((x, y) => p99Of(x) - p99Of(y));
  const [best, ...others] = ranked;
  return [bestSentence(best, baseline, comparisons), ...tied(best, others)];
}

function isLessAvailable(variant: VariantResult, other: VariantResult): boolean {
  const metric = findMetric(AVAILABILITY);
  return variant !== other && metric !== undefined && compareTwo(variant, other, metric).verdict === 'worse';
}

function bestSentence(best: VariantResult, baseline: VariantResult, comparisons: readonly Comparison[]): string {
  const p99 = find(comparisons, best, HEADLINE);
  const availability = find(comparisons, best, AVAILABILITY);
  const parts: string[] = [];
  if (p99?.verdict === 'better' && p99.relative !== null) {
    const { mean, low, high } = p99.relative;
    parts.push(
      `cuts p99 from ${ms(p99Of(baseline))} to ${ms(p99Of(best))} (${signed(mean)}, 95 % interval ${signed(low)} to ${signed(high)})`,
    );
  }
  if (availability?.verdict === 'better') {
    parts.push(`raises availability from ${percent(availabilityOf(baseline))} to ${percent(availabilityOf(best))}`);
  }
  const price = costs(best, comparisons);
  return `${best.label} ${parts.join(' and ')} against ${baseline.label}, on ${p99?.seeds ?? 0} paired seeds${price}.`;
}

/** Where the best is shown to be worse than the baseline: said in the same breath. */
function costs(best: VariantResult, comparisons: readonly Comparison[]): string {
  const worse = comparisons.filter(({ variant, verdict }) => variant === best.label && verdict === 'worse');
  const parts = worse.flatMap(({ metric, relative }) =>
    relative === null ? [] : [`${metric.replace('latency.', '')} ${signed(relative.mean)}`],
  );
  return parts.length === 0 ? '' : `; the price: ${list(parts)}`;
}

/** Runners-up whose p99 the seeds cannot tell from the best's, or show to be as good. */
function tied(best: VariantResult, others: readonly VariantResult[]): string[] {
  const metric = findMetric(HEADLINE);
  if (metric === undefined) return [];
  const close = others.flatMap((other) => {
    const { verdict } = compareTwo(other, best, metric);
    return verdict === 'equivalent' || verdict === 'inconclusive' ? [{ label: other.label, verdict }] : [];
  });
  const sentences: string[] = [];
  const equal = close.filter(({ verdict }) => verdict === 'equivalent').map(({ label }) => label);
  const open = close.filter(({ verdict }) => verdict === 'inconclusive').map(({ label }) => label);
  if (equal.length > 0)
    sentences.push(`${list(equal)} ${equal.length === 1 ? 'is' : 'are'} as good as ${best.label}: p99 differs by less than 3 %.`);
  if (open.length > 0) {
    sentences.push(`${list(open)} and ${best.label} cannot be told apart in p99 with ${best.digests.length} seeds.`);
  }
  return sentences;
}

/** Worse than the baseline, or a trade: better in one and worse in the other, which only the user can weigh. Latency is that of answered
 *  requests, so that failing the slow ones looks like speed, and answering them like slowness. */
function losers(variants: readonly VariantResult[], comparisons: readonly Comparison[]): string[] {
  const [baseline] = variants;
  return variants.slice(1).flatMap((variant) => {
    const shown = (verdict: Verdict): string[] =>
      [HEADLINE, AVAILABILITY].filter((metric) => find(comparisons, variant, metric)?.verdict === verdict);
    const against = (metric: string): string =>
      metric === HEADLINE
        ? `a p99 of ${ms(p99Of(variant))} instead of ${ms(p99Of(baseline))}`
        : `an availability of ${percent(availabilityOf(variant))} instead of ${percent(availabilityOf(baseline))}`;
    const worse = shown('worse').map(against);
    const better = shown('better').map(against);
    if (worse.length === 0) return [];
    return better.length === 0
      ? [`${variant.label} is worse than ${baseline.label}: ${worse.join(' and ')}.`]
      : [`${variant.label} is a trade against ${baseline.label}: ${better.join(' and ')}, but ${worse.join(' and ')}.`];
  });
}

function unknown(variants: readonly VariantResult[], comparisons: readonly Comparison[]): string[] {
  const open = variants
    .slice(1)
    .map((variant) => ({ variant, comparison: find(comparisons, variant, HEADLINE) }))
    .filter(({ comparison }) => comparison?.verdict === 'inconclusive');
  if (open.length === 0) return [];
  const needed = Math.max(...open.map(({ comparison }) => comparison?.seedsNeeded ?? 0));
  const hint = needed > 0 ? `; about ${needed} seeds would decide` : '';
  return [
    `Whether ${list(open.map(({ variant }) => variant.label))} differ${open.length === 1 ? 's' : ''} from ${variants[0].label} in p99 is open${hint}.`,
  ];
}

const find = (comparisons: readonly Comparison[], variant: VariantResult, metric: string): Comparison | undefined =>
  comparisons.find((comparison) => comparison.variant === variant.label && comparison.metric === metric);
const p99Of = (variant: VariantResult): number => variant.estimates[HEADLINE]?.mean ?? NaN;
const availabilityOf = (variant: VariantResult): number => variant.estimates[AVAILABILITY]?.mean ?? NaN;
