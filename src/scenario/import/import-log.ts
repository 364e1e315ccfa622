/** Access logs of any size to a trace that can be played again and to everything measured about it.
 *
 *  Two passes. The first reads the lines, tells classes and clients apart, and gives rows of numbers to an external sort: logs are written
 *  when requests end, by several workers, and are never quite in order. The second takes the rows in order of time, spreads the requests
 *  of a second where the log has no finer clock, measures, and writes. Where the log's time is the end of a request, its duration is
 *  taken off and the rows are sorted once more. */
import { InputError } from '../../core/errors.ts';
import type { Ms } from '../../core/time.ts';
import { emptyRecord, type AccessRecord, type LineReader } from './access-record.ts';
import { ClassTable } from './class-table.ts';
import type { ColumnChoice } from './columns.ts';
import type { FittedLog } from './fitted-log.ts';
import { detectFormat, formats, linesToDetect, type FormatOptions } from './formats.ts';
import type { LocalZone } from './local-zone.ts';
import { LogMeter } from './log-meter.ts';
import { isEndMark, kindOf, outcomeOf, packMark, statusOf } from './packed-mark.ts';
import { printable } from './printable.ts';
import { maxLine, readLines } from './read-lines.ts';
import { field, RowSorter, type Row } from './row-sorter.ts';
import { spreadTies } from './spread-ties.ts';
import { hashText } from './text-hash.ts';
import { TraceFile } from './trace-file.ts';

export interface LogSource {
  /** As the user named it. */
  readonly name: string;
  readonly bytes: AsyncIterable<Uint8Array>;
}

export interface ImportOptions {
  readonly sources: readonly LogSource[];
  /** Where the trace goes; temporary files as well. */
  readonly folder: string;
  readonly name: string;
  /** One of `formats`, or `auto`. */
  readonly format: string;
  readonly columns: ColumnChoice;
  readonly zone: LocalZone;
  /** What the log's time means, where the format cannot tell or tells wrong. */
  readonly timeIs?: 'start' | 'end';
  /** More unreadable lines than this end the import. */
  readonly maxErrors: number;
  readonly maxClasses: number;
  readonly spread: boolean;
  readonly gzip: boolean;
  onBadLine(bad: BadLine): void;
  readonly signal?: AbortSignal;
}

export interface BadLine {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  readonly reason: string;
  readonly text: string;
}

export interface ImportedLog {
  readonly fitted: FittedLog;
  /** Complete, but still under its temporary name: `commit` or `discard` it. */
  readonly trace: TraceFile;
}

export async function importLog(options: ImportOptions): Promise<ImportedLog> {
  const trace = await TraceFile.open(options.folder, options.gzip);
  const collected = new Collected(trace.temporaryPath('rows'));
  try {
    for (const source of options.sources) await collect(source, collected, options);
    if (collected.rows.count === 0) throw nothingRead(options, collected);
    const fitted = await measure(collected, trace, options);
    await trace.end();
    return { fitted, trace };
  } catch (failure) {
    await trace.discard();
    throw failure;
  } finally {
    collected.rows.close();
  }
}

/** What the first pass leaves. */
class Collected {
  declare readonly rows: RowSorter;
  declare readonly classes: ClassTable;
  declare readonly formats: Set<string>;
  declare linesRead: number;
  declare linesBad: number;
  /** Whether the clock shows anything finer than seconds, than milliseconds. */
  declare tickMs: Ms;
  declare durationTickMs: Ms;
  declare hasEnds: boolean;

  constructor(spool: string) {
    this.rows = new RowSorter(spool);
    this.classes = new ClassTable();
    this.formats = new Set();
    this.linesRead = 0;
    this.linesBad = 0;
    this.tickMs = 1000;
    this.durationTickMs = 1;
    this.hasEnds = false;
  }

  add(record: AccessRecord, timeIs: ImportOptions['timeIs']): void {
    const { timeMs, durationMs } = record;
    const kind = this.classes.add(record.className, record.method, record.target);
    const key = record.key === '' ? this.classes.key : keyNumber(record.key);
    if (this.tickMs > 1 && timeMs % 1000 !== 0) this.tickMs = 1;
    if (this.tickMs === 1 && !Number.isInteger(timeMs)) this.tickMs = 0.001;
    if (durationMs % 1 > 0) this.durationTickMs = 0.001;
    const isEnd = timeIs === undefined ? record.isEnd : timeIs === 'end';
    if (isEnd && durationMs > 0) this.hasEnds = true;
    this.rows.add(timeMs, durationMs, key, clientNumber(record), packMark(kind, record.outcome, isEnd, record.status));
  }
}

/** Whole numbers stand for themselves, so that a trace that is imported again keeps its keys. */
const keyNumber = (key: string): number =>
  /^\d{1,16}$/.test(key) && Number.isSafeInteger(Number(key)) ? Number(key) : hashText(key);

/** NaN for nobody in particular. */
function clientNumber({ session, client, agent }: AccessRecord): number {
  if (session !== '') return hashText(session);
  return client === '' && agent === '' ? NaN : hashText(agent, hashText(client));
}

/** The longest that a scenario can run. */
const maxSpanMs: Ms = 36_500 * 86_400_000;
const maxDurationMs: Ms = 30 * 86_400_000;

async function collect({ name, bytes }: LogSource, collected: Collected, options: ImportOptions): Promise<void> {
  const { maxErrors, timeIs, signal } = options;
  const record = emptyRecord();
  let read: LineReader | undefined;
  let line = 0;
  const complain = (reason: string, text: string): void => {
    collected.linesBad++;
    if (collected.linesBad <= maxErrors) options.onBadLine({ file: name, line, reason, text });
    else throw InputError.of('bad-log', `more than ${maxErrors} lines cannot be read; nothing was written`, advice(options));
  };
  const take = (batch: readonly string[]): void => {
    for (const raw of batch) {
      line++;
      const text = raw.charCodeAt(raw.length - 1) === 0x0d ? raw.slice(0, -1) : raw;
      if (text.trim() === '') continue;
      collected.linesRead++;
      const reading = text.length > maxLine ? `it is longer than ${maxLine} characters` : read!(text, record);
      if (typeof reading === 'string') complain(reading, text);
      else if (record.durationMs > maxDurationMs && reading) complain('its duration is more than 30 days', text);
      else if (reading) collected.add(record, timeIs);
    }
  };

  const formatOptions: FormatOptions = { zone: options.zone, columns: options.columns, file: name };
  let held: string[] = [];
  const begin = (): void => {
    const format = options.format === 'auto' ? (detectFormat(sampleOf(held), formatOptions) ?? guess(options)) : options.format;
    collected.formats.add(format);
    read = formats[format](formatOptions);
    take(held);
    held = [];
  };
  for await (const batch of readLines(bytes, printable(name, 200))) {
    signal?.throwIfAborted();
    if (read !== undefined) take(batch);
    else {
      held = held.length === 0 ? batch : [...held, ...batch];
      if (held.length >= linesToDetect) begin();
    }
  }
  if (read === undefined && held.length > 0) begin();
}

const sampleOf = (lines: readonly string[]): string[] =>
  lines
    .filter((text) => text.trim() !== '' && text.length <= maxLine)
    .slice(0, linesToDetect)
    .map((text) => text.replace(/\r$/, ''));

/** No line is in any format: complaints in terms of the most common one help as much as any. */
const guess = ({ columns }: ImportOptions): string => (Object.keys(columns).length > 0 ? 'csv' : 'combined');

const advice = ({ format }: ImportOptions): string =>
  format === 'auto'
    ? `name the format with --format (${Object.keys(formats).join(', ')}), or raise --max-errors`
    : 'is --format right? --format auto finds out; or raise --max-errors';

function nothingRead(options: ImportOptions, { linesRead }: Collected): InputError {
  const files = options.sources.map(({ name }) => printable(name, 200)).join(', ');
  if (linesRead === 0) return InputError.of('empty-log', `${files}: there are no lines; nothing was written`);
  return InputError.of('bad-log', `${files}: none of ${linesRead} lines can be read; nothing was written`, advice(options));
}

async function measure(collected: Collected, trace: TraceFile, options: ImportOptions): Promise<FittedLog> {
  const { rows, tickMs, durationTickMs, classes } = collected;
  const spread = options.spread && tickMs === 1000;
  const { names, placeOf } = classes.summary(options.maxClasses);
  const stamped = spread ? spreadTies(rows.sorted(), tickMs) : rows.sorted();
  const arrivals = collected.hasEnds ? await byArrival(stamped, trace.temporaryPath('arrivals'), options.signal) : undefined;
  try {
    const sorted = arrivals ?? rows;
    const spanMs = sorted.lastMs - sorted.firstMs + (spread ? tickMs : 0);
    if (spanMs > maxSpanMs)
      throw InputError.of(
        'bad-log',
        'the log spans more than a hundred years; nothing was written',
        'is the unit of its time right?',
      );
    const meter = new LogMeter({ classNames: names, spanMs, tickMs, durationTickMs });
    for (const row of arrivals?.sorted() ?? stamped) {
      const mark = row[field.mark];
      const place = placeOf[kindOf(mark)];
      const time = row[field.time];
      const duration = row[field.duration];
      const session = meter.add(time, place, outcomeOf(mark), duration, row[field.key], row[field.session]);
      const isFull = trace.add(time - meter.startMs, names[place], row[field.key], session, duration, statusOf(mark));
      if (!isFull) continue;
      await trace.drain();
      options.signal?.throwIfAborted();
    }
    return {
      name: options.name,
      sources: options.sources.map(({ name }) => printable(name.replace(/^.*[\\/]/, ''), 100)),
      format: [...collected.formats].join(', '),
      lines: { read: collected.linesRead, bad: collected.linesBad },
      ...{ tickMs, spread },
      disorder: { lines: rows.late, mostMs: rows.latestMs },
      ...meter.fit(),
    };
  } finally {
    arrivals?.close();
  }
}

/** The same rows by when they began. */
async function byArrival(rows: Iterable<Row>, spool: string, signal: AbortSignal | undefined): Promise<RowSorter> {
  const sorter = new RowSorter(spool);
  try {
    for (const row of rows) {
      const duration = row[field.duration];
      const isLater = isEndMark(row[field.mark]) && duration > 0;
      sorter.add(row[field.time] - (isLater ? duration : 0), duration, row[field.key], row[field.session], row[field.mark]);
      if (sorter.count % rowsPerTurn !== 0) continue;
      // Now and then somebody must look whether the user has had enough.
      await new Promise((done) => setImmediate(done));
      signal?.throwIfAborted();
    }
    return sorter;
  } catch (failure) {
    sorter.close();
    throw failure;
  }
}

const rowsPerTurn = 100_000;
