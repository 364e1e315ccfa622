/** Text in columns, wide characters counted as two. The last column is left as it is, or wrapped to the width given. */
import stringWidth from 'string-width';

export function table(
  rows: readonly (readonly string[])[],
  options: { readonly width?: number; readonly indent?: string } = {},
): string {
  const { indent = '', width = Infinity } = options;
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns - 1 }, (_, column) =>
    Math.max(...rows.map((row) => stringWidth(row[column] ?? ''))),
  );
  const before = stringWidth(indent) + widths.reduce((sum, each) => sum + each + gap.length, 0);
  const lines = rows.flatMap((row) => {
    const [first = '', ...rest] = wrap(row[columns - 1] ?? '', Math.max(minWrap, width - before));
    const cells = widths.map((each, column) => pad(row[column] ?? '', each));
    return [indent + [...cells, first].join(gap), ...rest.map((line) => ' '.repeat(before) + line)];
  });
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

/** Breaks at spaces; a word longer than the width stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && stringWidth(line) + 1 + stringWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

const gap = '  ';
const minWrap = 30;

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - stringWidth(text)));
