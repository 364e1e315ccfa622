/** Recorded requests from a CSV file to columns of numbers, to be played one by one. Needs a header with `time_ms`; `class`, `key`, `session`
 *  and `service_ms` are used where they are there, in any order, and other columns are passed over. `clusterlab import` writes such files.
 *  For counts per interval instead of single requests, see `trace.ts`. */
import { grownCounts, grownFloats, grownInts } from '../core/grow.ts';
import type { Ms } from '../core/time.ts';
import { CsvError, csvLimits, readCells, toNumber, type CsvLimits } from './csv.ts';
import type { ReplayData } from './replay-data.ts';

export interface ReplayOptions {
  /** Where to start, in the record's own time; becomes time 0. The start of the record by default. */
  readonly fromMs?: Ms;
  /** How much of it to take, in its own time; all by default. */
  readonly lengthMs?: Ms;
  /** Times are divided by this; 1 by default. Work is not. */
  readonly speedup?: number;
  /** 36 bytes each in every worker; 5 million by default. */
  readonly maxRows?: number;
  readonly limits?: CsvLimits;
}

/** Of requests without one. */
export const unnamedClass = 'default';
const maxProblems = 20;
const maxClasses = 1000;
const known = ['time_ms', 'class', 'key', 'session', 'service_ms'] as const;

/** Throws CsvError with up to 20 lines that are wrong. Equal texts are equal keys and equal sessions. Reads no further than needed. */
export async function loadReplay(bytes: AsyncIterable<Uint8Array>, options: ReplayOptions = {}): Promise<ReplayData> {
  const { fromMs = 0, lengthMs = Infinity, speedup = 1, maxRows = 5_000_000, limits = csvLimits } = options;
  const endMs = fromMs + lengthMs;
  const problems: string[] = [];
  const rows = new Rows();
  const classes = new Numbering();
  const keys = new Numbering();
  const sessions = new Numbering();
  let columns: Readonly<Record<(typeof known)[number], number>> | undefined;
  let lastTime = -Infinity;
  let lastLine = 0;

  const complain = (line: number, problem: string): boolean => {
    problems.push(`line ${line}: ${problem}`);
    return problems.length < maxProblems;
  };
  const onRow = (line: number, cells: readonly string[]): boolean => {
    const { time_ms, class: kind, key, session, service_ms } = columns!;
    const time = toNumber(cells[time_ms]);
    if (Number.isNaN(time)) return complain(line, `expected a number in column "time_ms", found ${shown(cells[time_ms])}`);
    if (time < 0) return complain(line, `a time of ${time} is negative`);
    if (time < lastTime) return complain(line, `time goes back from ${lastTime} in line ${lastLine} to ${time}`);
    lastTime = time;
    lastLine = line;
    if (time >= endMs) return false;
    const workText = service_ms === -1 ? '' : (cells[service_ms] ?? '').trim();
    const work = workText === '' ? NaN : toNumber(workText);
    if (workText !== '' && !(work >= 0)) {
      const problem =
        work < 0 ? `a service_ms of ${work} is negative` : `expected a number in column "service_ms", found ${shown(workText)}`;
      return complain(line, problem);
    }
    if (time < fromMs) return true;
    if (rows.count === maxRows) throw new CsvError(`this part has more than ${maxRows} rows; use from and length`);
    const kindText = kind === -1 ? '' : (cells[kind] ?? '').trim();
    const classNumber = classes.of(kindText === '' ? unnamedClass : kindText);
    if (classNumber >= maxClasses) throw new CsvError(`line ${line}: there are more than ${maxClasses} classes`);
    rows.add((time - fromMs) / speedup, classNumber, numberOf(cells, key, keys), numberOf(cells, session, sessions), work);
    return true;
  };
  await readCells(
    bytes,
    (line, cells) => {
      if (columns !== undefined) return onRow(line, cells);
      columns = readHeader(cells);
      return true;
    },
    limits,
  );
  if (problems.length > 0) throw new CsvError(problems.join('\n'));
  if (columns === undefined) throw new CsvError('it is empty');
  if (rows.count === 0) throw new CsvError(lastLine === 0 ? 'it has no rows' : 'there are no requests in this part of it');
  return rows.toData(classes.names(), keys.size > 0, sessions.size > 0);
}

function readHeader(cells: readonly string[]): Readonly<Record<(typeof known)[number], number>> {
  const names = cells.map((cell) => cell.trim());
  const entries = known.map((name) => {
    const at = names.indexOf(name);
    if (at !== -1 && names.lastIndexOf(name) !== at) throw new CsvError(`column "${name}" stands twice in the header`);
    return [name, at] as const;
  });
  const columns = Object.fromEntries(entries) as Record<(typeof known)[number], number>;
  if (columns.time_ms === -1)
    throw new CsvError(`there is no column "time_ms"; its columns are ${names.slice(0, 20).map(shown).join(', ')}`);
  return columns;
}

const numberOf = (cells: readonly string[], column: number, numbering: Numbering): number => {
  const text = column === -1 ? '' : (cells[column] ?? '').trim();
  return text === '' ? -1 : numbering.of(text);
};

const shown = (cell: string | undefined): string =>
  cell === undefined ? 'no such column' : JSON.stringify(cell.trim().slice(0, 40));

/** Dense numbers for texts, in order of appearance. */
class Numbering {
  declare private readonly numbers: Map<string, number>;

  constructor() {
    this.numbers = new Map();
  }

  get size(): number {
    return this.numbers.size;
  }

  of(text: string): number {
    const number = this.numbers.get(text);
    if (number !== undefined) return number;
    const next = this.numbers.size;
    // A copy: part of a line would keep the whole piece of the file it was cut from.
    this.numbers.set(JSON.parse(JSON.stringify(text)) as string, next);
    return next;
  }

  names(): string[] {
    return [...this.numbers.keys()];
  }
}

/** Columns that grow. */
class Rows {
  declare count: number;
  declare private times: Float64Array;
  declare private classes: Uint32Array;
  declare private keys: Int32Array;
  declare private sessions: Int32Array;
  declare private work: Float64Array;
  declare private knowsWork: boolean;

  constructor() {
    this.count = 0;
    this.times = new Float64Array(1024);
    this.classes = new Uint32Array(1024);
    this.keys = new Int32Array(1024);
    this.sessions = new Int32Array(1024);
    this.work = new Float64Array(1024);
    this.knowsWork = false;
  }

  add(timeMs: Ms, kind: number, key: number, session: number, workMs: Ms): void {
    if (this.count === this.times.length) this.grow(this.count * 2);
    const row = this.count++;
    this.times[row] = timeMs;
    this.classes[row] = kind;
    this.keys[row] = key;
    this.sessions[row] = session;
    this.work[row] = workMs;
    if (workMs >= 0) this.knowsWork = true;
  }

  private grow(size: number): void {
    this.times = grownFloats(this.times, size);
    this.classes = grownCounts(this.classes, size);
    this.keys = grownInts(this.keys, size);
    this.sessions = grownInts(this.sessions, size);
    this.work = grownFloats(this.work, size);
  }

  toData(classNames: readonly string[], hasKeys: boolean, hasSessions: boolean): ReplayData {
    const { count } = this;
    return {
      timesMs: this.times.slice(0, count),
      classes: Uint16Array.from(this.classes.subarray(0, count)),
      classNames,
      keys: hasKeys ? this.keys.slice(0, count) : undefined,
      sessions: hasSessions ? this.sessions.slice(0, count) : undefined,
      workMs: this.knowsWork ? this.work.slice(0, count) : undefined,
    };
  }
}
