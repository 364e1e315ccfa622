/** A gate's report as a list of findings, each with its place and its sentence: what all reporters are made from. */
import type { GateComparison } from '../../gate/judge.ts';
import type { GateReport, GateScenario } from '../../gate/report.ts';
import { findMetric } from '../../core/metrics.ts';
import { formatDifference, formatMetric, formatPercent, isNumber } from '../format.ts';
import { describeChange, measuredText } from '../summary.ts';

/** `open`: nothing can be said. */
export type Outcome = 'good' | 'bad' | 'warning' | 'open';

export interface Finding {
  readonly outcome: Outcome;
  readonly kind: 'expectation' | 'baseline' | 'bytes';
  readonly scenario: string;
  readonly variant: string;
  /** `latency.p99 < 250ms`, `latency.p99 against main`. */
  readonly check: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** What was found, in one line. */
  readonly text: string;
  /** Command that makes the number again. */
  readonly replay: string;
  /** How bad, for those who show only some. */
  readonly weight: number;
}

export const findingsOf = (report: GateReport): Finding[] =>
  report.scenarios.flatMap((scenario) => [
    ...scenario.expectations.map((each) => expectationFinding(scenario, each)),
    ...scenario.comparisons.map((each) => comparisonFinding(report, scenario, each)),
    ...scenario.changes.map((each): Finding => ({
      outcome: 'bad',
      kind: 'bytes',
      scenario: scenario.name,
      variant: each.variant,
      check: `same bytes as ${report.baseline}`,
      ...top(scenario),
      text: `seed ${each.seed}: digest ${each.now}, the baseline has ${each.before || 'none'}`,
      replay: scenario.replay,
      weight: 1,
    })),
  ]);

const top = ({ file }: GateScenario) => ({ file, line: 1, column: 1, length: 1 });

function expectationFinding(scenario: GateScenario, each: GateScenario['expectations'][number]): Finding {
  const { variant, text, file, line, column, length, passed, uncertain, level, measured, limit } = each;
  const close = uncertain ? '; the interval reaches over the limit, more seeds could turn it' : '';
  const found = measured.n === 0 || !isNumber(measured.mean) ? 'nothing was measured' : measuredText(each.metric, measured);
  return {
    outcome: passed ? (uncertain ? 'open' : 'good') : level === 'warn' ? 'warning' : 'bad',
    kind: 'expectation',
    scenario: scenario.name,
    variant,
    check: text,
    ...{ file, line, column, length },
    text: `${found}${close}`,
    replay: scenario.replay,
    weight: Math.abs(measured.mean - limit) / (Math.abs(limit) || 1) || 0,
  };
}

const outcomes = { better: 'good', equivalent: 'good', worse: 'bad', inconclusive: 'open' } as const;

function comparisonFinding({ baseline }: GateReport, scenario: GateScenario, each: GateComparison): Finding {
  const outcome = each.level === 'warn' && each.verdict === 'worse' ? 'warning' : outcomes[each.verdict];
  return {
    outcome,
    kind: 'baseline',
    scenario: scenario.name,
    variant: each.variant,
    check: `${each.text} against ${baseline}`,
    ...(each.place === undefined ? top(scenario) : { ...each.place, file: scenario.file }),
    text: comparisonText(each),
    replay: scenario.replay,
    weight: Math.abs(each.difference.mean) / (each.margin || Math.abs(each.baselineMean) || 1) || 0,
  };
}

/** `96.0 ms -> 101 ms, +5.2 % [+4.1 .. +6.3], margin 3 %: worse`. */
export function comparisonText(each: GateComparison): string {
  const { metric, baselineMean, currentMean, verdict, seeds, seedsNeeded, reason } = each;
  if (reason !== '') return `nothing can be said: ${reason}`;
  const needed =
    verdict !== 'inconclusive'
      ? ''
      : seedsNeeded === null
        ? '; how many seeds would decide cannot be told'
        : `; about ${seedsNeeded} seeds would decide`;
  const values = `${formatMetric(metric, baselineMean)} -> ${formatMetric(metric, currentMean)}`;
  return `${values}, ${changeText(each)}, margin ${marginText(each)}: ${verdict} after ${seeds} seeds${needed}`;
}

export function changeText(each: GateComparison): string {
  const { text, interval } = describeChange(each);
  return [text, interval].filter((part) => part !== '').join(' ');
}

export function marginText({ metric, margin, relativeMargin }: GateComparison): string {
  if (relativeMargin !== null) return formatPercent(relativeMargin);
  if (findMetric(metric)?.unit === 'fraction')
    return formatDifference({ mean: margin, low: NaN, high: NaN }, 100, 'pp').text.replace('+', '');
  return formatMetric(metric, margin);
}

/** The answer in one sentence. */
export function headline(report: GateReport): string {
  const all = findingsOf(report);
  const count = (outcome: Outcome): number => all.filter((each) => each.outcome === outcome).length;
  const checks = `${all.length} ${all.length === 1 ? 'check' : 'checks'}`;
  const against = report.baseline === '' ? '' : ` against ${report.baseline}`;
  const others = [
    count('warning') > 0 ? `${count('warning')} ${count('warning') === 1 ? 'warning' : 'warnings'}` : '',
    count('open') > 0 ? `${count('open')} inconclusive` : '',
  ].filter((part) => part !== '');
  const more = others.length === 0 ? '' : ` (${others.join(', ')})`;
  switch (report.verdict) {
    case 'failed':
      return `Failed${against}: ${count('bad')} of ${checks}${more}.`;
    case 'inconclusive':
      return `Inconclusive${against}: nothing is shown to be wrong, but ${count('open')} of ${checks} ${count('open') === 1 ? 'is' : 'are'} not decided.`;
    case 'passed':
      return report.mode === 'exact' ? `Passed${against}: the same bytes${more}.` : `Passed${against}: ${checks}${more}.`;
  }
}
