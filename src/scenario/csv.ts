/** Tables of numbers from CSV files of any length, gzipped or not: read as a stream, one pass, bounded memory. Quotes are understood,
 *  line breaks inside them are not. A first row without numbers is the header. Lines starting with # and empty ones are skipped. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

export interface CsvLimits {
  readonly bytes: number;
  readonly lineBytes: number;
}
/** Of the unpacked text. */
export const csvLimits: CsvLimits = { bytes: 2 ** 30, lineBytes: 64 * 1024 };
/** Enough bad lines to see what is wrong. */
const maxBadLines = 5;

export class CsvError extends Error {}

export interface CsvRow {
  /** 1-based. */
  readonly line: number;
  /** Of the chosen column. */
  readonly value: number;
  /** Of the first column; NaN when it is not a number. */
  readonly first: number;
}

/** Which column: its name, its number from 1, or the last one. */
export type Column = string | number | undefined;

/** Calls `onRow` for every row until it returns false. Throws CsvError with up to five lines that cannot be understood. */
export async function readCsv(
  bytes: AsyncIterable<Uint8Array>,
  column: Column,
  onRow: (row: CsvRow) => boolean | string,
  limits: CsvLimits = csvLimits,
): Promise<void> {
  const bad: string[] = [];
  let chosen: number | undefined = typeof column === 'number' ? column - 1 : undefined;
  let isFirst = true;
  const describe = (): string => (typeof column === 'string' ? `column ${JSON.stringify(column)}` : `column ${chosen! + 1}`);
  const visit = (line: number, text: string): boolean => {
    if (text.length > limits.lineBytes) throw tooLong(line, limits);
    if (text === '' || text.startsWith('#')) return true;
    const cells = split(text);
    if (isFirst) {
      isFirst = false;
      if (typeof column === 'string') {
        chosen = cells.findIndex((cell) => cell.trim() === column);
        if (chosen === -1) throw new CsvError(`there is no column ${JSON.stringify(column)}; its columns are ${listed(cells)}`);
        return true;
      }
      chosen ??= cells.length - 1;
      if (chosen >= cells.length) throw new CsvError(`there is no column ${chosen + 1}; it has ${cells.length}`);
      if (Number.isNaN(toNumber(cells[chosen]))) return true;
    }
    const value = toNumber(cells[chosen!]);
    const answer = Number.isNaN(value)
      ? `line ${line}: expected a number in ${describe()}, found ${shown(cells[chosen!])}`
      : onRow({ line, value, first: toNumber(cells[0]) });
    if (typeof answer === 'boolean') return answer;
    bad.push(answer);
    return bad.length < maxBadLines;
  };
  let line = 0;
  reading: for await (const batch of lines(await unpacked(bytes), limits)) {
    for (const text of batch) if (!visit(++line, text)) break reading;
  }
  if (isFirst) throw new CsvError('it is empty');
  if (bad.length > 0) throw new CsvError(bad.join('\n'));
}

/** Calls `onCells` for every line that is neither empty nor a comment, the header included, until it returns false. */
export async function readCells(
  bytes: AsyncIterable<Uint8Array>,
  onCells: (line: number, cells: readonly string[]) => boolean,
  limits: CsvLimits = csvLimits,
): Promise<void> {
  let line = 0;
  for await (const batch of lines(await unpacked(bytes), limits)) {
    for (const text of batch) {
      line++;
      if (text.length > limits.lineBytes) throw tooLong(line, limits);
      if (text !== '' && !text.startsWith('#') && !onCells(line, split(text))) return;
    }
  }
}

/** Gzip is told by its first two bytes. */
export async function unpacked(bytes: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = bytes[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  let isDone = false;
  // The two magic bytes may come in two pieces.
  while (head.length < 2 && !isDone) {
    const next = await iterator.next();
    if (next.done === true) isDone = true;
    else head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield head;
    if (!isDone) yield* { [Symbol.asyncIterator]: () => iterator };
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) return whole();
  const gunzip = createGunzip();
  const source = Readable.from(whole(), { objectMode: false });
  source.on('error', (error) => gunzip.destroy(error));
  return source.pipe(gunzip);
}

/** In batches: an await for every line would take longer than the line. */
async function* lines(bytes: AsyncIterable<Uint8Array>, limits: CsvLimits): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = '';
  let count = 0;
  let total = 0;
  try {
    for await (const piece of bytes) {
      total += piece.length;
      if (total > limits.bytes) throw new CsvError(`it is larger than ${limits.bytes} bytes unpacked`);
      const batch = (rest + decoder.decode(piece, { stream: true })).split('\n');
      rest = batch.pop()!;
      if (rest.length > limits.lineBytes) throw tooLong(count + batch.length + 1, limits);
      count += batch.length;
      yield batch.map(clean);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('Z_')) {
      throw new CsvError('it is damaged: the gzip data cannot be unpacked');
    }
    throw error;
  }
  if (rest !== '') yield [clean(rest)];
}

const tooLong = (line: number, limits: CsvLimits): CsvError =>
  new CsvError(`line ${line} is longer than ${limits.lineBytes} characters`);

const clean = (text: string): string => text.replace(/^\uFEFF/, '').trim();

function split(text: string): string[] {
  if (!text.includes('"')) return text.split(',');
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') {
      if (isQuoted && text[i + 1] === '"') cell += text[++i];
      else isQuoted = !isQuoted;
    } else if (character === ',' && !isQuoted) {
      cells.push(cell);
      cell = '';
    } else cell += character;
  }
  return [...cells, cell];
}

/** NaN for what is not a plain finite decimal number. */
export function toNumber(cell: string | undefined): number {
  if (cell === undefined) return NaN;
  const text = cell.trim();
  const value = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?$/.test(text) ? Number(text) : NaN;
  return Number.isFinite(value) ? value : NaN;
}

const shown = (cell: string | undefined): string =>
  cell === undefined ? 'no such column' : JSON.stringify(cell.trim().slice(0, 40));
const listed = (cells: readonly string[]): string =>
  cells
    .slice(0, 20)
    .map((cell) => JSON.stringify(cell.trim().slice(0, 40)))
    .join(', ');
