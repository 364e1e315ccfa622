/** What is written behind `use:`, checked against the policy's own table: complete parameters, or complaints that point at the value.
 *  Lists of records and of policies are checked item by item, each complaint at the innermost place. */
import { InputError } from '../core/errors.ts';
import type { Path } from '../core/issue.ts';
import {
  defaults,
  type InnerPolicy,
  type Param,
  type ParamAny,
  type ParamRecord,
  type ParamSpecs,
  type ParamValues,
  type PoliciesParam,
  type RecordsParam,
  type ScalarParam,
  type SetParam,
} from '../core/params.ts';
import { resolvePolicy } from '../core/policy-table.ts';
import { formatDuration, show } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import type { Env } from './distributions.ts';
import { keyHint, knownHint, nearest } from './hints.ts';
import { formatDefault, readParam } from './param-text.ts';
import { type Definition, roleOf, roles } from './roles.ts';

type Values = ParamValues<ParamSpecs>;
type Written = Readonly<Record<string, unknown>>;

interface Context {
  readonly env: Env;
  readonly durationMs: Ms;
}

/** Whether `use` names a module and its export, not a policy of ours. */
export const isOwnPolicy = (use: string): boolean => use.includes('#') || /^\.{0,2}\//.test(use);

/** How a family is spoken of, and what it has. */
interface Choices<Policy> {
  readonly noun: string;
  readonly plural: string;
  readonly table: Readonly<Record<string, Policy>>;
  readonly mayBeNone: boolean;
}

/** Undefined after complaints. */
export function namedPolicy<Policy extends Pick<Definition, 'name' | 'aliases'>>(
  use: string,
  usePath: Path,
  { noun, plural, table, mayBeNone }: Choices<Policy>,
  { complaints }: Env,
): Policy | undefined {
  const resolution = resolvePolicy(table, use);
  if (resolution.kind === 'found') return resolution.policy;
  if (resolution.kind === 'ambiguous') {
    const hint = `write one of ${resolution.names.join(', ')}`;
    complaints.error('ambiguous-policy', usePath, `${show(use)} may mean several ${plural}`, hint);
    return undefined;
  }
  const known = [...Object.keys(table), ...(mayBeNone ? ['none'] : [])];
  const hint = knownHint(resolution.suggestion ?? use, known);
  complaints.error('unknown-policy', usePath, `unknown ${noun} ${show(use)}`, hint);
  return undefined;
}

/** Undefined after complaints. */
export function compileParams(policy: Definition, written: Written, path: Path, context: Context): Values | undefined {
  const values: Record<string, ParamAny> = { ...defaults(policy.params) };
  let isGood = true;
  for (const [key, found] of Object.entries(written)) {
    const param = Object.hasOwn(policy.params, key) ? policy.params[key] : undefined;
    if (param === undefined) {
      context.env.complaints.add({ code: 'unknown-key', path, key, ...unknownParam(policy, key) });
      isGood = false;
      continue;
    }
    const value = compileValue(`${policy.name}’s ${key}`, param, found, [...path, key], context);
    if (value === undefined) isGood = false;
    else values[key] = value;
  }
  return isGood && isMakeable(policy, values as Values, written, path, context.env) ? (values as Values) : undefined;
}

/** `whose` begins sentences about the value. */
function compileValue(whose: string, param: Param, found: unknown, path: Path, context: Context): ParamAny | undefined {
  if (param.type === 'records') return compileRecords(whose, param, found, path, context);
  if (param.type === 'policies') return compilePolicies(param, found, path, context);
  return compileSingle(whose, param, found, path, context);
}

function compileSingle<Single extends ScalarParam | SetParam>(
  whose: string,
  param: Single,
  found: unknown,
  path: Path,
  { durationMs, env: { complaints } }: Context,
): Single['default'] | undefined {
  const reading = readParam(param, found);
  if ('problem' in reading) {
    complaints.error('bad-parameter', path, reading.problem, reading.hint);
    return undefined;
  }
  if (param.type === 'duration' && (reading.value as Ms) > durationMs) {
    const message = `${whose} of ${formatDuration(reading.value as Ms)} is longer than the run, ${formatDuration(durationMs)}`;
    complaints.warn('longer-than-run', path, message);
  }
  return reading.value;
}

/** `[{ name: cpu, averageUtilization: 80% }]`, or a single such map. */
function compileRecords(
  whose: string,
  param: RecordsParam,
  found: unknown,
  path: Path,
  context: Context,
): readonly ParamRecord[] | undefined {
  return compileList(param, found, path, context, 'maps', (item, itemPath) => {
    const { complaints } = context.env;
    if (!isMap(item)) {
      const example = Object.keys(param.fields).slice(0, 2).join(': …, ');
      complaints.error('bad-parameter', itemPath, `expected a map, found ${show(item)}`, `write { ${example}: … }`);
      return undefined;
    }
    const values: Record<string, ParamRecord[string]> = { ...defaults(param.fields) };
    let isGood = true;
    for (const [key, each] of Object.entries(item)) {
      const field = Object.hasOwn(param.fields, key) ? param.fields[key] : undefined;
      if (field === undefined) {
        const hint = keyHint(key, Object.keys(param.fields));
        complaints.add({ code: 'unknown-key', path: itemPath, key, message: `unknown key ${show(key)}`, hint });
        isGood = false;
        continue;
      }
      const value = compileSingle(`${whose}: ${key}`, field, each, [...itemPath, key], context);
      if (value === undefined) isGood = false;
      else values[key] = value;
    }
    for (const key of param.required) {
      if (Object.hasOwn(item, key)) continue;
      const hint = param.fields[key].about;
      complaints.add({ code: 'missing-key', path: itemPath, key, message: `missing key ${show(key)}`, hint });
      isGood = false;
    }
    return isGood ? values : undefined;
  });
}

/** `[hpa, { use: step, min: 2 }]`, or a single one. */
function compilePolicies(param: PoliciesParam, found: unknown, path: Path, context: Context): readonly InnerPolicy[] | undefined {
  const table = param.table();
  const role = roleOf(table);
  const { noun, plural } = role === undefined ? { noun: 'policy', plural: 'policies' } : roles[role];
  return compileList(param, found, path, context, plural, (item, itemPath) => {
    const { complaints } = context.env;
    const { use, ...written } = isMap(item) ? item : { use: item };
    const usePath = isMap(item) ? [...itemPath, 'use'] : itemPath;
    if (use === undefined) {
      complaints.add({ code: 'missing-key', path: itemPath, key: 'use', message: 'missing key "use"', hint: 'expected a text' });
      return undefined;
    }
    if (typeof use !== 'string') {
      complaints.error('bad-parameter', usePath, `expected the name of a policy or a map with "use", found ${show(use)}`);
      return undefined;
    }
    if (isOwnPolicy(use)) {
      const hint = `known: ${Object.keys(table).join(', ')}`;
      complaints.error('bad-policy', usePath, 'a policy of one’s own cannot stand inside another one', hint);
      return undefined;
    }
    const policy = namedPolicy(
      use,
      usePath,
      { noun, plural, table: table as Readonly<Record<string, Definition>>, mayBeNone: false },
      context.env,
    );
    const params = policy && compileParams(policy, written, itemPath, context);
    return policy && params && { use: policy.name, params };
  });
}

function compileList<Item>(
  { atLeast }: RecordsParam | PoliciesParam,
  found: unknown,
  path: Path,
  { env: { complaints } }: Context,
  what: string,
  compile: (item: unknown, path: Path) => Item | undefined,
): readonly Item[] | undefined {
  if (!Array.isArray(found) && typeof found !== 'string' && !isMap(found)) {
    complaints.error('bad-parameter', path, `expected a list of ${what}, found ${show(found)}`);
    return undefined;
  }
  const items: readonly unknown[] = Array.isArray(found) ? found : [found];
  const pathOf = (index: number): Path => (Array.isArray(found) ? [...path, index] : path);
  if (items.length < atLeast) {
    complaints.error('too-few', path, items.length === 0 ? 'must not be empty' : `must have at least ${atLeast} entries`);
    return undefined;
  }
  if (items.length > maxItems) {
    complaints.error('too-many', path, `has more than ${maxItems} entries`);
    return undefined;
  }
  const compiled = items.map((item, index) => compile(item, pathOf(index)));
  return compiled.includes(undefined) ? undefined : (compiled as readonly Item[]);
}

/** Whoever writes more does not mean it. */
const maxItems = 1000;

const isMap = (value: unknown): value is Written => typeof value === 'object' && value !== null && !Array.isArray(value);

/** What parameters must fulfil together, or beyond a range (a prime, a list), only the policy knows: it says so when it is made. */
export function isMakeable(policy: Definition, values: Values, written: Written, path: Path, { complaints }: Env): boolean {
  try {
    policy.create(values, anyDeps);
    return true;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    for (const { code, path: inner, message, hint } of error.issues) {
      // Most policies only name the parameter.
      const named = Object.keys(written).find((key) => message.includes(key));
      const within = inner.length > 0 ? inner : named === undefined ? [] : [named];
      complaints.error(code, [...path, ...within], message, hint);
    }
    return false;
  }
}

/** Enough to make any policy that is never asked. */
const anyDeps = {
  rng: { next: () => 0, uint32: () => 0, below: () => 0 },
  sink: { believe: () => undefined },
  epochMs: 0,
  specReplicas: 1,
  readyReplicas: 1,
};

function unknownParam(policy: Definition, key: string): { message: string; hint: string } {
  const near = nearest(key, Object.keys(policy.params));
  const known = Object.entries(policy.params).map(([name, param]) => `${name} (${formatDefault(param)})`);
  const listed = known.length === 0 ? `${policy.name} has no parameters` : `${policy.name} knows ${known.join(', ')}`;
  const hint = near === undefined ? listed : `did you mean ${JSON.stringify(near)}? ${listed}`;
  return { message: `unknown parameter ${show(key)} of ${policy.name}`, hint };
}
