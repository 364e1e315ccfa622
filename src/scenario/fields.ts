/** Leaves of the scenario's schema: quantities, names, texts. Each accepts what `core/quantity.ts` reads and gives a number in one
 *  unit; each describes itself for editors. Their complaints travel through zod in `params` (see `zod-issues.ts`). */
import * as z from 'zod';
import {
  isProblem,
  parseCount,
  parseCpu,
  parseDate,
  parseDuration,
  parseFraction,
  parseMemory,
  parseNumber,
  parseRate,
  show,
  type Bounds,
  type Reading,
} from '../core/quantity.ts';
import { keyHint } from './hints.ts';
import type { Scalar } from './node.ts';
import { knownKeysMessage, type ComplaintParams } from './zod-issues.ts';

/** What editors show; `type`, `pattern` and so on are JSON Schema. */
interface Editor {
  readonly [keyword: string]: unknown;
}

/** A leaf: any scalar goes in, `read` decides. `expected` ends the sentence "expected …" when it is missing or not a scalar. */
function leaf<Value>(
  code: string,
  expected: string,
  editor: Editor,
  read: (found: Scalar) => { value: Value } | { problem: string; hint?: string },
) {
  return z
    .any()
    .meta(editor)
    .transform((found: unknown, context): Value => {
      const isMissing = found === undefined;
      const isScalar = found === null || typeof found !== 'object';
      const reading = isMissing || !isScalar ? undefined : read(found as Scalar);
      if (reading !== undefined && 'value' in reading) return reading.value;
      const params: ComplaintParams = {
        issue: isMissing ? 'missing-key' : isScalar ? code : 'wrong-type',
        ...(reading?.hint === undefined ? {} : { hint: reading.hint }),
        ...(isMissing ? { hint: `expected ${expected}` } : {}),
        isWrongKind: !isScalar,
      };
      context.addIssue({
        code: 'custom',
        message: reading?.problem ?? `expected ${expected}, found ${show(found)}`,
        params: { ...params },
        input: found,
      });
      return z.NEVER;
    });
}

const bounded = (read: (found: unknown, bounds: Bounds) => Reading, bounds: Bounds) => (found: Scalar) => {
  const reading = read(found, bounds);
  return isProblem(reading)
    ? { problem: reading.problem, ...(reading.hint === undefined ? {} : { hint: reading.hint }) }
    : reading;
};

export const durationPattern = '^\\d+(\\.\\d+)?(us|µs|ms|s|m|h|d)$';
/** In milliseconds. */
export const duration = (bounds: Bounds = { min: 0 }, example = '10s') =>
  leaf(
    'bad-duration',
    `a duration such as ${example}`,
    { type: 'string', pattern: durationPattern, examples: [example] },
    bounded(parseDuration, bounds),
  );
export const positiveDuration = (example = '10s') => duration({ min: 0, exclusiveMin: true }, example);

/** Infinity for `unlimited`. */
export const durationOrUnlimited = (example = '60s') =>
  leaf(
    'bad-duration',
    `a duration such as ${example}, or unlimited`,
    { anyOf: [{ type: 'string', pattern: durationPattern }, { const: 'unlimited' }], examples: [example] },
    (found) => (found === 'unlimited' ? { value: Infinity } : bounded(parseDuration, { min: 0, exclusiveMin: true })(found)),
  );

/** Per second. */
export const rate = (bounds: Bounds = { min: 0, exclusiveMin: true }) =>
  leaf(
    'bad-rate',
    'a rate such as 100/s',
    { type: 'string', pattern: '^\\d+(\\.\\d+)?[kM]?/(s|m|h|d)$', examples: ['100/s'] },
    bounded(parseRate, bounds),
  );

/** 0 to 1. */
export const fraction = (bounds: Bounds = {}) =>
  leaf(
    'bad-fraction',
    'a share such as 30%',
    {
      anyOf: [
        { type: 'string', pattern: '^\\d+(\\.\\d+)?%$' },
        { type: 'number', minimum: bounds.min ?? 0, maximum: bounds.max ?? 1 },
      ],
      examples: ['30%'],
    },
    bounded(parseFraction, bounds),
  );

export const count = (bounds: Bounds = { min: 1 }) =>
  leaf(
    'bad-count',
    `a whole number${bounds.min === undefined ? '' : ` from ${bounds.min}`}${bounds.max === undefined ? '' : ` to ${bounds.max}`}`,
    { type: 'integer', ...limits(bounds) },
    bounded(parseCount, bounds),
  );

export const number = (bounds: Bounds = { min: 0, exclusiveMin: true }) =>
  leaf('bad-number', 'a number', { type: 'number', ...limits(bounds) }, bounded(parseNumber, bounds));

/** In thousandths of a core. */
export const cpu = () =>
  leaf(
    'bad-cpu',
    'a number of cores such as 500m or 1.5',
    {
      anyOf: [
        { type: 'string', pattern: '^\\d+(\\.\\d+)?m?$' },
        { type: 'number', exclusiveMinimum: 0 },
      ],
      examples: ['500m', 2],
    },
    bounded(parseCpu, { min: 0, exclusiveMin: true, max: 1_000_000_000 }),
  );

/** In bytes. */
export const memory = () =>
  leaf(
    'bad-memory',
    'an amount of memory such as 512MiB',
    { type: 'string', pattern: '^\\d+(\\.\\d+)?([KMGT]i?|k)B?$', examples: ['512MiB'] },
    bounded(parseMemory, { min: 0, exclusiveMin: true, max: 2 ** 50 }),
  );

/** Unix time in ms. */
export const date = () =>
  leaf(
    'bad-date',
    'a date such as 2026-01-05T08:00:00Z',
    { type: 'string', examples: ['2026-01-05T08:00:00Z'] },
    bounded(parseDate, {}),
  );

const limits = ({ min, max, exclusiveMin }: Bounds): Editor => ({
  ...(min === undefined ? {} : exclusiveMin === true ? { exclusiveMinimum: min } : { minimum: min }),
  ...(max === undefined ? {} : { maximum: max }),
});

/** Infinity for `unlimited`. */
export const countOrUnlimited = (bounds: Bounds) =>
  leaf(
    'bad-count',
    'a whole number or unlimited',
    { anyOf: [{ type: 'integer', ...limits(bounds) }, { const: 'unlimited' }] },
    (found) => {
      if (found === 'unlimited') return { value: Infinity };
      if (typeof found === 'string' && !/^\d/.test(found)) {
        return { problem: `expected a whole number or unlimited, found ${show(found)}`, hint: 'write unlimited for no limit' };
      }
      return bounded(parseCount, bounds)(found);
    },
  );

export const boolean = () =>
  leaf('wrong-type', 'true or false', { type: 'boolean' }, (found) => {
    if (typeof found === 'boolean') return { value: found };
    const meant =
      typeof found === 'string'
        ? ({ yes: 'true', on: 'true', no: 'false', off: 'false' } as Record<string, string>)[found.toLowerCase()]
        : undefined;
    return {
      problem: `expected true or false, found ${show(found)}`,
      ...(meant === undefined ? {} : { hint: `write ${meant}` }),
    };
  });

export const choice = <const Choice extends string>(choices: readonly Choice[]) =>
  leaf(
    'unknown-choice',
    choices.join(' or '),
    { enum: choices },
    (found): { value: Choice } | { problem: string; hint: string } => {
      if (choices.includes(found as Choice)) return { value: found as Choice };
      return { problem: `${show(found)} is not one of ${choices.join(', ')}`, hint: keyHint(String(found), choices) };
    },
  );

/** Of this file format. */
export const version = () =>
  leaf('bad-version', 'the version of this format, 1', { const: 1 }, (found) =>
    found === 1 ? { value: 1 } : { problem: `unknown version ${show(found)} of the file format`, hint: 'write scenario: 1' },
  );

/** There, whatever it is: checked elsewhere. */
export const anything = (expected: string) =>
  z.any().transform((found: unknown, context) => {
    const params: ComplaintParams = { issue: 'missing-key', hint: `expected ${expected}`, isWrongKind: false };
    if (found === undefined) context.addIssue({ code: 'custom', message: 'missing', params: { ...params }, input: found });
    return found;
  });

/** Words for people; shown, never interpreted. */
export const text = (maxLength = 2000) =>
  leaf('bad-text', 'a text', { type: 'string', maxLength }, (found) => {
    if (typeof found !== 'string')
      return { problem: `expected a text, found ${show(found)}`, ...(found === null ? {} : { hint: 'put it in quotes' }) };
    if (found.length > maxLength) return { problem: `longer than ${maxLength} characters` };
    return { value: found };
  });

/** Names become file names, labels and parts of paths, so they are plain. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const reservedNames = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
export function readName(found: unknown): { value: string } | { problem: string; hint?: string } {
  const name = typeof found === 'number' ? String(found) : found;
  if (typeof name !== 'string' || name === '')
    return { problem: `expected a name, found ${name === '' ? 'an empty text' : show(found)}` };
  if (name.length > 64) return { problem: `the name ${show(name)} is longer than 64 characters` };
  if (!namePattern.test(name)) {
    const slug = name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+|-+$/g, '');
    return {
      problem: `${show(name)} is not a name: letters, digits, ".", "_" and "-" only, a letter or digit first`,
      ...(slug === '' ? {} : { hint: `write ${slug}` }),
    };
  }
  if (reservedNames.test(name))
    return { problem: `${show(name)} cannot be the name of a file on Windows`, hint: `write ${name}-1` };
  return { value: name };
}
export const name = () => leaf('bad-name', 'a name', { type: 'string', pattern: namePattern.source, maxLength: 64 }, readName);

/** Any text or whole number; kept as text. */
export const seed = () =>
  leaf('bad-seed', 'a seed: any text or whole number', { type: ['string', 'integer'], maxLength: 200 }, (found) => {
    if (typeof found === 'number' && Number.isInteger(found)) return { value: String(found) };
    if (typeof found !== 'string')
      return { problem: `expected a text or a whole number, found ${show(found)}`, hint: 'put it in quotes' };
    if (found === '') return { problem: 'a seed must not be empty' };
    return found.length <= 200 ? { value: found } : { problem: 'a seed has at most 200 characters' };
  });

/** The path of a data file, relative to the scenario. */
export const filePath = () =>
  leaf('bad-path', 'the path of a file', { type: 'string' }, (found) =>
    typeof found === 'string' && found !== ''
      ? { value: found }
      : { problem: `expected the path of a file, found ${show(found)}` },
  );

/** A map with exactly these keys. */
export const keys = <Shape extends z.core.$ZodLooseShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? knownKeysMessage(Object.keys(shape)) : undefined),
  });

/** One of several kinds of value, told apart by kind alone: a text here, a map there. */
export const either = <const Options extends readonly [z.ZodType, ...z.ZodType[]]>(options: Options, expected: string) =>
  z.union(options, { error: (issue) => (issue.code === 'invalid_union' ? `expected ${expected}` : undefined) });
