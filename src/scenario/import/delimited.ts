/** Tables of requests as CSV, with commas, semicolons or tabs between the cells. The first line names the columns, unless all columns
 *  are chosen by number from 1. Quotes are understood; line breaks within them are not. Lines that start with `#` are comments. */
import { emptyRecord, type LineReader } from './access-record.ts';
import { Columns, noSuchColumns, slotCount, slots, type ColumnChoice, type Meaning } from './columns.ts';
import type { LocalZone } from './local-zone.ts';

export function delimitedReader(zone: LocalZone, choice: ColumnChoice, file: string): LineReader {
  const columns = new Columns(choice, zone);
  const values: string[] = Array(slotCount).fill('');
  const names: string[] = Array(slotCount).fill('');
  /** Cell of each slot; −1 for none. */
  let cellOf: Int32Array | undefined;
  let separator = ',';
  const isByNumber = Object.keys(choice).length > 0 && Object.values(choice).every(({ column }) => /^[1-9]\d{0,3}$/.test(column));

  const open = (header: readonly string[]): Int32Array => {
    const missing = columns.missing(header);
    if (missing.length > 0) throw noSuchColumns(missing, header, file);
    const best: (Meaning & { readonly cell: number })[] = [];
    for (const [cell, name] of header.entries()) {
      const meaning = columns.meaningOf(name);
      if (meaning === undefined || meaning.rank >= (best[meaning.slot]?.rank ?? Infinity)) continue;
      best[meaning.slot] = { ...meaning, cell };
      names[meaning.slot] = name;
    }
    if (best[slots.time] === undefined) throw noSuchColumns(['time'], header, file);
    return Int32Array.from({ length: slotCount }, (_, slot) => best[slot]?.cell ?? -1);
  };

  return (line, record) => {
    if (line.startsWith('#')) return false;
    const isFirst = cellOf === undefined;
    if (isFirst) separator = separatorOf(line);
    const cells = splitCells(line, separator);
    if (isFirst) {
      const header = cells.map((cell, index) => (isByNumber ? String(index + 1) : cell.trim()));
      cellOf = open(header);
      // Without names the first line may be a header all the same; then it holds no time.
      if (!isByNumber || typeof take(cells, emptyRecord()) === 'string') return false;
    }
    return take(cells, record);
  };

  function take(cells: readonly string[], record: Parameters<LineReader>[1]): true | string {
    for (let slot = 0; slot < slotCount; slot++) {
      const cell = cellOf![slot];
      values[slot] = cell === -1 ? '' : (cells[cell] ?? '').trim();
    }
    return columns.fill(values, names, record);
  }
}

/** The one that stands most often in the first line. */
function separatorOf(line: string): string {
  const counts = [',', ';', '\t'].map((sign) => ({ sign, count: line.split(sign).length }));
  return counts.reduce((best, each) => (each.count > best.count ? each : best)).sign;
}

function splitCells(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator);
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const character = line[i];
    if (character === '"') {
      if (isQuoted && line[i + 1] === '"') cell += line[++i];
      else isQuoted = !isQuoted;
    } else if (character === separator && !isQuoted) {
      cells.push(cell);
      cell = '';
    } else cell += character;
  }
  return [...cells, cell];
}
