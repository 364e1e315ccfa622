/** A table as words and numbers, for every output that can show one: terminal, Markdown, HTML. How it looks is up to each output. */

export interface DataTable {
  readonly title: string;
  /** How to read it. */
  readonly about: string;
  readonly columns: readonly DataColumn[];
}

export interface DataColumn {
  readonly header: string;
  readonly align: 'left' | 'right';
  readonly cells: readonly string[];
  /** Which columns go first where space is short; absent: it stays. */
  readonly dropOrder?: number;
  /** Before it goes, it gets shorter. */
  readonly short?: { readonly order: number; readonly cells: readonly string[] };
}

export const rowCount = ({ columns }: DataTable): number => columns[0]?.cells.length ?? 0;

/** Columns with something in them: a row of zeros tells nothing that its absence does not. */
export const unlessEmpty = (column: DataColumn, isEmpty: (cell: string) => boolean): DataColumn[] =>
  column.cells.every(isEmpty) ? [] : [column];
