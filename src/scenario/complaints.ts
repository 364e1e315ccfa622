/** Everything that is wrong with one scenario, as it is found. Checks report and go on, so that one look shows all of it. */
import type { z } from 'zod';
import { formatPath, type Issue, type Path } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import type { TextIssue } from './document.ts';
import { locate, locateKey, nodeAt, toPlain, type Node, type Span } from './node.ts';
import type { Source } from './source.ts';
import { complaintsOf, type Complaint } from './zod-issues.ts';

/** Nobody reads more, and a file can be wrong in very many places. */
const maxIssues = 1000;

const maxEntries = 10_000;

interface Found {
  readonly issues: Issue[];
  readonly seen: Set<string>;
}

export class Complaints {
  readonly source: Source;
  readonly root: Node;
  readonly #context: string;
  readonly #found: Found;

  /** `context` ends the sentences: ` (in variant "slots=2")`. What is found is shared by all who look at the same file. */
  constructor(source: Source, root: Node, found: Found = { issues: [], seen: new Set() }, context = '') {
    this.source = source;
    this.root = root;
    this.#found = found;
    this.#context = context;
  }

  /** For a variant of the same file. */
  within(root: Node, context: string): Complaints {
    return new Complaints(this.source, root, this.#found, context);
  }

  error(code: string, path: Path, message: string, hint?: string): void {
    this.add({ code, path, message, ...(hint === undefined ? {} : { hint }) });
  }

  warn(code: string, path: Path, message: string, hint?: string): void {
    this.add({ code, path, message, ...(hint === undefined ? {} : { hint }) }, 'warning');
  }

  add({ code, path, message, hint, key }: Complaint, severity: Issue['severity'] = 'error'): void {
    const { issues, seen } = this.#found;
    // The same complaint about the same place comes back with every variant that has it.
    const identity = `${code} ${formatPath(path)} ${message}`;
    if (seen.has(identity) || issues.length >= maxIssues) return;
    seen.add(identity);
    const { span, from } = key === undefined ? locate(this.root, path) : locateKey(this.root, path, key);
    issues.push({
      ...{ severity, code, path, message: message + (from === undefined ? this.#context : ` (from ${from})`) },
      ...(hint === undefined ? {} : { hint }),
      ...(from === undefined ? { place: this.source.place(span) } : {}),
    });
  }

  /** About another file, which this one names. */
  addElsewhere(issue: Issue): void {
    const { issues, seen } = this.#found;
    const { code, message, place } = issue;
    const identity = `${code} ${place?.file}:${place?.line}:${place?.column} ${message}`;
    if (seen.has(identity) || issues.length >= maxIssues) return;
    seen.add(identity);
    issues.push(issue);
  }

  /** The value at `path` if it has the schema's shape; complaints otherwise. */
  check<Schema extends z.ZodType>(schema: Schema, path: Path): z.output<Schema> | undefined {
    const node = nodeAt(this.root, path);
    if (node === undefined) return undefined;
    const result = schema.safeParse(toPlain(node));
    if (result.success) return result.data;
    for (const complaint of complaintsOf(result.error.issues, node))
      this.add({ ...complaint, path: [...path, ...complaint.path] });
    return undefined;
  }

  has(path: Path): boolean {
    return nodeAt(this.root, path) !== undefined;
  }

  /** Entries of the list at `path`, so that each can be checked by itself; 0 after complaints. */
  listLength(
    path: Path,
    what: string,
    { hint, mayBeEmpty = false }: { readonly hint?: string; readonly mayBeEmpty?: boolean } = {},
  ): number {
    const node = nodeAt(this.root, path);
    if (node === undefined) return 0;
    if (node.kind !== 'list') this.error('wrong-type', path, `expected a list of ${what}, found ${show(toPlain(node))}`, hint);
    else if (node.items.length === 0 && !mayBeEmpty) this.error('too-few', path, 'must not be empty', hint);
    else if (node.items.length > maxEntries) this.error('too-many', path, `has more than ${maxEntries} entries`);
    else return node.items.length;
    return 0;
  }

  get hasErrors(): boolean {
    return this.#found.issues.some(({ severity }) => severity === 'error');
  }
  /** Those about other files come last. */
  get all(): readonly Issue[] {
    const isElsewhere = ({ place }: Issue): boolean => place !== undefined && place.file !== this.source.file;
    const { issues } = this.#found;
    return [...sortIssues(issues.filter((issue) => !isElsewhere(issue))), ...sortIssues(issues.filter(isElsewhere))];
  }
}

export function textIssue(source: Source, { span, ...issue }: TextIssue, from?: string): Issue {
  const message = from === undefined ? issue.message : `${issue.message} (from ${from})`;
  return { severity: 'error', ...issue, message, ...(from === undefined ? { place: source.place(span) } : {}) };
}

export function placedIssue(source: Source, code: string, span: Span, message: string, hint?: string): Issue {
  return { severity: 'error', code, path: [], message, ...(hint === undefined ? {} : { hint }), place: source.place(span) };
}

/** By place; errors before warnings at the same one; what has no place first. */
export function sortIssues(issues: readonly Issue[]): Issue[] {
  const rank = ({ place }: Issue): number => (place === undefined ? 0 : place.line * 100_000 + Math.min(place.column, 99_999));
  return issues.toSorted((a, b) => rank(a) - rank(b) || (a.severity === b.severity ? 0 : a.severity === 'error' ? -1 : 1));
}
