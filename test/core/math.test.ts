import { describe, expect, it } from 'vitest';
import { cos, exp, expm1, log, log1p, pow, sin } from '../../src/core/math.ts';
import { cosValues, expm1Values, expValues, log1pValues, logValues, powValues, sinValues } from './math-references.ts';

/** Distance to the next double away from zero. */
function ulp(value: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(value));
  view.setBigInt64(0, view.getBigInt64(0) + 1n);
  return view.getFloat64(0) === Infinity ? 2 ** 971 : view.getFloat64(0) - Math.abs(value);
}

/** Error of `got` in units in the last place of `nearest`, when the truth is `nearest + rest · ulp`. */
const error = (got: number, nearest: number, rest: number): number => Math.abs((got - nearest) / ulp(nearest) - rest);

/** Special values are the same, others within a unit. */
const agree = (got: number, expected: number): boolean =>
  Number.isFinite(expected) && expected !== 0 ? error(got, expected, 0) <= 1 : Object.is(got, expected);

const single = [
  { name: 'log', f: log, builtIn: Math.log, values: logValues },
  { name: 'exp', f: exp, builtIn: Math.exp, values: expValues },
  { name: 'sin', f: sin, builtIn: Math.sin, values: sinValues },
  { name: 'cos', f: cos, builtIn: Math.cos, values: cosValues },
  { name: 'log1p', f: log1p, builtIn: Math.log1p, values: log1pValues },
  { name: 'expm1', f: expm1, builtIn: Math.expm1, values: expm1Values },
];

describe('elementary functions are within one unit in the last place of the true value', () => {
  for (const { name, f, values } of single) {
    it.each(values)(`${name}(%s)`, (x, nearest, rest) => {
      expect(error(f(x), nearest, rest)).toBeLessThan(1);
    });
  }

  it.each(powValues)('pow(%s, %s)', (x, y, nearest, rest) => {
    expect(error(pow(x, y), nearest, rest)).toBeLessThan(1);
  });
});

describe('elementary functions are within two units in the last place of the built-in ones', () => {
  // A low-discrepancy walk over each range: deterministic, no generator of ours.
  const golden = 0.6180339887498949;
  const ranges: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
    log: [
      [0.4, 2],
      [1e-8, 1e8],
    ],
    exp: [
      [-1, 1],
      [-708, 709],
    ],
    sin: [
      [-7, 7],
      [-1e6, 1e6],
    ],
    cos: [
      [-7, 7],
      [-1e6, 1e6],
    ],
    log1p: [
      [-0.9999, 2],
      [-1e-6, 1e-6],
    ],
    expm1: [
      [-40, 40],
      [-1, 1],
    ],
  };

  it.each(single)('$name, 20,000 arguments per range', ({ name, f, builtIn }) => {
    let worst = 0;
    for (const [low, high] of ranges[name]) {
      for (let k = 1; k <= 20_000; k++) {
        const x = low + ((k * golden) % 1) * (high - low);
        worst = Math.max(worst, error(f(x), builtIn(x), 0));
      }
    }
    expect(worst).toBeLessThanOrEqual(2);
  });

  it('pow, 40,000 pairs', () => {
    let worst = 0;
    for (let k = 1; k <= 40_000; k++) {
      const x = Math.exp(20 * ((k * golden) % 1) - 10);
      const y = 60 * ((k * Math.SQRT2) % 1) - 30;
      worst = Math.max(worst, error(pow(x, y), Math.pow(x, y), 0));
    }
    expect(worst).toBeLessThanOrEqual(2);
  });
});

describe('special values are those of ECMAScript', () => {
  const specials = [
    0,
    -0,
    1,
    -1,
    2,
    -2,
    0.5,
    -0.5,
    3,
    -3,
    2.5,
    -2.5,
    1e-320,
    -1e-320,
    1e308,
    -1e308,
    2 ** 31,
    2 ** 53,
    Infinity,
    -Infinity,
    NaN,
  ];

  it.each(single)('$name', ({ f, builtIn }) => {
    for (const x of specials) {
      expect(agree(f(x), builtIn(x)), `of ${x}`).toBe(true);
    }
  });

  it('pow, every pair', () => {
    for (const x of specials) {
      for (const y of specials) {
        expect(agree(pow(x, y), Math.pow(x, y)), `of ${x}, ${y}`).toBe(true);
      }
    }
  });

  it('the ends of the range: the last argument that is finite, the first that overflows or vanishes', () => {
    expect(exp(709.782712893384)).toBe(1.7976931348622732e308);
    expect(exp(709.7827128933841)).toBe(Infinity);
    expect(exp(-745.1332191019411)).toBe(5e-324);
    expect(exp(-745.1332191019412)).toBe(0);
    expect(pow(2, 1023)).toBe(2 ** 1023);
    expect(pow(2, 1024)).toBe(Infinity);
    expect(pow(2, -1074)).toBe(5e-324);
    expect(pow(2, -1075)).toBe(0);
    expect(log(5e-324)).toBe(-744.4400719213812);
  });

  it('keeps the sign of a zero and of a tiny argument', () => {
    for (const f of [sin, log1p, expm1]) {
      expect(f(-0)).toBe(-0);
      expect(f(5e-324)).toBe(5e-324);
      expect(f(-5e-324)).toBe(-5e-324);
    }
  });

  it('whole powers that fit a double are exact', () => {
    for (let k = 0; k <= 22; k++) expect(pow(10, k)).toBe(Number(`1e${k}`));
    for (let k = -1074; k <= 1023; k++) expect(pow(2, k)).toBe(2 ** k);
    for (let k = 0; k <= 33; k++) expect(pow(3, k)).toBe(Number(3n ** BigInt(k)));
  });
});

it('no built-in transcendental function is called, so no machine can change a bit', () => {
  const saved = {
    log: Math.log,
    exp: Math.exp,
    pow: Math.pow,
    sin: Math.sin,
    cos: Math.cos,
    log1p: Math.log1p,
    expm1: Math.expm1,
  };
  const forbidden = (): never => {
    throw new Error('built-in called');
  };
  try {
    Object.assign(Math, {
      log: forbidden,
      exp: forbidden,
      pow: forbidden,
      sin: forbidden,
      cos: forbidden,
      log1p: forbidden,
      expm1: forbidden,
    });
    for (const f of [log, exp, sin, cos, log1p, expm1]) for (const x of [0.3, 2, 40, 1e7]) expect(f(x)).not.toBeNaN();
    expect(pow(3.3, 2.2)).toBeGreaterThan(13);
  } finally {
    Object.assign(Math, saved);
  }
});
