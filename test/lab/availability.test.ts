import { describe, expect, test } from 'vitest';
import { burnRate, judgeAvailability, objectiveOf } from '../../src/lab/availability.ts';
import { minutesOf } from '../../src/lab/window-sums.ts';
import { collectVariants } from '../../src/lab/collect.ts';
import type { ExpectSpec } from '../../src/scenario/spec.ts';
import { cellResult, outline } from './results.ts';

const line = (rest: Partial<ExpectSpec>): ExpectSpec => ({
  ...{ text: '', metric: 'availability', comparator: '>=', limit: 0.99, variants: [] },
  ...{ place: { file: 's.yaml', line: 1, column: 1, length: 1 } },
  ...rest,
});

describe('the objective', () => {
  test('is 99.9 % where nobody asks for another', () => {
    expect(objectiveOf('p2c', { expect: [line({ metric: 'goodput' }), line({ comparator: '<' }), line({ view: 0 })] })).toBe(
      0.999,
    );
  });
  test('is the strictest that is asked of the variant', () => {
    const lines = [
      line({ limit: 0.95 }),
      line({ limit: 0.99, variants: ['p2c'] }),
      line({ limit: 0.9999, variants: ['random'] }),
    ];
    expect(objectiveOf('p2c', { expect: lines })).toBe(0.99);
  });
  test('is never 100 %, which leaves no budget', () => {
    expect(objectiveOf('p2c', { expect: [line({ limit: 1 })] })).toBe(0.999);
  });
});

test('the burn rate is 1 where just as many fail as may, and 1000 when everything does', () => {
  expect(burnRate(0.999, 0.999)).toBe(1);
  expect(burnRate(0, 0.999)).toBeCloseTo(1000, 9);
  // The workbook's page: 14.4 times the budget of 99.9 % is an error rate of 1.44 %.
  expect(burnRate(1 - 0.0144, 0.999)).toBeCloseTo(14.4, 9);
});

describe('error minutes', () => {
  /** 100 requests in each window of 1 s; so many of them fail. */
  const series = (failed: readonly number[]) => ({
    ...{ windowMs: 1000, failed, offered: failed.map(() => 100), ok: failed.map((count) => 100 - count) },
  });
  const failing = (windows: number, at: readonly number[]) => Array.from({ length: windows }, (_, k) => (at.includes(k) ? 7 : 0));
  test('are whole minutes below the objective, counted from the warm-up on', () => {
    // 7 of 6000 are more than one in a thousand; the minutes are 10..70 and 70..130.
    expect(minutesOf(series(failing(130, [69])), 10, Infinity, 0.999, 130_000)).toEqual({ minutes: 2, errorMinutes: 1 });
    expect(minutesOf(series(failing(130, [69, 70])), 10, Infinity, 0.999, 130_000)).toEqual({ minutes: 2, errorMinutes: 2 });
    expect(minutesOf(series(failing(130, [9])), 10, Infinity, 0.999, 130_000)).toEqual({ minutes: 2, errorMinutes: 0 });
  });
  test('exactly at the objective is not below it', () => {
    const counts = { windowMs: 60_000, offered: [1000], ok: [999], failed: [1] };
    expect(minutesOf(counts, 0, Infinity, 0.999, 60_000).errorMinutes).toBe(0);
  });
  test('a rest counts as the part of a minute that it is', () => {
    expect(minutesOf(series(failing(90, [80])), 0, Infinity, 0.999, 90_000)).toEqual({ minutes: 1.5, errorMinutes: 0.5 });
  });
  test('windows longer than a minute are taken as they are', () => {
    const hours = { windowMs: 3_600_000, offered: [100, 100], ok: [90, 100], failed: [10, 0] };
    expect(minutesOf(hours, 0, Infinity, 0.999, 7_200_000)).toEqual({ minutes: 120, errorMinutes: 60 });
  });
  test('a minute in which requests arrive and none ends is bad, one without requests is not', () => {
    const counts = { windowMs: 60_000, offered: [10, 0], ok: [0, 0], failed: [0, 0] };
    expect(minutesOf(counts, 0, Infinity, 0.999, 120_000).errorMinutes).toBe(1);
  });
});

describe('a variant', () => {
  const world = outline({ seeds: 3, durationMs: 120_000, warmupMs: 60_000, windowMs: 60_000, expect: [line({ limit: 0.99 })] });
  const cell = (seed: number, failed: readonly number[]) => {
    const availability = failed.map((count) => 1 - count / 1000);
    const columns = { offered: [1000, 1000], ok: failed.map((count) => 1000 - count), failed, availability };
    return cellResult(0, `test:${seed}`, { windowMs: 60_000, columns });
  };
  const cells = [cell(1, [500, 20]), cell(2, [0, 5]), cell(3, [0, 30])];
  const [found] = collectVariants(world, world.run.seeds, cells);
  test('has the median over its seeds of what was spent since warm-up', () => {
    // 0.5 %, 2 % and 3 % failed where 1 % may.
    expect(found.availability).toMatchObject({ objective: 0.99, minutes: 1, errorMinutes: 1 });
    expect(found.availability.budgetSpent).toBeCloseTo(2, 9);
  });
  test('has burn rates per window: the seed with the lowest availability burns most', () => {
    const { burn } = found.availability;
    expect(burn.median.map((value) => Number(value.toFixed(9)))).toEqual([0, 2]);
    expect(burn.min.map((value) => Number(value.toFixed(9)))).toEqual([0, 0.5]);
    expect(burn.max.map((value) => Number(value.toFixed(9)))).toEqual([50, 3]);
  });
  test('of which nothing is finished has nothing to say', () => {
    const [none] = collectVariants(world, world.run.seeds, []);
    expect(none.availability).toMatchObject({ minutes: 0, errorMinutes: NaN, budgetSpent: NaN, faults: [] });
    expect(judgeAvailability('x', world, none.series, []).burn.median).toEqual([]);
  });
});
