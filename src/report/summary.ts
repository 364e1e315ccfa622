/** What terminal, Markdown and HTML say in common: the headline, one row per variant, the footnotes. Only words and numbers; how they
 *  look is up to each output. */
import type { Comparison, Estimate, ExpectationResult, RunFile, VariantResult, Verdict } from '../lab/types.ts';
import { comparedMetrics, findMetric, type MetricUnit } from '../core/metrics.ts';
import { failureBuckets } from '../stats/result.ts';
import {
  availabilityDecimals,
  commonTimeUnit,
  formatAvailability,
  formatCount,
  formatDifference,
  formatEstimate,
  formatMetric,
  formatMs,
  formatSpan,
  isNumber,
  significant,
} from './format.ts';

export interface Summary {
  readonly name: string;
  /** `5m simulated × 10 seeds × 5 variants`, in parts, and the number of requests. */
  readonly scale: readonly string[];
  readonly requests: string;
  readonly columns: readonly SummaryColumn[];
  readonly rows: readonly SummaryRow[];
  /** The metric of the comparison column, and to whom; null when nothing is compared. */
  readonly compared: { readonly metric: string; readonly title: string; readonly baseline: string } | null;
  /** Which traffic waits for answers and which does not: latencies of the two cannot be compared. */
  readonly loops: string;
  readonly notes: readonly string[];
}
export interface SummaryColumn {
  readonly metric: string;
  readonly title: string;
}
export interface SummaryRow {
  readonly variant: VariantResult;
  readonly cells: readonly string[];
  /** Absent for the baseline and when there is no comparison. */
  readonly change?: Change;
  readonly failed: readonly ExpectationResult[];
  readonly expectations: number;
}
export interface Change {
  readonly text: string;
  readonly interval: string;
  readonly verdict: Verdict;
}

function headlineColumns(run: RunFile): readonly SummaryColumn[] {
  return [
    { metric: 'latency.p50', title: 'p50' },
    { metric: 'latency.p99', title: 'p99' },
    { metric: 'latency.p99.9', title: 'p99.9' },
    { metric: 'availability', title: 'availability' },
    ...(triesAgain(run) ? [{ metric: 'attempts', title: 'attempts' }] : []),
  ];
}

/** Whether any request of the traffic was tried more than once. */
export const triesAgain = (run: RunFile): boolean =>
  run.variants.some(({ estimates }) => (estimates['retries']?.mean ?? 0) > 0 || (estimates['hedges']?.mean ?? 0) > 0);

export function summarize(run: RunFile): Summary {
  const compared = headlineComparison(run);
  const columns = headlineColumns(run);
  const cells = columns.map(({ metric }) =>
    columnTexts(
      run.variants.map((variant) => variant.estimates[metric]),
      metric,
    ),
  );
  return {
    name: run.scenario.name,
    scale: [
      `${formatSpan(run.scenario.durationMs)} simulated`,
      plural(run.seeds.length, 'seed'),
      ...(run.variants.length > 1 ? [plural(run.variants.length, 'variant')] : []),
    ],
    requests: `${formatCount(run.checks.requests)} requests`,
    columns,
    rows: run.variants.map((variant, index) => {
      const comparison = run.comparisons.find((each) => each.variant === variant.label && each.metric === compared?.metric);
      const expectations = run.expectations.filter((each) => each.variant === variant.label);
      return {
        variant,
        cells: cells.map((column) => column[index]!),
        ...(comparison === undefined ? {} : { change: describeChange(comparison) }),
        failed: expectations.filter((each) => !each.passed),
        expectations: expectations.length,
      };
    }),
    compared,
    loops: run.loops,
    notes: notes(run),
  };
}

/** `p99 latency`, `mean wait`, `availability`. */
export function metricTitle(metric: string): string {
  const [family, ...rest] = metric.split('.');
  if (family === 'latency' || family === 'wait') {
    return rest.join('.') === 'share' ? 'share that waits' : `${rest.join('.')} ${family}`.trim();
  }
  if (family === 'failures') return `failed: ${spell(rest.join('.'))}`;
  return titles[metric] ?? metric;
}
const titles: Readonly<Record<string, string>> = {
  'utilization.mean': 'utilization',
  'utilization.max': 'utilization of the busiest',
  'load.maxOverMean': 'busiest over mean load',
  'load.jain': 'fairness of load (Jain)',
  'inSystem.mean': 'requests in the system',
  'instances.up': 'instances up',
  degraded: 'degraded answers',
  attempts: 'attempts per request',
  retries: 'retries per request',
  hedges: 'hedges per request',
  amplification: 'messages over one per call',
  cacheHits: 'cache hits',
  connections: 'connections opened',
  probes: 'probes sent',
  'detection.time': 'time to notice a bad instance',
  'detection.missed': 'bad instances never noticed',
  'detection.recovery': 'time until it is used again',
  'detection.mistakes': 'mistakes about well instances per hour',
  'detection.mistakeTime': 'time until a mistake is corrected',
  'detection.accuracy': 'time in which well instances are used',
  'detection.messages': 'heartbeats and checks sent',
  'rollout.exposure': 'share of requests that met the new version',
  'rollout.failed': 'failed with the new version',
  'rollout.slow': 'slow with the new version',
  'rollout.userMinutes': 'bad user minutes with the new version',
  'rollout.allFailed': 'failed during roll-outs',
  'rollout.detect': 'time until a bad version was given up',
  'rollout.rollback': 'time until it was gone',
  'rollout.finish': 'time until a version was everywhere',
  'rollout.aborted': 'roll-outs given up',
  'rollout.wrong': 'good versions given up',
  'rollout.missed': 'bad versions accepted',
  'rollout.leaders': 'changes of the leading controller',
  'rollout.split': 'time with two leaders',
  'rollout.stale': 'writes of former leaders that took effect',
  'rollout.fenced': 'writes of former leaders refused',
  'config.lag': 'lag of configuration',
  'config.lagMax': 'longest lag of configuration',
  'config.skew': 'time with different configurations',
  'config.refused': 'configurations refused by hosts',
};
/** `noEndpoint` → `no endpoint`. */
const spell = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** Relative where the comparison is relative, else in the metric's unit; shares in percentage points. */
export function describeChange({
  metric,
  relative,
  difference,
  verdict,
}: Pick<Comparison, 'metric' | 'relative' | 'difference' | 'verdict'>): Change {
  if (relative !== null && isNumber(relative.mean)) return { ...formatDifference(relative, 100, '%'), verdict };
  const unit = findMetric(metric)?.unit ?? 'count';
  return { ...formatDifference(difference, unit === 'fraction' ? 100 : 1, unitSigns[unit]), verdict };
}
const unitSigns: Readonly<Record<MetricUnit, string>> = { ms: 'ms', fraction: 'pp', 'per second': '/s', count: '', ratio: '' };

/** Where an expectation stands: `99.40 % (99.31 .. 99.49 %)`. */
export function measuredText(metric: string, measured: Estimate): string {
  const { value, interval } = formatEstimate(metric, measured);
  return interval === null ? value : `${value} (${interval})`;
}

export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** p99 latency where it was compared, else the first metric that was. */
function headlineComparison(run: RunFile): Summary['compared'] {
  const metrics = ['latency.p99', ...comparedMetrics.map((metric) => metric.name)];
  const metric = metrics.find((name) => run.comparisons.some((comparison) => comparison.metric === name));
  const first = run.comparisons.find((comparison) => comparison.metric === metric);
  if (metric === undefined || first === undefined) return null;
  return { metric, title: metric === 'latency.p99' ? 'p99' : metricTitle(metric), baseline: groupOf(run, first.baseline) };
}

/** With what a variant is compared; in a sweep over loads that is a group, at the variant's own load. */
export function baselineName(run: RunFile, { baseline }: Pick<Comparison, 'baseline'>): string {
  const group = groupOf(run, baseline);
  return group === baseline ? baseline : `${group} at the same load`;
}

const groupOf = ({ variants }: RunFile, label: string): string =>
  variants.find((variant) => variant.label === label && variant.load !== null)?.group || label;

/** One unit, or one number of decimals, for a whole column. */
function columnTexts(estimates: readonly (Estimate | undefined)[], metric: string): string[] {
  const means = estimates.map((estimate) => estimate?.mean ?? NaN);
  if (metric === 'availability') {
    const decimals = Math.max(...means.map(availabilityDecimals));
    return means.map((mean) => formatAvailability(mean, decimals));
  }
  if (findMetric(metric)?.unit !== 'ms') return means.map((mean) => formatMetric(metric, mean));
  const unit = commonTimeUnit(means);
  return means.map((mean) => formatMs(mean, unit));
}

function notes(run: RunFile): string[] {
  return [...interrupted(run), ...oneSeed(run), ...zeroFailures(run), ...inconclusive(run)];
}

function interrupted(run: RunFile): string[] {
  if (run.complete) return [];
  const done = run.variants.reduce((sum, variant) => sum + variant.digests.length, 0);
  return [
    `Interrupted: ${done} of ${run.variants.length * run.seeds.length} cells finished, and the numbers rest on those alone.`,
  ];
}

const oneSeed = (run: RunFile): string[] =>
  run.seeds.length === 1 ? ['One seed: without a second one there are no intervals and no verdicts. Add --seeds 10.'] : [];

function zeroFailures(run: RunFile): string[] {
  const clean = run.variants.flatMap((variant) => {
    const { ok, failed } = variant.ledger;
    return ok > 0 && failureBuckets.every((bucket) => failed[bucket] === 0) ? [{ label: variant.label, ended: ok }] : [];
  });
  if (clean.length === 0) return [];
  const ended = Math.min(...clean.map((each) => each.ended));
  const who =
    clean.length === run.variants.length && clean.length > 1 ? 'every variant' : shortNames(clean.map((each) => each.label));
  const atLeast = clean.every((each) => each.ended === ended) ? '' : 'at least ';
  return [
    `100 % is not a promise: 0 of ${atLeast}${formatCount(ended)} requests failed (${who}), so the failure rate is below ` +
      `${significant((3 / ended) * 100, 2)} % with 95 % confidence (rule of three).`,
  ];
}

/** One sentence per metric, with the number of seeds that would decide the last of them. */
function inconclusive(run: RunFile): string[] {
  const byMetric = new Map<string, Comparison[]>();
  for (const comparison of run.comparisons) {
    if (comparison.verdict !== 'inconclusive') continue;
    byMetric.set(comparison.metric, [...(byMetric.get(comparison.metric) ?? []), comparison]);
  }
  return [...byMetric].map(([metric, open]) => {
    const { seeds } = open[0]!;
    const baseline = baselineName(run, open[0]!);
    const who = names(open.map((each) => each.variant));
    const head = `~ ${metricTitle(metric)}: ${plural(seeds, 'seed')} cannot tell ${who} from ${baseline}`;
    const needed = open.map((each) => each.seedsNeeded).filter((count) => count !== null && count > seeds) as number[];
    if (needed.length < open.length) return `${head}; how many would cannot be told yet.`;
    return `${head}; about ${Math.max(...needed)} would decide${open.length > 1 ? ' all of them' : ''}.`;
  });
}

/** Within parentheses, which are not broken over lines. */
const shortNames = (labels: readonly string[]): string => {
  const all = names(labels);
  return all.length <= 36 ? all : plural(labels.length, 'variant');
};

/** `a, b and c`; beyond six only how many. */
function names(labels: readonly string[]): string {
  if (labels.length > 6) return `${labels.length} variants`;
  return labels.length < 2 ? labels.join('') : `${labels.slice(0, -1).join(', ')} and ${labels.at(-1)}`;
}
