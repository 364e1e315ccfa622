/** What differs between two contents, by path. Lists are compared place by place. */
import { type Content, canonical, isList } from './canonical.ts';

export interface Change {
  /** Keys and places, as in `services.web.replicas` and `zones.0`. */
  readonly path: string;
  /** Undefined: it was not there. */
  readonly before: Content | undefined;
  /** Undefined: it is not there any more. */
  readonly after: Content | undefined;
}

/** In order of paths. */
export function diff(before: Content | undefined, after: Content | undefined, path = ''): readonly Change[] {
  const [old, now] = [membersOf(before), membersOf(after)];
  const isSameKind = old !== undefined && now !== undefined && isListed(before) === isListed(after);
  if (!isSameKind) return isEqual(before, after) ? [] : [{ path, before, after }];
  const keys = [...new Set([...old.keys(), ...now.keys()])];
  if (!isListed(before)) keys.sort();
  return keys.flatMap((key) => diff(old.get(key), now.get(key), path === '' ? key : `${path}.${key}`));
}

function membersOf(content: Content | undefined): ReadonlyMap<string, Content> | undefined {
  if (typeof content !== 'object' || content === null) return undefined;
  return new Map(Object.entries(content as { readonly [key: string]: Content }));
}

const isListed = (content: Content | undefined): boolean => content !== undefined && content !== null && isList(content);

const isEqual = (a: Content | undefined, b: Content | undefined): boolean =>
  a === undefined || b === undefined ? a === b : canonical(a) === canonical(b);
