/** The answer of `capacity` in sentences: what is enough, how sure that is, what the next one lacks, and what theory says. */
import type { ExpectSpec } from '../../scenario/spec.ts';
import { list } from '../phrases.ts';
import { intervalText, plural, shareText, valueText } from './phrases.ts';
import { excessOf, isUpper, type PromiseCheck } from './promise.ts';
import { settingText } from './trials.ts';
import type { CapacityFile, Probe } from './types.ts';

type Result = Omit<CapacityFile, 'verdict'>;

export function capacitySentences(result: Result, promises: readonly ExpectSpec[], seedsMax: number): string[] {
  const { outcome, probes } = result;
  const at = (setting: Probe['setting'] | null): Probe | undefined =>
    setting === null ? undefined : probes.find((probe) => settingText(probe.setting) === settingText(setting));
  const answer = at(result.answer);
  if (outcome === 'interrupted') return [`Interrupted after ${plural(result.cells, 'cell')}: no answer yet.`];
  if (answer === undefined) return [...failure(result, promises, seedsMax), ...theorySentence(result)];
  const neighbour = at(result.neighbour);
  return [
    `${subject(result, answer)} ${list(result.slo)} with ${shareText(result.confidence)} confidence: ${list(answer.checks.map((check, k) => measured(check, promises[k])))} (${plural(answer.seeds, 'seed')}).`,
    ...neighbourSentence(result, neighbour, promises, seedsMax),
    ...tieSentence(result),
    ...theorySentence(result),
    ...monotonySentence(result),
    ...lossSentence(result, answer),
  ];
}

function subject({ kind, dimensions, minimise, answer, neighbour }: Result, probe: Probe): string {
  const text = settingText(answer!);
  if (kind === 'cheapest') {
    const price = probe.metrics[minimise!] ?? [];
    const mean = price.reduce((sum, value) => sum + value, 0) / price.length;
    return `${text} is the cheapest (${minimise} ${valueText(minimise!, mean)}) that meets`;
  }
  const { range } = dimensions[0];
  if (neighbour === null) return `${text}, the ${kind} of ${range}, meets`;
  return `${text} is the ${kind} of ${range} shown to meet`;
}

const metricOf = (promise: ExpectSpec): string => promise.text.replace(/\s*[<>=]+\s*\S+$/, '');

function measured({ mean, bound }: PromiseCheck, promise: ExpectSpec): string {
  const metric = metricOf(promise);
  return `${metric} is ${valueText(metric, mean)}, ${isUpper(promise) ? 'at most' : 'at least'} ${valueText(metric, bound)}`;
}

function neighbourSentence(
  { kind, neighbour, neighbourDifference, answer }: Result,
  probe: Probe | undefined,
  promises: readonly ExpectSpec[],
  seedsMax: number,
): string[] {
  if (kind !== 'cheapest' && neighbour === null)
    return [`The range ends too soon to tell whether ${kind === 'smallest' ? 'less' : 'more'} would do.`];
  if (neighbour === null || probe === undefined) return [];
  const name = settingText(neighbour);
  const worst = probe.checks
    .map((check, k) => ({ check, promise: promises[k], excess: excessOf(promises[k], check) }))
    .filter(({ check }) => check.decision !== 'meets')
    .toSorted((x, y) => y.excess - x.excess)[0];
  const metric = metricOf(worst.promise);
  const size = Number.isFinite(worst.excess) ? shareText(Math.abs(worst.excess)) : '';
  const side = worst.excess > 0 ? 'beyond' : 'within';
  const distance =
    size === ''
      ? 'there is no value in some seed'
      : `${metric} is ${valueText(metric, worst.check.mean)}, ${size} ${side} the limit`;
  const difference = neighbourDifference[metric];
  const paired =
    difference === undefined || Number.isNaN(difference.low)
      ? ''
      : `; on the same seeds that is ${valueText(metric, Math.abs(difference.mean))} ${difference.mean < 0 ? 'less' : 'more'} than with ${settingText(answer!)}` +
        ` (95 % interval${intervalText(metric, Math.min(Math.abs(difference.low), Math.abs(difference.high)), Math.max(Math.abs(difference.low), Math.abs(difference.high)))})`;
  const crossesZero = difference !== undefined && difference.low < 0 && difference.high > 0;
  const seeds = plural(probe.seeds, 'seed');
  return [
    probe.decision === 'undecided'
      ? `${name} is undecided after ${seeds}${probe.seeds >= seedsMax ? ' (--max-seeds)' : ''}: ${distance}.`
      : `${name} fails: ${distance} (${seeds})${crossesZero ? '' : paired}.`,
  ];
}

function tieSentence({ ties, minimise }: Result): string[] {
  if (ties.length === 0) return [];
  return [
    `In ${minimise} it cannot be told apart from ${list(ties.map(settingText))}, which ${ties.length === 1 ? 'meets' : 'meet'} the promises too.`,
  ];
}

function theorySentence({ theory, answer, kind, outcome }: Result): string[] {
  if (outcome === 'interrupted') return [];
  const values = Object.entries(theory.values).map(([metric, value]) => `${metric} ${valueText(metric, value)}`);
  const there = values.length === 0 || answer === null ? '' : ` (there it computes ${list(values)})`;
  if (theory.applies) {
    if (kind === 'cheapest') return [`Erlang C (M/M/c) computes ${list(values)} for it.`];
    if (theory.answer === null)
      return [`Erlang C (M/M/c) finds nothing in the range that would do${answer === null ? ' either' : there}.`];
    const says = settingText(theory.answer);
    if (answer !== null && says === settingText(answer)) return [`Erlang C (M/M/c) agrees${there}.`];
    return [`Erlang C (M/M/c) says ${says}${answer === null ? '' : `; at ${settingText(answer)} it computes ${list(values)}`}.`];
  }
  if (theory.answer !== null) {
    const upper = theory.split === null ? '' : ` With arrivals divided at random it would take ${settingText(theory.split)}.`;
    return [
      `Erlang C (M/M/c) does not apply: ${theory.why}. As a bound: with one shared queue it would take ${settingText(theory.answer)}.${upper}`,
    ];
  }
  return theory.why === '' ? [] : [`Erlang C (M/M/c) does not apply: ${theory.why}.`];
}

function monotonySentence({ monotone, violations, probes, kind }: Result): string[] {
  if (kind === 'cheapest') return [];
  if (monotone)
    return [
      `Nothing among ${plural(probes.length, 'setting')} that were tried speaks against a steady ${kind === 'largest' ? 'loss' : 'gain'} along the range.`,
    ];
  const shown = violations.slice(0, 3);
  return [
    `Not monotone, so that a bisection may miss something: ${shown.join('; ')}${violations.length > 3 ? `; and ${violations.length - 3} more` : ''}.`,
  ];
}

/** Latency counts requests that ended well: a system that fails most looks fast. */
function lossSentence({ slo }: Result, { metrics }: Probe): string[] {
  if (slo.some((line) => /^(availability|failures|goodput)/.test(line)) || !slo.some((line) => line.startsWith('latency')))
    return [];
  const values = metrics.availability ?? [];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (!(mean < 0.99)) return [];
  return [
    `Only ${valueText('availability', mean)} of the requests end well there, and latency counts only those: add --slo "availability >= 99.9%".`,
  ];
}

function failure(
  { probes, dimensions, outcome, kind, confidence, slo }: Result,
  promises: readonly ExpectSpec[],
  seedsMax: number,
): string[] {
  const space = kind === 'cheapest' ? plural(probes.length, 'setting') : `${dimensions[0].path}=${dimensions[0].range}`;
  const worst = ({ checks }: Probe): number => Math.max(...checks.map((check, k) => excessOf(promises[k], check)));
  const best = probes.toSorted((x, y) => worst(x) - worst(y))[0];
  const what = outcome === 'undecided' ? 'is shown to meet' : 'meets';
  const lines = [`Nothing in ${space} ${what} ${list(slo)} with ${shareText(confidence)} confidence.`];
  if (best === undefined) return lines;
  const k = best.checks.findIndex((check, i) => excessOf(promises[i], check) === worst(best));
  const metric = metricOf(promises[k]);
  const beyond = worst(best);
  const distance = !Number.isFinite(beyond)
    ? `${metric} has no value in some seed`
    : `${metric} is ${valueText(metric, best.checks[k].mean)}, ${shareText(Math.abs(beyond))} ${beyond > 0 ? 'beyond' : 'within'} the limit`;
  const undecided =
    best.decision === 'undecided'
      ? `, undecided after ${plural(best.seeds, 'seed')}${best.seeds >= seedsMax ? ' (--max-seeds)' : ''}`
      : '';
  return [...lines, `${settingText(best.setting)} comes closest: ${distance}${undecided}.`];
}
