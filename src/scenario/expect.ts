/** Lines of `expect`: metric, perhaps for a part of the requests, comparison, limit. */
import { canonicalPercentile } from './percentile.ts';
import { findMetric, metricNames, metricParts, partsOf, type Metric, type MetricPart } from '../core/metrics.ts';
import {
  formatDuration,
  isProblem,
  parseDuration,
  parseFraction,
  parseNumber,
  parseRate,
  show,
  type Reading,
} from '../core/quantity.ts';
import { InputError } from '../core/errors.ts';
import type { Path, Place } from '../core/issue.ts';
import type { World } from './compile.ts';
import type { Complaints } from './complaints.ts';
import { keyHint, knownHint } from './hints.ts';
import { nodeAt } from './node.ts';
import { expectation } from './shape.ts';
import { comparators, type Comparator, type ExpectSpec } from './spec.ts';
import { labelOf, missingPart, type ViewQuery } from './views.ts';

/** A check with the part of the requests it is about, if it is not about all. */
export interface Expectation extends Omit<ExpectSpec, 'view'> {
  readonly part?: ViewQuery;
}

/** What checks can be about: variants by label with their worlds. */
export interface Known {
  readonly label: string;
  /** Absent when it could not be told. */
  readonly world?: World | undefined;
}

/** `variants` is undefined when they could not be told. */
export function compileExpect(variants: readonly Known[] | undefined, complaints: Complaints): Expectation[] {
  if (!complaints.has(['expect'])) return [];
  const count = complaints.listLength(['expect'], 'checks', { hint: 'write expect: [latency.p99 < 250ms]', mayBeEmpty: true });
  const specs: Expectation[] = [];
  const labels = variants?.map(({ label }) => label);
  for (let index = 0; index < count; index++) {
    const path = ['expect', index];
    const shape = complaints.check(expectation, path);
    if (shape === undefined) continue;
    const { check, level } = typeof shape === 'string' ? { check: shape, level: 'error' } : shape;
    const of: readonly string[] = typeof shape === 'string' ? [] : [shape.of ?? []].flat();
    const checkPath = typeof shape === 'string' ? path : [...path, 'check'];
    const parsed = parseCheck(check, checkPath, complaints);
    const isKnown = areKnown(typeof shape === 'string' ? undefined : shape.of, labels, [...path, 'of'], complaints);
    if (parsed === undefined || !isKnown) continue;
    const meant = (variants ?? []).filter(({ label }) => of.length === 0 || of.includes(label));
    if (parsed.part !== undefined && !isThere(parsed.part, meant, checkPath, complaints)) continue;
    // Checked like the others, so that switching it on again brings no surprise.
    if (level === 'off') continue;
    const place = placeOf(checkPath, complaints);
    specs.push({ ...parsed, variants: of, ...(level === 'warn' ? { level: 'warn' as const } : {}), place });
  }
  return specs;
}

/** Whether `of` names variants that there are; `labels` is undefined when they could not be told. */
export function areKnown(
  of: string | readonly string[] | undefined,
  labels: readonly string[] | undefined,
  path: Path,
  complaints: Complaints,
): boolean {
  if (labels === undefined || of === undefined) return true;
  return [of].flat().every((label, position) => {
    if (labels.includes(label)) return true;
    const at = typeof of === 'string' ? path : [...path, position];
    complaints.error('unknown-variant', at, `no variant is labelled ${show(label)}`, knownHint(label, labels));
    return false;
  });
}

/** A check from the command line has no place; the head of the file stands for it. */
export function placeOf(path: Path, { root, source }: Complaints): Place {
  const node = nodeAt(root, path)!;
  return source.place(node.from === undefined ? node.span : { start: 0, end: 0 });
}

/** Whether the part exists in all variants the check is for, and is measured. */
export function isThere(part: ViewQuery, variants: readonly Known[], path: Path, complaints: Complaints): boolean {
  for (const { label, world } of variants) {
    if (world === undefined) continue;
    const missing = missingPart(part, world);
    if (missing !== undefined) {
      const known = { edge: world.edges, service: world.services, class: world.classes }[missing].map(({ name }) => name);
      const where = variants.length === 1 ? '' : ` in variant ${show(label)}`;
      complaints.error(
        `unknown-${missing}`,
        path,
        `there is no ${missing} ${show(part[missing])}${where}`,
        knownHint(part[missing]!, known),
      );
      return false;
    }
    const { warmupMs, durationMs } = world.run;
    if (part.window !== undefined && (part.window.fromMs < warmupMs || part.window.toMs > durationMs)) {
      const window = `${formatDuration(part.window.fromMs)}..${formatDuration(part.window.toMs)}`;
      const message = `the window ${window} is not within what is measured, ${formatDuration(warmupMs)}..${formatDuration(durationMs)}`;
      complaints.error('bad-window', path, message, 'the warm-up is left out of every statistic');
      return false;
    }
  }
  return true;
}

export type Complain = (code: string, message: string, hint?: string) => undefined;
const labelsPattern = String.raw`\{((?:[^"{}]|"[^"]*")*)\}`;
const subjectPattern = new RegExp(String.raw`^([^\s<>=!{}]{1,60})(?:${labelsPattern})?$`);
const checkPattern = new RegExp(String.raw`^([^\s<>=!{}]{1,60})(?:${labelsPattern})?\s{0,8}([<>=!≤≥]{1,3})\s{0,8}(\S{1,40})$`);

type ParsedCheck = Omit<Expectation, 'variants' | 'place'>;

/** A check outside of any file. Throws InputError. */
export function parseCheckText(check: string): Omit<ParsedCheck, 'part'> & { readonly label?: string } {
  const parsed = parseWith(check, (code, message, hint) => {
    throw InputError.of(code, message, hint);
  })!;
  const { part, ...rest } = parsed;
  return { ...rest, ...(part === undefined ? {} : { label: labelOf(part) }) };
}

const parseCheck = (check: string, path: Path, complaints: Complaints): ParsedCheck | undefined =>
  parseWith(check, (code, message, hint) => {
    complaints.error(code, path, message, hint);
    return undefined;
  });

function parseWith(check: string, complain: Complain): ParsedCheck | undefined {
  const [, name, labels, operator, value] = checkPattern.exec(statLast(check.trim())) ?? [];
  if (name === undefined || operator === undefined || value === undefined) {
    return complain(
      'bad-check',
      `${show(check)} is not a check`,
      'write metric, comparison, limit, as in latency.p99 < 250ms or latency.p99{edge=web->db} < 50ms',
    );
  }
  if (!comparators.includes(operator as Comparator)) {
    const meant = ({ '=': '==', '===': '==', '=<': '<=', '=>': '>=', '≤': '<=', '≥': '>=' } as Record<string, string>)[operator];
    return complain(
      'bad-check',
      `${show(operator)} is not a comparison`,
      meant === undefined ? `one of ${comparators.join(' ')}` : `write ${meant}`,
    );
  }
  const subject = parseSubject(name, labels, complain);
  if (subject === undefined) return undefined;
  const { metric, part } = subject;
  const limit = parseLimit(metric, value);
  if (isProblem(limit)) return complain('bad-limit', `${metric.name}: ${limit.problem}`, limit.hint);
  return {
    text: `${subjectText(subject)} ${operator} ${value}`,
    metric: metric.name,
    comparator: operator as Comparator,
    limit: limit.value,
    ...(part === undefined ? {} : { part }),
  };
}

/** `latency{class=read}.p99` is `latency.p99{class=read}`, for those who think of metrics as Prometheus names them. */
const statLast = (text: string): string => text.replace(/^([A-Za-z][\w.]*)(\{[^}]*\})\.([\w.]+)/, '$1.$3$2');

/** What is measured, and of which requests. */
export interface Subject {
  readonly metric: Metric;
  readonly part?: ViewQuery;
}

export const subjectText = ({ metric, part }: Subject): string =>
  `${metric.name}${part === undefined ? '' : `{${labelOf(part)}}`}`;

export function parseSubject(name: string, labels: string | undefined, complain: Complain): Subject | undefined {
  const metric = findMetric(name.split('.').map(canonicalPercentile).join('.'));
  if (metric === undefined) return complain('unknown-metric', `unknown metric ${show(name)}`, metricHint(name));
  if (labels === undefined) return { metric };
  const part = parseLabels(labels, metric, complain);
  return part === undefined ? undefined : { metric, part };
}

/** `latency.p99` or `latency.p99{class=read}`. */
export function splitSubject(text: string): { readonly name: string; readonly labels?: string } | undefined {
  const [, name, labels] = subjectPattern.exec(statLast(text.trim())) ?? [];
  return name === undefined ? undefined : { name, ...(labels === undefined ? {} : { labels }) };
}

const labelKeys = ['edge', 'service', 'class', 'from', 'to', 'window'];

/** `edge=web->db, class=read, from=30s, to=60s` in any order. */
function parseLabels(text: string, metric: Metric, complain: Complain): ViewQuery | undefined {
  const labels: Record<string, string> = {};
  for (const label of text.match(/(?:[^",]|"[^"]*")+/g) ?? []) {
    const [, key, bare] = /^\s*([^=\s]*)\s*=\s*(.*?)\s*$/s.exec(label) ?? [];
    const value = bare?.replace(/^"(.*)"$/s, '$1');
    if (key === undefined || value === undefined || value === '')
      return complain(
        'bad-label',
        `${show(label.trim())} is not a label`,
        'write edge=web->db, service=web, class=read or window=30s..60s',
      );
    if (!labelKeys.includes(key)) return complain('unknown-label', `unknown label ${show(key)}`, keyHint(key, labelKeys));
    if (Object.hasOwn(labels, key)) return complain('duplicate-label', `the label ${key} stands twice`);
    labels[key] = value;
  }
  if (Object.keys(labels).length === 0)
    return complain('bad-label', 'there is no label between the braces', `write ${metric.name} for all requests`);
  if (labels.edge !== undefined && labels.service !== undefined)
    return complain('contradiction', 'give either edge or service', 'service=web is every edge into it');
  const window = parseWindow(labels, complain);
  if (window === null) return undefined;
  const { edge, service, class: kind } = labels;
  const part: ViewQuery = {
    ...(edge === undefined ? {} : { edge }),
    ...(service === undefined ? {} : { service }),
    ...(kind === undefined ? {} : { class: kind }),
    ...(window === undefined ? {} : { window }),
  };
  return isMeasuredFor(metric, part, complain) ? part : undefined;
}

/** Undefined without one, null after complaints. */
function parseWindow(labels: Readonly<Record<string, string>>, complain: Complain): ViewQuery['window'] | null {
  const { window, from, to } = labels;
  if (window === undefined && from === undefined && to === undefined) return undefined;
  if (window !== undefined && (from !== undefined || to !== undefined)) {
    complain('contradiction', 'give either window, or from and to', `window=${window} says both`);
    return null;
  }
  const [begin, end, ...surplus] = window === undefined ? [from, to] : window.split('..');
  if (begin === undefined || end === undefined || surplus.length > 0) {
    const missing = window !== undefined ? `${show(window)} is not a window` : `from and to belong together`;
    complain('bad-window', missing, 'write window=30s..60s');
    return null;
  }
  const [fromMs, toMs] = [parseDuration(begin.trim()), parseDuration(end.trim())];
  for (const reading of [fromMs, toMs]) {
    if (!isProblem(reading)) continue;
    complain('bad-window', reading.problem, reading.hint);
    return null;
  }
  if (isProblem(fromMs) || isProblem(toMs)) return null;
  if (fromMs.value < toMs.value) return { fromMs: fromMs.value, toMs: toMs.value };
  complain('bad-window', `the window ends at ${formatDuration(toMs.value)}, not after ${formatDuration(fromMs.value)}`);
  return null;
}

/** Numbers about instances say nothing about a class, and so on. */
function isMeasuredFor(metric: Metric, part: ViewQuery, complain: Complain): boolean {
  const parts = partsOf(metric);
  const stray = metricParts.find((key) => part[key] !== undefined && !parts.includes(key));
  if (stray === undefined) return true;
  complain('bad-label', `${metric.name} is not measured by ${stray}`, strayHint(metric, parts));
  return false;
}

const strayHint = ({ name }: Metric, parts: readonly MetricPart[]): string =>
  parts.length === 0 ? `it is a number about all requests: write ${name}` : `it can be narrowed down by ${parts.join(', ')}`;

function metricHint(name: string): string {
  // All statistics of one family, when it is the statistic that is wrong.
  const family = name.split('.', 1)[0];
  const siblings = metricNames.filter((known) => known.startsWith(`${family}.`));
  return knownHint(name, siblings.length > 0 && name.includes('.') ? siblings : metricNames);
}

function parseLimit(metric: Metric, text: string): Reading {
  switch (metric.unit) {
    case 'ms':
      return parseDuration(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);
    case 'fraction':
      return parseFraction(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);
    case 'per second':
      return parseRate(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);
    default:
      return parseNumber(/^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text, { min: 0 });
  }
}
