/** A configuration file of another system that a scenario names: its documents as trees, and complaints that point into it. */
import { dirname, isAbsolute, join } from 'node:path';
import { InputError } from '../../core/errors.ts';
import type { Issue, Path } from '../../core/issue.ts';
import type { Complaints } from '../complaints.ts';
import { textIssue } from '../complaints.ts';
import { reading } from '../data-error.ts';
import { decode } from '../decode.ts';
import type { Env } from '../distributions.ts';
import { parseText } from '../document.ts';
import type { Node, Span } from '../node.ts';
import { Source } from '../source.ts';

/** As for scenarios: nobody writes more by hand. A dump of a whole mesh is larger, and not what is meant here. */
const maxBytes = 1024 * 1024;

export class PastedFile {
  readonly source: Source;
  /** One per document. */
  readonly roots: readonly Node[];
  readonly #complaints: Complaints;

  constructor(source: Source, roots: readonly Node[], complaints: Complaints) {
    this.source = source;
    this.roots = roots;
    this.#complaints = complaints;
  }

  error(code: string, span: Span, message: string, hint?: string): void {
    this.#add('error', code, span, message, hint);
  }

  /** Something in the file that the simulation does without. */
  warn(code: string, span: Span, message: string, hint?: string): void {
    this.#add('warning', code, span, message, hint);
  }

  #add(severity: Issue['severity'], code: string, span: Span, message: string, hint: string | undefined): void {
    const place = this.source.place(span);
    this.#complaints.addElsewhere({ severity, code, path: [], message, place, ...(hint === undefined ? {} : { hint }) });
  }
}

/** Undefined after complaints. `path` is where the scenario names the file. */
export async function readPasted(file: string, path: Path, env: Env): Promise<PastedFile | undefined> {
  const { complaints } = env;
  // As one would name it from where the scenario is named from, so that the lines can be shown.
  const name = isAbsolute(file) ? file : join(dirname(complaints.source.file), file);
  const text = await reading(file, path, env, (absolutePath) => readText(absolutePath, name, env));
  if (text === undefined) return undefined;
  if (typeof text !== 'string') {
    for (const issue of text) complaints.addElsewhere(issue);
    return undefined;
  }
  const source = new Source(name, text);
  const roots: Node[] = [];
  let isReadable = true;
  for (const document of documentsOf(text)) {
    const { root, issues } = parseText(new Source(name, document));
    for (const issue of issues) complaints.addElsewhere(textIssue(source, issue));
    isReadable &&= issues.length === 0;
    if (root !== undefined) roots.push(root);
  }
  return isReadable ? new PastedFile(source, roots, complaints) : undefined;
}

/** The issues, where it is not text. */
async function readText(absolutePath: string, name: string, { data }: Env): Promise<string | readonly Issue[]> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of data.open(absolutePath)) {
    pieces.push(piece);
    length += piece.length;
    if (length > maxBytes) return InputError.of('too-large', `${name}: larger than ${maxBytes} bytes`).issues;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  try {
    return decode(bytes, name);
  } catch (error) {
    if (error instanceof InputError) return error.issues;
    throw error;
  }
}

/** Each document of the text by itself, everything else blanked out, so that places stay what they are. */
function documentsOf(text: string): readonly string[] {
  const documents: string[] = [];
  const marks = [...text.matchAll(/^(?:---(?=\s|$)|\.\.\.\s*$)/gm)];
  const ends = [...marks.map(({ index }) => index), text.length];
  let start = 0;
  for (const [number, end] of ends.entries()) {
    documents.push(blank(text.slice(0, start)) + text.slice(start, end) + blank(text.slice(end)));
    start = end + (marks[number]?.[0].length ?? 0);
  }
  return documents;
}

const blank = (text: string): string => text.replace(/[^\r\n]/g, ' ');
