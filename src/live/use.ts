/** Policies by name, as options of a program: `'p2c'`, `{ use: 'constant', delay: 20 }`, or a function that makes one. Durations are
 *  numbers of milliseconds, shares numbers from 0 to 1. */
import { InputError } from '../core/errors.ts';
import type { Param, ParamAny, ParamSpecs, ParamValues } from '../core/params.ts';
import { resolvePolicy } from '../core/policy-table.ts';
import type { PolicyAlias } from '../core/policy.ts';
import { suggest } from '../core/suggest.ts';

export type Use<Deps, Made> = string | NamedUse | ((deps: Deps) => Made);
export interface NamedUse {
  readonly use: string;
  /** The policy's parameters that differ from their defaults. */
  readonly [parameter: string]: ParamAny;
}

interface Definition<Deps, Made> {
  readonly name: string;
  readonly aliases: readonly PolicyAlias[];
  readonly params: ParamSpecs;
  make(params: Partial<ParamValues<ParamSpecs>>, deps: Deps): Made;
}

/** Throws `InputError` for what the table does not know. */
export function makePolicy<Deps, Made>(
  table: Readonly<Record<string, Definition<Deps, Made>>>,
  use: Use<Deps, Made>,
  deps: Deps,
): Made {
  if (typeof use === 'function') return use(deps);
  const { use: name, ...params } = typeof use === 'string' ? { use } : use;
  const resolution = resolvePolicy(table, name);
  if (resolution.kind === 'ambiguous') {
    throw InputError.of('ambiguous-policy', `"${name}" may mean several policies`, `write one of ${resolution.names.join(', ')}`);
  }
  if (resolution.kind === 'unknown') {
    throw InputError.of('unknown-policy', `there is no policy "${name}"`, hint(resolution.suggestion, Object.keys(table)));
  }
  const { policy } = resolution;
  for (const [key, value] of Object.entries(params)) {
    const param = Object.hasOwn(policy.params, key) ? policy.params[key] : undefined;
    if (param === undefined) {
      const known = Object.keys(policy.params);
      throw InputError.of('unknown-key', `${policy.name} has no parameter "${key}"`, hint(suggest(key, known), known));
    }
    if (!fits(param, value))
      throw InputError.of('bad-parameter', `${policy.name} cannot have ${key} ${JSON.stringify(value)}`, param.about);
  }
  return policy.make(params, deps);
}

const hint = (suggestion: string | undefined, known: readonly string[]): string =>
  suggestion === undefined ? `known are ${known.join(', ')}` : `did you mean "${suggestion}"?`;

function fits(param: Param, value: ParamAny): boolean {
  switch (param.type) {
    case 'set':
      return Array.isArray(value) && value.every((item) => param.choices.includes(item));
    case 'choice':
      return typeof value === 'string' && param.choices.includes(value);
    case 'string':
    case 'boolean':
      return typeof value === param.type;
    case 'int':
      return Number.isInteger(value) && isWithin(value as number, param.min, param.max);
    case 'number':
      return isWithin(value, param.min, param.max) && !(param.exclusiveMin === true && value === param.min);
    case 'duration':
      return isWithin(value, param.min ?? 0, param.max);
    case 'fraction':
      return isWithin(value, param.min ?? 0, param.max ?? 1);
  }
}

const isWithin = (value: ParamAny, min = -Infinity, max = Infinity): boolean =>
  typeof value === 'number' && value >= min && value <= max && Math.abs(value) < Infinity;
