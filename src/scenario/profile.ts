/** Shapes of traffic over time, as written, to one rate curve. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import { cos } from '../core/math.ts';
import { formatDuration } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import type { Complaints } from './complaints.ts';
import { constantCurve, curveOf, multiply, type Point } from './rate-curve-spec.ts';
import type { profile } from './shape-traffic.ts';
import type { RateCurveSpec } from './spec.ts';

type ProfileShape = z.output<typeof profile>;
type Part = Exclude<ProfileShape, readonly unknown[]>;
type Shape<Type> = Extract<Part, { type: Type }>;

/** Undefined after complaints. */
export function compileProfile(
  shape: ProfileShape | undefined,
  path: Path,
  durationMs: Ms,
  complaints: Complaints,
): RateCurveSpec | undefined {
  if (shape === undefined) return constantCurve;
  const parts = Array.isArray(shape) ? shape : [shape];
  let curve: RateCurveSpec | undefined = constantCurve;
  for (const [index, part] of parts.entries()) {
    const next = compilePart(part, Array.isArray(shape) ? [...path, index] : path, durationMs, complaints);
    curve = curve && next && multiply(curve, next, durationMs);
  }
  if (curve !== undefined && curve.factors.every((factor) => factor === 0)) {
    complaints.error('bad-profile', path, 'the rate is 0 all the time');
    return undefined;
  }
  return curve;
}

function compilePart(part: Part, path: Path, durationMs: Ms, complaints: Complaints): RateCurveSpec | undefined {
  const atEnd = (at: Ms, key: Path): void => {
    if (at < durationMs) return;
    complaints.warn(
      'after-the-end',
      [...path, ...key],
      `${formatDuration(at)} is not before the end of the run, ${formatDuration(durationMs)}`,
    );
  };
  switch (part.type) {
    case 'steps':
      if (!rising(part.steps, [...path, 'steps'], complaints, true)) return undefined;
      atEnd(part.steps[0].at, ['steps', 0, 'at']);
      return steps(part);
    case 'piecewise':
      if (!rising(part.points, [...path, 'points'], complaints, false)) return undefined;
      return curveOf(part.points.map(({ at, factor }) => ({ atMs: at, factor })));
    case 'ramp':
      atEnd(part.at, ['at']);
      return curveOf([
        { atMs: part.at, factor: part.from },
        { atMs: part.at + part.for, factor: part.to },
      ]);
    case 'spike':
      atEnd(part.at, ['at']);
      if (2 * part.rise > part.for) {
        complaints.error(
          'bad-profile',
          [...path, 'rise'],
          `two flanks of ${formatDuration(part.rise)} do not fit into ${formatDuration(part.for)}`,
        );
        return undefined;
      }
      return curveOf([
        { atMs: part.at, factor: 1 },
        { atMs: part.at + part.rise, factor: part.factor },
        { atMs: part.at + part.for - part.rise, factor: part.factor },
        { atMs: part.at + part.for, factor: 1 },
      ]);
    case 'diurnal':
      if (part.peak !== undefined && part.peak > part.period) {
        complaints.error('bad-profile', [...path, 'peak'], `peak must be within the period, ${formatDuration(part.period)}`);
        return undefined;
      }
      return diurnal(part);
  }
}

function rising(entries: readonly { at: Ms }[], path: Path, complaints: Complaints, isStrict: boolean): boolean {
  for (const [index, { at }] of entries.entries()) {
    const before = entries[index - 1]?.at;
    if (before === undefined || at > before || (!isStrict && at === before)) continue;
    const message = `times must rise: ${formatDuration(at)} does not follow ${formatDuration(before)}`;
    complaints.error('bad-profile', [...path, index, 'at'], message);
    return false;
  }
  return true;
}

function steps({ steps }: Shape<'steps'>): RateCurveSpec {
  const points: Point[] = [];
  let factor = 1;
  for (const step of steps) {
    if (step.at > 0) points.push({ atMs: step.at, factor });
    points.push({ atMs: step.at, factor: step.factor });
    factor = step.factor;
  }
  return curveOf(points);
}

/** 1 + amplitude · cos of the distance from the peak. With 720 chords per period the error is amplitude · (2π/720)² / 8, below 1e-5. */
function diurnal({ period, amplitude, peak = period / 2 }: Shape<'diurnal'>): RateCurveSpec {
  const pieces = 720;
  const points: Point[] = [];
  for (let i = 0; i <= pieces; i++) {
    const phase = i / pieces - peak / period;
    // Rounding may leave a hair below zero where the rate is none.
    points.push({ atMs: (period * i) / pieces, factor: Math.max(0, 1 + amplitude * cos(2 * Math.PI * phase)) });
  }
  return curveOf(points, period);
}
