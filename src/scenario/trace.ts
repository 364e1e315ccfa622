/** Recorded request counts per interval, from a CSV file, to a rate curve: constant within each interval, and a mean rate. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import { formatDuration } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import { CsvError, readCsv } from './csv.ts';
import { reading } from './data-error.ts';
import type { Env } from './distributions.ts';
import type { arrivals } from './shape-traffic.ts';
import type { ArrivalSpec, RateCurveSpec } from './spec.ts';

export type TraceShape = Extract<z.output<typeof arrivals>, { type: 'trace' }>;

/** Counts of the rows that overlap the wanted slice. */
export interface Slice {
  readonly intervalMs: Ms;
  /** Start of the first count, in trace time. */
  readonly startMs: Ms;
  readonly counts: Float64Array;
}

/** Two months of seconds; each takes 32 bytes in every worker. */
const maxIntervals = 5_000_000;

export async function compileTrace(
  shape: TraceShape,
  path: Path,
  durationMs: Ms,
  env: Env,
): Promise<{ arrivals: ArrivalSpec; curve: RateCurveSpec } | undefined> {
  const complain = (key: string, message: string, hint?: string): undefined => {
    env.complaints.error('bad-trace', [...path, key], message, hint);
  };
  if (shape.scale !== undefined && shape.mean !== undefined) return complain('mean', 'give only one of scale and mean');
  if (shape.repeat && shape.offset > 0)
    return complain('offset', 'a trace that repeats cannot have an offset', 'use from instead');
  const slice = await reading(shape.file, [...path, 'file'], env, (absolutePath) => readSlice(shape, absolutePath, env));
  if (slice === undefined) return undefined;
  const { intervalMs, startMs, counts } = slice;
  const availableMs = startMs + counts.length * intervalMs;
  if (shape.from >= availableMs || counts.length === 0)
    return complain('from', `the trace is only ${formatDuration(availableMs)} long`);
  const endMs = shape.length === undefined ? availableMs : shape.from + shape.length;
  if (endMs > availableMs) return complain('length', `the trace ends ${formatDuration(availableMs - shape.from)} after from`);
  const playedMs = (endMs - shape.from) / shape.speedup;
  if (!shape.repeat && shape.offset + playedMs < durationMs) {
    return complain(
      'file',
      `the trace lasts ${formatDuration(shape.offset + playedMs)}, the run ${formatDuration(durationMs)}`,
      'shorten the run, or set repeat: true',
    );
  }
  const meanCount = meanOver(slice, shape.from, endMs);
  if (meanCount === 0) return complain('file', 'there are no requests in this part of the trace');
  const perSecond = shape.mean ?? (meanCount / intervalMs) * 1000 * (shape.scale ?? 1);
  const untilMs = shape.repeat ? endMs : Math.min(endMs, shape.from + (durationMs - shape.offset) * shape.speedup + intervalMs);
  const curve = curveOf(slice, shape, untilMs, meanCount, shape.repeat ? playedMs : Infinity);
  if (curve.factors.every((factor) => factor === 0)) return complain('file', 'there are no requests in this part of the trace');
  return { arrivals: { type: shape.process, perSecond }, curve };
}

/** Reads no further than needed. */
function readSlice(shape: TraceShape, absolutePath: string, env: Env): Promise<Slice> {
  const key = JSON.stringify([absolutePath, shape.column, shape.interval, shape.from, shape.length]);
  const known = env.traces.get(key);
  if (known !== undefined) return known;
  const slice = read();
  env.traces.set(key, slice);
  return slice;

  async function read(): Promise<Slice> {
    let intervalMs = shape.interval;
    let lastTime = NaN;
    let index = -1;
    let held: number | undefined;
    let firstIndex = 0;
    const counts: number[] = [];
    const keep = (count: number): boolean => {
      index++;
      if ((index + 1) * intervalMs! <= shape.from) return true;
      if (counts.length === 0) firstIndex = index;
      if (counts.length === maxIntervals) throw new CsvError(`this part has more than ${maxIntervals} rows; use from and length`);
      counts.push(count);
      return shape.length === undefined || (index + 1) * intervalMs! < shape.from + shape.length;
    };
    await readCsv(env.data.open(absolutePath), shape.column, ({ line, value, first }) => {
      if (value < 0) return `line ${line}: a count of ${value} is negative`;
      if (shape.interval !== undefined) return keep(value);
      if (Number.isNaN(first)) return `line ${line}: expected a time in seconds in column 1`;
      if (Number.isNaN(lastTime)) {
        // The width of an interval is known with the second row.
        lastTime = first;
        held = value;
        return true;
      }
      const step = (first - lastTime) * 1000;
      const isRegular = intervalMs === undefined ? step > 0 : Math.abs(step - intervalMs) <= 1e-6 * intervalMs;
      if (!isRegular) {
        const expected =
          intervalMs === undefined ? 'a later time' : `${Number((lastTime + intervalMs / 1000).toPrecision(12))} s`;
        return `line ${line}: expected ${expected} in column 1, found ${first} s`;
      }
      lastTime = first;
      if (held !== undefined) {
        intervalMs = step;
        const before = held;
        held = undefined;
        if (!keep(before)) return false;
      }
      return keep(value);
    });
    if (intervalMs === undefined)
      throw new CsvError(held === undefined ? 'it has no rows' : 'one row does not tell the interval; set interval');
    return {
      intervalMs,
      startMs: (counts.length === 0 ? index + 1 : firstIndex) * intervalMs,
      counts: Float64Array.from(counts),
    };
  }
}

/** Mean count per interval over a stretch of trace time; intervals that are cut count by the part inside. */
function meanOver({ intervalMs, startMs, counts }: Slice, fromMs: Ms, toMs: Ms): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    const begin = startMs + i * intervalMs;
    sum += counts[i] * Math.max(0, Math.min(toMs, begin + intervalMs) - Math.max(fromMs, begin));
  }
  return sum / (toMs - fromMs);
}

/** Two points per interval, in the time of the run. */
function curveOf(
  { intervalMs, startMs, counts }: Slice,
  shape: TraceShape,
  untilMs: Ms,
  meanCount: number,
  periodMs: Ms,
): RateCurveSpec {
  const times: number[] = [];
  const factors: number[] = [];
  if (shape.offset > 0) {
    times.push(0, shape.offset);
    factors.push(0, 0);
  }
  for (let i = 0; i < counts.length; i++) {
    const begin = Math.max(shape.from, startMs + i * intervalMs);
    const end = Math.min(untilMs, startMs + (i + 1) * intervalMs);
    if (end <= begin) continue;
    times.push(shape.offset + (begin - shape.from) / shape.speedup, shape.offset + (end - shape.from) / shape.speedup);
    factors.push(counts[i] / meanCount, counts[i] / meanCount);
  }
  return { timesMs: Float64Array.from(times), factors: Float64Array.from(factors), periodMs };
}
