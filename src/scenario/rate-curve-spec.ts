/** Piecewise-linear curves: making, cutting and multiplying them. */
import type { Ms } from '../core/time.ts';
import type { RateCurveSpec } from './spec.ts';

export interface Point {
  readonly atMs: Ms;
  readonly factor: number;
}

export const constantCurve: RateCurveSpec = { timesMs: Float64Array.of(0), factors: Float64Array.of(1), periodMs: Infinity };

export function curveOf(points: readonly Point[], periodMs: Ms = Infinity): RateCurveSpec {
  return {
    timesMs: Float64Array.from(points, ({ atMs }) => atMs),
    factors: Float64Array.from(points, ({ factor }) => factor),
    periodMs,
  };
}

/** The product on [0, durationMs]. Where both slope, it is a parabola, and gets as many chords as keep it within 1e-6 of the larger end. */
export function multiply(a: RateCurveSpec, b: RateCurveSpec, durationMs: Ms): RateCurveSpec {
  if (isOne(a)) return b;
  if (isOne(b)) return a;
  const times: number[] = [];
  const factors: number[] = [];
  const push = (atMs: Ms, factor: number): void => {
    const last = times.length - 1;
    if (last >= 0 && times[last] === atMs && factors[last] === factor) return;
    times.push(atMs);
    factors.push(factor);
  };
  const left = segments(a, durationMs);
  const right = segments(b, durationMs);
  let one = left.next().value;
  let other = right.next().value;
  while (one !== undefined && other !== undefined) {
    const from = Math.max(one.from, other.from);
    const to = Math.min(one.to, other.to);
    // A chord over a parabola is off by at most |slope · slope| · h² / 4.
    const bend =
      Math.abs((one.end - one.start) / (one.to - one.from)) * Math.abs((other.end - other.start) / (other.to - other.from));
    const size = Math.max(valueAt(one, from) * valueAt(other, from), valueAt(one, to) * valueAt(other, to), 1e-9);
    const chords = Math.min(10_000, Math.max(1, Math.ceil((to - from) * Math.sqrt(bend / (4 * 1e-6 * size)))));
    for (let i = 0; i <= chords; i++) {
      const at = i === chords ? to : from + ((to - from) * i) / chords;
      push(at, valueAt(one, at) * valueAt(other, at));
    }
    // Both may end here.
    if (one.to === to) one = left.next().value;
    if (other.to === to) other = right.next().value;
  }
  return { timesMs: Float64Array.from(times), factors: Float64Array.from(factors), periodMs: Infinity };
}

interface Segment {
  readonly from: Ms;
  readonly to: Ms;
  readonly start: number;
  readonly end: number;
}

const valueAt = ({ from, to, start, end }: Segment, at: Ms): number =>
  at === from ? start : at === to ? end : start + ((end - start) * (at - from)) / (to - from);

const isOne = ({ factors }: RateCurveSpec): boolean => factors.every((factor) => factor === 1);

/** The linear pieces that cover [0, durationMs], jumps left out. */
function* segments(curve: RateCurveSpec, durationMs: Ms): Generator<Segment, undefined> {
  const { timesMs, factors } = curve;
  const periodMs = Math.min(curve.periodMs, durationMs);
  const last = timesMs.length - 1;
  for (let round = 0; round * periodMs < durationMs; round++) {
    const base = round * periodMs;
    const stop = Math.min(durationMs, base + periodMs);
    for (let i = -1; i <= last; i++) {
      const from = i < 0 ? base : base + timesMs[i];
      const to = i === last ? stop : base + timesMs[i + 1];
      if (to <= from || from >= stop) continue;
      const start = factors[Math.max(i, 0)];
      const end = factors[i < 0 ? 0 : Math.min(i + 1, last)];
      const piece = { from, to, start, end };
      yield to <= stop ? piece : { from, to: stop, start, end: valueAt(piece, stop) };
    }
  }
  return undefined;
}
