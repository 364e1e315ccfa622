import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateCurve } from '../../src/cluster/rate-curve.ts';
import type { RateCurveSpec } from '../../src/scenario/spec.ts';

describe('rateAt', () => {
  test('is straight between points, flat outside them, and at a jump what comes after it', () => {
    const curve = new RateCurve(spec([10, 1], [20, 3], [20, 7], [30, 7]), 2);
    expect([0, 10, 15, 19.999, 20, 25, 30, 99].map((ms) => curve.rateAt(ms))).toEqual([
      2,
      2,
      4,
      expect.closeTo(6, 2),
      14,
      14,
      14,
      14,
    ]);
  });

  test('repeats with the period', () => {
    const curve = new RateCurve({ ...spec([0, 1], [5, 3]), periodMs: 10 }, 1);
    expect([0, 5, 9, 10, 12.5, 1_000_005].map((ms) => curve.rateAt(ms))).toEqual([1, 3, 3, 1, 2, 3]);
  });
});

describe('advance, by hand', () => {
  test('of a constant is a division', () => {
    expect(new RateCurve(spec([0, 1]), 0.5).advance(7, 3)).toBe(13);
  });

  test('up a ramp from 0', () => {
    // ∫ x/10 from 0 = x²/20 = 5 at x = 10; then flat at 1.
    const curve = new RateCurve(spec([0, 0], [10, 1]), 1);
    expect(curve.advance(0, 5)).toBeCloseTo(10, 12);
    expect(curve.advance(0, 7)).toBeCloseTo(12, 12);
    expect(curve.advance(0, 1.25)).toBeCloseTo(5, 12);
  });

  test('down a ramp to 0 uses it up exactly, and no more is to be had', () => {
    // 1 at 0 to 0 at 10: area 5. From 5 on 1.25 is left.
    const curve = new RateCurve(spec([0, 1], [10, 0]), 1);
    expect(curve.advance(0, 5)).toBeCloseTo(10, 7);
    expect(curve.advance(5, 1.2)).toBeCloseTo(9, 12);
    expect(curve.advance(0, 5.000001)).toBe(Infinity);
    expect(curve.advance(5, 1.3)).toBe(Infinity);
    expect(curve.advance(50, 1e-9)).toBe(Infinity);
  });

  test('anywhere on the way down stays on the way', () => {
    const curve = new RateCurve(spec([0, 1], [1000, 0]), 0.1);
    for (let ms = 0.137; ms < 1000; ms++) {
      const next = curve.advance(ms, 1e-7);
      expect(next > ms && next < 1000, `${ms} → ${next}`).toBe(true);
    }
  });

  test('over a stretch without any rate', () => {
    // 1 until 10, 0 until 110, then 2.
    const curve = new RateCurve(spec([0, 1], [10, 1], [10, 0], [110, 0], [110, 2]), 1);
    expect(curve.advance(8, 2)).toBe(10);
    expect(curve.advance(8, 3)).toBe(110.5);
    expect(curve.advance(50, 4)).toBe(112);
  });

  test('of a period without any rate is never', () => {
    expect(new RateCurve({ ...spec([0, 1], [0, 0], [10, 0]), periodMs: 10 }, 1).advance(3, 1)).toBe(Infinity);
  });

  test('of nothing is no time', () => {
    expect(new RateCurve(spec([0, 1], [10, 0]), 1).advance(4, 0)).toBe(4);
  });

  test('after the last arrival there is none', () => {
    expect(new RateCurve(spec([0, 1], [10, 0]), 1).advance(Infinity, 1)).toBe(Infinity);
    expect(new RateCurve(spec([0, 0]), 1).advance(3, 1)).toBe(Infinity);
  });

  test('through a million periods at once', () => {
    // One unit per period of 10, in its first half.
    const curve = new RateCurve({ ...spec([0, 0.2], [5, 0.2], [5, 0], [10, 0]), periodMs: 10 }, 1);
    expect(curve.advance(0, 1_000_000.5)).toBeCloseTo(10_000_002.5, 6);
    expect(curve.advance(7, 0.5)).toBeCloseTo(12.5, 12);
  });

  test('of a periodic curve from a place several periods ahead of the last call', () => {
    // As when another state of a Markov-modulated process had its turn in between.
    const curve = new RateCurve({ ...spec([0, 0.2], [5, 0.2], [5, 0], [10, 0]), periodMs: 10 }, 1);
    expect(curve.advance(1, 0.2)).toBeCloseTo(2, 12);
    expect(curve.advance(53, 0.6)).toBeCloseTo(61, 12);
    expect(curve.advance(1, 0.2)).toBeCloseTo(2, 12);
  });
});

describe('isSilentFrom', () => {
  test('only where the rate is 0 from there on for ever', () => {
    const ends = new RateCurve(spec([0, 1], [10, 0]), 1);
    expect([0, 9.999, 10, 11].map((ms) => ends.isSilentFrom(ms))).toEqual([false, false, true, true]);
    expect(new RateCurve({ ...spec([0, 1], [10, 0]), periodMs: 10 }, 1).isSilentFrom(10)).toBe(false);
    expect(new RateCurve(spec([0, 1]), 0).isSilentFrom(0)).toBe(true);
    expect(new RateCurve(spec([0, 1]), 1).isSilentFrom(0)).toBe(false);
  });
});

describe('for any curve, advance is the inverse of the integral', () => {
  const point = fc.tuple(
    fc.oneof(fc.constant(0), fc.constantFrom(1, 10), fc.double({ min: 0, max: 100, noNaN: true })),
    fc.oneof(fc.constantFrom(0, 0, 1), fc.double({ min: 0.001, max: 5, noNaN: true })),
  );
  const curve = fc.record({
    points: fc.array(point, { minLength: 1, maxLength: 8 }),
    tail: fc.option(fc.double({ min: 0, max: 50, noNaN: true })),
    perMs: fc.constantFrom(0.001, 1, 40),
  });
  const move = fc.record({
    // From where the last one ended; from somewhere ahead; from anywhere.
    from: fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, fc.double({ min: 0, max: 900, noNaN: true })),
    isAhead: fc.boolean(),
    amount: fc.oneof(fc.double({ min: 1e-6, max: 3, noNaN: true }), fc.double({ min: 0.1, max: 3000, noNaN: true })),
  });

  test('steps, ramps, jumps, stretches without any rate, periodic or not, forwards and back', () => {
    const property = fc.property(curve, fc.array(move, { minLength: 1, maxLength: 30 }), ({ points, tail, perMs }, moves) => {
      // Times as sums of gaps; a gap of 0 makes a jump.
      let ms = 0;
      const shape = spec(...points.map(([gap, factor]): [number, number] => [(ms += gap), factor]));
      const periodMs = tail === null ? Infinity : ms + tail;
      if (periodMs === 0) return;
      const whole: RateCurveSpec = { ...shape, periodMs };
      const subject = new RateCurve(whole, perMs);
      const perPeriod = periodMs === Infinity ? 0 : integral({ ...shape, periodMs: Infinity }, perMs, 0, periodMs);
      if (periodMs < Infinity && perPeriod < 1e-3) return;
      let now = 0;
      for (const { from, isAhead, amount } of moves) {
        if (from !== null) now = isAhead ? now + from : from;
        const next = subject.advance(now, amount);
        if (next === Infinity) {
          const rest = integral(whole, perMs, now, Math.max(now, shape.timesMs.at(-1) ?? 0) + 1e9);
          expect(rest, `∞ from ${now} for ${amount}`).toBeLessThan(amount * (1 + 1e-9));
          return;
        }
        const place = `from ${now} for ${amount} to ${next}`;
        expect(next, place).toBeGreaterThanOrEqual(now);
        const got = integral(whole, perMs, now, next);
        const rounding = 1e-9 * amount + 1e-13 * next * perMs * 5;
        expect(Math.abs(got - amount), place).toBeLessThan(rounding);
        // The first such time: a little earlier it has not been reached.
        const earlier = next - 1e-5 * (next - now);
        if (amount > 1e-3 && periodMs === Infinity) expect(integral(whole, perMs, now, earlier), place).toBeLessThan(amount);
        now = next;
      }
    });
    fc.assert(property, { numRuns: 1500, seed: 4 });
  });
});

function spec(...points: readonly (readonly [ms: number, factor: number])[]): RateCurveSpec {
  return {
    timesMs: Float64Array.from(points, ([ms]) => ms),
    factors: Float64Array.from(points, ([, factor]) => factor),
    periodMs: Infinity,
  };
}

/** ∫ of the curve, by trapezoids between all its points: exact for straight pieces. Knows nothing of `RateCurve`. */
function integral(curve: RateCurveSpec, perMs: number, fromMs: number, toMs: number): number {
  const { timesMs, factors, periodMs } = curve;
  if (periodMs < Infinity) {
    const once = { ...curve, periodMs: Infinity };
    const upTo = (ms: number): number => {
      const rounds = Math.floor(ms / periodMs);
      return rounds * integral(once, perMs, 0, periodMs) + integral(once, perMs, 0, ms - rounds * periodMs);
    };
    return upTo(toMs) - upTo(fromMs);
  }
  const last = timesMs.length - 1;
  let sum = perMs * factors[0] * Math.max(0, Math.min(toMs, timesMs[0]) - fromMs);
  sum += perMs * factors[last] * Math.max(0, toMs - Math.max(fromMs, timesMs[last]));
  for (let i = 0; i < last; i++) {
    const from = Math.max(fromMs, timesMs[i]);
    const to = Math.min(toMs, timesMs[i + 1]);
    if (to <= from) continue;
    const at = (ms: number): number =>
      factors[i] + ((factors[i + 1] - factors[i]) * (ms - timesMs[i])) / (timesMs[i + 1] - timesMs[i]);
    sum += (perMs * (to - from) * (at(from) + at(to))) / 2;
  }
  return sum;
}
