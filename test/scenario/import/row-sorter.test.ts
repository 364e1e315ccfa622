/** Sorting more rows than fit in memory, and spreading those of one second. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Xoshiro128 } from '../../../src/core/xoshiro.ts';
import { field, RowSorter, type Row } from '../../../src/scenario/import/row-sorter.ts';
import { spreadTies } from '../../../src/scenario/import/spread-ties.ts';
import { filesIn, newFolder } from './reading.ts';

const sorterIn = (folder: string, batchRows?: number): RowSorter => new RowSorter(join(folder, '.rows.tmp'), batchRows);
const timesOf = (rows: Iterable<Row>): number[] => Array.from(rows, (row) => row[field.time]);

test.each([
  ['in one batch', 1000],
  ['in batches on disk', 64],
  ['in batches of one row', 1],
])('rows come out in order of time, equal times in order of arrival, %s', (_, batchRows) => {
  const rng = new Xoshiro128(1, 2, 3, 4);
  const folder = newFolder();
  const sorter = sorterIn(folder, batchRows);
  const rows = Array.from({ length: 500 }, (__, index) => ({ time: rng.below(100), index }));
  for (const { time, index } of rows) sorter.add(time, index + 0.5, NaN, index, index * 7);
  const sorted = Array.from(sorter.sorted(), (row) => [...row]);
  sorter.close();
  const expected = [...rows].sort((a, b) => a.time - b.time || a.index - b.index);
  expect(sorted).toEqual(expected.map(({ time, index }) => [time, index, index + 0.5, NaN, index, index * 7]));
  expect(filesIn(folder)).toEqual([]);
});

test('knows how many rows were late, and by how much', () => {
  const sorter = sorterIn(newFolder());
  for (const time of [10, 30, 20, 25, 40, 5]) sorter.add(time, 0, 0, 0, 0);
  expect(sorter).toMatchObject({ count: 6, firstMs: 5, lastMs: 40, late: 3, latestMs: 35 });
});

test('an empty sorter gives no rows', () => {
  expect(timesOf(sorterIn(newFolder()).sorted())).toEqual([]);
});

test('the requests of a second are put at even distances within it, in their order', () => {
  const sorter = sorterIn(newFolder());
  for (const [index, time] of [0, 1000, 1000, 1000, 1000, 3000, 3000].entries()) sorter.add(time, 0, index, 0, 0);
  const spread = Array.from(spreadTies(sorter.sorted(), 1000), (row) => [row[field.time], row[field.key]]);
  expect(spread).toEqual([
    [500, 0],
    [1125, 1],
    [1375, 2],
    [1625, 3],
    [1875, 4],
    [3250, 5],
    [3750, 6],
  ]);
});

test('a thousand requests of one second stay in it', () => {
  const sorter = sorterIn(newFolder(), 100);
  for (let i = 0; i < 1000; i++) sorter.add(5000, 0, i, 0, 0);
  const times = timesOf(spreadTies(sorter.sorted(), 1000));
  sorter.close();
  expect(times).toHaveLength(1000);
  expect(times[0]).toBe(5000.5);
  expect(times.at(-1)).toBe(5999.5);
});
