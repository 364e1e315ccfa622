/** How much a piece of work allocates, as far as the heap shows it. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes on the heap after `work` that were not there before, nothing having been collected in between: the least of several runs, for
 *  until the code is compiled numbers are boxed. Stops at the first run that leaves less than `enough`. */
export function heapGrowth(work: () => unknown, enough: number): number {
  for (let i = 0; i < 3; i++) work();
  let least = Infinity;
  for (let i = 0; i < 20 && least >= enough; i++) {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    work();
    least = Math.min(least, process.memoryUsage().heapUsed - before);
  }
  return least;
}

setFlagsFromString('--expose-gc');
// Code is compiled when it is hot, not when another thread finds the time.
setFlagsFromString('--no-concurrent-recompilation');
const collectGarbage = runInNewContext('gc') as () => void;
