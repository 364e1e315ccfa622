/** How much a piece of work allocates, as far as the heap shows it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes on the heap after `work` that were not there before, nothing having been collected in between. The least of a few runs, after
 *  enough of them to have the code compiled: until then numbers are boxed. */
export function heapGrowth(work: () => unknown): number {
  for (let i = 0; i < 6; i++) work();
  let least = Infinity;
  for (let i = 0; i < 5; i++) {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    work();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
