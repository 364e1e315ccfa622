/** How much a piece of work allocates, as far as the heap shows it. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes on the heap after `work` that were not there before, nothing having been collected in between: the least of several runs, for
 *  until the code is compiled numbers are boxed, and the engine keeps books of its own. Stops at the first run that leaves less than
 *  `enough`. */
export function heapGrowth(work: () => void, enough: number): number {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) work();
  let least = Infinity;
  for (let i = 0; i < 10 && least >= enough; i++) {
    collectGarbage();
    const before = getHeapStatistics().used_heap_size;
    work();
    least = Math.min(least, getHeapStatistics().used_heap_size - before);
  }
  return least;
}
