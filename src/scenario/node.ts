/** A document as a tree that knows where everything stands, free of YAML. Texts from the command line (`--set`) make such trees too;
 *  their nodes name where they come from instead of a place in the file. */
import type { Path } from '../core/issue.ts';

/** Offsets into the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface Placed {
  readonly span: Span;
  /** `--set`, when it does not stand in the file. */
  readonly from?: string;
  /** Values in it, itself included, every alias counted as often as it is used. */
  readonly size: number;
  readonly depth: number;
}
export type Scalar = string | number | boolean | null;
export interface ScalarNode extends Placed {
  readonly kind: 'scalar';
  readonly value: Scalar;
}
export interface ListNode extends Placed {
  readonly kind: 'list';
  readonly items: readonly Node[];
}
export interface MapNode extends Placed {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
}
export interface MapEntry {
  readonly keySpan: Span;
  readonly value: Node;
}
export type Node = ScalarNode | ListNode | MapNode;

export type Plain = Scalar | readonly Plain[] | { readonly [key: string]: Plain };

/** The values alone. */
export function toPlain(node: Node): Plain {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toPlain);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, toPlain(value)]));
}

export function childOf(node: Node, step: string | number): Node | undefined {
  if (node.kind === 'map') return node.entries.get(String(step))?.value;
  return node.kind === 'list' && typeof step === 'number' ? node.items[step] : undefined;
}

export function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root;
  for (const step of path) node = node === undefined ? undefined : childOf(node, step);
  return node;
}

/** What to underline for a path: the value; for what is not there, the nearest thing around it that is, by its key if it has one. */
export function locate(root: Node, path: Path): { readonly span: Span; readonly from?: string } {
  let node = root;
  let keySpan: Span | undefined;
  for (const [index, step] of path.entries()) {
    const child = childOf(node, step);
    if (child === undefined) return { ...placeOf(node), ...(keySpan === undefined ? firstWord(node) : { span: keySpan }) };
    keySpan = node.kind === 'map' ? node.entries.get(String(step))?.keySpan : undefined;
    node = child;
    // An empty value has nothing to underline; its key has.
    if (index === path.length - 1 && node.span.start === node.span.end && keySpan !== undefined)
      return { ...placeOf(node), span: keySpan };
  }
  return placeOf(node);
}

/** What to underline for a key of the map at `path`. */
export function locateKey(root: Node, path: Path, key: string): { readonly span: Span; readonly from?: string } {
  const node = nodeAt(root, path);
  const entry = node?.kind === 'map' ? node.entries.get(key) : undefined;
  return entry === undefined ? locate(root, path) : { ...placeOf(entry.value), span: entry.keySpan };
}

const placeOf = (node: Node): { span: Span; from?: string } => ({
  span: node.span,
  ...(node.from === undefined ? {} : { from: node.from }),
});

function firstWord(node: Node): { span: Span } {
  const first = node.kind === 'map' ? node.entries.values().next().value : undefined;
  return { span: first === undefined ? node.span : first.keySpan };
}

/** Measures of a collection from those of its children. */
export function measure(children: Iterable<Node>): { size: number; depth: number } {
  let size = 1;
  let depth = 0;
  for (const child of children) {
    size += child.size;
    depth = Math.max(depth, child.depth);
  }
  return { size, depth: depth + 1 };
}
