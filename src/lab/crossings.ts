/** In a sweep over loads: where the order of two groups changes. Only verdicts count, so a crossing is a finding and not a crossing of two
 *  noisy lines; loads at which nothing could be decided widen the gap in which it lies. */
import { findMetric, type Metric } from '../core/metrics.ts';
import type { Verdict } from '../stats/result.ts';
import { comparePairs, type Pair } from './compare.ts';
import { exactly, points, signed } from './phrases.ts';
import type { Comparison, Crossing, VariantResult } from './types.ts';

const METRICS: readonly Metric[] = ['latency.p99', 'availability'].flatMap((name) => findMetric(name) ?? []);

/** `comparisons` are the experiment's own, with the first group as the baseline; the other pairs of groups are compared here. */
export function findCrossings(variants: readonly VariantResult[], comparisons: readonly Comparison[]): Crossing[] {
  const loads = [...new Set(variants.flatMap(({ load }) => load ?? []))].toSorted((x, y) => x - y);
  const groups = [...new Set(variants.map(({ group }) => group))];
  if (loads.length < 2 || comparisons.length === 0) return [];
  const at = (group: string, load: number): VariantResult | undefined =>
    variants.find((variant) => variant.group === group && variant.load === load);
  const rivals = groups.slice(1).flatMap((baseline, i) => groups.slice(i + 2).map((group) => ({ group, baseline })));
  const pairs = rivals.flatMap(({ group, baseline }) =>
    METRICS.flatMap((metric) => loads.flatMap((load) => pairOf(at(group, load), at(baseline, load), metric))),
  );
  const all = [...comparisons, ...comparePairs(pairs)];
  const find = (
    variant: VariantResult | undefined,
    baseline: VariantResult | undefined,
    metric: string,
  ): Comparison | undefined =>
    all.find((each) => each.variant === variant?.label && each.baseline === baseline?.label && each.metric === metric);
  return [...groups.slice(1).map((group) => ({ group, baseline: groups[0] })), ...rivals].flatMap(({ group, baseline }) =>
    METRICS.flatMap(({ name }) => {
      const points = loads.flatMap((load): Point[] => {
        const comparison = find(at(group, load), at(baseline, load), name);
        return comparison === undefined || comparison.verdict === 'inconclusive' ? [] : [{ load, comparison }];
      });
      return changes(points).map((change) => crossingOf(group, baseline, change));
    }),
  );
}

interface Point {
  readonly load: number;
  readonly comparison: Comparison;
}

const pairOf = (variant: VariantResult | undefined, baseline: VariantResult | undefined, metric: Metric): Pair[] =>
  variant === undefined || baseline === undefined ? [] : [{ variant, baseline, metric }];

interface Change {
  readonly before: Point;
  readonly after: Point;
  /** Load up to which the new verdict is known to hold; Infinity if no other follows. */
  readonly until: number;
}

function changes(points: readonly Point[]): Change[] {
  const found: Change[] = [];
  points.forEach((after, i) => {
    if (i === 0 || points[i - 1].comparison.verdict === after.comparison.verdict) return;
    const next = points.findIndex(({ comparison }, k) => k > i && comparison.verdict !== after.comparison.verdict);
    found.push({ before: points[i - 1], after, until: next < 0 ? Infinity : points[next - 1].load });
  });
  return found;
}

function crossingOf(group: string, baseline: string, { before, after, until }: Change): Crossing {
  const { metric, verdict } = after.comparison;
  const where =
    until === Infinity
      ? `from load ${exactly(after.load)} on`
      : until === after.load
        ? `at load ${exactly(after.load)}`
        : `from load ${exactly(after.load)} to ${exactly(until)}`;
  return {
    group,
    baseline,
    metric,
    fromLoad: before.load,
    toLoad: after.load,
    before: before.comparison.verdict,
    after: verdict,
    sentence:
      `${words(group, baseline, verdict)} in ${metric.replace('latency.', '')} ${where}${amount(after.comparison)}; ` +
      `at ${exactly(before.load)} ${short(group, before.comparison)}.`,
  };
}

const words = (group: string, baseline: string, verdict: Verdict): string =>
  verdict === 'equivalent' ? `${group} and ${baseline} are equivalent` : `${group} is ${verdict} than ${baseline}`;

const short = (group: string, comparison: Comparison): string =>
  comparison.verdict === 'equivalent' ? 'they are equivalent' : `${group} is ${comparison.verdict}${amount(comparison)}`;

function amount({ verdict, relative, difference }: Comparison): string {
  if (verdict === 'equivalent') return '';
  return relative === null ? ` (${points(difference.mean)})` : ` (${signed(relative.mean)})`;
}
