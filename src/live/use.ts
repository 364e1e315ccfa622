/** Policies by name, as options of a program: `'p2c'`, `{ use: 'constant', delay: 20 }`, or a function that makes one. Durations are
 *  numbers of milliseconds, shares numbers from 0 to 1. */
import { InputError } from '../core/errors.ts';
import type { Param, ParamScalar, ParamSettings, ParamSpecs, PolicyParamTable } from '../core/params.ts';
import { resolvePolicy } from '../core/policy-table.ts';
import type { PolicyAlias } from '../core/policy.ts';
import { suggest } from '../core/suggest.ts';

export type Use<Deps, Made> = string | NamedUse | ((deps: Deps) => Made);
export interface NamedUse {
  readonly use: string;
  /** The policy's parameters that differ from their defaults. */
  readonly [parameter: string]: Setting;
}
/** Records have the fields that differ from their defaults; policies inside others are written like those around them. */
type Setting = ParamScalar | readonly (string | NamedUse | Readonly<Record<string, ParamScalar>>)[];

interface Definition<Deps, Made> {
  readonly name: string;
  readonly aliases: readonly PolicyAlias[];
  readonly params: ParamSpecs;
  make(params: ParamSettings<ParamSpecs>, deps: Deps): Made;
}

/** Throws `InputError` for what the table does not know. */
export function makePolicy<Deps, Made>(
  table: Readonly<Record<string, Definition<Deps, Made>>>,
  use: Use<Deps, Made>,
  deps: Deps,
): Made {
  if (typeof use === 'function') return use(deps);
  const { policy, params } = resolved(table, use);
  return policy.make(params as ParamSettings<ParamSpecs>, deps);
}

/** The policy that is meant, and its parameters as its definition wants them. */
function resolved<Policy extends PolicyParamTable[string]>(
  table: Readonly<Record<string, Policy>>,
  use: string | NamedUse,
): { policy: Policy; params: Readonly<Record<string, unknown>> } {
  const { use: name, ...written } = typeof use === 'string' ? { use } : use;
  const resolution = resolvePolicy(table, name);
  if (resolution.kind === 'ambiguous') {
    throw InputError.of('ambiguous-policy', `"${name}" may mean several policies`, `write one of ${resolution.names.join(', ')}`);
  }
  if (resolution.kind === 'unknown') {
    throw InputError.of('unknown-policy', `there is no policy "${name}"`, hint(resolution.suggestion, Object.keys(table)));
  }
  const { policy } = resolution;
  const params = Object.entries(written).map(([key, value]) => {
    const param = Object.hasOwn(policy.params, key) ? policy.params[key] : undefined;
    if (param === undefined) throw unknownKey(policy.name, key, Object.keys(policy.params));
    if (!fits(param, value))
      throw InputError.of('bad-parameter', `${policy.name} cannot have ${key} ${JSON.stringify(value)}`, param.about);
    return [key, inFull(`${policy.name}’s ${key}`, param, value)] as const;
  });
  return { policy, params: Object.fromEntries(params) };
}

/** Checks what is inside of lists. */
function inFull(whose: string, param: Param, value: Setting): unknown {
  if (param.type === 'policies') {
    return (value as readonly (string | NamedUse)[]).map((inner) => {
      const { policy, params } = resolved(param.table(), inner);
      return { use: policy.name, params };
    });
  }
  if (param.type !== 'records') return value;
  for (const record of value as readonly Readonly<Record<string, ParamScalar>>[]) {
    for (const [key, each] of Object.entries(record)) {
      const field = Object.hasOwn(param.fields, key) ? param.fields[key] : undefined;
      if (field === undefined) throw unknownKey(whose, key, Object.keys(param.fields));
      if (!fits(field, each))
        throw InputError.of('bad-parameter', `${whose} cannot have ${key} ${JSON.stringify(each)}`, field.about);
    }
    const missing = param.required.find((key) => !Object.hasOwn(record, key));
    if (missing !== undefined) throw InputError.of('missing-key', `${whose} needs ${missing}`, param.fields[missing].about);
  }
  return value;
}

const unknownKey = (whose: string, key: string, known: readonly string[]): InputError =>
  InputError.of('unknown-key', `${whose} has no parameter "${key}"`, hint(suggest(key, known), known));

const hint = (suggestion: string | undefined, known: readonly string[]): string =>
  suggestion === undefined ? `known are ${known.join(', ')}` : `did you mean "${suggestion}"?`;

function fits(param: Param, value: Setting): boolean {
  switch (param.type) {
    case 'set':
      return Array.isArray(value) && value.every((item) => param.choices.includes(item as string));
    case 'records':
      return Array.isArray(value) && value.length >= param.atLeast && value.every((item) => typeof item === 'object');
    case 'policies':
      return Array.isArray(value) && value.length >= param.atLeast && value.every(isUse);
    case 'choice':
      return typeof value === 'string' && param.choices.includes(value);
    case 'string':
    case 'boolean':
      return typeof value === param.type;
    case 'int':
      return Number.isInteger(value) && isWithin(value, param.min, param.max);
    case 'number':
      return isWithin(value, param.min, param.max) && !(param.exclusiveMin === true && value === param.min);
    case 'duration':
      return isWithin(value, param.min ?? 0, param.max);
    case 'fraction':
      return isWithin(value, param.min ?? 0, param.max ?? 1);
  }
}

const isUse = (item: unknown): boolean =>
  typeof item === 'string' || (typeof item === 'object' && item !== null && 'use' in item && typeof item.use === 'string');

const isWithin = (value: Setting, min = -Infinity, max = Infinity): boolean =>
  typeof value === 'number' && value >= min && value <= max && Math.abs(value) < Infinity;
