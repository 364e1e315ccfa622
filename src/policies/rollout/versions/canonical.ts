/** One text for one content: JSON with sorted keys and nothing between, so that equal contents have equal addresses.
 *
 *  After RFC 8785 (JSON Canonicalization Scheme), without its rules for numbers beyond what JSON.stringify does. */
import { InputError } from '../../../core/errors.ts';
import { sha256 } from '../../shared/sha256.ts';

/** Plain data: what JSON can hold. */
export type Content = null | boolean | number | string | readonly Content[] | { readonly [key: string]: Content };

export function canonical(content: Content): string {
  if (typeof content === 'number' && !Number.isFinite(content))
    throw InputError.of('bad-value', `${content} cannot be part of a configuration`);
  if (typeof content !== 'object' || content === null) return JSON.stringify(content);
  if (isList(content)) return `[${content.map(canonical).join(',')}]`;
  const entries = Object.keys(content)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(content[key])}`);
  return `{${entries.join(',')}}`;
}

/** The address of a content: its SHA-256. */
export const addressOf = (content: Content): string => sha256(canonical(content));

export const isList = (content: Content): content is readonly Content[] => Array.isArray(content);
