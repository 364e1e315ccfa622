/** The hash table against a Map, with numbers of every size. */
import { expect, test } from 'vitest';
import { Xoshiro128 } from '../../../src/core/xoshiro.ts';
import { NumberTable } from '../../../src/scenario/import/number-table.ts';

test('holds what a Map holds, through growth and overwriting', () => {
  const rng = new Xoshiro128(1, 2, 3, 4);
  const table = new NumberTable();
  const map = new Map<number, number>();
  for (let i = 0; i < 20_000; i++) {
    const key = [rng.below(5000), rng.below(5000) * 4294967296, Number.MAX_SAFE_INTEGER - rng.below(5000), rng.below(5000) << 20][
      i % 4
    ];
    expect(table.get(key)).toBe(map.get(key) ?? -1);
    table.set(key, i);
    map.set(key, i);
  }
  expect(table.size).toBe(map.size);
  const byKey = (a: readonly [number, number], b: readonly [number, number]): number => a[0] - b[0];
  expect([...table.entries()].sort(byKey)).toEqual([...map].sort(byKey));
});

test('is empty after clearing, and knows 0', () => {
  const table = new NumberTable();
  table.set(0, 7);
  expect([table.get(0), table.get(1), table.size]).toEqual([7, -1, 1]);
  table.clear();
  expect([table.get(0), table.size, [...table.entries()]]).toEqual([-1, 0, []]);
});
