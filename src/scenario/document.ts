/** Text to tree: YAML 1.2 (and so JSON) with everything refused that means trouble further on: nesting without end, aliases that
 *  explode or go in circles, duplicate and poisonous keys, tags, several documents, numbers that are none.
 *
 *  The parser of `yaml` works with a stack of its own and is safe at any depth; its composer recurses, and deep enough input has been
 *  seen to abort Node. So the stack is watched while parsing, and only what stays within `maxDepth` is composed. */
import { Composer, isAlias, isMap, isScalar, isSeq, Lexer, Parser, type CST, type Document, type Node as YamlNode } from 'yaml';
import type { Path } from '../core/issue.ts';
import { nearest } from './hints.ts';
import { measure, type MapEntry, type Node, type Scalar, type Span } from './node.ts';
import type { Source } from './source.ts';

/** A complaint about the text, before anybody asks what it means. */
export interface TextIssue {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly span: Span;
  readonly path: Path;
}

export interface ParsedText {
  /** Absent when the text cannot be understood at all, or is empty. */
  readonly root?: Node;
  readonly issues: readonly TextIssue[];
}

export const maxDepth = 64;
/** A hundred times the longest scenario one would write by hand; what lies beyond would only cost time. */
const maxLexemes = 200_000;
const maxLines = 20_000;
/** Beyond this a scenario is not written by hand, and aliases that expand to more are an attack. */
const maxNodes = 200_000;
const maxIssues = 100;

/** `from` names what the text is when it does not stand in a file. */
export function parseText(source: Source, from?: string): ParsedText {
  const { text } = source;
  const forbidden = findForbiddenCharacters(text);
  if (forbidden.length > 0) return { issues: forbidden };
  const lastLine = source.lineOf(text.length);
  if (lastLine > maxLines) {
    const span = { start: text.length, end: text.length };
    return { issues: [{ code: 'too-large', message: `more than ${maxLines} lines`, span, path: [] }] };
  }
  const tokens = tokensOf(text);
  if (!Array.isArray(tokens)) return { issues: [tokens] };
  const documents = [
    ...new Composer({ uniqueKeys: false, version: '1.2', schema: 'core', logLevel: 'silent' }).compose(tokens, false),
  ];
  const issues = documents.flatMap(complaints);
  const [first, second] = documents;
  if (second !== undefined) {
    const start = second.range[0];
    issues.push({
      ...{ code: 'several-documents', message: 'one scenario per file: a second document starts here', path: [] },
      hint: 'move it to a file of its own',
      span: { start, end: start + 3 },
    });
  }
  if (issues.length > 0) return { issues: issues.slice(0, maxIssues) };
  if (first === undefined || first.contents === null) return { issues: [] };
  return new TreeBuilder(source, from).build(first.contents as YamlNode);
}

/** The tokens of the whole text, or the complaint that it is nested too deeply. */
function tokensOf(text: string): CST.Token[] | TextIssue {
  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) tokens.push(token);
    const span = { start: Math.max(0, parser.offset - lexeme.length), end: parser.offset };
    // Besides collections the stack holds the document and at most one scalar.
    if (parser.stack.length > maxDepth && parser.stack.filter(isCollection).length > maxDepth) {
      return { code: 'too-deep', message: `nesting deeper than ${maxDepth} levels`, span, path: [] };
    }
    if (++count > maxLexemes) return { code: 'too-large', message: 'far more text than a scenario has', span, path: [] };
  }
  for (const token of parser.end()) tokens.push(token);
  return tokens;
}

const isCollection = ({ type }: CST.Token): boolean => type === 'block-map' || type === 'block-seq' || type === 'flow-collection';

function complaints(document: Document.Parsed): TextIssue[] {
  const issues: TextIssue[] = [];
  let isLost = false;
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const span = { start: pos[0], end: pos[1] };
    if (code === 'TAG_RESOLVE_FAILED') issues.push(tagIssue(span));
    // After the first the parser has lost the thread, and what it says next follows from that.
    else if (isLost) continue;
    else issues.push({ code: 'syntax', ...(syntaxTexts[code] ?? { message: plainSentence(message) }), span, path: [] });
    isLost ||= code !== 'TAG_RESOLVE_FAILED' && code !== 'BAD_SCALAR_START' && code !== 'TAB_AS_INDENT';
  }
  const version = document.directives.yaml;
  if (version.explicit === true && version.version !== '1.2') {
    const span = { start: 0, end: 5 };
    issues.push({
      code: 'syntax',
      message: `YAML ${version.version} is not read`,
      hint: 'remove the %YAML line',
      span,
      path: [],
    });
  }
  return issues;
}

const syntaxTexts: Readonly<Partial<Record<string, { message: string; hint: string }>>> = {
  BAD_SCALAR_START: { message: 'a plain text cannot start with this character', hint: 'put it in quotes' },
  TAB_AS_INDENT: { message: 'a tab cannot indent', hint: 'use spaces' },
  BLOCK_AS_IMPLICIT_KEY: {
    message: 'a second "key:" on this line, or lines indented differently',
    hint: 'put a text with ": " in it in quotes; indent the keys of one map alike',
  },
  MULTILINE_IMPLICIT_KEY: { message: 'a key goes over several lines', hint: 'indent the keys of one map alike' },
};

const plainSentence = (message: string): string => {
  const text = message.split('\n', 1)[0].trim();
  return text.charAt(0).toLowerCase() + text.slice(1);
};

const tagIssue = (span: Span): TextIssue => ({
  ...{ code: 'unknown-tag', message: 'tags (!) have no meaning here', path: [] },
  hint: 'remove the tag, or quote the text',
  span,
});

const harmlessTags = new Set(['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`));
const poisonousKeys = new Set(['__proto__', 'constructor', 'prototype']);

class TreeBuilder {
  readonly #source: Source;
  readonly #issues: TextIssue[] = [];
  readonly #anchors = new Map<string, Node | 'open'>();
  readonly #from: { readonly from?: string };
  /** One complaint is enough when a document explodes. */
  #isOversized = false;

  constructor(source: Source, from: string | undefined) {
    this.#source = source;
    this.#from = from === undefined ? {} : { from };
  }

  build(contents: YamlNode): ParsedText {
    const root = this.#convert(contents, []);
    return this.#issues.length > 0 ? { issues: this.#issues.slice(0, maxIssues) } : { root, issues: [] };
  }

  #convert(node: YamlNode, path: Path): Node {
    if (isAlias(node)) return this.#followAlias(node.source, spanOf(node), path);
    const anchor = node.anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, 'open');
    const tree = this.#limited(this.#convertUnanchored(node, path), path);
    if (anchor !== undefined) this.#anchors.set(anchor, tree);
    return tree;
  }

  #convertUnanchored(node: YamlNode, path: Path): Node {
    const span = spanOf(node);
    if (node.tag !== undefined && !harmlessTags.has(node.tag)) this.#complain({ ...tagIssue(span), path });
    if (isSeq<YamlNode>(node)) {
      const items = node.items.map((item, index) => this.#convert(item, [...path, index]));
      return { kind: 'list', items, span, ...measure(items), ...this.#from };
    }
    if (isMap<YamlNode, YamlNode | null>(node)) {
      const entries = this.#convertEntries(node.items, path, span);
      return { kind: 'map', entries, span, ...measure(Array.from(entries.values(), ({ value }) => value)), ...this.#from };
    }
    return { ...this.#empty(span), value: isScalar(node) ? scalar(node.value, node.source) : null };
  }

  #convertEntries(pairs: readonly { key: YamlNode; value: YamlNode | null }[], path: Path, mapSpan: Span): Map<string, MapEntry> {
    const entries = new Map<string, MapEntry>();
    for (const { key, value } of pairs) {
      const keySpan = key === null ? mapSpan : spanOf(key);
      const name = this.#keyName(key, keySpan, path);
      const before = name === undefined ? undefined : entries.get(name);
      if (before !== undefined) {
        const lines = [before.keySpan, keySpan].map(({ start }) => this.#source.lineOf(start)).join(' and ');
        this.#complain({
          code: 'duplicate-key',
          message: `duplicate key ${JSON.stringify(name)}, lines ${lines}`,
          span: keySpan,
          path,
        });
      }
      const child =
        value === null ? this.#empty({ start: keySpan.end, end: keySpan.end }) : this.#convert(value, [...path, name ?? '?']);
      if (name !== undefined && before === undefined) entries.set(name, { keySpan, value: child });
    }
    return entries;
  }

  /** Undefined, and a complaint, for what cannot be a key. */
  #keyName(key: YamlNode | null, span: Span, path: Path): string | undefined {
    if (!isScalar(key) || key.value === null || (key.tag !== undefined && !harmlessTags.has(key.tag))) {
      this.#complain({ code: 'bad-key', message: 'keys are plain words', span, path });
      return undefined;
    }
    const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
    if (poisonousKeys.has(name)) {
      this.#complain({ code: 'forbidden-key', message: `the key ${JSON.stringify(name)} is not allowed`, span, path });
      return undefined;
    }
    if (name === '<<') {
      const hint = 'write the keys out, or put an alias in place of the whole value';
      this.#complain({ code: 'bad-key', message: 'merge keys (<<) are not part of YAML 1.2', hint, span, path });
      return undefined;
    }
    if (key.anchor !== undefined) this.#anchors.set(key.anchor, { ...this.#empty(span), value: name });
    return name;
  }

  #followAlias(name: string, span: Span, path: Path): Node {
    const target = this.#anchors.get(name);
    if (target === 'open') {
      this.#complain({ code: 'cyclic-alias', message: `cyclic reference: *${name} stands inside &${name}`, span, path });
    } else if (target === undefined) {
      const near = nearest(name, this.#anchors.keys());
      const hint = near === undefined ? 'set it before, with &' : `did you mean *${near}?`;
      this.#complain({ code: 'unknown-alias', message: `nothing is called &${name} before this`, hint, span, path });
    } else return target;
    return this.#empty(span);
  }

  /** The tree, or nothing in its place when it has grown beyond all measure. */
  #limited(tree: Node, path: Path): Node {
    if (tree.size <= maxNodes && tree.depth <= maxDepth) return tree;
    if (!this.#isOversized) {
      this.#isOversized = true;
      const what = tree.depth > maxDepth ? `nesting deeper than ${maxDepth} levels` : `more than ${maxNodes} values`;
      this.#complain({ code: 'too-large', message: `${what}, once aliases are expanded`, span: tree.span, path });
    }
    return this.#empty(tree.span);
  }

  #empty(span: Span): Node & { kind: 'scalar' } {
    return { kind: 'scalar', value: null, span, size: 1, depth: 0, ...this.#from };
  }

  #complain(issue: TextIssue): void {
    this.#issues.push(issue);
  }
}

function scalar(value: unknown, source: string | undefined): Scalar {
  if (typeof value === 'number') {
    // Digits beyond 2^53 would be lost; a seed may have them, and everything else complains about the text.
    if (Number.isInteger(value) && !Number.isSafeInteger(value) && source !== undefined) return source;
    return value === 0 ? 0 : value;
  }
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  return source ?? null;
}

function spanOf(node: YamlNode): Span {
  return node.range ? { start: node.range[0], end: node.range[1] } : { start: 0, end: 0 };
}

/** Control characters hide text from the reader of a file and of our messages. */
function findForbiddenCharacters(text: string): TextIssue[] {
  const issues: TextIssue[] = [];
  // oxlint-disable-next-line no-control-regex
  const pattern = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u0080-\u0084\u0086-\u009f\ufffe\uffff]|\r(?!\n)|\p{Surrogate}/gu;
  for (const match of text.matchAll(pattern)) {
    const code = match[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0');
    const bytes = new TextEncoder().encode(text.slice(0, match.index)).length;
    const message = `control character U+${code} at byte ${bytes}`;
    issues.push({ code: 'control-character', message, span: { start: match.index, end: match.index + 1 }, path: [] });
    if (issues.length === 5) break;
  }
  return issues;
}
