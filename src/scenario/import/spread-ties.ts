/** Logs that keep only whole seconds make all requests of a second arrive at once, which no client did. Here the n requests of a second
 *  are put at (k + 1/2) / n of it, in the order of their lines: nothing random, the count of every second stays, the order stays. What is
 *  lost is the irregularity within the second, which the log does not know; measures of burstiness must look at longer times. */
import { field, rowLength, type Row } from './row-sorter.ts';
import type { Ms } from '../../core/time.ts';

/** The rows are in order of time, and so are those that come out. Memory: the rows of one tick. */
export function* spreadTies(rows: Iterable<Row>, tickMs: Ms): Generator<Row> {
  let held = new Float64Array(64 * rowLength);
  let count = 0;
  for (const row of rows) {
    if (count > 0 && row[field.time] !== held[field.time]) {
      yield* spread(held, count, tickMs);
      count = 0;
    }
    if ((count + 1) * rowLength > held.length) {
      const larger = new Float64Array(held.length * 2);
      larger.set(held);
      held = larger;
    }
    held.set(row, count * rowLength);
    count++;
  }
  yield* spread(held, count, tickMs);
}

function* spread(held: Float64Array, count: number, tickMs: Ms): Generator<Row> {
  const start = held[field.time];
  for (let k = 0; k < count; k++) {
    const row = held.subarray(k * rowLength, (k + 1) * rowLength);
    row[field.time] = start + ((k + 0.5) / count) * tickMs;
    yield row;
  }
}
