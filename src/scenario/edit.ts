/** Changing one value of a scenario by its path, as `--set services.api.slots=8` and `compare` do. */
import type { Path } from '../core/issue.ts';
import { formatPath } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import { nearest } from './hints.ts';
import { childOf, measure, toPlain, type ListNode, type MapEntry, type MapNode, type Node, type Span } from './node.ts';
import { isRole } from './roles.ts';

/** `services.api.slots`, `traffic[0].timeout` or `traffic.0.timeout`, `services["my api"]`: the form `formatPath` writes. Undefined if it
 *  is none. */
export function parsePath(text: string): Path | undefined {
  const steps: (string | number)[] = [];
  let rest = text;
  while (rest !== '') {
    const [whole, word, index, quoted] = /^(?:\.?([A-Za-z0-9_][\w-]*)|\[(\d{1,9})\]|\[("(?:[^"\\]|\\.)*")\])/.exec(rest) ?? [];
    if (whole === undefined) return undefined;
    // A dot stands between a word and what is before it, and nowhere else.
    const needsDot = word !== undefined && steps.length > 0;
    if (whole.startsWith('.') !== needsDot) return undefined;
    const step = word ?? (index === undefined ? unquote(quoted!) : Number(index));
    if (step === undefined || step === '__proto__' || step === 'constructor' || step === 'prototype') return undefined;
    steps.push(step);
    rest = rest.slice(whole.length);
  }
  return steps.length === 0 ? undefined : steps;
}

/** The same for a setting: `autoscaler.min` is `policies.autoscaler.min`. */
export function settingPath(text: string): Path | undefined {
  const path = parsePath(text);
  return path !== undefined && isRole(String(path[0])) ? ['policies', ...path] : path;
}

function unquote(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}

export type Edit = { readonly root: Node } | { readonly problem: string; readonly hint?: string };

/** The document with another value at `path`. Keys that are not written are added, and judged later like all others; list entries and
 *  services must exist. `keySpan` is where a new key is underlined. */
export function setAt(root: Node, path: Path, value: Node, keySpan: Span = value.span): Edit {
  return replace(root, path, 0, { keySpan, value });
}

function replace(node: Node, path: Path, depth: number, entry: MapEntry): Edit {
  if (depth === path.length) return { root: entry.value };
  const step = path[depth];
  const here = formatPath(path.slice(0, depth)) || 'the scenario';
  const collection = asCollection(node, path, depth);
  if (collection === undefined) return { problem: `${here} is ${show(toPlain(node))}: there is no ${show(String(step))} in it` };
  if (collection.kind === 'list') {
    const index = indexOf(step);
    const item = index === undefined ? undefined : collection.items[index];
    if (index === undefined || item === undefined) {
      const count = collection.items.length;
      return {
        problem: `there is no ${formatPath([...path.slice(0, depth), index ?? step])}`,
        hint: count === 0 ? `${here} is empty` : `${here} has entries 0 to ${count - 1}`,
      };
    }
    const edit = replace(item, path, depth + 1, entry);
    return 'problem' in edit ? edit : { root: withItem(collection, index, edit.root) };
  }
  const key = String(step);
  const child = childOf(collection, key);
  if (child === undefined && depth === 1 && path[0] === 'services') {
    const near = nearest(key, collection.entries.keys());
    const hint =
      near === undefined
        ? `known: ${[...collection.entries.keys()].join(', ')}`
        : `did you mean ${formatPath(['services', near])}?`;
    return { problem: `there is no service ${show(key)}`, hint };
  }
  const next = path[depth + 1];
  // Keys are added, entries of lists are not: what the others would be, nobody has said.
  if (child === undefined && next !== undefined && indexOf(next) !== undefined) {
    const list = formatPath(path.slice(0, depth + 1));
    return {
      problem: `${list} is not written in the file, so it has no entry ${next}`,
      hint: `write the list in the file, or set ${list} as a whole`,
    };
  }
  const edit = replace(child ?? emptyMap(entry.value), path, depth + 1, entry);
  return 'problem' in edit ? edit : { root: withEntry(collection, key, edit.root, entry.keySpan) };
}

/** `[0]`, or `.0` as other tools write it. */
const indexOf = (step: string | number): number | undefined =>
  typeof step === 'number' ? step : /^\d{1,9}$/.test(step) ? Number(step) : undefined;

/** A policy by its bare name is short for a map with `use`, a call by that of its service for a map with `to`. */
function asCollection(node: Node, path: Path, depth: number): MapNode | ListNode | undefined {
  if (node.kind !== 'scalar') return node;
  const [around, last] = path.slice(Math.max(0, depth - 2), depth);
  const isPolicy =
    (around === 'policies' && isRole(String(last))) || (path[0] === 'compare' && depth === 3 && isRole(String(path[1])));
  const isCall = path[0] === 'services' && (around === 'calls' || around === 'parallel') && typeof last === 'number';
  if ((!isPolicy && !isCall) || typeof node.value !== 'string') return undefined;
  return withEntry(emptyMap(node), isPolicy ? 'use' : 'to', node, node.span);
}

const emptyMap = (like: Node): MapNode => ({
  ...{ kind: 'map', entries: new Map(), span: like.span, size: 1, depth: 1 },
  ...(like.from === undefined ? {} : { from: like.from }),
});

/** A key that was not there is underlined where the change was asked for. */
function withEntry(map: MapNode, key: string, value: Node, keySpan: Span): MapNode {
  const entries = new Map(map.entries);
  entries.set(key, { keySpan: map.entries.get(key)?.keySpan ?? keySpan, value });
  return { ...map, entries, ...measure(Array.from(entries.values(), (entry) => entry.value)) };
}

function withItem(list: ListNode, index: number, value: Node): ListNode {
  const items = list.items.with(index, value);
  return { ...list, items, ...measure(items) };
}
