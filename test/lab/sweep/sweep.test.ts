/** Sweeps on invented cells, so that the right answer is known: effects by hand, crossings where the lines were made to cross. */
import { describe, expect, test } from 'vitest';
import { findMetric } from '../../../src/core/metrics.ts';
import { findSweepCrossings } from '../../../src/lab/sweep/crossings.ts';
import { factorial, latinHypercube } from '../../../src/lab/sweep/design.ts';
import { findEffects } from '../../../src/lab/sweep/effects.ts';
import { factorOf, parseSetting } from '../../../src/lab/sweep/factors.ts';
import { sweepVerdict } from '../../../src/lab/sweep/sentences.ts';
import { findWinners, type SweepTable } from '../../../src/lab/sweep/winners.ts';

const p99 = findMetric('latency.p99')!;
const setting = (text: string, lines: readonly string[] = []) => parseSetting(text, () => Promise.resolve(lines));

describe('values', () => {
  test.each<[string, readonly string[]]>([
    ['a=1,2,4', ['1', '2', '4']],
    ['a={ use: p2c, choices: 3 },random', ['{ use: p2c, choices: 3 }', 'random']],
    [`a="x, y",'z'`, ['"x, y"', "'z'"]],
    ['a=2..8:2', ['2', '4', '6', '8']],
    ['a=2..7:2', ['2', '4', '6']],
    ['a=1..64:x4', ['1', '4', '16', '64']],
    ['a=10%..90%@5', ['10%', '30%', '50%', '70%', '90%']],
    ['a=100/s..300/s:100/s', ['100/s', '200/s', '300/s']],
    ['a=0.5..0.7:0.1', ['0.5', '0.6', '0.7']],
    ['a=1s..2s@3', ['1s', '1.5s', '2s']],
    ['a=1,4..6:1', ['1', '4', '5', '6']],
    ['a=3..5', ['3', '4', '5']],
    ['a=@file', ['x', 'y']],
  ])('%s', async (text, expected) => {
    expect((await setting(text, ['x', '# comment', '', ' y '])).values).toEqual(expected);
  });

  test('are numbers in order where they all are, in one unit', () => {
    expect(factorOf('a', ['80%', '20%'])).toEqual({ path: 'a', values: ['20%', '80%'], numbers: [20, 80], unit: '%' });
    expect(factorOf('a', ['10ms', '1s']).numbers).toBeNull();
    expect(factorOf('a', ['p2c', '2'])).toMatchObject({ numbers: null, values: ['p2c', '2'] });
  });
});

describe('designs', () => {
  test('factorial: every combination once', async () => {
    const { points } = factorial([await setting('a=1,2,3'), await setting('b=x,y')]);
    expect(points).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
      [2, 0],
      [2, 1],
    ]);
  });

  test('a Latin hypercube uses each slice of each range once, and one factor more changes nothing of the others', async () => {
    const [a, b] = [await setting('a=0..100'), await setting('b=10%..20%')];
    const both = latinHypercube([a, b], 20, 'seed');
    const slices = both.factors[0].numbers!.map((value) => Math.min(19, Math.floor(value / 5)));
    expect(new Set(both.points.map(([level]) => level)).size).toBe(both.factors[0].values.length);
    // Whole numbers are rounded, so a value may sit on the edge of its slice.
    slices.forEach((slice, i) => expect(Math.abs(slice - i)).toBeLessThanOrEqual(1));
    const alone = latinHypercube([a], 20, 'seed');
    expect(alone.points.map(([level]) => level)).toEqual(both.points.map(([level]) => level));
    expect(latinHypercube([a], 20, 'other').points).not.toEqual(alone.points);
  });
});

/** Two factors, two variants, four seeds whose noise is the same for everybody: differences are exact. */
function tableOf(
  value: (x: number, y: number, variant: number) => number,
  xs: readonly number[],
  ys: readonly number[] = [0],
): SweepTable {
  const factors = [
    factorOf(
      'load',
      xs.map((x) => `${x}%`),
    ),
    ...(ys.length > 1 ? [factorOf('slots', ys.map(String))] : []),
  ];
  const noise = [-0.3, 0.1, 0.4, -0.2];
  return {
    design: 'factorial',
    factors,
    variants: ['round-robin', 'p2c'],
    points: xs.flatMap((x, i) =>
      ys.map((y, k) => ({
        levels: ys.length > 1 ? [i, k] : [i],
        cells: [0, 1].map((variant) => ({
          metrics: { 'latency.p99': noise.map((each, seed) => value(x, y, variant) + each + (variant === 1 ? 0.001 * seed : 0)) },
          digests: [],
        })),
      })),
    ),
  };
}

describe('winners', () => {
  test('are those shown to be best, and nobody where nothing is shown', () => {
    // Within 3 % of each other at 50 %.
    const table = tableOf((x, _, variant) => (variant === 0 ? x : x === 50 ? 50.1 : 100 - x), [20, 50, 80]);
    expect(findWinners(table, p99).map(({ winner }) => winner)).toEqual([0, -1, 1]);
  });
});

describe('effects', () => {
  test('split the variation as the analysis of variance does', () => {
    // 10·x ± 3·y, no interaction; x and y are −1 or 1, variants equal: shares 100 : 9.
    const table = tableOf((x, y) => 100 + 10 * x + 3 * y, [-1, 1], [-1, 1]);
    const effects = findEffects(table, p99);
    const share = (...factors: string[]): number => effects.find((each) => each.factors.join() === factors.join())!.share;
    expect(share('load')).toBeCloseTo(100 / 109, 6);
    expect(share('slots')).toBeCloseTo(9 / 109, 6);
    expect(share('load', 'slots')).toBeCloseTo(0, 6);
    expect(effects[0].levels.map(({ effect }) => effect.mean)).toEqual([expect.closeTo(-10, 9), expect.closeTo(10, 9)]);
  });

  test('find an interaction that is all there is', () => {
    const table = tableOf((x, y) => 100 + 10 * x * y, [-1, 1], [-1, 1]);
    const [first] = findEffects(table, p99);
    expect(first).toMatchObject({ factors: ['load', 'slots'], share: expect.closeTo(1, 4) as number });
  });
});

describe('crossings', () => {
  test('lie where the lines were made to cross, and say who overtakes whom', () => {
    // p2c: 29 + 0.5·x against x + …: equal at 71.
    const table = tableOf((x, _, variant) => (variant === 0 ? x : 35.5 + x / 2), [20, 40, 60, 80, 100]);
    const crossings = findSweepCrossings(table, p99);
    expect(crossings).toHaveLength(1);
    expect(crossings[0].at).toBeCloseTo(71, 1);
    expect(crossings[0].sentence).toBe('p2c overtakes round-robin in p99 above 0.71 load (between 60% and 80%).');
    expect(sweepVerdict(table, p99, { winners: findWinners(table, p99), effects: [], crossings })).toContain(
      crossings[0].sentence,
    );
  });

  test('are looked for at each value of the other factors', () => {
    const table = tableOf((x, y, variant) => (variant === 0 ? x : y), [20, 40, 60, 80], [50, 70]);
    expect(
      findSweepCrossings(table, p99)
        .filter(({ factor }) => factor === 'load')
        .map(({ at, where }) => [Math.round(at), where]),
    ).toEqual([
      [50, 'slots=50'],
      [70, 'slots=70'],
    ]);
  });

  test('are none where nothing crosses', () => {
    expect(
      findSweepCrossings(
        tableOf((x, _, variant) => x + 30 * variant, [20, 40, 60]),
        p99,
      ),
    ).toEqual([]);
  });
});
