/** Rows of numbers in order of time, however many and however disordered: an external merge sort. Rows are collected in memory; each full
 *  batch is sorted and put on disk, and reading merges the batches. Memory stays below about 100 MB, disk takes 48 bytes per row, and a
 *  log in order costs one comparison per row. Equal times keep the order in which they came. */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import type { Ms } from '../../core/time.ts';

/** What is in which column of a row. `mark` packs what is small, see `packed-mark.ts`. */
export const field = { time: 0, sequence: 1, duration: 2, key: 3, session: 4, mark: 5 } as const;
export const rowLength = 6;
export type Row = Float64Array;

const rowBytes = rowLength * 8;
const readerBudgetBytes = 64 * 1024 * 1024;

interface Run {
  readonly offset: number;
  readonly rows: number;
}

export class RowSorter {
  /** Of all rows added. */
  declare count: number;
  declare firstMs: Ms;
  declare lastMs: Ms;
  /** Rows earlier than one before them, and by how much at most. */
  declare late: number;
  declare latestMs: Ms;
  declare private readonly spool: string;
  declare private readonly batchRows: number;
  declare private readonly batch: Float64Array;
  declare private rows: number;
  declare private isOrdered: boolean;
  declare private readonly runs: Run[];
  declare private spoolBytes: number;
  declare private descriptor: number | undefined;

  /** `spool`: path of a file that is made when it is needed, and is gone after `close`. */
  constructor(spool: string, batchRows = 1 << 18) {
    this.count = 0;
    this.firstMs = Infinity;
    this.lastMs = -Infinity;
    this.late = 0;
    this.latestMs = 0;
    this.spool = spool;
    this.batchRows = batchRows;
    this.batch = new Float64Array(batchRows * rowLength);
    this.rows = 0;
    this.isOrdered = true;
    this.runs = [];
    this.spoolBytes = 0;
    this.descriptor = undefined;
  }

  add(timeMs: Ms, durationMs: Ms, key: number, session: number, mark: number): void {
    if (this.rows === this.batchRows) this.flush();
    const at = this.rows * rowLength;
    const { batch } = this;
    if (timeMs < this.lastMs) {
      this.late++;
      this.latestMs = Math.max(this.latestMs, this.lastMs - timeMs);
    } else this.lastMs = timeMs;
    if (timeMs < this.firstMs) this.firstMs = timeMs;
    if (this.rows > 0 && timeMs < batch[at - rowLength]) this.isOrdered = false;
    batch[at] = timeMs;
    batch[at + field.sequence] = this.count;
    batch[at + field.duration] = durationMs;
    batch[at + field.key] = key;
    batch[at + field.session] = session;
    batch[at + field.mark] = mark;
    this.rows++;
    this.count++;
  }

  /** All rows in order, once; the array is used again for the next row. */
  *sorted(): Generator<Row> {
    const last = this.sortedBatch();
    const budget = Math.floor(readerBudgetBytes / rowBytes / Math.max(1, this.runs.length));
    const readers: RunReader[] = this.runs.map(
      (run) => new RunReader(this.descriptor!, run, Math.min(8192, Math.max(64, budget))),
    );
    readers.push(new RunReader(undefined, { offset: 0, rows: this.rows }, 0, last));
    const heap = new ReaderHeap(readers.filter((reader) => reader.advance()));
    const row = new Float64Array(rowLength);
    for (let reader = heap.first; reader !== undefined; reader = heap.first) {
      for (let column = 0; column < rowLength; column++) row[column] = reader.rows[reader.at + column];
      yield row;
      heap.advance();
    }
  }

  close(): void {
    if (this.descriptor === undefined) return;
    closeSync(this.descriptor);
    this.descriptor = undefined;
    rmSync(this.spool, { force: true });
  }

  private flush(): void {
    const sorted = this.sortedBatch();
    this.descriptor ??= openSpool(this.spool);
    const bytes = new Uint8Array(sorted.buffer, sorted.byteOffset, this.rows * rowBytes);
    let written = 0;
    while (written < bytes.length) {
      written += writeSync(this.descriptor, bytes, written, bytes.length - written, this.spoolBytes + written);
    }
    this.runs.push({ offset: this.spoolBytes, rows: this.rows });
    this.spoolBytes += bytes.length;
    this.rows = 0;
    this.isOrdered = true;
  }

  private sortedBatch(): Float64Array {
    const { batch, rows } = this;
    if (this.isOrdered) return batch;
    const order = new Uint32Array(rows);
    for (let row = 0; row < rows; row++) order[row] = row;
    // The rows of a batch stand in the order they came: the index breaks ties.
    order.sort((a, b) => batch[a * rowLength] - batch[b * rowLength] || a - b);
    const sorted = new Float64Array(rows * rowLength);
    for (let row = 0; row < rows; row++) {
      sorted.set(batch.subarray(order[row] * rowLength, (order[row] + 1) * rowLength), row * rowLength);
    }
    return sorted;
  }
}

/** For nobody else's eyes. Where the system allows it the name goes at once, so that not even a killed import leaves the file behind. */
function openSpool(path: string): number {
  const descriptor = openSync(path, 'wx+', 0o600);
  try {
    rmSync(path);
  } catch {
    // `close` removes it.
  }
  return descriptor;
}

/** One run, a piece at a time. */
class RunReader {
  declare rows: Float64Array;
  /** Where the present row begins. */
  declare at: number;
  declare private end: number;
  declare private readonly descriptor: number | undefined;
  declare private offset: number;
  declare private left: number;

  constructor(descriptor: number | undefined, run: Run, pieceRows: number, inMemory?: Float64Array) {
    this.descriptor = descriptor;
    this.rows = inMemory ?? new Float64Array(Math.min(pieceRows, run.rows) * rowLength);
    this.at = -rowLength;
    this.end = inMemory === undefined ? 0 : run.rows * rowLength;
    this.offset = run.offset;
    this.left = inMemory === undefined ? run.rows : 0;
  }

  /** To the next row; false at the end. */
  advance(): boolean {
    this.at += rowLength;
    if (this.at < this.end) return true;
    if (this.left === 0) return false;
    const rows = Math.min(this.left, this.rows.length / rowLength);
    const bytes = new Uint8Array(this.rows.buffer, 0, rows * rowBytes);
    let read = 0;
    while (read < bytes.length) {
      const got = readSync(this.descriptor!, bytes, read, bytes.length - read, this.offset + read);
      if (got === 0) throw new Error('the file of sorted rows has become shorter');
      read += got;
    }
    this.offset += read;
    this.left -= rows;
    this.at = 0;
    this.end = rows * rowLength;
    return true;
  }
}

/** A binary heap of runs, the one with the earliest row on top. */
class ReaderHeap {
  declare private readonly readers: RunReader[];

  constructor(readers: RunReader[]) {
    this.readers = readers;
    for (let at = (readers.length >> 1) - 1; at >= 0; at--) this.sink(at);
  }

  get first(): RunReader | undefined {
    return this.readers[0];
  }

  advance(): void {
    const { readers } = this;
    if (!readers[0].advance()) {
      const last = readers.pop()!;
      if (readers.length === 0) return;
      readers[0] = last;
    }
    this.sink(0);
  }

  private sink(from: number): void {
    const { readers } = this;
    let at = from;
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < readers.length && isBefore(readers[child], readers[least])) least = child;
      }
      if (least === at) return;
      [readers[at], readers[least]] = [readers[least], readers[at]];
      at = least;
    }
  }
}

function isBefore(a: RunReader, b: RunReader): boolean {
  const difference = a.rows[a.at] - b.rows[b.at];
  return difference < 0 || (difference === 0 && a.rows[a.at + field.sequence] < b.rows[b.at + field.sequence]);
}
