/** Does a variant keep a promise, is it no worse than another: the logic behind the matchers, for any test framework. */
import { findMetric } from '../core/metrics.ts';
import { InputError } from '../core/errors.ts';
import { valuesOf } from '../gate/checks.ts';
import { checkExpectations } from '../gate/expectations.ts';
import { judgeOnce } from '../gate/judge.ts';
import { comparisonText } from '../report/gate/findings.ts';
import { measuredText } from '../report/summary.ts';
import { parseCheckText } from '../scenario/expect.ts';
import { parseMargin } from '../scenario/gate.ts';
import type { Verdict } from '../stats/result.ts';
import type { Measurement } from './scenario.ts';

export interface SloAnswer {
  readonly pass: boolean;
  /** The interval reaches over the limit: more seeds could turn it. */
  readonly uncertain: boolean;
  /** What was measured and how to get it again. */
  readonly text: string;
}

/** `slo` as a line of `expect`: `latency.p99{class=read} < 250ms`. Throws InputError when it is none. */
export function checkSlo({ variant, run }: Measurement, slo: string): SloAnswer {
  const { label, ...line } = parseCheckText(slo);
  if (label !== undefined && !variant.views.some((view) => view.label === label))
    throw InputError.of('unknown-part', `{${label}} was not measured`, 'name it in a line of expect: in the scenario');
  const place = { file: run.scenario.file, line: 1, column: 1, length: 1 };
  const spec = { ...line, variants: [], place, ...(label === undefined ? {} : { view: 0 }) };
  const [found] = checkExpectations([spec], [variant], label === undefined ? [] : [{ label }]);
  const measured = found!.measured.n === 0 ? 'nothing was measured' : measuredText(line.metric, found!.measured);
  const close = found!.uncertain ? '; the interval reaches over the limit, more seeds could turn it' : '';
  return {
    pass: found!.passed,
    uncertain: found!.uncertain,
    text: `${line.text} for ${variant.label}: ${measured}, ${run.seeds.length} seeds${close}\nAgain: ${run.replay}`,
  };
}

export interface NoWorseOptions {
  /** By default `latency.p99`. */
  readonly metric?: string;
  /** How much worse does not matter: `5%`, `10ms`; by default the metric's zone of indifference. */
  readonly margin?: string;
}

export interface NoWorseAnswer {
  readonly verdict: Verdict;
  readonly text: string;
}

/** A non-inferiority test on paired seeds. Throws InputError when the two cannot be paired. */
export function compareMeasurements(
  mine: Measurement,
  other: Measurement,
  { metric: text = 'latency.p99', margin: written }: NoWorseOptions = {},
): NoWorseAnswer {
  const metric = findMetric(text.split('{', 1)[0]!);
  if (metric === undefined)
    throw InputError.of('unknown-metric', `there is no metric "${text}"`, 'clusterlab metrics lists them');
  if (mine.run.seeds.join('\n') !== other.run.seeds.join('\n'))
    throw InputError.of('not-paired', 'the two were run on different seeds', 'give both the same seeds');
  const { durationMs, warmupMs } = mine.run.scenario;
  if (durationMs !== other.run.scenario.durationMs || warmupMs !== other.run.scenario.warmupMs)
    throw InputError.of('not-paired', 'the two were run for different times', 'give both the same duration and warm-up');
  const margin = written === undefined ? metric.indifference : parseMargin(metric, written);
  if (margin === undefined) throw InputError.of('no-margin', `${metric.name} has no margin of its own`, "add margin: '5%'");
  if ('problem' in margin) throw InputError.of('bad-margin', margin.problem, margin.hint ?? 'write 5% or 10ms');
  const check = {
    variant: mine.variant.label,
    text,
    metric: metric.name,
    better: metric.better,
    margin,
    baseline: valuesOf(other.variant, text),
  };
  const found = judgeOnce(check, valuesOf(mine.variant, text));
  return {
    verdict: found.verdict,
    text: `${text} of ${mine.variant.label} against ${other.variant.label}: ${comparisonText(found)}\nAgain: ${mine.run.replay}`,
  };
}
