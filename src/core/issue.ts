/** A user's mistake, as data. Code that checks input collects issues and goes on, so that one look reports all of them;
 *  how they are printed is the command line's business (`cli/issues.ts`). */

/** Path from the root of a document to a value: keys and zero-based positions. */
export type Path = readonly (string | number)[];

/** Where in a text: 1-based line and column, and how many characters to underline. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export interface Issue {
  readonly severity: 'error' | 'warning';
  /** Stable kebab-case kind, such as `unknown-key`; what tools may rely on. */
  readonly code: string;
  readonly path: Path;
  /** One sentence without the place: what was found and what was expected. */
  readonly message: string;
  /** What to write instead, where we can tell. */
  readonly hint?: string;
  readonly place?: Place;
}

/** `services.api.work`, `compare.balancer[2].use`; keys that are not plain words are quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}
