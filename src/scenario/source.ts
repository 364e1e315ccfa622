/** A text with its name and lines: turns offsets into places. */
import type { Place } from '../core/issue.ts';
import type { Span } from './node.ts';

export class Source {
  readonly file: string;
  readonly text: string;
  readonly #lineStarts: number[] = [0];

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) this.#lineStarts.push(at + 1);
  }

  place({ start, end }: Span): Place {
    const at = Math.min(start, this.text.length);
    const line = this.lineOf(at);
    const lineStart = this.#lineStarts[line - 1];
    // What goes over several lines is underlined on its first.
    const lineEnd = (this.#lineStarts[line] ?? this.text.length + 1) - 1;
    const shownEnd = this.text.slice(at, Math.min(end, lineEnd)).trimEnd().length;
    return { file: this.file, line, column: at - lineStart + 1, length: Math.max(1, shownEnd) };
  }

  /** 1-based. */
  lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#lineStarts[middle] <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}
