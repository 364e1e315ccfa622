/** Lines of `gate`: in which metrics a stored baseline is compared, and how much worse does not matter. */
import type { Metric } from '../core/metrics.ts';
import { isProblem, parseDuration, parseFraction, parseNumber, parseRate, show, type Reading } from '../core/quantity.ts';
import type { Complaints } from './complaints.ts';
import { areKnown, isThere, type Known, parseSubject, placeOf, splitSubject, type Subject, subjectText } from './expect.ts';
import { gateCheck } from './shape.ts';
import type { GateMargin, GateSpec } from './spec.ts';
import type { ViewQuery } from './views.ts';

export interface GateLine extends Omit<GateSpec, 'view'> {
  readonly part?: ViewQuery;
}

/** Undefined where the file has no such section. */
export function compileGate(variants: readonly Known[] | undefined, complaints: Complaints): GateLine[] | undefined {
  if (!complaints.has(['gate'])) return undefined;
  const hint = 'write gate: [{ metric: latency.p99, maxWorse: 5% }]';
  const count = complaints.listLength(['gate'], 'checks', { hint });
  const lines: GateLine[] = [];
  const labels = variants?.map(({ label }) => label);
  for (let index = 0; index < count; index++) {
    const path = ['gate', index];
    const shape = complaints.check(gateCheck, path);
    if (shape === undefined) continue;
    const at = [...path, 'metric'];
    const subject = subjectOf(shape.metric, (code, message, hint) => {
      complaints.error(code, at, message, hint);
      return undefined;
    });
    const of = [shape.of ?? []].flat();
    if (!areKnown(shape.of, labels, [...path, 'of'], complaints) || subject === undefined) continue;
    const meant = (variants ?? []).filter(({ label }) => of.length === 0 || of.includes(label));
    if (subject.part !== undefined && !isThere(subject.part, meant, at, complaints)) continue;
    const margin = shape.maxWorse === undefined ? undefined : parseMargin(subject.metric, shape.maxWorse);
    if (margin !== undefined && 'problem' in margin) {
      complaints.error('bad-margin', [...path, 'maxWorse'], margin.problem, margin.hint);
      continue;
    }
    if (margin === undefined && subject.metric.indifference === undefined) {
      complaints.error('no-margin', path, `${subject.metric.name} has no margin of its own`, 'add maxWorse: 5%');
      continue;
    }
    if (shape.level === 'off') continue;
    lines.push({
      text: subjectText(subject),
      metric: subject.metric.name,
      ...(subject.part === undefined ? {} : { part: subject.part }),
      ...(margin === undefined ? {} : { margin }),
      variants: of,
      ...(shape.level === 'warn' ? { level: shape.level } : {}),
      place: placeOf(at, complaints),
    });
  }
  return lines;
}

function subjectOf(text: string, complain: (code: string, message: string, hint?: string) => undefined): Subject | undefined {
  const split = splitSubject(text);
  if (split === undefined)
    return complain('bad-metric', `${show(text)} is not a metric`, 'write latency.p99 or latency.p99{class=read}');
  return parseSubject(split.name, split.labels, complain);
}

/** `5%` of the baseline, or an amount in the metric's unit; of a metric that is itself a share, percentage points. */
export function parseMargin(
  metric: Metric,
  written: string | number,
): GateMargin | { readonly problem: string; readonly hint?: string } {
  const isPercent = typeof written === 'string' && /%\s*$/.test(written);
  const isRelative = isPercent && metric.unit !== 'fraction';
  const reading: Reading = isRelative ? parseFraction(written, { max: 10 }) : parseAmount(metric, written);
  if (isProblem(reading)) return reading;
  return isRelative ? { relative: reading.value } : { absolute: reading.value };
}

function parseAmount({ unit }: Metric, written: string | number): Reading {
  switch (unit) {
    case 'ms':
      return parseDuration(written);
    case 'fraction':
      return parseFraction(written);
    case 'per second':
      return parseRate(written);
    default:
      return parseNumber(typeof written === 'string' && written.trim() !== '' ? Number(written) : written, { min: 0 });
  }
}
