/** A table for terminals: columns as wide as their content. When the line is too long, cells get shorter and columns go, in the order
 *  the columns ask for. */
import stringWidth from 'string-width';

export interface TextColumn {
  readonly header: string;
  readonly align: 'left' | 'right';
  readonly cells: readonly string[];
  /** Paints a padded cell; gets the row. */
  readonly paint?: (text: string, row: number) => string;
  /** What happens to this column when space is short: shorter cells, or none at all. */
  readonly giveWay?: readonly GiveWay[];
  /** Width to which cells may be cut. */
  readonly shrinkTo?: number;
}

/** Steps of all columns are taken in the order of `order`, until the line fits. */
export interface GiveWay {
  readonly order: number;
  /** Absent: the column is dropped. */
  readonly cells?: readonly string[];
}

const gap = '   ';

export function textTable(
  all: readonly TextColumn[],
  width: number,
  ellipsis: string,
  paintHeader: (text: string) => string,
): string[] {
  const columns = shrink(giveWay(all, width), width, ellipsis);
  const rows = columns[0]?.cells.length ?? 0;
  const widths = columns.map(columnWidth);
  // The last column needs no padding: spaces at the end of a line only wrap it on a narrow terminal.
  const pads = columns.map((_, index) => (index === columns.length - 1 ? 0 : widths[index]!));
  const line = (cell: (column: TextColumn, index: number) => string): string => ` ${columns.map(cell).join(gap)}`.trimEnd();
  const padded = (text: string, { align }: TextColumn, index: number): string =>
    pad(text, align === 'left' ? pads[index]! : widths[index]!, align);
  return [
    line((column, index) => paintHeader(padded(column.header, column, index))),
    ...Array.from({ length: rows }, (_, row) =>
      line((column, index) => {
        const text = padded(column.cells[row]!, column, index);
        return column.paint === undefined ? text : column.paint(text, row);
      }),
    ),
  ];
}

/** Width of the line when no column gives way. */
export const naturalWidth = (columns: readonly TextColumn[]): number =>
  1 + columns.reduce((sum, column) => sum + columnWidth(column), 0) + gap.length * (columns.length - 1);

/** Cuts a text to a width in terminal cells. */
export function cut(text: string, width: number, ellipsis: string): string {
  if (stringWidth(text) <= width) return text;
  const room = width - stringWidth(ellipsis);
  let kept = '';
  for (const character of text) {
    if (stringWidth(kept + character) > room) break;
    kept += character;
  }
  return kept.trimEnd() + ellipsis;
}

/** Breaks a text at spaces, but not inside parentheses and not before a unit; the lines after the first are indented. What has no such
 *  space stays whole, so that it can be copied. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(breakable)) {
    if (line !== '' && stringWidth(line) + 1 + stringWidth(word) > width) {
      lines.push(line);
      line = indent + word.trimStart();
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const breakable = / (?! )(?![^()]*\))(?!(?:ms|µs|us|s|%|pp|\/s)(?:[\s.,;:]|$))/;

const columnWidth = (column: TextColumn): number =>
  Math.max(...[column.header, ...column.cells].map((text) => stringWidth(text)));

const totalWidth = (columns: readonly TextColumn[]): number =>
  columns.reduce((sum, column) => sum + columnWidth(column) + gap.length, 1 - gap.length);

function giveWay(columns: readonly TextColumn[], width: number): readonly TextColumn[] {
  const steps = columns.flatMap((column, index) => (column.giveWay ?? []).map((step) => ({ ...step, index })));
  const kept: (TextColumn | undefined)[] = [...columns];
  const present = (): TextColumn[] => kept.filter((column) => column !== undefined);
  for (const { cells, index } of steps.sort((a, b) => a.order - b.order)) {
    if (totalWidth(present()) <= width) break;
    kept[index] = cells === undefined ? undefined : { ...columns[index]!, cells };
  }
  return present();
}

function shrink(columns: readonly TextColumn[], width: number, ellipsis: string): readonly TextColumn[] {
  let excess = totalWidth(columns) - width;
  if (excess <= 0) return columns;
  return columns.map((column) => {
    if (column.shrinkTo === undefined || excess <= 0) return column;
    const now = columnWidth(column);
    const target = Math.max(column.shrinkTo, now - excess);
    excess -= Math.max(0, now - target);
    return {
      ...column,
      header: cut(column.header, target, ellipsis),
      cells: column.cells.map((cell) => cut(cell, target, ellipsis)),
    };
  });
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'left' ? text + space : space + text;
}
