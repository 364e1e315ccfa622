/** zod's complaints in our words. zod knows paths but no places, and of a union only that nothing fits; here the branch is found that
 *  the writer had in mind, misspelt keys get their suggestion, and what merely follows from them is left out. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import { keyHint, knownHint, nearest } from './hints.ts';
import { nodeAt, toPlain, type Node } from './node.ts';

/** What our own checks attach to a zod issue. */
export interface ComplaintParams {
  readonly issue: string;
  readonly hint?: string;
  /** A map or list where a scalar belongs: this branch of a union was not meant. */
  readonly isWrongKind: boolean;
}

export interface Complaint {
  readonly code: string;
  readonly path: Path;
  readonly message: string;
  readonly hint?: string;
  /** Underline this key of the map at `path`, not its value. */
  readonly key?: string;
}

const knownKeysPrefix = 'known keys: ';
/** zod's issue for unknown keys does not say which ones are known, but lets the schema choose the message. */
export const knownKeysMessage = (known: readonly string[]): string => knownKeysPrefix + known.join(' ');
const knownKeys = (message: string): string[] =>
  message.startsWith(knownKeysPrefix) ? message.slice(knownKeysPrefix.length).split(' ') : [];

/** `root` is the value that was checked. */
export function complaintsOf(issues: readonly z.core.$ZodIssue[], root: Node): Complaint[] {
  const complaints = issues.flatMap((issue) => translate(issue, [], root));
  const unknown = complaints.filter(({ code }) => code === 'unknown-key');
  return complaints.filter(
    ({ code, path, key }) =>
      code !== 'missing-key' ||
      !unknown.some((other) => other.key !== undefined && samePath(other.path, path) && nearest(other.key, [key!]) !== undefined),
  );
}

function translate(issue: z.core.$ZodIssue, base: Path, root: Node): Complaint[] {
  const path: Path = [...base, ...(issue.path as Path)];
  const found = nodeAt(root, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, knownKeys(issue.message)));
  if (found === undefined) return [missingKey(issue, path)];
  switch (issue.code) {
    case 'custom': {
      const { issue: code, hint } = issue.params as unknown as ComplaintParams;
      return [{ code, path, message: issue.message, ...(hint === undefined ? {} : { hint }) }];
    }
    case 'invalid_union':
      return 'discriminator' in issue && issue.discriminator !== undefined
        ? [unknownKind(issue, path, found)]
        : fittingBranch(issue, path, root, found);
    case 'invalid_type':
      return [
        {
          code: 'wrong-type',
          path,
          message: `expected ${kindNames[issue.expected] ?? issue.expected}, found ${show(toPlain(found))}`,
        },
      ];
    case 'too_small':
      return [
        { code: 'too-few', path, message: issue.minimum === 1 ? 'must not be empty' : `needs at least ${issue.minimum} entries` },
      ];
    case 'too_big':
      return [{ code: 'too-many', path, message: `has more than ${issue.maximum} entries` }];
    default:
      return [{ code: 'invalid', path, message: issue.message }];
  }
}

const kindNames: Readonly<Record<string, string>> = { object: 'a map', record: 'a map', array: 'a list', string: 'a text' };

function unknownKey(key: string, path: Path, known: readonly string[]): Complaint {
  return { code: 'unknown-key', path, key, message: `unknown key ${show(key)}`, hint: keyHint(key, known) };
}

function missingKey(issue: z.core.$ZodIssue, path: Path): Complaint {
  const key = String(path.at(-1));
  const hint =
    issue.code === 'custom'
      ? (issue.params as unknown as ComplaintParams).hint
      : issue.code === 'invalid_union' && 'options' in issue
        ? `one of ${(issue.options as readonly unknown[]).join(', ')}`
        : issue.code === 'invalid_union'
          ? issue.message
          : issue.code === 'invalid_type'
            ? `expected ${kindNames[issue.expected] ?? issue.expected}`
            : undefined;
  return {
    code: 'missing-key',
    path: path.slice(0, -1),
    key,
    message: `missing key ${JSON.stringify(key)}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** A wrong `type:` of a discriminated union. */
function unknownKind(issue: z.core.$ZodIssueInvalidUnion, path: Path, found: Node): Complaint {
  const options = 'options' in issue ? (issue.options as readonly unknown[]).map(String) : [];
  const value = toPlain(found);
  return {
    code: `unknown-${String(path.at(-1))}`,
    path,
    message: `unknown ${String(path.at(-1))} ${show(value)}`,
    hint: knownHint(typeof value === 'string' ? value : '', options),
  };
}

/** The complaints of the branch whose kind fits the value. */
function fittingBranch(issue: z.core.$ZodIssueInvalidUnion, path: Path, root: Node, found: Node): Complaint[] {
  const branch = issue.errors.find((issues) => !issues.some((inner) => isWrongKind(inner)));
  if (branch !== undefined) return branch.flatMap((inner) => translate(inner, path, root));
  return [{ code: 'wrong-type', path, message: `${issue.message}, found ${show(toPlain(found))}` }];
}

function isWrongKind(issue: z.core.$ZodIssue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_type') return true;
  return issue.code === 'custom' && (issue.params as unknown as ComplaintParams).isWrongKind;
}

const samePath = (a: Path, b: Path): boolean => a.length === b.length && a.every((step, index) => step === b[index]);
