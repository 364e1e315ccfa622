import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RowHeap } from '../../src/cluster/row-heap.ts';

describe('a heap of rows', () => {
  test('gives them by their numbers, whatever the order in which they came', () => {
    const heap = new RowHeap();
    for (const [row, rank] of [
      [900, 5],
      [0, 7.5],
      [3, -1],
      [70_000, 6],
    ] as const)
      heap.push(row, rank);
    expect([heap.size, heap.pop(), heap.pop(), heap.pop(), heap.pop(), heap.size]).toEqual([4, 3, 900, 70_000, 0, 0]);
  });

  // The oracle sorts a list each time. Up to 200 rows: deep enough for a row that fills a hole to belong further up.
  test('gives what a sorted list would, also after rows were taken from the middle', () => {
    const action = fc.record({ what: fc.constantFrom('push', 'push', 'push', 'pop', 'remove'), which: fc.nat({ max: 1e6 }) });
    const property = fc.property(fc.array(action, { minLength: 100, maxLength: 300, size: 'max' }), (actions) => {
      const heap = new RowHeap();
      let list: { row: number; rank: number }[] = [];
      actions.forEach(({ what, which }, row) => {
        if (what === 'push') {
          // Ranks differ, as sequence numbers do.
          const rank = which + row / 1024;
          heap.push(row, rank);
          list.push({ row, rank });
        } else if (list.length > 0) {
          list = list.toSorted((x, y) => x.rank - y.rank);
          const [gone] = list.splice(what === 'pop' ? 0 : which % list.length, 1);
          if (what === 'pop') expect(heap.pop()).toBe(gone!.row);
          else heap.remove(gone!.row);
        }
        expect(heap.size).toBe(list.length);
      });
      const rest = Array.from(list, () => heap.pop());
      expect(rest).toEqual(list.toSorted((x, y) => x.rank - y.rank).map(({ row }) => row));
    });
    fc.assert(property, { numRuns: 60, seed: 13 });
  });
});
