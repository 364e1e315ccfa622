/** An executor that runs nothing it has: cells that came from shards are handed over, any others go to another executor. With it a merged
 *  experiment goes through the very code that an unsharded one does. */
import type { CellResult } from '../stats/result.ts';
import type { Cell } from './cell.ts';
import type { Executor } from './executors.ts';

export function storedCells(find: (cell: Cell) => CellResult | undefined, others: Executor): Executor {
  return {
    async run(scenario, cells, options, onResult) {
      const rest: Cell[] = [];
      for (const cell of cells) {
        const found = find(cell);
        if (found === undefined) rest.push(cell);
        else onResult(found);
      }
      if (rest.length > 0) await others.run(scenario, rest, options, onResult);
    },
  };
}
