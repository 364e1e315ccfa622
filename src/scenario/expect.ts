/** Lines of `expect`: metric, comparison, limit. */
import { canonicalPercentile } from './percentile.ts';
import { findMetric, metricNames, type Metric } from '../core/metrics.ts';
import { isProblem, parseDuration, parseFraction, parseNumber, parseRate, show, type Reading } from '../core/quantity.ts';
import type { Path, Place } from '../core/issue.ts';
import type { Complaints } from './complaints.ts';
import { nodeAt } from './node.ts';
import { knownHint } from './hints.ts';

import { expectation } from './shape.ts';
import { comparators, type Comparator, type ExpectSpec } from './spec.ts';

/** `labels` of the variants; undefined when they could not be told. */
export function compileExpect(labels: readonly string[] | undefined, complaints: Complaints): ExpectSpec[] {
  if (!complaints.has(['expect'])) return [];
  const count = complaints.listLength(['expect'], 'checks', { hint: 'write expect: [latency.p99 < 250ms]', mayBeEmpty: true });
  const specs: ExpectSpec[] = [];
  for (let index = 0; index < count; index++) {
    const path = ['expect', index];
    const shape = complaints.check(expectation, path);
    if (shape === undefined) continue;
    const [check, of] = typeof shape === 'string' ? [shape, []] : [shape.check, [shape.of ?? []].flat()];
    const checkPath = typeof shape === 'string' ? path : [...path, 'check'];
    const parsed = parseCheck(check, checkPath, complaints);
    const ofPath: Path = typeof shape === 'string' || typeof shape.of === 'string' ? [...path, 'of'] : [...path, 'of', 0];
    const isKnown =
      labels === undefined ||
      of.every((label, position) => {
        if (labels.includes(label)) return true;
        const labelPath = Array.isArray(typeof shape === 'string' ? undefined : shape.of)
          ? [...ofPath.slice(0, -1), position]
          : ofPath;
        complaints.error('unknown-variant', labelPath, `no variant is labelled ${show(label)}`, knownHint(label, labels));
        return false;
      });
    if (parsed === undefined || !isKnown) continue;
    specs.push({ ...parsed, variants: of, place: placeOf(checkPath, complaints) });
  }
  return specs;
}

/** A check from the command line has no place; the head of the file stands for it. */
function placeOf(path: Path, { root, source }: Complaints): Place {
  const node = nodeAt(root, path)!;
  return source.place(node.from === undefined ? node.span : { start: 0, end: 0 });
}

function parseCheck(check: string, path: Path, complaints: Complaints): Omit<ExpectSpec, 'variants' | 'place'> | undefined {
  const complain = (code: string, message: string, hint?: string): undefined => {
    complaints.error(code, path, message, hint);
  };
  const [, name, operator, value] = /^([^\s<>=!]{1,60})\s{0,8}([<>=!≤≥]{1,3})\s{0,8}(\S{1,40})$/.exec(check.trim()) ?? [];
  if (name === undefined || operator === undefined || value === undefined) {
    return complain('bad-check', `${show(check)} is not a check`, 'write metric, comparison, limit, as in latency.p99 < 250ms');
  }
  if (!comparators.includes(operator as Comparator)) {
    const meant = ({ '=': '==', '===': '==', '=<': '<=', '=>': '>=', '≤': '<=', '≥': '>=' } as Record<string, string>)[operator];
    return complain(
      'bad-check',
      `${show(operator)} is not a comparison`,
      meant === undefined ? `one of ${comparators.join(' ')}` : `write ${meant}`,
    );
  }
  const metric = findMetric(name.split('.').map(canonicalPercentile).join('.'));
  if (metric === undefined) return complain('unknown-metric', `unknown metric ${show(name)}`, metricHint(name));
  const limit = parseLimit(metric, value);
  if (isProblem(limit)) return complain('bad-limit', `${metric.name}: ${limit.problem}`, limit.hint);
  return {
    text: `${metric.name} ${operator} ${value}`,
    metric: metric.name,
    comparator: operator as Comparator,
    limit: limit.value,
  };
}

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
